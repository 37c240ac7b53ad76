"""Screening: one name against a list, how often the listed one is among the first ten, and how often nobody is hit.

It needs a PostgreSQL (the one of the settings, or the embedded one) and makes a database of its own there, which it
drops at the end. The list, the variants and the names of nobody are drawn by `benchmarks.names`.
"""

import csv
import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from reefpoint.benchmarks.database import database_at_hand
from reefpoint.benchmarks.machine import cpu_with_database
from reefpoint.benchmarks.names import Drawn, Variant, draw_entries, draw_variants
from reefpoint.benchmarks.results import Line, Machine, Table, Timing

DATABASE = "reefpoint_bench_names"
NAMES_A_LIST = 10
"""A list has one name for ten accounts of the run: 100,000 names at the million accounts of the goals."""
NAMES_MAX = 100_000
VARIANTS = 300
"""Of each kind: Latin names with slips, Chinese names written otherwise."""
STRANGERS = 500
STRANGERS_SEED = 77
PEER_NAMES = 30
WARM_UP = 30


@dataclass(frozen=True)
class Answers:
    """What searching variants gave: seconds each, the rank of the listed one (0 first, None not found), its score."""

    seconds: Sequence[float]
    ranks: Sequence[int | None]
    cpu_s: float
    scores_bp: Sequence[int] = ()

    def recall(self, first: int) -> float:
        """The part of the variants whose entry is among the first so many."""
        return sum(rank is not None and rank < first for rank in self.ranks) / len(self.ranks)

    def milliseconds(self, part: int) -> float:
        """A percentile of the times."""
        return float(np.percentile(self.seconds, part)) * 1_000


def measure_screening(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Load a list of a name for every ten accounts and search it by variants, by strangers, and by full scans."""
    del rounds, machine  # every name is searched once: the percentiles are over names
    names = min(accounts // NAMES_A_LIST, NAMES_MAX)
    with database_at_hand():
        from reefpoint.benchmarks.big_desk import scratch_database  # noqa: PLC0415 - models exist from here on

        with scratch_database(DATABASE):
            return [_measure_list(accounts, draw_entries(names), names)]


def _measure_list(accounts: int, entries: list[Drawn], names: int) -> Table:
    began = time.perf_counter()
    numbers = _load(entries)
    load_s = time.perf_counter() - began
    count = min(VARIANTS, len(entries) // 4)
    latin, chinese = draw_variants(entries, latin=count, chinese=count)
    _search(latin[:WARM_UP], numbers)
    by_kind = {"Latin": _search(latin, numbers), "Chinese": _search(chinese, numbers)}
    both = [*by_kind["Latin"].seconds, *by_kind["Chinese"].seconds]
    cpu_s = sum(found.cpu_s for found in by_kind.values()) / len(both)
    lines = [
        Line("Search and pair scorer, all variants", "Reefpoint", Timing(cpu_s, float(np.median(both)), len(both)))
    ]
    facts = {
        f"{kind} variants": (
            f"recall@1 {found.recall(1):.3f}, recall@10 {found.recall(10):.3f} of {len(found.ranks)}; p50 "
            f"{found.milliseconds(50):.1f} ms, p95 {found.milliseconds(95):.1f} ms; CPU with the database's "
            f"{found.cpu_s / len(found.ranks) * 1_000:.1f} ms a name; {_raised(found):.3f} would be raised as hits"
        )
        for kind, found in by_kind.items()
    }
    facts |= {f"False positives: {kind}": text for kind, text in _strangers(entries).items()}
    facts["Loading the list, whole"] = f"{load_s:.1f} s for {names:,} names of {len(entries):,} entries"
    for name, scorer in _peers():
        found = _scan([*latin[:PEER_NAMES], *chinese[:PEER_NAMES]], entries, scorer)
        lines.append(
            Line(name, "rapidfuzz", Timing(found.cpu_s / len(found.ranks), float(np.median(found.seconds)), 1))
        )
        facts[f"{name}: recall@10"] = f"{found.recall(10):.3f} of {len(found.ranks)}, half of them Chinese"
    table = Table(
        "screening", "Screening a name", accounts, 0, f"one name against {names:,}", tuple(lines), facts=facts
    )
    return table.with_figures(
        {
            "screening.p95_ms": float(np.percentile(both, 95)) * 1_000,
            "screening.cpu_ms": cpu_s * 1_000,
            "screening.recall_latin_pct": by_kind["Latin"].recall(10) * 100,
            "screening.recall_chinese_pct": by_kind["Chinese"].recall(10) * 100,
        }
    )


def _load(entries: list[Drawn]) -> dict[int, int]:
    """Put the drawn list in force by the service that any list comes by. Returns entry ids by drawn number."""
    from reefpoint.decisions.screening.models import Entry  # noqa: PLC0415
    from reefpoint.decisions.screening.services import load_list  # noqa: PLC0415
    from reefpoint.decisions.screening.types import ListShape  # noqa: PLC0415
    from reefpoint.platform.basics.actors import system_actor  # noqa: PLC0415

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "schema", "name", "aliases", "birth_date", "countries"])
    writer.writerows(
        [f"n{entry.number}", "Person", entry.names[0], ";".join(entry.names[1:]), entry.birth, ""] for entry in entries
    )
    load_list(
        actor=system_actor("benchmark"),
        source="made.up",
        content=text.getvalue().encode(),
        shape=ListShape.OPENSANCTIONS_CSV,
        at=datetime.now(UTC),
    )
    return {int(reference[1:]): entry_id for entry_id, reference in Entry.objects.values_list("id", "reference")}


def _search(variants: Sequence[Variant], numbers: dict[int, int]) -> Answers:
    from reefpoint.decisions.screening.selectors import find_matches  # noqa: PLC0415

    seconds: list[float] = []
    ranks: list[int | None] = []
    scores: list[int] = []
    before = cpu_with_database()
    for variant in variants:
        began = time.perf_counter()
        matches = find_matches(variant.text)
        seconds.append(time.perf_counter() - began)
        found = [match.entry.id for match in matches]
        wanted = numbers[variant.number]
        ranks.append(found.index(wanted) if wanted in found else None)
        scores.append(next((match.score.score_bp for match in matches if match.entry.id == wanted), 0))
    return Answers(seconds, ranks, cpu_with_database() - before, scores)


def _raised(found: Answers) -> float:
    from reefpoint.decisions.screening.rules.hits import HIT_BP  # noqa: PLC0415

    return sum(score >= HIT_BP for score in found.scores_bp) / len(found.scores_bp)


def _strangers(entries: list[Drawn]) -> dict[str, str]:
    """How often a name that is not on the list would be raised as a hit, without and with its birth date."""
    from datetime import date  # noqa: PLC0415

    from reefpoint.decisions.screening.selectors import find_matches  # noqa: PLC0415

    listed = {name for entry in entries for name in entry.names}
    strangers = [entry for entry in draw_entries(6 * STRANGERS, seed=STRANGERS_SEED) if listed.isdisjoint(entry.names)]
    kinds: dict[str, Iterable[tuple[str, str]]] = {
        "Latin names": ((one.names[0], one.birth) for one in strangers if not one.is_chinese),
        "Chinese names in characters": ((one.hanzi, one.birth) for one in strangers if one.is_chinese),
        "Chinese names in pinyin": (
            (" ".join(one.syllables), one.birth) for one in strangers if one.is_chinese and one.hanzi not in listed
        ),
    }
    told = {}
    for kind, names in kinds.items():
        chosen = [pair for pair, _ in zip(names, range(STRANGERS), strict=False)]
        alone = sum(any(match.is_hit for match in find_matches(name)) for name, _ in chosen)
        dated = sum(
            any(match.is_hit for match in find_matches(name, birth_on=date.fromisoformat(birth)))
            for name, birth in chosen
        )
        told[kind] = (
            f"{alone / len(chosen):.3f} by the name alone, {dated / len(chosen):.3f} with a birth date, "
            f"of {len(chosen)}"
        )
    return told


def _peers() -> list[tuple[str, Any]]:
    from rapidfuzz import fuzz  # noqa: PLC0415
    from rapidfuzz.distance import JaroWinkler  # noqa: PLC0415

    return [
        ("Full scan, ratio of sorted words", fuzz.ratio),
        ("Full scan, Jaro-Winkler of sorted words", JaroWinkler.normalized_similarity),
        ("Full scan, WRatio", fuzz.WRatio),
    ]


def _scan(variants: Sequence[Variant], entries: list[Drawn], scorer: Any) -> Answers:
    """What one gets from a matcher alone: every name of the list is compared, lower-cased, its words sorted."""
    from rapidfuzz import process  # noqa: PLC0415

    names = [(_sorted_words(name), entry.number) for entry in entries for name in entry.names]
    texts = [text for text, _ in names]
    seconds: list[float] = []
    ranks: list[int | None] = []
    before = time.process_time()
    for variant in variants:
        began = time.perf_counter()
        found = process.extract(_sorted_words(variant.text), texts, scorer=scorer, limit=15)
        seconds.append(time.perf_counter() - began)
        order = list(dict.fromkeys(names[position][1] for _, _, position in found))
        ranks.append(order.index(variant.number) if variant.number in order else None)
    return Answers(seconds, ranks, time.process_time() - before)


def _sorted_words(name: str) -> str:
    return " ".join(sorted(name.lower().replace(",", " ").replace("-", " ").split()))
