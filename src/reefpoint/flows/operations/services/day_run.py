"""The end of a business day: ten steps, each once, in the order of `DAY_STEPS`, each group of them in one transaction.

A run that was killed goes on with the first group that is not done. A second run of the same day does nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from reefpoint.decisions.collateral.services.releases import announce_day
from reefpoint.decisions.margin.services.snapshots import snapshot_margin
from reefpoint.decisions.pricing.services import apply_due_rates
from reefpoint.flows.operations import rules
from reefpoint.flows.operations.events import DayClosed
from reefpoint.flows.operations.models import DayRun, DayRunStep
from reefpoint.flows.operations.types import DayRunState, StepName
from reefpoint.flows.servicing.rules import is_interest_payment_day
from reefpoint.flows.servicing.services.fees import charge_late_fees, charge_month_fees
from reefpoint.flows.servicing.services.interest import (
    accrue_funding_cost,
    accrue_interest,
    collect_interest,
    collect_matured,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import anchor_seals, record, seal
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications.services import retry_notices
from reefpoint.records.accounts.selectors.positions import quantities_held
from reefpoint.records.accounts.services import begin_further_terms
from reefpoint.records.execution.services import end_session_orders, reconcile_broker, settle_broker
from reefpoint.records.ledger.services import close_book_day, open_book_day, seal_ledger
from reefpoint.records.market.selectors.calendar import next_session, session_close
from reefpoint.records.market.types import VENUE
from reefpoint.records.treasury.adapters.paper_bank import PaperBank
from reefpoint.records.treasury.services import reconcile_bank

DAY_RUN = system_actor("day-run")


class DayNotOver(Refusal):
    """An end of day before the close: it would cancel orders that can still be filled."""

    code = "day_not_over"


@dataclass(frozen=True)
class _Day:
    """What every step is given: `until` is the next business day, to which interest runs."""

    actor: Actor
    on: date
    until: date
    at: datetime


def begin_day(*, actor: Actor, on: date, at: datetime) -> None:
    """Open the books of a business day, announce haircuts that change with it, and try notices again."""
    require(actor, "operations.run_day")
    open_book_day(actor=actor, on=on, at=at)
    announce_day(on=on, at=at)
    retry_notices(at=at)


def run_day(*, actor: Actor = DAY_RUN, on: date, at: datetime) -> DayRunState:
    """Run the end of a business day, or what is left of it. Returns its state.

    A step that fails raises and stays undone, for the next run. Raises `DayNotOver` before the session's close.
    """
    require(actor, "operations.run_day")
    closes_at = session_close(VENUE, on)
    if at < closes_at:
        raise DayNotOver(
            "The session of {on} closes at {closes_at:%H:%M} UTC. The day can be ended after that.",
            on=on,
            closes_at=closes_at,
        )
    run, _ = DayRun.objects.get_or_create(on=on, defaults={"at": at})
    day = _Day(actor, on, next_session(VENUE, on), run.at)
    for group in rules.STEP_GROUPS:
        _run_steps(run, group, day)
    DayRun.objects.filter(id=run.id).update(state=DayRunState.DONE)
    return DayRunState.DONE


@transaction.atomic
def _run_steps(run: DayRun, names: Sequence[StepName], day: _Day) -> None:
    """Run what is not done yet of these steps, under the lock of the run: two runs of one day do each step once."""
    DayRun.objects.select_for_update().get(id=run.id)
    done = set(run.steps.values_list("name", flat=True))
    for name in names:
        if name.value not in done:
            _run_step(run, name, day)


def _run_step(run: DayRun, name: StepName, day: _Day) -> None:
    began = time.monotonic()
    figures = STEPS[name](day)
    DayRunStep.objects.create(run=run, name=name, figures=dict(figures), seconds=time.monotonic() - began)
    record(actor=day.actor, action=f"day.{name.value}", subject=f"day:{day.on}", inputs=figures, at=day.at)


def _end_orders(day: _Day) -> Mapping[str, int]:
    return {"ended": len(end_session_orders(on=day.on, at=day.at))}


def _settle_trades(day: _Day) -> Mapping[str, int]:
    return {"net_minor": settle_broker(actor=day.actor, on=day.on, at=day.at, bank=PaperBank())}


def _accrue_interest(day: _Day) -> Mapping[str, int]:
    begin_further_terms(actor=day.actor, on=day.on, at=day.at)
    apply_due_rates(actor=day.actor, on=day.on, at=day.at)
    result = accrue_interest(actor=day.actor, on=day.on, until=day.until, at=day.at)
    late_minor = charge_late_fees(actor=day.actor, on=day.on, at=day.at)
    return {"loans": result.loans, "posted_minor": result.posted_minor, "late_fees_minor": late_minor}


def _accrue_funding(day: _Day) -> Mapping[str, int]:
    return {"posted_minor": accrue_funding_cost(actor=day.actor, on=day.on, until=day.until, at=day.at)}


def _collect_interest(day: _Day) -> Mapping[str, int]:
    matured = collect_matured(actor=day.actor, on=day.on, at=day.at)
    if not is_interest_payment_day(day.on, day.until):
        return {"accounts": 0, "matured": matured}
    fees_minor = charge_month_fees(actor=day.actor, on=day.on, at=day.at)
    paying = collect_interest(actor=day.actor, on=day.on, at=day.at)
    return {"accounts": paying, "fees_minor": fees_minor, "matured": matured}


def _snapshot_margin(day: _Day) -> Mapping[str, int]:
    result = snapshot_margin(actor=day.actor, on=day.on, at=day.at)
    return {"accounts": result.stored, "called": result.called}


def _reconcile_bank(day: _Day) -> Mapping[str, int]:
    result = reconcile_bank(actor=day.actor, on=day.on, at=day.at)
    return {"lines": result.lines, "matched": result.matched, "broken": result.broken}


def _reconcile_broker(day: _Day) -> Mapping[str, int]:
    result = reconcile_broker(actor=day.actor, on=day.on, books=quantities_held(), at=day.at)
    return {"lines": result.lines, "matched": result.matched, "broken": result.broken}


def _seal(day: _Day) -> Mapping[str, int]:
    return {"postings": seal_ledger(at=day.at), "audit_entries": seal(at=day.at)}


def _close_day(day: _Day) -> Mapping[str, int]:
    anchored = anchor_seals(settings.ANCHOR_FILE, at=day.at)  # a step later than the seals: those are committed
    close_book_day(actor=day.actor, on=day.on, at=day.at)
    publish(DayClosed(at=day.at, on=day.on))
    return {"anchored": anchored}


STEPS: Mapping[StepName, Callable[[_Day], Mapping[str, int]]] = {
    StepName.END_ORDERS: _end_orders,
    StepName.SETTLE_TRADES: _settle_trades,
    StepName.ACCRUE_INTEREST: _accrue_interest,
    StepName.ACCRUE_FUNDING: _accrue_funding,
    StepName.COLLECT_INTEREST: _collect_interest,
    StepName.SNAPSHOT_MARGIN: _snapshot_margin,
    StepName.RECONCILE_BANK: _reconcile_bank,
    StepName.RECONCILE_BROKER: _reconcile_broker,
    StepName.SEAL: _seal,
    StepName.CLOSE_DAY: _close_day,
}
