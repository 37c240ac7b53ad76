"""The watch: incremental equals full after anything, and crossings tell exactly what changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.cases import (
    LINES,
    UNIT,
    account_of,
    amounts,
    books,
    lines_tables,
    long_or_short,
    marks_of,
    marks_tables,
    prices,
    reference,
    reference_band,
)

from reefpoint.engine import watch as watch_module
from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Marks, build_book
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, PRICE_UNITS_MAX, BookError
from reefpoint.engine.slack_layout import CLASS_BITS, IS_DUE, IS_EXACT, IS_PARKED, LAST
from reefpoint.engine.slack_ticks import Costs
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Crossings, Watch

NAMES = 4
ROWS_OF_TERMS = 2
WAYS = {
    "values whoever was touched": (10**9, Costs()),
    "keeps an index": (0, Costs()),
    "keeps an index and never sweeps": (0, Costs(touch=0, one_way=0)),
    "keeps an index and always sweeps": (0, Costs(touch=1, pass_account=-1, pass_position=0)),
}
in_every_way = pytest.mark.parametrize("way", WAYS)


@contextmanager
def watching(way: str) -> Iterator[None]:
    """Have every watch that decides inside work in one of the ways, whatever the size of its book."""
    positions_min, costs = WAYS[way]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch_module, "INDEX_POSITIONS_MIN", positions_min)
        patch.setattr(watch_module, "COSTS", costs)
        yield


class Shadow:
    """What the watch should say, worked out afresh at every decision from the book and marks alone."""

    def __init__(self) -> None:
        self.bands: list[int] = []

    def check(self, watch: Watch) -> None:
        crossings = watch.decide()
        self.bands += [Band.UNKNOWN] * (watch.book.account_count - len(self.bands))
        expected = []
        for row, old in enumerate(self.bands):
            figures = reference(watch.book, watch.marks, row)
            owed, term = int(watch.book.debt_units[row]) + figures.short, int(watch.book.terms[row])
            known_band = reference_band(figures.assets, owed, watch.lines, term, old)
            new = Band.UNKNOWN if figures.is_unknown else known_band
            if new != old:
                expected.append((row, old, new, figures.assets, figures.ratio))
            self.bands[row] = new
        assert list(zip(*(c.tolist() for c in vars(crossings).values()), strict=True)) == expected
        valued = watch.value()
        full = value_book(watch.book, watch.marks, watch.lines)
        assert valued.band.tolist() == self.bands == watch.band.tolist()
        if watch._index is not None:
            check_index(watch)
        for name in ("assets_units", "short_units", "lendable_units", "requirement_units", "ratio_bp"):
            assert getattr(valued, name).tobytes() == getattr(full, name).tobytes()


names = st.integers(0, NAMES - 1)
terms = st.integers(0, ROWS_OF_TERMS - 1)


@st.composite
def holdings(draw: st.DrawFn) -> dict[str, object]:
    held = draw(st.dictionaries(names, long_or_short))
    return {
        "instrument": list(held),
        "quantity": list(held.values()),
        "cash_units": draw(amounts),
        "debt_units": draw(amounts),
        "terms": draw(terms),
    }


def change(data: st.DataObject, watch: Watch) -> None:
    """One change of any kind."""
    kind = data.draw(st.sampled_from(["prices", "prices", "prices", "trade", "balances", "marks", "lines", "open"]))
    if kind == "open" or watch.book.account_count == 0:
        watch.add_account(**data.draw(holdings()))
        return
    row = data.draw(st.integers(0, watch.book.account_count - 1))
    if kind == "prices":
        batch = data.draw(st.lists(st.tuples(names, prices)))
        watch.apply_prices([name for name, _ in batch], [price for _, price in batch])
    elif kind == "trade":
        watch.replace_account(row, **data.draw(holdings()))
    elif kind == "balances":
        watch.set_balances([row, row], [0, data.draw(amounts)], [0, data.draw(amounts)])
    elif kind == "marks":
        watch.replace_marks(data.draw(marks_tables(NAMES)), watch.lines)
    else:
        watch.replace_marks(watch.marks, data.draw(lines_tables()))


@in_every_way
@settings(max_examples=100, deadline=None)
@given(data=st.data(), batches=st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_i05_incremental_equals_full_after_any_sequence_of_changes(
    way: str, data: st.DataObject, batches: list[int]
) -> None:
    with watching(way):
        watch = Watch(
            data.draw(books(NAMES, shorts=True)),
            with_limits(data, data.draw(marks_tables(NAMES))),
            data.draw(lines_tables()),
        )
        shadow = Shadow()
        shadow.check(watch)
        for changes in batches:
            for _ in range(changes):
                change(data, watch)
            shadow.check(watch)


@in_every_way
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 40))
def test_i05_a_long_walk_of_small_ticks_and_trades_stays_exact(way: str, seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    with watching(way):
        watch, shadow = random_watch(rng), Shadow()
        for _ in range(steps):
            for _ in range(rng.integers(1, 4)):
                walk_prices(rng, watch)
            if rng.integers(2):
                trade(rng, watch)
            shadow.check(watch)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_i04_the_order_of_changes_in_a_batch_does_not_matter(seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    count = 30
    fall = {name: int(rng.integers(5, 300)) * UNIT for name in range(NAMES)}
    payments = {row: int(rng.integers(10**9)) for row in rng.choice(count, 5, replace=False).tolist()}
    told = []
    for order in (range(NAMES + 5), data.draw(st.permutations(range(NAMES + 5)))):
        watch = random_watch(np.random.default_rng(seed))
        watch.decide()
        for number in order:
            if number < NAMES:
                watch.apply_prices([number], [fall[number]])
            else:
                row = list(payments)[number - NAMES]
                watch.set_balances([row], [0], [payments[row]])
        told.append([c.tobytes() for c in vars(watch.decide()).values()])
    assert told[0] == told[1]


def with_limits(data: st.DataObject, marks: Marks) -> Marks:
    """The same marks on a day with price limits, that prices keep or (a fault of the data) pass."""
    if data.draw(st.booleans()):
        return marks
    down, up = (data.draw(st.integers(0, 4)) for _ in range(2))
    price = marks.price_units
    most = np.minimum(price + price * up // 10, PRICE_UNITS_MAX)
    return replace(marks, limit_down_units=price - price * down // 10, limit_up_units=most)


def check_index(watch: Watch) -> None:
    """What must hold of the index between decisions, from its own definitions."""
    live, index = watch._live, watch._index
    assert index is not None
    state, columns = index._state, index._columns
    assert (columns.bound[:, LAST] <= columns.end).all()
    listed = set(state.due[: state.counters[0]].tolist())
    class_positions = [0] * (LAST + 1)
    for row in range(live.account_count):
        place = int(state.place[row])
        in_class = place & CLASS_BITS
        class_positions[in_class] += int(live.count[row])
        assert (row in listed) == bool(place & IS_DUE)
        least = most = int(live.cash_units[row])
        for position in range(live.start[row], live.start[row] + live.count[row]):
            name, held = int(live.instrument[position]), int(live.quantity[position])
            entry = int(columns.entry[position])
            begin = columns.start[name] if in_class == 0 else columns.bound[name, in_class - 1]
            assert begin <= entry < columns.bound[name, in_class]
            assert (columns.account[entry], columns.position[entry]) == (row, position)
            assert columns.quantity[entry] == (0 if place & IS_EXACT else held)
            lower, upper = state.envelope[in_class, name].tolist()
            assert lower <= state.price[name] <= upper
            least, most = least + held * lower, most + held * upper
        if not place & (IS_DUE | IS_EXACT | IS_PARKED):
            below, above = state.slack[2 * row : 2 * row + 2].tolist()
            assert below >= 0
            assert above >= 0
            term, debt = int(live.terms[row]), int(live.debt_units[row])
            band = Band(int(live.band[row]))
            for assets in (least - below, most + above):
                assert reference_band(assets, debt, watch.lines, term, band) == band
            assert assets <= AMOUNT_UNITS_MAX
    assert class_positions == state.positions.tolist()


def random_watch(rng: np.random.Generator, count: int = 30, each: int = 3) -> Watch:
    """Accounts between 125% and 175%."""
    holders = np.repeat(np.arange(count), each)
    held = np.concatenate([rng.choice(NAMES, each, replace=False) for _ in range(count)])
    start = rng.integers(10 * UNIT, 200 * UNIT, NAMES)
    quantity = rng.integers(1, 1_000, count * each)
    worth = np.bincount(holders, weights=(quantity * start[held]).astype(float)).astype(np.int64)
    book = build_book(
        cash_units=np.zeros(count, np.int64),
        debt_units=worth * 100 // rng.integers(125, 175, count),
        terms=np.zeros(count, np.int64),
        account=holders,
        instrument=held,
        quantity=quantity,
    )
    return Watch(book, marks_of(start.tolist()), LINES)


def walk_prices(rng: np.random.Generator, watch: Watch) -> None:
    moved = rng.integers(0, NAMES, rng.integers(1, 4))
    step = rng.integers(-3, 4, len(moved)) * watch.marks.price_units[moved] // 100
    watch.apply_prices(moved, np.maximum(watch.marks.price_units[moved] + step, 1))


def trade(rng: np.random.Generator, watch: Watch) -> None:
    row = int(rng.integers(watch.book.account_count))
    watch.replace_account(
        row,
        instrument=rng.choice(NAMES, 3, replace=False),
        quantity=rng.integers(0, 1_000, 3),
        cash_units=int(rng.integers(10 * UNIT)),
        debt_units=int(watch.book.debt_units[row]),
        terms=0,
    )


def tick(watch: Watch, *prices_by_name: tuple[int, int]) -> Crossings:
    """Prices as (instrument, price), and the decision on them."""
    watch.apply_prices([name for name, _ in prices_by_name], [price for _, price in prices_by_name])
    return watch.decide()


def test_a_value_that_grows_past_the_limit_is_unknown_until_it_shrinks_again() -> None:
    watch = Watch(account_of([2**20, 2**20], debt=UNIT), marks_of([2**28, 2**27]), LINES)
    watch.decide()
    assert tick(watch, (1, 2**28 + 1)).new_band.tolist() == [Band.UNKNOWN]
    assert tick(watch, (1, 2**28)).new_band.tolist() == [Band.SAFE]
    assert watch.value().assets_units.tolist() == [2**49]
    assert tick(watch, (0, 2**40)).new_band.tolist() == [Band.UNKNOWN]


def two_accounts() -> Watch:
    """One account at 200% on name 0, one at 160% on name 1; both owe 1,000 and are decided."""
    watch = Watch(account_of([200, 0], debt=1_000 * UNIT), marks_of([10 * UNIT, 10 * UNIT]), LINES)
    watch.add_account(instrument=[1], quantity=[160], cash_units=0, debt_units=1_000 * UNIT, terms=0)
    watch.decide()
    return watch


def test_only_holders_of_what_moved_are_told() -> None:
    crossings = tick(two_accounts(), (1, 9 * UNIT))
    assert (crossings.row.tolist(), crossings.old_band.tolist(), crossings.new_band.tolist()) == ([1], [0], [2])
    assert (crossings.assets_units.tolist(), crossings.ratio_bp.tolist()) == ([1_440 * UNIT], [14_400])


def test_a_crossing_inside_a_batch_that_ends_where_it_began_is_not_told() -> None:
    watch = two_accounts()
    assert len(tick(watch, (1, 1 * UNIT), (1, 10 * UNIT))) == 0
    watch.apply_prices([1], [1 * UNIT])
    watch.apply_prices([1], [10 * UNIT])
    assert len(watch.decide()) == 0


def test_i32_both_legs_of_a_split_in_one_batch_leave_no_trace() -> None:
    watch = two_accounts()
    tick(watch, (1, 94_000))
    assert watch.band.tolist() == [Band.SAFE, Band.WARNING]
    watch.apply_prices([1], [47_000])
    watch.replace_account(1, instrument=[1], quantity=[320], cash_units=0, debt_units=1_000 * UNIT, terms=0)
    assert len(watch.decide()) == 0


def test_i04_the_same_ticks_again_change_nothing() -> None:
    watch = two_accounts()
    assert len(tick(watch, (0, 6 * UNIT), (1, 9 * UNIT))) == 2
    assert len(tick(watch, (0, 6 * UNIT), (1, 9 * UNIT))) == 0


def test_i07_a_price_that_swings_by_a_hair_around_a_line_is_told_once() -> None:
    watch = two_accounts()
    tick(watch, (1, 93_800))
    told = [len(tick(watch, (1, price))) for price in (93_700, 93_800, 93_749, 93_751, 94_300, 93_700)]
    assert told == [1, 0, 0, 0, 0, 0]


def test_i14_i17_a_lost_price_is_told_as_unknown_and_its_return_as_a_band() -> None:
    watch = two_accounts()
    lost = tick(watch, (1, 0))
    assert (lost.row.tolist(), lost.new_band.tolist(), lost.ratio_bp.tolist()) == ([1], [Band.UNKNOWN], [-1])
    back = tick(watch, (1, 10 * UNIT))
    assert (back.old_band.tolist(), back.new_band.tolist()) == ([Band.UNKNOWN], [Band.SAFE])


def test_i16_an_accrual_is_told_without_a_tick() -> None:
    watch = two_accounts()
    watch.set_balances([0, 1], [0, 0], [1_001 * UNIT, 1_001 * UNIT])
    assert watch.decide().row.tolist() == [1]


def test_the_first_decision_tells_what_differs_from_the_bands_on_record() -> None:
    watch = two_accounts()
    bands = watch.band.copy()
    tick(watch, (1, 9 * UNIT))
    missed = Watch(watch.book, watch.marks, LINES, bands).decide()
    assert (missed.row.tolist(), missed.new_band.tolist()) == ([1], [Band.CALL])
    assert len(Watch(watch.book, watch.marks, LINES, watch.band).decide()) == 0
    fresh = Watch(watch.book, watch.marks, LINES).decide()
    assert (fresh.old_band.tolist(), fresh.new_band.tolist()) == ([Band.UNKNOWN] * 2, [Band.SAFE, Band.CALL])


def test_the_hysteresis_outlives_a_restart() -> None:
    watch = two_accounts()
    tick(watch, (1, 93_700))
    tick(watch, (1, 94_000))
    again, fresh = Watch(watch.book, watch.marks, LINES, watch.band), Watch(watch.book, watch.marks, LINES)
    again.decide()
    fresh.decide()
    assert again.band.tolist() == [Band.SAFE, Band.CALL]
    assert fresh.band.tolist() == [Band.SAFE, Band.WARNING]


def test_new_instruments_and_terms_come_with_new_marks() -> None:
    watch = two_accounts()
    wider = Marks(
        np.array([10, 10, 7]) * UNIT,
        np.zeros((2, 3), np.int64),
        np.zeros((2, 3), np.int64),
        np.zeros(3, bool),
        np.zeros(3, bool),
        np.ones(3, np.int64),
    )
    both = Lines(*(np.array([getattr(LINES, n)[0], getattr(LINES, n)[0]]) for n in LINES.__dataclass_fields__))
    watch.replace_marks(wider, both)
    assert len(watch.decide()) == 0
    row = watch.add_account(instrument=[2], quantity=[10], cash_units=0, debt_units=UNIT, terms=1)
    assert (row, watch.value().assets_units[row]) == (2, 70 * UNIT)


@in_every_way
def test_new_haircuts_and_flags_keep_the_index_and_other_limits_do_not(way: str) -> None:
    with watching(way):
        watch = Watch(account_of([10], debt=7 * UNIT), marks_of([UNIT]), LINES)
        watch.decide()
        index, before = watch._index, watch.marks
        stricter = replace(before, haircut_bp=np.array([[4_000]]), is_suspended=np.array([True]))
        watch.replace_marks(replace(stricter, price_units=before.price_units * 2), replace(LINES))
        assert watch.decide().new_band.tolist() == [Band.SAFE]
        assert watch._index is index
        assert watch.marks.haircut_bp.tolist() == [[4_000]]
        assert watch.value().lendable_units.tolist() == [0], "a suspended name lends nothing"
        watch.replace_marks(replace(watch.marks, limit_down_units=before.price_units), LINES)
        assert watch._index is None


def test_what_is_handed_in_is_not_written_to() -> None:
    book, marks = account_of([10], debt=UNIT), marks_of([UNIT])
    watch = Watch(book, marks, LINES)
    watch.apply_prices([0], [2 * UNIT])
    watch.set_balances([0], [1], [2])
    assert (marks.price_units[0], book.cash_units[0], book.debt_units[0]) == (UNIT, 0, UNIT)


@pytest.mark.parametrize(
    ("instrument", "price", "where"),
    [
        ([0, 2], [1, 1], "instrument[1] is 2, above 1"),
        ([0, 1], [1, -1], "price_units[1] is -1"),
        ([0, 1], [1, 2**41], "price_units[1]"),
        ([0], [1.5], "price_units[0] is 1.5"),
        ([0], [float("nan")], "price_units[0] is nan"),
        ([0, 1], [1], "price_units has 1 rows, instrument has 2"),
    ],
)
def test_a_bad_tick_is_refused_whole_and_nothing_is_applied(
    instrument: list[int], price: list[int], where: str
) -> None:
    watch = two_accounts()
    before = watch.value()
    with pytest.raises(BookError) as refusal:
        watch.apply_prices(instrument, price)
    assert where in str(refusal.value)
    after = watch.value()
    assert [c.tobytes() for c in vars(after).values()] == [c.tobytes() for c in vars(before).values()]


def test_a_bad_account_or_balance_is_refused_and_nothing_is_applied() -> None:
    watch = two_accounts()
    before = watch.value()
    with pytest.raises(BookError, match="row is 2, above 1"):
        watch.replace_account(2, instrument=[], quantity=[], cash_units=0, debt_units=0, terms=0)
    with pytest.raises(BookError, match=r"instrument\[0\] is 9"):
        watch.replace_account(0, instrument=[9], quantity=[1], cash_units=0, debt_units=0, terms=0)
    with pytest.raises(BookError, match=r"quantity\[0\] is -1099511627777"):
        watch.replace_account(0, instrument=[0], quantity=[-(2**40) - 1], cash_units=0, debt_units=0, terms=0)
    with pytest.raises(BookError, match=r"cash_units\[1\] is -1"):
        watch.set_balances([0, 1], [0, -1], [0, 0])
    with pytest.raises(BookError, match="debt_units has 1 rows"):
        watch.set_balances([0, 1], [0, 0], [0])
    with pytest.raises(BookError, match="instrument"):
        watch.replace_marks(marks_of([UNIT]), LINES)
    with pytest.raises(BookError, match=r"bands\[1\] is 4"):
        Watch(watch.book, watch.marks, LINES, np.array([0, 4], np.int8))
    assert [c.tobytes() for c in vars(watch.value()).values()] == [c.tobytes() for c in vars(before).values()]


def test_a_closed_account_keeps_its_row_and_is_safe() -> None:
    watch = two_accounts()
    watch.replace_account(0, instrument=[], quantity=[], cash_units=0, debt_units=0, terms=0)
    watch.decide()
    assert watch.book.position_count == 1
    assert watch.band.tolist() == [Band.SAFE, Band.SAFE]
    assert watch.value().assets_units.tolist() == [0, 1_600 * UNIT]
