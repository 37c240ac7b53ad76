"""What came of a scored case, and what the outcomes say of a model: by grade, and model against model.

Definition 1 (in force from 2026-11-23). A case is **bad** when within 540 days after its score its client

- owes principal more than 90 days after its maturity (90 days past due: Article 178 of Regulation (EU) No 575/2013), or
- ends a day with debt above all that the account holds (a deficit: what a margin lender loses money by).

It is **good** when the 540 days are over, the client owed something on a day of them, and it was not bad. A client who
never owed anything has no outcome: nothing was at stake.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import sqrt

DEFINITION = 1
WINDOW_DAYS = 540
"""Eighteen months: a loan of a year, and the ninety days after it."""
PAST_DUE_DAYS = 90
GRADE_CASES_MIN = 30
"""Fewer cases of a grade say nothing of it: the interval would be wider than anything it could contradict."""
BADS_MIN = 10
"""Fewer bad (or good) cases say nothing of how a model tells them apart: a rule of thumb."""
Z_95 = 1.959964
BP = 10_000


class Cause(StrEnum):
    """Why a case is bad; NONE is a good one."""

    NONE = "none"
    PAST_DUE = "past_due"
    DEFICIT = "deficit"


class CalibrationVerdict(StrEnum):
    """What observed defaults say of a grade. NO_CLAIM: the model claims no probability, as an expert's card."""

    INSUFFICIENT = "insufficient"
    NO_CLAIM = "no_claim"
    OK = "ok"
    INVESTIGATE = "investigate"
    ACT = "act"


@dataclass(frozen=True)
class Exposure:
    """What happened to a scored client: days on which it owed, and the first day of either kind of default."""

    owed_on: date | None
    past_due_on: date | None
    deficit_on: date | None


@dataclass(frozen=True)
class Outcome:
    """What came of a case, known since `on`."""

    cause: Cause
    on: date

    @property
    def is_bad(self) -> bool:
        return self.cause is not Cause.NONE


def judge(scored_on: date, today: date, found: Exposure) -> Outcome | None:
    """The outcome of a case as it is known today; None while it is open, or where nothing was owed."""
    last = scored_on + timedelta(days=WINDOW_DAYS)
    bads = [(on, cause) for on, cause in ((found.deficit_on, Cause.DEFICIT), (found.past_due_on, Cause.PAST_DUE)) if on]
    inside = [(on, cause) for on, cause in bads if scored_on < on <= min(last, today)]
    if inside:
        on, cause = min(inside)
        return Outcome(cause, on)
    if today <= last or found.owed_on is None:
        return None
    return Outcome(Cause.NONE, last)


@dataclass(frozen=True)
class Case:
    """A scored case with its outcome; `expected_bp` is the probability of a default that the model claimed."""

    grade: str
    points: int
    expected_bp: int | None
    is_bad: bool


@dataclass(frozen=True)
class GradeRow:
    """Observed against expected defaults of one grade; the interval is Wilson's at 95%."""

    grade: str
    cases: int
    bad: int
    observed_bp: int
    low_bp: int
    high_bp: int
    expected_bp: int | None
    verdict: CalibrationVerdict


def calibrate(cases: Iterable[Case]) -> list[GradeRow]:
    """Each grade's defaults against what was claimed, the best grade first."""
    by_grade: dict[str, list[Case]] = {}
    for case in cases:
        by_grade.setdefault(case.grade, []).append(case)
    return [_grade_row(grade, of_grade) for grade, of_grade in sorted(by_grade.items())]


def _grade_row(grade: str, cases: Sequence[Case]) -> GradeRow:
    bad, count = sum(case.is_bad for case in cases), len(cases)
    low, high = wilson_bp(bad, count)
    claimed = [case.expected_bp for case in cases if case.expected_bp is not None]
    expected = round(sum(claimed) / len(claimed)) if len(claimed) == count else None
    if count < GRADE_CASES_MIN:
        verdict = CalibrationVerdict.INSUFFICIENT
    elif expected is None:
        verdict = CalibrationVerdict.NO_CLAIM
    elif low <= expected <= high:
        verdict = CalibrationVerdict.OK
    else:
        verdict = CalibrationVerdict.ACT if expected < low else CalibrationVerdict.INVESTIGATE
    return GradeRow(grade, count, bad, round(bad * BP / count), low, high, expected, verdict)


def wilson_bp(bad: int, count: int) -> tuple[int, int]:
    """The 95% interval of a share after Wilson (1927), in basis points."""
    share, square = bad / count, Z_95 * Z_95
    centre = share + square / (2 * count)
    half = Z_95 * sqrt(share * (1 - share) / count + square / (4 * count * count))
    whole = 1 + square / count
    return max(round((centre - half) / whole * BP), 0), min(round((centre + half) / whole * BP), BP)


def auc_bp(risk: Sequence[float], is_bad: Sequence[bool]) -> int | None:
    """How often a bad case has more risk than a good one, ties half, in basis points; None with too few of either."""
    bads, goods = sum(is_bad), len(is_bad) - sum(is_bad)
    if min(bads, goods) < BADS_MIN:
        return None
    rank: Mapping[float, float] = _middle_ranks(risk)
    total = sum(rank[one] for one, bad in zip(risk, is_bad, strict=True) if bad)
    return round((total - bads * (bads + 1) / 2) / (bads * goods) * BP)


def _middle_ranks(values: Sequence[float]) -> dict[float, float]:
    ordered, ranks = sorted(values), {}
    first = 0
    while first < len(ordered):
        last = first
        while last < len(ordered) and ordered[last] == ordered[first]:
            last += 1
        ranks[ordered[first]] = (first + 1 + last) / 2
        first = last
    return ranks
