"""Reads of liquidations: lists, one with its plans, counts, and the proof that each is as it must be."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count

from reefpoint.decisions.margin.models import MarginState
from reefpoint.flows.liquidation.models import LIVE, Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.rules import LIQUIDATION_STATES
from reefpoint.flows.liquidation.types import (
    Cause,
    LiquidationFacts,
    LiquidationState,
    PlanLine,
    PlanProof,
    PlanTerm,
    PlanView,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.selectors import load_histories
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.records.accounts.selectors.accounts import account_ids_of_clients
from reefpoint.records.execution.selectors import proceeds_by_day
from reefpoint.records.execution.types import OrderPurpose
from reefpoint.records.parties.selectors.clients import visible_clients


class LiquidationNotFound(Refusal):
    """There is no such liquidation, or it is not this person's to see."""

    code = "liquidation_not_found"


@dataclass(frozen=True)
class SaleCounts:
    """Liquidations opened and ended on a day, and the gross proceeds of forced sales in minor units."""

    opened: int
    ended: int
    sold_minor: int


def list_liquidations(
    actor: Actor,
    *,
    live_only: bool = False,
    states: Collection[LiquidationState] | None = None,
    account_id: int | None = None,
    limit: int = 200,
) -> list[LiquidationFacts]:
    """Liquidations of the accounts that the actor may see, newest first."""
    require(actor, "liquidation.view")
    rows = Liquidation.objects.order_by("-opened_at", "-id")
    if not actor.sees_all_clients:
        ids = account_ids_of_clients(visible_clients(actor).values_list("id", flat=True))
        rows = rows.filter(account_id__in=ids)
    if live_only:
        rows = rows.filter(state__in=LIVE)
    if states is not None:
        rows = rows.filter(state__in=states)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    return [liquidation_facts(row) for row in rows[:limit]]


def get_liquidation(actor: Actor, liquidation_id: int) -> LiquidationFacts:
    """One liquidation. Raises `LiquidationNotFound`, also outside the actor's scope (I66)."""
    require(actor, "liquidation.view")
    row = Liquidation.objects.select_related("account").filter(id=liquidation_id).first()
    if row is None or not (actor.sees_all_clients or visible_clients(actor).filter(id=row.account.client_id).exists()):
        raise LiquidationNotFound("There is no such liquidation.")
    return liquidation_facts(row)


def load_default_sales() -> list[LiquidationFacts]:
    """Every liquidation for a late loan, oldest first, for the proof."""
    return [liquidation_facts(row) for row in Liquidation.objects.filter(cause=Cause.DEFAULT).order_by("id")]


def list_plans(liquidation_id: int) -> list[PlanView]:
    """The plans of a liquidation, one a session, oldest first."""
    return [_plan_view(plan) for plan in LiquidationPlan.objects.filter(liquidation_id=liquidation_id).order_by("id")]


def sales_by_day() -> dict[date, SaleCounts]:
    """Liquidations opened and ended, and what forced sales brought, on each business day, in three queries."""
    opened = dict(Liquidation.objects.values_list("opened_on").annotate(Count("id")).order_by("opened_on"))
    ended = Liquidation.objects.filter(closed_at__isnull=False).values_list("closed_at__date").annotate(Count("id"))
    closed = dict(ended.order_by("closed_at__date"))
    sold = proceeds_by_day(OrderPurpose.LIQUIDATION)
    return {
        on: SaleCounts(opened.get(on, 0), closed.get(on, 0), sold.get(on, 0))
        for on in opened.keys() | closed.keys() | sold.keys()
    }


def verify_liquidations() -> list[Finding]:
    """Every account that is being sold is marked so, and every liquidation came to its state by the table."""
    live = dict(Liquidation.objects.filter(state__in=LIVE).values_list("account_id", "id"))
    enforced = set(MarginState.objects.filter(is_enforced=True).values_list("account_id", flat=True))
    return [
        Finding("liquidation.enforced", f"liquidation:{live[account_id]}", "its account is not marked as being sold")
        for account_id in sorted(live.keys() - enforced)
    ] + _verify_histories()


def _verify_histories() -> list[Finding]:
    steps = {f"liquidation.{state.value}": state for state in LiquidationState}
    histories = load_histories(steps.keys())
    findings = []
    for row in Liquidation.objects.order_by("id"):
        first = LiquidationState.PLANNED if row.approval_id is None else LiquidationState.AWAITING_APPROVAL
        walk = [first, *(steps[action] for action in histories.get(f"liquidation:{row.id}", []))]
        if walk[-1].value != row.state or not LIQUIDATION_STATES.is_walk(walk):
            told = f"it is {row.state}; the audit log tells {' > '.join(walk)}"
            findings.append(Finding("liquidation.history", f"liquidation:{row.id}", told))
    return findings


def liquidation_facts(row: Liquidation) -> LiquidationFacts:
    """A liquidation as other parts of the desk see it."""
    return LiquidationFacts(
        id=row.id,
        number=row.number,
        account_id=row.account_id,
        state=LiquidationState(row.state),
        cause=Cause(row.cause),
        call_id=row.call_id,
        opened_on=row.opened_on,
        opened_at=row.opened_at,
        target_bp=row.target_bp,
        closed_at=row.closed_at,
        close_reason=row.close_reason,
        loan_id=row.loan_id,
        late_minor=row.late_minor,
    )


def _plan_view(plan: LiquidationPlan) -> PlanView:
    return PlanView(
        id=plan.id,
        session_on=plan.session_on,
        made_at=plan.made_at,
        outcome=plan.outcome,
        lines=tuple(PlanLine(**line) for line in plan.lines),
        assets_before_minor=plan.assets_before_minor,
        debt_before_minor=plan.debt_before_minor,
        ratio_before_bp=plan.ratio_before_bp,
        sold_minor=plan.sold_minor,
        assets_after_minor=plan.assets_after_minor,
        debt_after_minor=plan.debt_after_minor,
        ratio_after_bp=plan.ratio_after_bp,
        over_bound_bp=plan.over_bound_bp,
        proof=_proof(plan.proof) if plan.proof else None,
    )


def _proof(stored: dict[str, Any]) -> PlanProof:
    terms = tuple(PlanTerm(**{**term, "cheaper": tuple(term["cheaper"])}) for term in stored["terms"])
    return PlanProof(**{**stored, "terms": terms})
