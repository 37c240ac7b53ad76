"""A past market, day by day, through the living desk.

The driver does what the outside world does: prices arrive, clients pay, sell or stay silent, people of the desk
approve, the day ends. All that follows from it, the desk does by itself: the monitor, the handlers and the jobs run in
processes of their own. The driver waits until they are quiet before the next part of the day, so that a replay gives
the same books whatever the timing, and every step it takes has a key, so that it may be taken again after a loss of
the database.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from procrastinate.exceptions import ConnectorException

from reefpoint.decisions.margin.selectors.calls import list_open_calls
from reefpoint.decisions.margin.selectors.standing import load_sheet
from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.types import CallFacts
from reefpoint.flows.liquidation.services.opening import APPROVAL_KIND, release_idle_enforcement
from reefpoint.flows.liquidation.services.selling import run_liquidation_session
from reefpoint.flows.operations import rules
from reefpoint.flows.operations.jobs import run_day_job
from reefpoint.flows.operations.rules import Answer
from reefpoint.flows.operations.selectors.day_runs import is_day_done
from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.flows.operations.services.day_run import begin_day
from reefpoint.flows.operations.services.demo_desk import cast_actor
from reefpoint.flows.operations.types import DayReport
from reefpoint.flows.servicing.services.cash import receive_deposit
from reefpoint.flows.servicing.services.credit import repay
from reefpoint.flows.servicing.services.trading import place_client_order
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import approve
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.selectors import is_drained
from reefpoint.records.accounts.selectors.accounts import account_numbers, load_accounts
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.execution.selectors import list_orders
from reefpoint.records.execution.services import end_session_orders
from reefpoint.records.execution.types import Side
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.calendar import session_close
from reefpoint.records.market.selectors.quarantine import get_held, list_held
from reefpoint.records.market.services.prices import confirm_held_price, record_prices
from reefpoint.records.market.types import VENUE, BatchResult, HeldState, Tick
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.treasury.adapters.paper_bank import PaperBank

T = TypeVar("T")

QUIET_SECONDS_MAX = 180
"""How long the driver waits for the desk to come to rest before it gives up and says what still waits."""


class DeskNotQuiet(Refusal):
    """Events still wait after a long time: is something not running?"""

    code = "desk_not_quiet"


@dataclass(frozen=True)
class ReplayPlan:
    """`speed` is business days a second, as fast as the desk can be by default."""

    start: date
    end: date
    seed: int = 7
    speed: float | None = None


@dataclass
class _Cast:
    """The people of the desk in a replay."""

    operations: Actor = field(default_factory=lambda: cast_actor("operations"))
    risk: Actor = field(default_factory=lambda: cast_actor("risk"))


def replay(plan: ReplayPlan, *, on_phase: Callable[[str], None] = lambda _: None) -> Iterator[DayReport]:
    """Replay the sessions after `plan.start` up to `plan.end`, and the end of the first day itself."""
    cast = _Cast()
    sessions = load_us20(plan.start, plan.end)
    _end_day(plan.start)
    for number, (on, closes) in enumerate(sessions[1:], start=1):
        began = time.monotonic()
        yield replay_day(cast, plan.seed, on, closes, number=number, of=len(sessions) - 1, on_phase=on_phase)
        if plan.speed:
            time.sleep(max(0.0, 1 / plan.speed - (time.monotonic() - began)))


def replay_day(
    cast: _Cast,
    seed: int,
    on: date,
    closes: dict[str, Decimal],
    *,
    number: int,
    of: int,
    on_phase: Callable[[str], None],
) -> DayReport:
    """One business day, from the morning's payments to the closed books."""
    close = persist(lambda: session_close(VENUE, on))
    morning = close - timedelta(hours=6)

    on_phase("morning")
    persist(lambda: begin_day(actor=cast.operations, on=on, at=morning))
    persist(lambda: set_desk_clock(morning))
    persist(lambda: release_idle_enforcement(actor=cast.risk, on=on, at=morning))
    sellers = _answer_calls(cast, seed, on, morning)
    settle()

    on_phase("prices")
    result = persist(lambda: _bring_prices(cast, closes, on, close))
    _confirm_held(cast, close)

    on_phase("sales")
    persist(lambda: _approve_liquidations(cast, close))
    settle()
    persist(lambda: run_liquidation_session(actor=cast.risk, on=on, at=close))
    if number == 1:
        persist(lambda: _invest(cast, on, close))
    persist(lambda: _sell_to_cure(cast, sellers, on, close))
    settle()
    persist(lambda: _repay_from_sales(cast, sellers, on, close))
    settle()

    on_phase("deadlines")
    persist(lambda: end_session_orders(on=on, at=close))
    settle()
    persist(lambda: expire_due_calls(actor=cast.risk, at=close))
    settle()

    on_phase("day end")
    _end_day(on)
    return DayReport(on=on, number=number, of=of, prices=result.accepted, held=result.held)


def _end_day(on: date) -> None:
    """Defer the day run to the job workers and wait until the books are closed and all is quiet."""
    at = persist(lambda: session_close(VENUE, on)) + timedelta(hours=2)
    persist(lambda: set_desk_clock(at))
    persist(lambda: is_day_done(on) or run_day_job.defer(on=on.isoformat(), at=at.isoformat()))
    _wait_for(lambda: is_day_done(on), f"the day run of {on}")
    settle()


def settle() -> None:
    """Wait until every event is handled."""
    _wait_for(is_drained, "events to be handled")


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    pause = 0.002
    while not persist(condition):
        if time.monotonic() > deadline:
            raise DeskNotQuiet(
                "Waited {quiet_seconds_max} s for {what}. Are the worker and the watch running?",
                quiet_seconds_max=QUIET_SECONDS_MAX,
                what=what,
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.006)


def persist(step: Callable[[], T]) -> T:
    """Do a step, and do it again for as long as the database is away. Steps have keys: twice is once."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError, ConnectorException):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.2)


@transaction.atomic
def _bring_prices(cast: _Cast, closes: dict[str, Decimal], on: date, at: datetime) -> BatchResult:
    """The session's closes and the clock at its end in one: a proof of the state never sees one without the other."""
    set_desk_clock(at)
    return record_prices(
        actor=cast.operations,
        source="us20",
        key=f"us20:{on}",
        ticks=[Tick(symbol, price, on, at) for symbol, price in closes.items()],
        at=at,
        on=on,
    )


def _answer_calls(cast: _Cast, seed: int, on: date, at: datetime) -> list[tuple[CallFacts, Answer]]:
    """Clients with open calls pay through their bank, by temper; returns those who mean to sell instead.

    Who has to pay is asked once: after a first payment a call may be cured while the second is still to be made.
    """
    calls = persist(list_open_calls)
    numbers = persist(lambda: account_numbers([call.account_id for call in calls]))
    sellers = []
    for call in calls:
        answer = rules.answer_call(
            rules.temper_of(seed, numbers[call.account_id]),
            opened_on=call.opened_on,
            deadline_on=call.deadline_at.date(),
            on=on,
        )
        if answer.sells:
            sellers.append((call, answer))
        if answer.pays_pct:
            amount_minor = call.amount_minor * answer.pays_pct // 100
            persist(partial(_pay, cast, call, numbers[call.account_id], amount_minor, on, at))
    return sellers


def _pay(cast: _Cast, call: CallFacts, number: str, amount_minor: int, on: date, at: datetime) -> None:
    reference = f"PAY-{call.number}-{on:%y%m%d}"
    PaperBank().credit(reference=reference, amount_minor=amount_minor, on=on, text=f"{number} margin call")
    receive_deposit(
        actor=cast.operations,
        account_id=call.account_id,
        amount_minor=amount_minor,
        bank_reference=reference,
        on=on,
        at=at,
    )
    repay(actor=cast.operations, account_id=call.account_id, amount_minor=amount_minor, key=reference, on=on, at=at)


def _confirm_held(cast: _Cast, at: datetime) -> None:
    """The risk officer believes held prices one by one, each after the desk has taken in what came before.

    Else it would hang on the timing whether the monitor judges an account between two of them.
    """
    settle()
    for held in reversed(persist(list_held)):
        persist(partial(_believe, cast, held.id, at))
        settle()


def _believe(cast: _Cast, held_id: int, at: datetime) -> None:
    if get_held(held_id).state is HeldState.HELD:
        confirm_held_price(actor=cast.risk, held_id=held_id, at=at, reason="A real move: checked with the exchange.")


def _approve_liquidations(cast: _Cast, at: datetime) -> None:
    for approval in list_pending(cast.risk):
        if approval.kind == APPROVAL_KIND:
            approve(
                actor=cast.risk,
                approval_id=approval.id,
                payload_hash=approval.payload_hash,
                at=at,
                reason="Lines and figures checked.",
            )


def _invest(cast: _Cast, on: date, at: datetime) -> None:
    """On the second day investors put what they borrowed into their smallest accepted holdings."""
    for account in load_accounts():
        if account.cash_minor and not list_orders(account_id=account.id, limit=1):
            _buy(cast, account, on, at)


@transaction.atomic
def _buy(cast: _Cast, account: AccountFacts, on: date, at: datetime) -> None:
    sheet = load_sheet([account.scheme_version_id], at=at)
    terms = get_terms(account.scheme_version_id)
    by_value = sorted(account.holdings, key=lambda h: h.quantity * sheet.prices[h.instrument_id].price_units)
    chosen = [h.instrument_id for h in by_value if terms.accepts(sheet.prices[h.instrument_id].symbol)][:2]
    for instrument_id in chosen:
        budget_units = account.cash_minor * 100 * 9 // (10 * len(chosen))
        quantity = budget_units // sheet.prices[instrument_id].price_units
        if quantity:
            _try_order(
                cast, account.id, instrument_id, Side.BUY, quantity, f"first:{account.id}:{instrument_id}", on, at
            )


def _sell_to_cure(cast: _Cast, sellers: Sequence[tuple[CallFacts, Answer]], on: date, at: datetime) -> None:
    """Clients who answer by selling give out their largest holding, as much as raises three times the call."""
    facts = {account.id: account for account in load_accounts([call.account_id for call, _ in sellers])}
    for call, _ in sellers:
        account = facts[call.account_id]
        if not account.holdings:
            continue
        sheet = load_sheet([account.scheme_version_id], at=at)
        largest = max(account.holdings, key=lambda h: h.quantity * sheet.prices[h.instrument_id].price_units)
        wanted = 300 * call.amount_minor // sheet.prices[largest.instrument_id].price_units + 1
        _try_order(
            cast,
            account.id,
            largest.instrument_id,
            Side.SELL,
            min(wanted, largest.quantity),
            f"cure:{call.number}",
            on,
            at,
        )


def _repay_from_sales(cast: _Cast, sellers: Sequence[tuple[CallFacts, Answer]], on: date, at: datetime) -> None:
    for account in load_accounts([call.account_id for call, _ in sellers]):
        if account.cash_minor and account.debt_minor:
            repay(
                actor=cast.operations,
                account_id=account.id,
                amount_minor=account.cash_minor,
                key=f"from-sale:{account.id}:{on}",
                on=on,
                at=at,
            )


def _try_order(
    cast: _Cast, account_id: int, instrument_id: int, side: Side, quantity: int, key: str, on: date, at: datetime
) -> None:
    """Give an order in; one that the desk refuses is simply not made, as at a real desk."""
    try:
        place_client_order(
            actor=cast.operations,
            account_id=account_id,
            instrument_id=instrument_id,
            side=side,
            quantity=quantity,
            key=key,
            session_on=on,
            at=at,
        )
    except Refusal:
        return
