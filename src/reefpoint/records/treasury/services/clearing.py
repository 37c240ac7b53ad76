"""Ending breaks: by a journal that moves the bank account by the difference, or by a second person's word."""

from datetime import datetime

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState, Payload
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BREAK_STATES, BreakState
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.ledger.selectors import list_entries
from reefpoint.records.ledger.types import BANK_SETTLEMENT
from reefpoint.records.treasury.models import BankBreak
from reefpoint.records.treasury.services.reconciliation import explained_postings

APPROVAL_KIND = "treasury.write_off"
SUBJECT_PREFIX = "bank_break:"


class ClearanceRefused(Refusal):
    """A ground for clearing that does not fit the break."""

    code = "clearance_refused"


@transaction.atomic
def clear_break_by_journal(*, actor: Actor, break_id: int, journal_id: int, reason: str, at: datetime) -> None:
    """End a break by a posted journal that moves the bank account by exactly the difference, and by nothing else.

    Raises `ClearanceRefused` for any other journal, or one that already explains something.
    """
    require(actor, "treasury.write_off")
    item = _lock(break_id)
    entries = [
        entry
        for entry in list_entries(BANK_SETTLEMENT, since_on=item.opened_on, limit=None)
        if entry.journal_id == journal_id
    ]
    if not item.amount_minor or [entry.change_minor for entry in entries] != [-item.amount_minor]:
        raise ClearanceRefused(
            "Journal {journal_id} does not move the bank account by {amount_minor}, which this break takes.",
            break_id=break_id,
            journal_id=journal_id,
            amount_minor=-item.amount_minor,
        )
    if explained_postings([entries[0].posting_id]):
        raise ClearanceRefused(
            "Journal {journal_id} already explains something else.", break_id=break_id, journal_id=journal_id
        )
    item.clearing_posting_id = entries[0].posting_id
    _clear(item, actor.ref, reason, at)
    record(
        actor=actor,
        action="treasury.clear_break",
        subject=f"{SUBJECT_PREFIX}{break_id}",
        reason=reason,
        inputs={"journal": journal_id, "amount_minor": item.amount_minor},
        at=at,
    )


@transaction.atomic
def request_break_clearance(*, actor: Actor, break_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to end a break in which no money is at stake. Returns the approval's id.

    Raises `ClearanceRefused` where money is: that takes a journal.
    """
    require(actor, "treasury.write_off")
    item = _lock(break_id)
    if item.amount_minor:
        raise ClearanceRefused(
            "This break is about {amount_minor} minor units: it is ended by a journal.",
            break_id=break_id,
            amount_minor=item.amount_minor,
        )
    return request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{SUBJECT_PREFIX}{break_id}",
        payload=_payload(item),
        reason=reason,
        at=at,
    )


@transaction.atomic
def clear_approved_break(*, approval_id: int, at: datetime) -> None:
    """End the break that a second person approved to end; repeated, or after it ended otherwise, it does nothing."""
    approval = get_approval(approval_id)
    assert (approval.kind, approval.state) == (APPROVAL_KIND, ApprovalState.APPROVED)
    item = BankBreak.objects.select_for_update().get(id=int(approval.subject.removeprefix(SUBJECT_PREFIX)))
    if item.state == BreakState.OPEN and approval.payload == _payload(item):
        item.approval_id = approval_id
        _clear(item, approval.decided_by or "", approval.decision_reason, at)


def _payload(item: BankBreak) -> Payload:
    """What the second person sees and decides on."""
    return {"kind": item.kind, "reference": item.reference, "detail": item.detail, "opened_on": str(item.opened_on)}


def _lock(break_id: int) -> BankBreak:
    item = BankBreak.objects.select_for_update().get(id=break_id)
    BREAK_STATES.check(BreakState(item.state), BreakState.CLEARED)
    return item


def _clear(item: BankBreak, cleared_by: str, reason: str, at: datetime) -> None:
    item.state, item.cleared_on, item.cleared_by, item.reason = BreakState.CLEARED, at.date(), cleared_by, reason[:300]
    item.save(update_fields=["state", "cleared_on", "cleared_by", "reason", "clearing_posting", "approval_id"])
