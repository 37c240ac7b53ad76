"""When a match is worth a person's look, what birth date and country say, and the states of lists and hits.

What the thresholds do, measured by `reefpoint bench screening` on a drawn list of 100,000 names (docs/screening.md): of
names with slips .873 of the Latin and all of the Chinese are raised as hits, and .993 and 1.000 are among the first ten
matches. Of strangers .266 (Latin), .148 (Chinese characters) and .136 (pinyin) meet some entry by the name alone, and
.058, .042 and .050 when both sides have a birth date. On 10,000 names it is .044, .018 and .018 by the name alone.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import date

from reefpoint.decisions.screening.types import EntryDraft, Evidence, HitState, ListVersionState
from reefpoint.platform.basics.states import StateTable

TRIGRAM_THRESHOLD = 0.22
SINO_THRESHOLD = 0.5
CANDIDATES_MAX = 60
"""Of 1,500 Latin names with slips it finds one less than a hundred would, in a quarter less time of the slow ones."""
HIT_BP = 8_000
HIT_WITH_SAME_BIRTH_BP = 7_000
HIT_WITH_OTHER_BIRTH_BP = 9_600
BIRTH_YEARS_NEAR = 1
SHRINK_BP_MAX = 2_000
ENTRIES_MAX = 10_000_000
FILE_BYTES_MAX = 2_000_000_000
"""Of a list by page, call and command. It is read in blocks: this bounds the disk, not the memory."""
SECOND_BYTES_MAX = 64_000_000
"""Of a file of other names, which is held in memory while the list is read."""

LIST_STATES = StateTable(
    subject="list version",
    initial=ListVersionState.RECEIVED,
    moves={
        ListVersionState.RECEIVED: frozenset({ListVersionState.READING, ListVersionState.FAILED}),
        ListVersionState.READING: frozenset(
            {ListVersionState.READING, ListVersionState.IN_FORCE, ListVersionState.FAILED}
        ),
        ListVersionState.IN_FORCE: frozenset({ListVersionState.SUPERSEDED}),
    },
)
HIT_STATES = StateTable(
    subject="hit",
    initial=HitState.OPEN,
    moves={
        HitState.OPEN: frozenset({HitState.PROPOSED, HitState.LAPSED}),
        HitState.PROPOSED: frozenset({HitState.OPEN, HitState.CLEARED, HitState.CONFIRMED}),
    },
)


def is_hit(score_bp: int, birth: Evidence) -> bool:
    """Whether a match is raised: the date of birth moves the bar, and never decides alone."""
    if birth in (Evidence.SAME, Evidence.NEAR):
        return score_bp >= HIT_WITH_SAME_BIRTH_BP
    return score_bp >= (HIT_WITH_OTHER_BIRTH_BP if birth is Evidence.DIFFERENT else HIT_BP)


def compare_births(ours: date | None, theirs: Collection[str]) -> Evidence:
    """Our date of birth against a list's dates, years or months: the kindest of them counts."""
    if ours is None or not theirs:
        return Evidence.UNKNOWN
    found = {_compare_birth(ours, one) for one in theirs}
    for evidence in (Evidence.SAME, Evidence.NEAR, Evidence.DIFFERENT):
        if evidence in found:
            return evidence
    return Evidence.UNKNOWN


def _compare_birth(ours: date, theirs: str) -> Evidence:
    text = ours.isoformat()
    if not theirs[:4].isdigit():
        return Evidence.UNKNOWN
    if len(theirs) >= 4 and text.startswith(theirs):
        return Evidence.SAME
    year, month, day = text.split("-")
    if theirs == f"{year}-{day}-{month}" or abs(int(theirs[:4]) - ours.year) <= BIRTH_YEARS_NEAR:
        return Evidence.NEAR
    return Evidence.DIFFERENT


def compare_countries(ours: Collection[str], theirs: Collection[str]) -> Evidence:
    """Whether any of our countries is one of theirs."""
    if not ours or not theirs:
        return Evidence.UNKNOWN
    same = {country.lower() for country in ours} & {country.lower() for country in theirs}
    return Evidence.SAME if same else Evidence.DIFFERENT


def entry_hash(entry: EntryDraft) -> str:
    """What an entry says, as one word: it changes if and only if the entry does."""
    told = [
        entry.kind,
        [[name.text, name.is_weak] for name in entry.names],
        sorted(entry.births),
        sorted(entry.countries),
        entry.programmes,
        entry.note,
    ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=True).encode()).hexdigest()[:32]


def cause_hash(entry_hash: str, facts_hash: str) -> str:
    """What a hit rests on: once resolved it is raised again only if the entry or the person changed."""
    return f"{entry_hash}{facts_hash}"[:64]


def shrinks_too_much(before: int, after: int) -> bool:
    """Whether a list lost more than a fifth of its entries, as one does that was cut at the end of a line."""
    return before > 0 and (before - after) * 10_000 > before * SHRINK_BP_MAX
