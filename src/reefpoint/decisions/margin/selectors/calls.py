"""Reads of margin calls."""

from collections.abc import Collection
from datetime import date

from reefpoint.decisions.margin.models import MarginCall
from reefpoint.decisions.margin.types import CallCause, CallFacts, CallState


def list_open_calls() -> list[CallFacts]:
    """All open calls, the earliest deadline first."""
    return [call_facts(call) for call in MarginCall.objects.filter(state=CallState.OPEN).order_by("deadline_at", "id")]


def has_open_call(account_id: int) -> bool:
    """Whether the account is called and has not answered."""
    return MarginCall.objects.filter(account_id=account_id, state=CallState.OPEN).exists()


def call_cause(call_id: int) -> CallCause:
    """What a call was opened for. Raises `DoesNotExist` if there is none."""
    return CallCause(MarginCall.objects.values_list("cause", flat=True).get(id=call_id))


def call_facts(call: MarginCall) -> CallFacts:
    """A call as other parts of the desk see it."""
    return CallFacts(
        id=call.id,
        number=call.number,
        account_id=call.account_id,
        cause=CallCause(call.cause),
        state=CallState(call.state),
        opened_at=call.opened_at,
        opened_on=call.opened_on,
        deadline_at=call.deadline_at,
        amount_minor=call.amount_minor,
        debt_minor=call.debt_minor,
        assets_minor=call.assets_minor,
        ratio_bp=call.ratio_bp,
        call_bp=call.call_bp,
        cure_bp=call.cure_bp,
        requirement_minor=call.requirement_minor,
        closed_at=call.closed_at,
        close_reason=call.close_reason,
    )


def list_calls_since(account_ids: Collection[int], since: date) -> list[CallFacts]:
    """Calls of these accounts that were opened on or after a day, oldest first."""
    rows = MarginCall.objects.filter(account_id__in=account_ids, opened_on__gte=since).order_by("opened_at", "id")
    return [call_facts(call) for call in rows]
