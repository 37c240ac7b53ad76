"""Interest: once for each day, whatever happens to the run, and the same however a period is cut."""

from datetime import date
from itertools import pairwise

import pytest
from tests.desk import HALF_DAY, MONDAY, NEXT_MONDAY, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.flows.servicing.models import FundingAccrual, InterestAccrual
from reefpoint.flows.servicing.services import interest
from reefpoint.flows.servicing.services.interest import collect_interest
from reefpoint.records.execution.types import Side
from reefpoint.records.ledger.selectors import balance_minor
from reefpoint.records.ledger.types import interest_due, pool_cost_due


def due(desk: Desk) -> int:
    return balance_minor(interest_due(desk.account(desk.near).number))


def rows() -> list[tuple[object, ...]]:
    of_loans = InterestAccrual.objects.order_by("loan_id", "since")
    of_pools = FundingAccrual.objects.order_by("since")
    return [
        *of_loans.values_list("loan_id", "since", "until", "days", "total_micro", "remainder", "posted_minor"),
        *of_pools.values_list("since", "until", "total_micro", "remainder", "posted_minor"),
    ]


def test_i43_a_day_accrued_twice_is_accrued_once(desk: Desk) -> None:
    desk.accrue(MONDAY, TUESDAY)
    before = rows(), desk.books()
    desk.accrue(MONDAY, TUESDAY)
    assert (rows(), desk.books()) == before


def test_i43_a_run_killed_half_way_ends_as_if_it_had_not_been(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(**_: object) -> None:
        raise SystemExit("killed")

    with desk.rolled_back():
        desk.accrue(MONDAY, TUESDAY)
        expected = [row[1:] for row in rows()]
    with monkeypatch.context() as patch:
        patch.setattr(interest, "post_journals", killed)
        with pytest.raises(SystemExit):
            desk.accrue(MONDAY, TUESDAY)
    assert rows() == []
    desk.accrue(MONDAY, TUESDAY)
    assert [row[1:] for row in rows()] == expected


def test_i43_sessions_that_no_run_covered_are_caught_up_one_by_one(desk: Desk) -> None:
    """Tuesday and Wednesday were lost: the run of the half day accrues them first, each for itself."""
    days = [(MONDAY, TUESDAY), (TUESDAY, WEDNESDAY), (WEDNESDAY, HALF_DAY), (HALF_DAY, NEXT_MONDAY)]
    with desk.rolled_back():
        for on, until in days:
            desk.accrue(on, until)
        expected, owed = [row[1:] for row in rows()], due(desk)
    desk.accrue(*days[0])
    desk.accrue(*days[-1])
    assert [row[1:] for row in rows()] == expected
    assert due(desk) == owed
    assert balance_minor(pool_cost_due("MAIN")) == sum(row.posted_minor for row in FundingAccrual.objects.all())


def test_i44_interest_does_not_depend_on_how_its_period_was_cut(desk: Desk) -> None:
    """50,000.00 at 6.5% over 365 days of a 360 day year, as one period, as two, and as many."""
    owed = set()
    for cuts in ([], [date(2020, 3, 2)], [date(2019, 12, 2), date(2020, 1, 6), date(2020, 5, 26), date(2020, 11, 23)]):
        with desk.rolled_back():
            days = [MONDAY, *cuts, date(2020, 11, 24)]
            for on, until in pairwise(days):
                desk.accrue(on, until)
            owed.add(due(desk))
    assert owed == {3_295_14}


def test_i44_a_weekend_and_a_holiday_are_in_the_run_before_them(desk: Desk) -> None:
    for on, until in ((MONDAY, TUESDAY), (TUESDAY, WEDNESDAY), (WEDNESDAY, HALF_DAY), (HALF_DAY, NEXT_MONDAY)):
        desk.accrue(on, until)
    days = InterestAccrual.objects.order_by("loan_id", "since").values_list("days", flat=True)
    assert list(days) == [1, 1, 2, 3] * 2


def test_interest_is_taken_from_cash_that_nothing_else_needs(desk: Desk) -> None:
    """A purchase that is under way holds all but five dollars of the cash."""
    desk.accrue(MONDAY, TUESDAY)
    desk.prices(TUESDAY, AAPL="150", KO="50")
    desk.deposit(desk.near, 6_305_00, TUESDAY)
    desk.trade(desk.near, "KO", Side.BUY, 120, TUESDAY)
    assert due(desk) == 9_03
    collect_interest(actor=desk.operations, on=TUESDAY, at=noon(TUESDAY))
    assert due(desk) == 4_03
    desk.drain()
    assert verify_desk(noon(TUESDAY)) == []
