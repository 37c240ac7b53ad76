"""Rules of the register: how a version moves, who may move it, and what drift is."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import log

from reefpoint.platform.basics.states import StateTable
from reefpoint.platform.governance.types import (
    Drift,
    DriftVerdict,
    ModelState,
    Sample,
    SourceReading,
    SourceVerdict,
)

SHIPPED = "system:shipped"
"""The developer of what comes with the program. Nobody of the desk has validated it, and pages say so."""

_S = ModelState

STATES = StateTable(
    subject="version of a model",
    initial=_S.DRAFT,
    moves={
        _S.DRAFT: frozenset({_S.DEVELOPED, _S.SUSPENDED}),
        _S.DEVELOPED: frozenset({_S.VALIDATED, _S.SUSPENDED}),
        _S.VALIDATED: frozenset({_S.APPROVED, _S.SUSPENDED}),
        _S.APPROVED: frozenset({_S.SHADOW, _S.CHAMPION, _S.SUSPENDED}),
        _S.SHADOW: frozenset({_S.CHAMPION, _S.RETIRED, _S.SUSPENDED}),
        _S.CHAMPION: frozenset({_S.RETIRED, _S.SUSPENDED}),
        _S.RETIRED: frozenset({_S.CHAMPION, _S.SUSPENDED}),
        _S.SUSPENDED: frozenset(),
    },
)
"""`retired -> champion` is the way back when a champion fails; a suspended version never returns."""

RELEASES: Mapping[ModelState, ModelState] = {
    _S.VALIDATED: _S.SHADOW,
    _S.SHADOW: _S.CHAMPION,
    _S.RETIRED: _S.CHAMPION,
}
"""The release that a version can be put forward for, by the state it is in. A version runs in shadow first."""

STANDING = (
    _S.CHAMPION,
    _S.SHADOW,
    _S.APPROVED,
    _S.VALIDATED,
    _S.DEVELOPED,
    _S.DRAFT,
    _S.RETIRED,
    _S.SUSPENDED,
)
"""States from the one that counts most."""

WHOLE_BP = 10_000
OK_BP, ACT_BP = 1_000, 2_500
"""PSI below .10 is ok, above .25 calls for action (Siddiqi, Credit Risk Scorecards, 2006: a rule of thumb)."""
CASES_MIN = 200
"""Below this many cases a PSI is noise."""

CHI2_95 = (
    *(3.841458821, 5.991464547, 7.814727903, 9.487729037, 11.070497694),
    *(12.591587244, 14.067140449, 15.507313056, 16.918977605, 18.307038053),
    *(19.675137573, 21.026069817, 22.362032495, 23.684791305, 24.995790140),
    *(26.296227605, 27.587111638, 28.869299430, 30.143527206, 31.410432844),
)
"""The 95% point of chi-squared with 1, 2, ... 20 degrees of freedom."""


def sha256(artifact: str) -> str:
    """The SHA-256 (hex) by which an artifact is known."""
    return hashlib.sha256(artifact.encode()).hexdigest()


def measure_drift(reference: Sample, current: Sample) -> Drift:
    """How far the current sample has moved from the reference, over the same 2 to 21 bands.

    PSI = sum((c - r) * ln(c / r)) over the shares of the bands; an empty band counts as half a case. Samples of sizes n
    and m from one population give about chi2(bands - 1) * (1/n + 1/m) (Yurdakul, 2018), so `null_bp` is its 95% point:
    what is not above it is not drift, whatever the rule of thumb says. Raises `ValueError` for other bands.
    """
    bands = len(reference)
    if len(current) != bands or not 2 <= bands <= len(CHI2_95) + 1:
        raise ValueError(f"samples of {bands} and {len(current)} bands cannot be compared")
    n, m = sum(reference), sum(current)
    if min(n, m) < CASES_MIN:
        return Drift(0, 0, n, m, DriftVerdict.INSUFFICIENT)
    psi = 0.0
    for expected, found in zip(reference, current, strict=True):
        was, now = max(expected, 0.5) / n, max(found, 0.5) / m
        psi += (now - was) * log(now / was)
    psi_bp, null_bp = round(psi * WHOLE_BP), round(CHI2_95[bands - 2] * (1 / n + 1 / m) * WHOLE_BP)
    if psi_bp < OK_BP or psi_bp <= null_bp:
        verdict = DriftVerdict.OK
    else:
        verdict = DriftVerdict.ACT if psi_bp > ACT_BP else DriftVerdict.INVESTIGATE
    return Drift(psi_bp, null_bp, n, m, verdict)


def judge_source(reading: SourceReading, fresh_days: int | None, at: datetime) -> SourceVerdict:
    """What a look at a source comes to: failing rows weigh more than age."""
    if any(reading.failures.values()):
        return SourceVerdict.FAILING
    if not reading.rows:
        return SourceVerdict.EMPTY
    newest = reading.newest_at
    is_stale = fresh_days is not None and (newest is None or newest < at - timedelta(days=fresh_days))
    return SourceVerdict.STALE if is_stale else SourceVerdict.GOOD
