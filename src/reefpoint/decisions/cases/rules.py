"""The ways of a case, its deadline, and what may be decided."""

from datetime import datetime, timedelta

from reefpoint.decisions.cases.types import CaseState, Disposition
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.states import StateTable

CASE_STATES = StateTable(
    subject="case",
    initial=CaseState.OPEN,
    moves={
        CaseState.OPEN: frozenset({CaseState.PROPOSED}),
        CaseState.PROPOSED: frozenset({CaseState.CLOSED, CaseState.OPEN}),
    },
)

DUE_AFTER = timedelta(days=30)
"""From the earliest alert of a case to its deadline. A default of this project, after the 30 calendar days that
31 CFR 1023.320(b)(3) gives a US broker from the detection of facts (from memory, not verified)."""

NOTE_CHARACTERS_MAX = 5_000
TITLE_CHARACTERS_MAX = 160
REASON_CHARACTERS_MAX = 500
ALERTS_MAX = 200
FILES_MAX = 100


class ReasonMissing(Refusal):
    """What must say why, or anything, does not."""

    code = "reason_needed"


class CaseIsNotOpen(Refusal):
    """Something was to be added to a case that waits for its closing, or is closed."""

    code = "case_not_open"


class ReportMissing(Refusal):
    """A case cannot end as reported while no extract for the report was made."""

    code = "report_missing"


def case_number(case_id: int) -> str:
    """How people name a case: K-000012."""
    return f"K-{case_id:06d}"


def due_at(detected_at: datetime) -> datetime:
    """Until when a case should be decided on."""
    return detected_at + DUE_AFTER


def check_text(text: str, limit: int, what: Sentence) -> str:
    """The text without blanks around it. Raises `ReasonMissing` for none, or for more than `limit` characters."""
    words = text.replace("\x00", "").strip()
    if not words:
        raise ReasonMissing("Say {what}: whoever reviews the case will read it.", what=what)
    if len(words) > limit:
        raise ReasonMissing(
            "This is longer than {limit} characters. Make it shorter, or add it as a document.", limit=limit
        )
    return words


def check_open(state: CaseState) -> None:
    """Raise `CaseIsNotOpen` unless the case takes additions: what a second person approves stays as it was shown."""
    if state is not CaseState.OPEN:
        raise CaseIsNotOpen(
            "This case waits for a second person, or is closed. Nothing was added; take the proposal back first."
        )


def check_disposition(disposition: Disposition, *, reports: int) -> None:
    """Refuse to end a case as reported while there is nothing that was reported. Raises `ReportMissing`."""
    if disposition is Disposition.REPORTED and not reports:
        raise ReportMissing("Make the extract for the report first: the case keeps what was reported.")
