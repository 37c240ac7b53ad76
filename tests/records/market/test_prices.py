"""Prices are judged line by line; nothing is lost and nothing is believed twice."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import IntegrityError, connection, transaction
from tests.records.market.conftest import FEED, MONDAY, OLIVIA, OUTSIDER, RAVI, TUESDAY, close_of, record, tick

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.records.market.models import HeldPrice, Price, PriceBatch, RejectedRow
from reefpoint.records.market.selectors import (
    get_batch,
    get_held,
    latest_prices,
    list_held,
    price_history,
    prices_of_batch,
)
from reefpoint.records.market.services import (
    BatchLabelRefused,
    PriceBatchConflict,
    SecondPersonNeeded,
    confirm_held_price,
    discard_held_price,
    record_prices,
)
from reefpoint.records.market.types import HeldState, Reason, Tick

WEDNESDAY = date(2020, 2, 26)
LATER = close_of(TUESDAY) + timedelta(hours=1)


def event_names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM events_event ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


def test_an_accepted_price_is_the_latest(names: dict[str, int]) -> None:
    result = record(tick("AAA", "100"), tick("BBB", 41.2), key="monday")
    assert (result.accepted, result.held, result.rejected) == (2, 0, 0)
    prices = latest_prices()
    assert prices[names["AAA"]].price_units == 1_000_000
    assert prices[names["BBB"]].price_units == 412_000
    assert {price.symbol for price in prices_of_batch(result.batch_id)} == {"AAA", "BBB"}
    assert event_names() == ["market.prices_recorded"]


@pytest.mark.parametrize(
    ("price", "is_held"), [("80", True), ("120", True), ("81", False), ("99", False), ("119.9999", False)]
)
def test_i13_a_price_outside_its_band_is_held(names: dict[str, int], price: str, is_held: bool) -> None:
    record(tick("AAA", "100"), key="monday")
    result = record(tick("AAA", price, TUESDAY), key="tuesday", on=TUESDAY)
    assert (result.accepted, result.held) == ((0, 1) if is_held else (1, 0))
    assert latest_prices()[names["AAA"]].on == (MONDAY if is_held else TUESDAY)
    assert [held.reason for held in list_held()] == [Reason.OUTSIDE_BAND] * is_held
    assert event_names()[-1] == ("market.prices_held" if is_held else "market.prices_recorded")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (tick("AAA", "0"), Reason.ZERO_PRICE),
        (tick("AAA", "0.00001"), Reason.ZERO_PRICE),
        (tick("AAA", "-100"), Reason.NEGATIVE_PRICE),
        (tick("AAA", float("nan")), Reason.NOT_A_NUMBER),
        (tick("AAA", float("inf")), Reason.NOT_A_NUMBER),
        (tick("AAA", Decimal("sNaN")), Reason.NOT_A_NUMBER),
        (tick("AAA", "NaN"), Reason.NOT_A_NUMBER),
        (tick("AAA", "-Infinity"), Reason.NOT_A_NUMBER),
        (tick("AAA", ""), Reason.MISSING_PRICE),
        (tick("AAA", "1e2"), Reason.MALFORMED_PRICE),
        (tick("AAA", "1_00"), Reason.MALFORMED_PRICE),
        (tick("AAA", "1,000.50"), Reason.MALFORMED_PRICE),
        (tick("AAA", "１００"), Reason.MALFORMED_PRICE),
        (tick("AAA", "=1+1"), Reason.MALFORMED_PRICE),
        (tick("AAA", True), Reason.MALFORMED_PRICE),
        (tick("AAA", "9" * 30), Reason.ABSURD_PRICE),
        (tick("ZZZ", "100"), Reason.UNKNOWN_SYMBOL),
        (tick("AAA", "100", currency="EUR"), Reason.WRONG_CURRENCY),
        (tick("AAA", "100", WEDNESDAY), Reason.IN_THE_FUTURE),
        (tick("AAA", "100", date(2020, 2, 21)), Reason.WRONG_DATE),
        (Tick("AAA", "100", MONDAY, close_of(MONDAY) - timedelta(days=3)), Reason.WRONG_DATE),
        (Tick("AAA", "100", MONDAY, close_of(MONDAY) + timedelta(seconds=1)), Reason.IN_THE_FUTURE),
        (Tick("AAA", "100", MONDAY, datetime(2020, 2, 24, 21)), Reason.MALFORMED_DATE),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else None,
)
def test_i14_a_bad_line_is_rejected_with_its_number_and_the_rest_goes_on(
    names: dict[str, int], bad: Tick, reason: Reason
) -> None:
    result = record(tick("BBB", "41.2"), bad, key="monday")
    assert (result.accepted, result.held, result.rejected) == (1, 0, 1)
    assert [(row.row_number, row.reason) for row in get_batch(result.batch_id).rejected_rows] == [(2, reason)]
    assert set(latest_prices()) == {names["BBB"]}


def test_i14_a_day_without_session_takes_no_prices(names: dict[str, int]) -> None:
    sunday = date(2020, 2, 23)
    result = record(tick("AAA", "100", sunday), key="sunday", on=sunday)
    assert [row.reason for row in get_batch(result.batch_id).rejected_rows] == [Reason.NOT_A_SESSION]


@pytest.mark.parametrize("price", ["10000", "1", "5000"])
def test_i14_a_hundredfold_price_waits_for_a_person_and_no_source_confirms_it(
    names: dict[str, int], price: str
) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", price, TUESDAY), key="tuesday-a", on=TUESDAY)
    record(tick("AAA", price, TUESDAY), key="tuesday-b", on=TUESDAY, source="feed-b")
    assert [held.reason for held in list_held()] == [Reason.HUNDREDFOLD] * 2
    assert latest_prices()[names["AAA"]].price_units == 1_000_000


def test_i41_the_same_key_twice_is_one_effect_and_the_same_answer(names: dict[str, int]) -> None:
    first = record(tick("AAA", "100"), tick("AAA", "-1"), key="monday")
    again = record(tick("AAA", "100"), tick("AAA", "-1"), key="monday")
    assert again.is_repeat
    assert (again.batch_id, again.accepted, again.held, again.rejected) == (first.batch_id, 1, 0, 1)
    assert (PriceBatch.objects.count(), Price.objects.count(), RejectedRow.objects.count()) == (1, 1, 1)
    assert event_names() == ["market.prices_recorded"]


def test_i41_the_same_key_with_other_content_is_refused_and_leaves_nothing(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    with pytest.raises(PriceBatchConflict, match="monday"):
        record(tick("AAA", "101"), key="monday")
    assert latest_prices()[names["AAA"]].price_units == 1_000_000
    assert PriceBatch.objects.count() == 1


def test_i04_the_same_prices_under_another_key_change_nothing(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    before = latest_prices()
    result = record(tick("AAA", "100"), key="monday-again")
    assert [row.reason for row in get_batch(result.batch_id).rejected_rows] == [Reason.ALREADY_RECORDED]
    assert latest_prices() == before


def test_i04_any_order_of_arrival_ends_in_the_same_latest_prices(names: dict[str, int]) -> None:
    days = {MONDAY: "100", TUESDAY: "105", WEDNESDAY: "98"}
    seen = set()
    for order in permutations(days):
        with transaction.atomic():
            point = transaction.savepoint()
            for on in order:
                record(tick("AAA", days[on], on), key=str(on), on=on, at=close_of(WEDNESDAY))
            seen.add((latest_prices()[names["AAA"]].price_units, latest_prices()[names["AAA"]].on))
            history = price_history(names["AAA"], MONDAY, WEDNESDAY)
            assert [price.price_units for price in history] == [1_000_000, 1_050_000, 980_000]
            transaction.savepoint_rollback(point)
    assert seen == {(980_000, WEDNESDAY)}


def test_i04_a_late_older_price_is_judged_by_its_own_past(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "119", WEDNESDAY), key="wednesday", on=WEDNESDAY)
    late = record(tick("AAA", "90", TUESDAY), key="tuesday", on=TUESDAY, at=close_of(WEDNESDAY))
    assert late.accepted == 1
    assert latest_prices()[names["AAA"]].on == WEDNESDAY


def test_a_repeated_row_counts_once_and_contradicting_rows_not_at_all(names: dict[str, int]) -> None:
    result = record(
        tick("AAA", "100"), tick("BBB", "41"), tick("AAA", "100.00"), tick("BBB", "42"), tick("BBB", "41"), key="monday"
    )
    assert (result.accepted, result.held, result.rejected) == (1, 2, 2)
    batch = get_batch(result.batch_id)
    assert [(row.row_number, row.reason) for row in batch.rejected_rows] == [
        (3, Reason.DUPLICATE_ROW),
        (5, Reason.DUPLICATE_ROW),
    ]
    assert [(row.row_number, row.reason) for row in batch.held_prices] == [
        (2, Reason.CONFLICTING_ROWS),
        (4, Reason.CONFLICTING_ROWS),
    ]
    assert set(latest_prices()) == {names["AAA"]}


def test_a_different_price_for_a_recorded_instant_is_held_and_when_confirmed_corrects_it(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "101"), key="monday-corrected")
    (held,) = list_held()
    assert (held.reason, held.reference_units) == (Reason.CONFLICTS_WITH_RECORD, 1_000_000)
    confirm_held_price(actor=RAVI, held_id=held.id, at=LATER, reason="the exchange corrected it")
    assert latest_prices()[names["AAA"]].price_units == 1_010_000


def test_i13_a_second_person_confirms_and_the_price_counts(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday", actor=OLIVIA)
    record(tick("AAA", "80", TUESDAY), key="tuesday", on=TUESDAY, actor=OLIVIA)
    (held,) = list_held()
    batch_id = confirm_held_price(actor=RAVI, held_id=held.id, at=LATER, reason="seen on the exchange")
    assert [(price.symbol, price.price_units) for price in prices_of_batch(batch_id)] == [("AAA", 800_000)]
    assert latest_prices()[names["AAA"]].price_units == 800_000
    decided = get_held(held.id)
    assert (decided.state, decided.decided_by, decided.decided_at) == (HeldState.CONFIRMED, RAVI.ref, LATER)
    assert event_names()[-1] == "market.prices_recorded"
    with pytest.raises(InvalidTransition):
        confirm_held_price(actor=RAVI, held_id=held.id, at=LATER, reason="again")
    assert Price.objects.count() == 2


def test_i63_whoever_brought_a_price_cannot_confirm_it(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "80", TUESDAY), key="tuesday", on=TUESDAY, actor=OLIVIA)
    (held,) = list_held()
    with pytest.raises(SecondPersonNeeded):
        confirm_held_price(actor=OLIVIA, held_id=held.id, at=LATER, reason="trust me")
    assert latest_prices()[names["AAA"]].price_units == 1_000_000
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        HeldPrice.objects.filter(id=held.id).update(state=HeldState.CONFIRMED, decided_by=OLIVIA.ref, decided_at=LATER)


def test_i13_a_second_source_within_one_percent_confirms_by_itself(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "75", TUESDAY), key="a", on=TUESDAY)
    result = record(tick("AAA", "75.75", TUESDAY), key="b", on=TUESDAY, source="feed-b")
    assert result.accepted == 1
    assert latest_prices()[names["AAA"]].price_units == 757_500
    assert list_held() == []
    assert list_held(HeldState.CONFIRMED)[0].decided_by == "source:feed-b"


@pytest.mark.parametrize(("source", "price"), [("feed-a", "75"), ("feed-b", "75.76"), ("feed-b", "74.24")])
def test_i13_the_same_source_or_a_source_that_differs_confirms_nothing(
    names: dict[str, int], source: str, price: str
) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "75", TUESDAY), key="a", on=TUESDAY, at=close_of(TUESDAY))
    other = Tick("AAA", price, TUESDAY, close_of(TUESDAY) - timedelta(minutes=1))
    record_prices(actor=FEED, source=source, key="b", ticks=[other], at=close_of(TUESDAY), on=TUESDAY)
    assert len(list_held()) == 2
    assert latest_prices()[names["AAA"]].price_units == 1_000_000


def test_i63_a_person_does_not_confirm_their_own_price_by_a_second_file(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "75", TUESDAY), key="a", on=TUESDAY, actor=OLIVIA)
    record(tick("AAA", "75", TUESDAY), key="b", on=TUESDAY, actor=OLIVIA, source="another name")
    assert len(list_held()) == 2


def test_a_discarded_price_never_counts(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "75", TUESDAY), key="a", on=TUESDAY)
    (held,) = list_held()
    discard_held_price(actor=RAVI, held_id=held.id, at=LATER, reason="a misprint")
    with pytest.raises(InvalidTransition):
        confirm_held_price(actor=RAVI, held_id=held.id, at=LATER, reason="after all")
    assert latest_prices()[names["AAA"]].price_units == 1_000_000


def test_i12_a_name_without_a_price_of_the_last_session_is_stale(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), tick("BBB", "41"), key="monday")
    record(tick("AAA", "101", TUESDAY), key="tuesday", on=TUESDAY)
    at_close = latest_prices(close_of(TUESDAY))
    assert (at_close[names["AAA"]].is_stale, at_close[names["BBB"]].is_stale) == (False, True)
    before_close = latest_prices(close_of(TUESDAY) - timedelta(hours=1))
    assert before_close[names["AAA"]].price_units == 1_000_000
    assert not before_close[names["BBB"]].is_stale
    assert latest_prices()[names["BBB"]].is_stale
    assert latest_prices(close_of(WEDNESDAY))[names["AAA"]].is_stale


def test_i12_a_held_price_leaves_its_name_stale(names: dict[str, int]) -> None:
    record(tick("AAA", "100"), tick("BBB", "41"), key="monday")
    record(tick("AAA", "70", TUESDAY), tick("BBB", "42", TUESDAY), key="tuesday", on=TUESDAY)
    prices = latest_prices(close_of(TUESDAY))
    assert (prices[names["AAA"]].is_stale, prices[names["BBB"]].is_stale) == (True, False)


def test_latest_prices_ask_the_database_once_for_prices(
    names: dict[str, int], django_assert_num_queries: object
) -> None:
    record(tick("AAA", "100"), tick("BBB", "41"), key="monday")
    with django_assert_num_queries(2):
        latest_prices(close_of(MONDAY))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE market_price SET price_units = 1",
        "DELETE FROM market_price",
        "TRUNCATE market_price",
        "UPDATE market_pricebatch SET accepted = 0",
        "DELETE FROM market_rejectedrow",
        "UPDATE market_heldprice SET price_units = 1",
        "DELETE FROM market_heldprice",
    ],
)
def test_the_database_refuses_to_change_what_was_recorded(names: dict[str, int], statement: str) -> None:
    record(tick("AAA", "100"), tick("BBB", "-1"), key="monday")
    record(tick("AAA", "60", TUESDAY), key="tuesday", on=TUESDAY)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(statement)


def test_the_database_refuses_a_price_that_is_not_positive(names: dict[str, int]) -> None:
    batch = PriceBatch.objects.get(id=record(tick("AAA", "100"), key="monday").batch_id)
    with pytest.raises(IntegrityError, match="market_price_positive"), transaction.atomic():
        Price.objects.create(
            batch=batch,
            instrument_id=names["AAA"],
            price_units=0,
            at=close_of(MONDAY),
            on=MONDAY,
            recorded_at=close_of(MONDAY),
        )


def test_without_the_right_nothing_is_recorded_or_confirmed(names: dict[str, int]) -> None:
    with pytest.raises(PermissionRefused):
        record(tick("AAA", "100"), key="monday", actor=OUTSIDER)
    assert PriceBatch.objects.count() == 0
    record(tick("AAA", "100"), key="monday")
    record(tick("AAA", "60", TUESDAY), key="tuesday", on=TUESDAY)
    with pytest.raises(PermissionRefused):
        confirm_held_price(actor=OUTSIDER, held_id=list_held()[0].id, at=LATER, reason="")
    assert len(list_held()) == 1


@pytest.mark.parametrize(
    ("source", "key"), [("", "k"), ("a", ""), ("a" * 81, "k"), ("a", "k" * 201), ("a", "\x00"), ("a", "confirmation:1")]
)
def test_i69_a_label_that_cannot_be_kept_or_is_the_desks_own_is_refused(
    names: dict[str, int], source: str, key: str
) -> None:
    with pytest.raises(BatchLabelRefused):
        record(tick("AAA", "100"), key=key, source=source)
    assert PriceBatch.objects.count() == 0


def test_the_batch_date_defaults_to_new_york(names: dict[str, int]) -> None:
    evening = datetime(2020, 2, 25, 1, tzinfo=UTC)
    result = record_prices(actor=system_actor("feed"), source="a", key="k", ticks=[tick("AAA", "100")], at=evening)
    assert (result.on, result.accepted) == (MONDAY, 1)
