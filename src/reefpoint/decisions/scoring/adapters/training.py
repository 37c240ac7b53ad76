"""Training on the German credit data, with the extra `train`: a scorecard by optbinning, a challenger by LightGBM.

What comes out is files that the desk runs without either library: the scorecard's JSON, LightGBM's own text, and the
facts of both for the register of models. Everything is seeded; the same libraries give the same files.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import log2
from typing import Any

from reefpoint.decisions.scoring.adapters import german
from reefpoint.decisions.scoring.rules.cards import count_bands, make_runtime, read_card
from reefpoint.decisions.scoring.rules.trees import read_boosted
from reefpoint.platform.basics.errors import Refusal

ROUNDS, HALVES = 5, 2
PDO, ANCHOR_POINTS, ANCHOR_ODDS = 20, 500, 1
"""20 points double the odds of good to bad, which are 1 at 500 points."""
GRADE_ODDS = (19, 9, 4, 1.5)
"""Good:bad odds from which a case is A, B, C and D: 5%, 10%, 20% and 40% are expected to go bad."""
AUC_MIN, KS_MIN = 0.77, 0.45
"""What a scorecard must reach on average over the halves to be written at all."""
TREES, LEAVES, RATE = 120, 6, 0.05
BANDS = 10
BOOTSTRAPS = 1_000


class TrainingRefused(Refusal):
    """Training that cannot be done here, or whose scorecard is too weak to be written."""

    code = "training_refused"


@dataclass(frozen=True)
class Spread:
    """A measure over the halves of 5x2 cross-validation, and the 95% interval of its value over all cases."""

    mean: float
    deviation: float
    least: float
    most: float
    low: float
    high: float


@dataclass(frozen=True)
class Trained:
    """One trained model: its artifact, its facts for the register, and how it did by measure."""

    code: str
    artifact: str
    facts: Mapping[str, Any]
    measures: Mapping[str, Spread]


def train_german() -> tuple[Trained, Trained]:
    """Train the scorecard and its challenger. Raises `TrainingRefused` without the libraries, or for a weak card."""
    try:
        import lightgbm  # noqa: F401, PLC0415 - the extra `train`; the desk runs without it
        import optbinning  # noqa: F401, PLC0415
    except (ImportError, OSError) as error:
        raise TrainingRefused(
            "Training needs the extra: install reefpoint[train] (LightGBM also needs libgomp). {error}", error=error
        ) from error
    table, bad = load_frame()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        card = _train_card(table, bad)
        return card, _train_challenger(table, bad)


def load_frame() -> tuple[Any, Any]:
    """The cases as a table of pandas and the outcomes as an array, 1 for bad."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415 - comes with the extra

    cases = german.read_german()
    return pd.DataFrame([case for case, _ in cases]), np.array([int(is_bad) for _, is_bad in cases])


# The scorecard


def fit_card(table: Any, bad: Any, *, special: Sequence[float] = (), rounding: bool = True) -> Any:
    """An optbinning scorecard: at most six bins with five cases in a hundred, a logistic regression on their WOE.

    Of a number more is always better, or always worse: a card that turns around cannot be told to anybody.
    """
    from optbinning import BinningProcess, Scorecard  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    names = list(table.columns)
    process = BinningProcess(
        variable_names=names,
        categorical_variables=[name for name in names if name not in german.NUMBERS],
        min_prebin_size=0.05,
        max_n_bins=6,
        selection_criteria={"iv": {"min": 0.02, "strategy": "highest"}},
        binning_fit_params={name: {"monotonic_trend": "auto_asc_desc"} for name in names if name in german.NUMBERS},
        special_codes=list(special) or None,
    )
    card = Scorecard(
        binning_process=process,
        estimator=LogisticRegression(C=0.5, max_iter=1_000),
        scaling_method="pdo_odds",
        scaling_method_params={"pdo": PDO, "odds": ANCHOR_ODDS, "scorecard_points": ANCHOR_POINTS},
        rounding=rounding,
    )
    return card.fit(table, bad, metric_special="empirical", metric_missing="empirical")


def card_to_json(card: Any, *, code: str, special: Sequence[float] = ()) -> dict[str, Any]:
    """A fitted optbinning scorecard in the desk's format.

    A value that was missing, or special, in no case of training has no measured points: missing ones refer.
    """
    points = card.table(style="detailed")
    found = []
    for name in card.binning_process_.get_support(names=True):
        rows = points[points["Variable"] == name]
        values = [_plain(one) for one in rows["Points"].tolist()]
        counts = [int(one) for one in rows["Count"].tolist()]
        binned = card.binning_process_.get_binned_variable(name)
        is_number = name in german.NUMBERS
        words, words_zh = german.WORDS[name]
        bins = _number_bins(binned.splits.tolist()) if is_number else _word_bins(binned.splits)
        for one, value in zip(bins, values, strict=False):
            one["points"] = value
            one["reason"] = f"{words}: {one['label']}"
            one["reason_zh"] = f"{words_zh}：{one.pop('label_zh')}"
        at_special, at_missing = len(bins), len(bins) + 1
        plain = {"reason": f"{words}: not known", "reason_zh": f"{words_zh}：未知"}
        found.append(
            {
                "name": name,
                "words": words,
                "words_zh": words_zh,
                "kind": "number" if is_number else "words",
                "bins": bins,
                "special": [
                    {"value": one, "label": f"{one:g}", "points": values[at_special], **plain} for one in special
                ]
                if is_number and counts[at_special]
                else [],
                "missing": {"label": "missing", "points": values[at_missing], **plain} if counts[at_missing] else None,
                "other": None,
            }
        )
    edges = [ANCHOR_POINTS + PDO * log2(odds / ANCHOR_ODDS) for odds in GRADE_ODDS]
    return {
        "format": 1,
        "code": code,
        "is_expert": False,
        "base": _plain(float(card.intercept_)),
        "scale": {"pdo": PDO, "anchor_points": ANCHOR_POINTS, "anchor_odds": ANCHOR_ODDS},
        "grades": [
            *({"grade": grade, "least": round(edge)} for grade, edge in zip("ABCD", edges, strict=True)),
            {"grade": "E", "least": None},
        ],
        "characteristics": found,
    }


def _plain(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)


def _number_bins(splits: Sequence[float]) -> list[dict[str, Any]]:
    edges = [_plain(split) for split in splits]
    lows, highs = [None, *edges], [*edges, None]
    return [
        {
            "low": low,
            "high": high,
            "label": _range(low, high, "below", "from"),
            "label_zh": _range(low, high, "低于", "不低于"),
        }
        for low, high in zip(lows, highs, strict=True)
    ]


def _range(low: float | None, high: float | None, below: str, above: str) -> str:
    if low is None and high is None:
        return "–"
    if low is None:
        return f"{below} {high:g}"
    return f"{above} {low:g}" if high is None else f"{low:g} – {high:g}"


def _word_bins(splits: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "values": [str(word) for word in group],
            "label": "; ".join(map(str, group)),
            "label_zh": "；".join(german.CHINESE.get(str(word), str(word)) for word in group),
        }
        for group in splits
    ]


def _train_card(table: Any, bad: Any) -> Trained:
    measures = _cross_validate(table, bad, lambda x, y: _card_predictor(fit_card(x, y)))
    if measures["auc"].mean < AUC_MIN or measures["ks"].mean < KS_MIN:
        raise TrainingRefused(
            "The scorecard is too weak: AUC {auc:.3f}, KS {ks:.3f} over the halves,"
            " where {auc_min} and {ks_min} are asked.",
            auc=measures["auc"].mean,
            ks=measures["ks"].mean,
            auc_min=AUC_MIN,
            ks_min=KS_MIN,
        )
    artifact = json.dumps(card_to_json(fit_card(table, bad), code="german_card"), ensure_ascii=False, indent=1) + "\n"
    runtime = make_runtime(read_card(artifact))
    points = [runtime.points(case) for case, _ in german.read_german()]
    scored = [round(one) for one in points if one is not None]
    edges = _edges(scored)
    facts = _facts("german_card", measures) | {
        "development": {"edges": edges, "counts": count_bands(scored, edges)},
        "calibration": _calibration(runtime, points, bad.tolist()),
        "environment": {name: version(name) for name in ("optbinning", "scikit-learn", "numpy")},
        "parameters": {
            "bins": "at most 6, at least 5% of cases each, IV at least 0.02, monotone in numbers",
            "regression": "logistic, C 0.5",
            "scale": f"{PDO} points double the odds, {ANCHOR_ODDS}:1 at {ANCHOR_POINTS}",
        },
    }
    return Trained("german_card", artifact, facts, measures)


def _card_predictor(card: Any) -> Callable[[Any], Any]:
    return lambda rows: -card.score(rows)


# The challenger


def fit_challenger(table: Any, bad: Any) -> Any:
    """A LightGBM model of few small trees, on one thread, so that it is the same everywhere."""
    import lightgbm  # noqa: PLC0415

    data = lightgbm.Dataset(_worded(table), bad, free_raw_data=False)
    return lightgbm.train(
        {
            "objective": "binary",
            "num_leaves": LEAVES,
            "learning_rate": RATE,
            "min_data_in_leaf": 20,
            "cat_smooth": 20,
            "lambda_l2": 5,
            "feature_fraction": 0.6,
            "seed": 7,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        },
        data,
        num_boost_round=TREES,
    )


def _worded(table: Any) -> Any:
    """The table with words as categories in a fixed order."""
    import pandas as pd  # noqa: PLC0415

    every = {name: sorted({str(case[name]) for case, _ in german.read_german()}) for name in table.columns}
    return table.assign(
        **{
            name: pd.Categorical(table[name], categories=every[name])
            for name in table.columns
            if name not in german.NUMBERS
        }
    )


def _train_challenger(table: Any, bad: Any) -> Trained:
    measures = _cross_validate(table, bad, lambda x, y: _challenger_predictor(fit_challenger(x, y)))
    artifact = fit_challenger(table, bad).model_to_string()
    read_boosted(artifact)
    facts = _facts("german_boosted", measures) | {
        "environment": {name: version(name) for name in ("lightgbm", "numpy")},
        "parameters": {"trees": str(TREES), "leaves": str(LEAVES), "learning_rate": str(RATE), "threads": "1"},
    }
    return Trained("german_boosted", artifact, facts, measures)


def _challenger_predictor(model: Any) -> Callable[[Any], Any]:
    return lambda rows: model.predict(_worded(rows))


# How well they do


def _cross_validate(table: Any, bad: Any, fit: Callable[[Any, Any], Callable[[Any], Any]]) -> dict[str, Spread]:
    """5x2 cross-validation (Dietterich, 1998): five times, each half is scored by what the other half trained.

    The interval is of 1,000 bootstraps of the cases, each with the mean of its five scores.
    """
    import numpy as np  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    found: dict[str, list[float]] = {"auc": [], "ks": []}
    ranks = np.zeros(len(bad))
    for seed in range(ROUNDS):
        for train, test in StratifiedKFold(HALVES, shuffle=True, random_state=seed).split(table, bad):
            scores = np.asarray(fit(table.iloc[train], bad[train])(table.iloc[test]), dtype=np.float64)
            found["auc"].append(_auc(scores, bad[test]))
            found["ks"].append(_ks(scores, bad[test]))
            ranks[test] += scores.argsort().argsort() / len(test) / ROUNDS
    random = np.random.default_rng(7)
    samples = [random.integers(0, len(bad), len(bad)) for _ in range(BOOTSTRAPS)]
    spreads = {}
    for name, measure in (("auc", _auc), ("ks", _ks)):
        booted = [measure(ranks[one], bad[one]) for one in samples]
        low, high = np.percentile(booted, [2.5, 97.5])
        values = found[name]
        spreads[name] = Spread(
            float(np.mean(values)), float(np.std(values, ddof=1)), min(values), max(values), float(low), float(high)
        )
    return spreads


def _auc(scores: Any, bad: Any) -> float:
    """The chance that a bad case scores above a good one, ties counted half."""
    import numpy as np  # noqa: PLC0415

    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    bads = int(bad.sum())
    return float((rank[bad == 1].sum() - bads * (bads + 1) / 2) / (bads * (len(bad) - bads)))


def _ks(scores: Any, bad: Any) -> float:
    """The greatest distance between the shares of bad and of good cases below any score."""
    import numpy as np  # noqa: PLC0415

    values, place = np.unique(scores, return_inverse=True)
    bads = np.bincount(place, weights=bad, minlength=len(values)).cumsum() / bad.sum()
    goods = np.bincount(place, weights=1 - bad, minlength=len(values)).cumsum() / (1 - bad).sum()
    return float(np.abs(bads - goods).max())


def _edges(points: Sequence[float]) -> list[int]:
    """Points that cut the sample into ten bands of nearly one size."""
    ordered = sorted(points)
    return sorted({round(ordered[len(ordered) * place // BANDS]) for place in range(1, BANDS)})


def _calibration(runtime: Any, points: Sequence[float | None], bad: Sequence[int]) -> list[dict[str, Any]]:
    """Cases, bad ones, and the bad ones that the points lead to expect, by grade."""
    rows: dict[str, list[float]] = {}
    for one, is_bad in zip(points, bad, strict=True):
        if one is not None:
            row = rows.setdefault(runtime.grade(one), [0, 0, 0])
            row[0] += 1
            row[1] += is_bad
            row[2] += (runtime.probability_bp(one) or 0) / 10_000
    return [
        {"grade": grade, "cases": int(cases), "bad": int(bads), "expected": f"{expected:.1f}"}
        for grade, (cases, bads, expected) in sorted(rows.items())
    ]


def _facts(code: str, measures: Mapping[str, Spread]) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "is_expert": False,
        "developer": "the authors of the program",
        "permitted": ["Prove the pipeline from training to drift on real outcomes"],
        "permitted_zh": ["以真实结果验证从训练到漂移监测的流程"],
        "prohibited": ["A decision on any client: these are consumer credits of the 1970s"],
        "prohibited_zh": ["对任何客户作出决定：样本为 1970 年代消费贷款"],
        "sources": ["german"],
        "training": {
            "sample": "1,000 cases, 300 bad",
            "sample_zh": "1,000 例，其中坏样本 300 例",
            "window": "1973-1975",
            "sha256": german.snapshot_sha256(),
        },
        "target": "bad: the bank's own verdict on the credit",
        "prohibited_features": list(german.PROHIBITED),
        "prohibited_features_zh": ["婚姻状况与性别", "是否外籍劳工", "年龄"],
        "assumptions": ["A case that was refused then is not in the sample"],
        "assumptions_zh": ["当年被拒的申请不在样本中"],
        "limitations": [
            "Old, small, and of one bank; three of ten cases are bad by design of the sample",
            "The spread is over halves of the sample: nothing is known of other years",
        ],
        "limitations_zh": [
            "样本陈旧、规模小且来自单一银行；按抽样设计十例中三例为坏",
            "离散度来自样本对半，其他年份未知",
        ],
        "metrics": [
            {
                "name": name,
                "how": "5x2 cross-validation",
                **{key: f"{value:.4f}" for key, value in vars(spread).items()},
            }
            for name, spread in measures.items()
        ],
        "monitoring": ["Drift of points with every 200 cases scored"],
        "monitoring_zh": ["每满 200 例监测分值漂移"],
        "review_months": 12,
    }
    if code == "german_boosted":
        shared["limitations"].append("Runs in shadow beside the scorecard and decides nothing")
        shared["limitations_zh"].append("仅在评分卡旁影子运行，不作决定")
    return shared
