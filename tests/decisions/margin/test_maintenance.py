"""Maintenance by name: what it refuses, whom it calls at the day's end, what cures, and what is sold for it.

In these tests Apple asks for 45% of its value. An account of 1,000 Apple that owes 50,000.00 meets that from 90.91 on:
its equity is then 40,910.00, and 45% of 90,910.00 are 40,909.50.
"""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from tests.desk import HALF_DAY, MONDAY, NEXT_MONDAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, close, noon, verify_desk

from reefpoint.decisions.margin.models import MarginCall
from reefpoint.decisions.margin.rules import Consequence, consequence
from reefpoint.decisions.margin.selectors.pages import get_board
from reefpoint.decisions.margin.services import monitor
from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.services.snapshots import SnapshotResult, snapshot_margin
from reefpoint.decisions.margin.types import Band, CallCause, Standing
from reefpoint.flows.servicing.rules import CreditRefused
from reefpoint.flows.servicing.selectors import Action, what_if
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.execution.types import Side
from reefpoint.records.products.selectors import load_demo_schemes

STANDARD = next(draft.terms for draft in load_demo_schemes() if draft.code == "STANDARD")
DEADLINE = datetime(2019, 11, 29, 18, tzinfo=UTC)
"""The close of the half day after Thanksgiving: two sessions after Tuesday."""
LOAN = 50_000_00


@pytest.fixture
def named(desk: Desk) -> int:
    """1,000 Apple and 50,000.00 of debt under terms on which Apple asks for 45%."""
    terms = replace(STANDARD, maintenances_bp=(("AAPL", 4_500),))
    return desk.open_account({"AAPL": 1_000}, LOAN, scheme=desk.publish_scheme("NAMED", terms))


def end_of(desk: Desk, on: date) -> SnapshotResult:
    result = snapshot_margin(actor=SYSTEM, on=on, at=close(on))
    desk.drain()
    return result


def called(desk: Desk, account_id: int) -> list[tuple[str, str, int]]:
    return [(call.cause, call.state, call.amount_minor) for call in desk.calls(account_id)]


def fall(desk: Desk, on: date, apple: str) -> None:
    desk.prices(on, AAPL=apple, JPM="100", KO="50")


# What is refused


def test_i08_a_drawdown_purchase_or_withdrawal_below_the_maintenance_is_refused_with_both_figures(desk: Desk) -> None:
    """Apple asks for 60%, JPMorgan for all of its value: of 70,000.00 of equity, 60,000.00 have to stay."""
    terms = replace(STANDARD, maintenances_bp=(("AAPL", 6_000), ("JPM", 10_000)), concentration_cap_bp=10_000)
    account_id = desk.open_account({"AAPL": 1_000}, 30_000_00, scheme=desk.publish_scheme("HARD", terms))
    given = {"actor": desk.operations, "account_id": account_id, "on": MONDAY, "at": noon(MONDAY)}
    draw_down(amount_minor=12_000_00, key="first", **given)
    with pytest.raises(CreditRefused, match=r"69,438\.00 USD, below the maintenance of its names, 71,000\.00 USD"):
        desk.trade(account_id, "JPM", Side.BUY, 110, MONDAY)
    withdraw_cash(amount_minor=9_988_00, key="to the line itself", **given)
    previews = [
        what_if(desk.operations, account_id, Action.WITHDRAW, amount_minor=amount, at=noon(MONDAY))
        for amount in (0, 1, 2_000_01)
    ]
    assert [(one.is_enough, one.falls_short) for one in previews] == [(True, False), (False, True), (False, True)]
    with pytest.raises(CreditRefused, match=r"59,999\.99 USD, below"):
        withdraw_cash(amount_minor=1, key="a cent more", **given)
    with pytest.raises(CreditRefused, match=r"59,999\.00 USD, below"):
        draw_down(amount_minor=1_000_00, key="its fee", **given)


# Whom it calls, and what cures


def test_at_the_day_s_end_who_is_below_the_maintenance_is_called_for_what_is_missing(desk: Desk, named: int) -> None:
    fall(desk, TUESDAY, "90")
    assert (called(desk, named), desk.band(named)) == ([], Band.SAFE)
    assert end_of(desk, TUESDAY) == SnapshotResult(stored=3, called=1)
    (call,) = desk.calls(named)
    assert (call.cause, call.amount_minor, call.requirement_minor) == ("maintenance", 500_00, 40_500_00)
    assert (call.deadline_at, call.cure_bp) == (DEADLINE, 18_182)
    assert desk.calls(desk.near) == []
    notice = Notice.objects.get(about=f"call:{call.id}")
    assert "维持保证金 40,500.00 USD" in notice.body
    assert verify_desk(close(TUESDAY)) == []


def test_the_board_names_the_maintenance_where_it_is_the_next_thing_to_come(desk: Desk, named: int) -> None:
    """From 100.00, Apple may fall 9.09% until it asks for more and 12.50% to the warning line."""

    def worst() -> dict[int, tuple[bool, int | None]]:
        return {row.account_id: (row.is_maintenance_next, row.fall_bp) for row in get_board(SYSTEM).worst}

    fall(desk, TUESDAY, "100")
    assert (worst()[named], worst()[desk.near]) == ((True, 909), (False, 1_250))
    fall(desk, WEDNESDAY, "90")
    assert (worst()[named], worst()[desk.near]) == ((True, -102), (False, 277))
    fall(desk, HALF_DAY, "79.99")
    assert worst()[named] == worst()[desk.near] == (False, 936)


def test_the_maintenance_itself_is_enough_and_nobody_is_called_twice(desk: Desk, named: int) -> None:
    fall(desk, TUESDAY, "90.91")
    assert end_of(desk, TUESDAY).called == 0
    fall(desk, WEDNESDAY, "90")
    assert [end_of(desk, WEDNESDAY).called, end_of(desk, WEDNESDAY).called] == [1, 0]


def test_a_price_that_restores_the_equity_cures_at_once_on_a_desk_of_any_size(
    desk: Desk, named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many accounts to write all that moved: only who is due is written, and whose equity is back is due."""
    fall(desk, TUESDAY, "90")
    end_of(desk, TUESDAY)
    monkeypatch.setattr(monitor, "STATES_A_TRANSACTION", 2)
    monkeypatch.setattr(monitor, "REFRESHED_A_TRANSACTION", 0)
    fall(desk, WEDNESDAY, "90.90")
    assert called(desk, named) == [("maintenance", "open", 500_00)]
    desk.prices(WEDNESDAY, close(WEDNESDAY), AAPL="90.91")
    assert called(desk, named) == [("maintenance", "cured", 500_00)]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_deposit_of_the_amount_cures_and_a_cent_less_does_not(desk: Desk, named: int, is_restarted: bool) -> None:
    fall(desk, TUESDAY, "90")
    end_of(desk, TUESDAY)
    if is_restarted:
        desk.restart_monitor()
    desk.deposit(named, 499_99, TUESDAY, close(TUESDAY))
    desk.drain()
    assert called(desk, named) == [("maintenance", "open", 500_00)]
    desk.deposit(named, 1, TUESDAY, close(TUESDAY))
    desk.drain()
    assert called(desk, named) == [("maintenance", "cured", 500_00)]


def test_a_sale_of_the_client_cures(desk: Desk, named: int) -> None:
    fall(desk, TUESDAY, "90")
    end_of(desk, TUESDAY)
    fall(desk, WEDNESDAY, "90")
    desk.sell(named, "AAPL", 14, WEDNESDAY)
    desk.drain()
    assert called(desk, named) == [("maintenance", "cured", 500_00)]


def test_who_is_called_by_a_line_is_not_called_for_maintenance_beside(desk: Desk, named: int) -> None:
    fall(desk, TUESDAY, "79")
    assert [cause for cause, *_ in called(desk, named)] == ["line"]
    assert end_of(desk, TUESDAY).called == 0


def test_the_close_out_line_ends_a_call_for_maintenance(desk: Desk, named: int) -> None:
    fall(desk, TUESDAY, "90")
    end_of(desk, TUESDAY)
    fall(desk, WEDNESDAY, "72")
    assert called(desk, named) == [("maintenance", "superseded", 500_00)]
    assert verify_desk(noon(WEDNESDAY)) == []


def test_the_database_holds_that_a_call_for_maintenance_adds_up(desk: Desk, named: int) -> None:
    fall(desk, TUESDAY, "90")
    end_of(desk, TUESDAY)
    for wrong in ({"requirement_minor": 40_500_01}, {"cause": "line"}, {"cause": "other"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            MarginCall.objects.filter(account_id=named).update(**wrong)


def standing(*, equity: int, band: Band) -> Standing:
    return Standing(1, 90_000, 90_000, 0, 40_000, 90_000 - equity, 16_000, band)


@pytest.mark.parametrize(
    ("equity", "band", "open_call", "follows"),
    [
        (40_000, Band.SAFE, None, Consequence()),
        (39_999, Band.SAFE, None, Consequence(opens_call=CallCause.MAINTENANCE)),
        (39_999, Band.UNKNOWN, None, Consequence()),
        (39_999, Band.CALL, None, Consequence(opens_call=CallCause.LINE)),
        (39_999, Band.CALL, CallCause.MAINTENANCE, Consequence()),
        (40_000, Band.CALL, CallCause.MAINTENANCE, Consequence(opens_call=CallCause.LINE, cures_call=True)),
        (40_000, Band.SAFE, CallCause.MAINTENANCE, Consequence(cures_call=True)),
        (39_999, Band.WARNING, CallCause.LINE, Consequence()),
        (39_999, Band.CLOSE_OUT, CallCause.MAINTENANCE, Consequence(breaches_close_out=True)),
    ],
)
def test_each_call_ends_by_what_it_was_opened_for(
    equity: int, band: Band, open_call: CallCause | None, follows: Consequence
) -> None:
    told = standing(equity=equity, band=band)
    assert consequence(told, cure_bp=17_000, open_call=open_call, is_enforced=False, is_day_end=True) == follows
    assert consequence(told, cure_bp=17_000, open_call=open_call, is_enforced=True, is_day_end=True) == Consequence()


# What is sold


def expire(desk: Desk, account_id: int) -> None:
    fall(desk, TUESDAY, "90")
    end_of(desk, TUESDAY)
    fall(desk, HALF_DAY, "90")
    assert len(expire_due_calls(actor=desk.risk, at=DEADLINE)) == 1
    desk.drain()


def test_i10_a_call_for_maintenance_that_runs_out_is_sold_until_the_equity_meets_it(desk: Desk, named: int) -> None:
    expire(desk, named)
    (sale,) = desk.liquidations(named)
    assert (sale.state, sale.cause, sale.target_bp) == ("planned", "call_expired", 18_182)
    fall(desk, NEXT_MONDAY, "90")
    desk.sell_out(NEXT_MONDAY)
    assert [one.state for one in desk.liquidations(named)] == ["completed"]
    assert not desk.is_enforced(named)
    ((_, quantity),) = ((one.instrument_id, one.quantity) for one in desk.account(named).holdings)
    assert 980 < quantity < 988, "some 500.00 / 45% are sold"
    assert end_of(desk, NEXT_MONDAY).called == 0
    assert verify_desk(close(NEXT_MONDAY)) == []


def test_a_sale_that_has_not_begun_ends_when_the_equity_meets_the_maintenance(desk: Desk, named: int) -> None:
    expire(desk, named)
    fall(desk, NEXT_MONDAY, "90.91")
    desk.sell_out(NEXT_MONDAY)
    assert [(one.state, one.close_reason) for one in desk.liquidations(named)] == [
        ("cancelled", "equity meets the maintenance of the names")
    ]
    assert desk.account(named).holdings[0].quantity == 1_000
