"""Properties of the judgement alone: it depends on what was said, not on the order in which it was said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reefpoint.records.market.rules import (
    PRICE_UNITS_MAX,
    agrees,
    is_hundredfold,
    is_outside_band,
    judge_lines,
    read_price,
)
from reefpoint.records.market.types import Accepted, Held, PriceLine, Reason, Reference, Rejected

ON = date(2020, 3, 16)
OPEN = datetime(2020, 3, 16, 13, 30, tzinfo=UTC)
BANDS = {1: 2000, 2: 500}
START = {(name, OPEN + timedelta(minutes=m)): Reference(1_000_000, OPEN) for name in BANDS for m in range(1, 5)}

said = st.lists(
    st.tuples(st.sampled_from(sorted(BANDS)), st.integers(1, 4), st.integers(700_000, 1_300_000)), max_size=10
)


def judged(lines: list[tuple[int, int, int]]) -> list[Accepted | Held | Rejected]:
    readable = [
        Accepted(
            PriceLine(number, "", str(name), "", ON, None, "USD"), name, units, ON, OPEN + timedelta(minutes=minute)
        )
        for number, (name, minute, units) in enumerate(lines, start=1)
    ]
    return judge_lines(readable, bands_bp=BANDS, references=START, pending=[])


def outcome(lines: list[tuple[int, int, int]]) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    verdicts = judged(lines)
    accepted = {(v.instrument_id, v.at, v.price_units) for v in verdicts if isinstance(v, Accepted)}
    held = {(v.instrument_id, v.at, v.price_units, v.reason) for v in verdicts if isinstance(v, Held)}
    return accepted, held


@given(said, st.randoms(use_true_random=False))
def test_i04_the_order_of_lines_and_their_repetition_change_nothing(lines, random) -> None:
    shuffled = [*lines, *lines]
    random.shuffle(shuffled)
    assert outcome(shuffled) == outcome(lines)


@given(said)
def test_i14_every_line_gets_one_verdict(lines: list[tuple[int, int, int]]) -> None:
    assert [verdict.line.row_number for verdict in judged(lines)] == list(range(1, len(lines) + 1))


@given(said)
def test_i13_no_accepted_price_left_the_band_of_the_one_before_it(lines: list[tuple[int, int, int]]) -> None:
    before = dict.fromkeys(BANDS, 1_000_000)
    for name, _, units in sorted(outcome(lines)[0], key=lambda price: (price[0], price[1])):
        assert abs(units - before[name]) * 10_000 < BANDS[name] * before[name]
        before[name] = units


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(1, 9_999))
def test_a_wider_band_holds_no_more_and_a_fiftyfold_move_leaves_any_band(units: int, before: int, band: int) -> None:
    if is_outside_band(units, before, band + 1):
        assert is_outside_band(units, before, band)
    if is_hundredfold(units, before) and units > before:
        assert is_outside_band(units, before, band)
    assert agrees(before, before)


@given(st.one_of(st.text(), st.floats(), st.decimals(), st.integers(), st.booleans()))
def test_i14_whatever_is_said_a_read_price_is_positive_and_within_reach(price: str | float | Decimal | int) -> None:
    read = read_price(price)
    assert isinstance(read, Reason) or 0 < read <= PRICE_UNITS_MAX


@given(st.decimals(min_value="0.0001", max_value="99999999", places=4))
def test_a_plain_price_is_read_exactly(price: Decimal) -> None:
    assert read_price(str(price)) == read_price(price) == int(price * 10_000)
