"""Settling a session's trades in cash, some sessions after it, between the broker and the settlement bank."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.database.locks import lock_name
from reefpoint.records.execution.adapters import desk_broker
from reefpoint.records.execution.models import BrokerSettlement, Fill
from reefpoint.records.execution.rules import settlement_reference
from reefpoint.records.execution.types import BankRail
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import BANK_SETTLEMENT, BROKER_CLEARING, Line
from reefpoint.records.market.selectors import add_sessions
from reefpoint.records.market.types import VENUE


@transaction.atomic
def settle_broker(*, actor: Actor, on: date, at: datetime, bank: BankRail) -> int:
    """Settle the trades of every session that is due by `on`, each session once. Returns the net, in minor units.

    Positive when the broker pays the desk. The broker pays what its own trades add up to, over `bank`; the books take
    what the desk's fills add up to: if the two differ, bank reconciliation finds it.
    """
    require(actor, "execution.reconcile")
    lock_name("broker settlement")
    broker = desk_broker()
    due_on = add_sessions(VENUE, on, -broker.settlement_sessions())
    settled = BrokerSettlement.objects.values("traded_on")
    due = Fill.objects.filter(traded_on__lte=due_on).exclude(traded_on__in=settled)
    total = 0
    for traded_on, net in due.values_list("traded_on").annotate(net=Sum("net_minor")).order_by("traded_on"):
        reference = settlement_reference(traded_on)
        _pay(bank, reference, broker.settle(traded_on, settled_on=on), on)
        BrokerSettlement.objects.create(
            traded_on=traded_on,
            settled_on=on,
            reference=reference,
            net_minor=net,
            journal_id=_book(actor, reference, net, on, at),
        )
        record(
            actor=actor,
            action="execution.settle_broker",
            subject=f"session:{traded_on}",
            inputs={"net_minor": net, "reference": reference},
            at=at,
        )
        total += net
    return total


def _pay(bank: BankRail, reference: str, net_minor: int, on: date) -> None:
    if net_minor > 0:
        bank.credit(reference=reference, amount_minor=net_minor, on=on, text=f"BROKER SETTLEMENT {on}")
    elif net_minor < 0:
        bank.debit(reference=reference, amount_minor=-net_minor, on=on, text=f"BROKER SETTLEMENT {on}")


def _book(actor: Actor, reference: str, net_minor: int, on: date, at: datetime) -> int | None:
    """Post the net; a session whose trades add up to nothing needs no journal."""
    if not net_minor:
        return None
    debit, credit = (BANK_SETTLEMENT, BROKER_CLEARING) if net_minor > 0 else (BROKER_CLEARING, BANK_SETTLEMENT)
    return post_journal(
        actor=actor,
        kind="broker_settlement",
        lines=(Line(debit=debit, credit=credit, amount_minor=abs(net_minor)),),
        effective_on=on,
        at=at,
        key=f"settlement:{reference}",
        source=reference,
    )
