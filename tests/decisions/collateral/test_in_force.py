"""Haircuts in force, the monitor that takes them, and names that the desk accepts."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.decisions.collateral.conftest import PutInForce
from tests.desk import HALF_DAY, MONDAY, TUESDAY, WEDNESDAY, Desk, noon

from reefpoint.decisions.collateral.models import HaircutStep
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force, pending_steps, steps_in_force
from reefpoint.decisions.collateral.selectors.house import is_eligible, require_eligible
from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.standing import load_sheet, measure_account
from reefpoint.decisions.margin.types import Band


def lendable(desk: Desk) -> int:
    return MarginState.objects.get(account_id=desk.near).lendable_minor


def test_with_nothing_published_every_figure_is_the_schemes_own(desk: Desk) -> None:
    assert haircuts_in_force(MONDAY) == {}
    version = desk.account(desk.near).scheme_version_id
    sheet = load_sheet([version], at=noon(MONDAY))
    terms = sheet.terms[version]
    assert sheet.marks.haircut_bp.tolist() == [[terms.haircut_bp(one.symbol) for one in sheet.instruments]]
    assert is_eligible(desk.instruments["AAPL"], MONDAY)
    require_eligible(desk.instruments["AAPL"], MONDAY)


def test_a_valuation_takes_the_greater_of_the_schemes_haircut_and_the_desks(
    desk: Desk, put_in_force: PutInForce
) -> None:
    apple, coke = desk.instruments["AAPL"], desk.instruments["KO"]
    put_in_force({apple: {MONDAY: 5_500}, coke: {MONDAY: 1_000}})
    sheet = load_sheet([desk.account(desk.near).scheme_version_id], at=noon(MONDAY))
    assert int(sheet.marks.haircut_bp[0, sheet.column[apple]]) == 5_500  # the scheme asks for 4,000
    assert int(sheet.marks.haircut_bp[0, sheet.column[coke]]) == 3_000  # the scheme's own is harder
    assert measure_account(desk.near, at=noon(MONDAY)).lendable_minor == 45_000_00


def test_a_haircut_counts_from_its_day_until_the_next_step_or_a_later_release(
    desk: Desk, put_in_force: PutInForce
) -> None:
    apple = desk.instruments["AAPL"]
    put_in_force({apple: {MONDAY: 4_500, TUESDAY: 5_000, WEDNESDAY: 5_500, HALF_DAY: 6_000}})
    second = put_in_force({apple: {WEDNESDAY: 4_200}})
    days = (MONDAY - timedelta(days=1), MONDAY, TUESDAY, WEDNESDAY, HALF_DAY)
    assert [haircuts_in_force(on).get(apple) for on in days] == [None, 4_500, 5_000, 4_200, 4_200]
    assert steps_in_force(HALF_DAY)[apple].release_id == second
    assert [(one.effective_on, one.haircut_bp) for one in pending_steps(MONDAY)[apple]] == [
        (TUESDAY, 5_000),
        (WEDNESDAY, 4_200),
    ]
    assert pending_steps(WEDNESDAY) == {}


def test_i16_a_change_of_haircut_is_on_record_without_any_tick(desk: Desk, put_in_force: PutInForce) -> None:
    before = lendable(desk)
    put_in_force({desk.instruments["AAPL"]: {MONDAY: 5_500}})
    assert lendable(desk) == before
    desk.drain()
    assert lendable(desk) == before - 15_000_00
    assert desk.band(desk.near) is Band.SAFE, "haircuts are no part of the ratio"


def test_i05_the_live_book_after_a_change_is_that_of_a_new_monitor(desk: Desk, put_in_force: PutInForce) -> None:
    put_in_force({desk.instruments["AAPL"]: {MONDAY: 5_500, TUESDAY: 6_000}})
    desk.drain()
    desk.prices(TUESDAY, AAPL="99", JPM="100", KO="50")
    live = desk.outcome()["states"]
    desk.restart_monitor()
    put_in_force({})
    desk.drain()
    assert desk.outcome()["states"] == live
    assert lendable(desk) == 1_000 * 99_00 * 4_000 // 10_000


def test_a_release_needs_a_second_person_and_nothing_of_it_changes(desk: Desk, put_in_force: PutInForce) -> None:
    release = put_in_force({desk.instruments["AAPL"]: {MONDAY: 5_500}})
    for statement in (
        f"UPDATE collateral_haircutstep SET haircut_bp = 0 WHERE release_id = {release}",
        f"DELETE FROM collateral_haircutstep WHERE release_id = {release}",
        f"UPDATE collateral_haircutrelease SET checker = maker WHERE id = {release}",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert HaircutStep.objects.get(release_id=release).haircut_bp == 5_500
