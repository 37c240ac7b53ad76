"""A credit that the bank had before a forced sale was sent, and that the desk books after it (I01)."""

from datetime import datetime

from django.db import transaction

from reefpoint.engine.cures import repayment_to_reach
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.services.selling import source_of
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts import services as accounts
from reefpoint.records.execution.selectors import list_orders
from reefpoint.records.execution.services import orders as execution

WRONGFUL = "liquidation.wrongful"


@transaction.atomic
def answer_late_credit(
    *, actor: Actor, account_id: int, journal_id: int, amount_minor: int, confirmed_at: datetime, at: datetime
) -> list[int]:
    """Cancel what is not filled of sales that the credit would have stopped, and record them as wrongful.

    Wrongful is an order that was sent no earlier than the bank confirmed the credit, if the credit repaid would have
    brought the account, as its plan found it, to the target, or paid the late loan. Making good is a
    person's decision. Told again, it records nothing more. Returns the ids of the liquidations concerned.
    """
    accounts.lock_account(account_id)
    candidates = Liquidation.objects.select_for_update().filter(account_id=account_id).order_by("id")
    wrongful = [
        liquidation
        for liquidation in candidates
        if _record_wrongful(actor, liquidation, journal_id, amount_minor, confirmed_at, at)
    ]
    return [liquidation.id for liquidation in wrongful]


def _record_wrongful(
    actor: Actor, liquidation: Liquidation, journal_id: int, amount_minor: int, confirmed_at: datetime, at: datetime
) -> bool:
    orders = list_orders(source=source_of(liquidation.id), limit=10_000)
    late = [order for order in orders if order.sent_at is not None and order.sent_at >= confirmed_at]
    if not late:
        return False
    plan = liquidation.plans.get(session_on=min(order.session_on for order in late))
    if _missing(liquidation, plan) > amount_minor:
        return False
    subject = f"liquidation:{liquidation.id}"
    if any(entry.inputs["journal"] == journal_id for entry in list_entries(subject=subject, action=WRONGFUL)):
        return False
    reason = "the bank had a credit that cures the account before this was sent"
    for order in orders:
        execution.cancel_order(actor=actor, order_id=order.order_id, reason=reason, at=at)
    record(
        actor=actor,
        action=WRONGFUL,
        subject=subject,
        reason=reason,
        inputs={
            "orders": [order.number for order in late],
            "filled": sum(order.filled_quantity for order in late),
            "journal": journal_id,
            "amount_minor": amount_minor,
            "confirmed_at": confirmed_at.isoformat(),
        },
        at=at,
    )
    return True


def _missing(liquidation: Liquidation, plan: LiquidationPlan) -> int:
    """What would have made the sale of a plan needless, paid in before it."""
    if liquidation.target_bp is None:
        assert plan.proof is not None, "sales for a loan came after proofs"
        return int(plan.proof["gap_minor"])
    return repayment_to_reach(plan.assets_before_minor, plan.debt_before_minor, liquidation.target_bp)
