"""The watch: incremental equals full after anything, and crossings tell exactly what changed."""

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
    column,
    lines_tables,
    marks_of,
    marks_tables,
    prices,
    quantities,
    reference,
    reference_band,
)

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Marks, build_book
from reefpoint.engine.columns import BookError
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Crossings, Watch

NAMES = 4
ROWS_OF_TERMS = 2


class Shadow:
    """What the watch should say, worked out afresh after every change from the book and marks alone."""

    def __init__(self, watch: Watch) -> None:
        self.bands = [self.band(watch, row, -1) for row in range(watch.book.account_count)]

    def band(self, watch: Watch, row: int, previous: int) -> int:
        figures = reference(watch.book, watch.marks, row)
        if figures.is_unknown:
            return Band.UNKNOWN
        debt, term = int(watch.book.debt_units[row]), int(watch.book.terms[row])
        return reference_band(figures.assets, debt, watch.lines, term, previous)

    def check(self, watch: Watch, crossings: Crossings) -> None:
        expected = []
        for row, old in enumerate(self.bands):
            new = self.band(watch, row, old)
            if new != old:
                figures = reference(watch.book, watch.marks, row)
                expected.append((row, old, new, figures.assets, figures.ratio))
            self.bands[row] = new
        assert list(zip(*(c.tolist() for c in vars(crossings).values()), strict=True)) == expected
        valued = watch.value()
        full = value_book(watch.book, watch.marks, watch.lines)
        assert valued.band.tolist() == self.bands == watch.band.tolist()
        for name in ("assets_units", "lendable_units", "requirement_units", "ratio_bp", "is_unknown"):
            assert getattr(valued, name).tobytes() == getattr(full, name).tobytes()
        assert watch._assets.tobytes() == full.assets_units.tobytes()
        assert watch._ratio.tobytes() == full.ratio_bp.tobytes()
        assert watch._is_unknown.tobytes() == full.is_unknown.tobytes()


names = st.integers(0, NAMES - 1)
holdings = st.dictionaries(names, quantities)
terms = st.integers(0, ROWS_OF_TERMS - 1)


def change(data: st.DataObject, watch: Watch, shadow: Shadow) -> Crossings:
    """One change of any kind."""
    kind = data.draw(st.sampled_from(["prices", "prices", "prices", "trade", "balances", "marks", "lines", "open"]))
    if kind == "open" or watch.book.account_count == 0:
        held = data.draw(holdings)
        watch.add_account(
            instrument=list(held),
            quantity=list(held.values()),
            cash_units=data.draw(amounts),
            debt_units=data.draw(amounts),
            terms=data.draw(terms),
        )
        row = watch.book.account_count - 1
        shadow.bands.append(shadow.band(watch, row, -1))
        return Crossings(column(), *(np.empty(0, np.int8) for _ in range(2)), column(), column())
    row = data.draw(st.integers(0, watch.book.account_count - 1))
    if kind == "prices":
        batch = data.draw(st.lists(st.tuples(names, prices)))
        return watch.apply_prices([name for name, _ in batch], [price for _, price in batch])
    if kind == "trade":
        held = data.draw(holdings)
        return watch.replace_account(
            row,
            instrument=list(held),
            quantity=list(held.values()),
            cash_units=data.draw(amounts),
            debt_units=data.draw(amounts),
            terms=data.draw(terms),
        )
    if kind == "balances":
        return watch.set_balances([row], [data.draw(amounts)], [data.draw(amounts)])
    if kind == "marks":
        return watch.replace_marks(data.draw(marks_tables(NAMES)), watch.lines)
    return watch.replace_marks(watch.marks, data.draw(lines_tables()))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), changes=st.integers(1, 8))
def test_i05_incremental_equals_full_after_any_sequence_of_changes(data: st.DataObject, changes: int) -> None:
    watch = Watch(data.draw(books(NAMES)), data.draw(marks_tables(NAMES)), data.draw(lines_tables()))
    shadow = Shadow(watch)
    for _ in range(changes):
        shadow.check(watch, change(data, watch, shadow))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_i05_a_long_walk_of_small_ticks_and_trades_stays_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, each = 30, 3
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
    watch = Watch(book, marks_of(start.tolist()), LINES)
    shadow = Shadow(watch)
    for _ in range(30):
        moved = rng.integers(0, NAMES, rng.integers(1, 4))
        step = rng.integers(-3, 4, len(moved)) * watch.marks.price_units[moved] // 100
        shadow.check(watch, watch.apply_prices(moved, np.maximum(watch.marks.price_units[moved] + step, 1)))
        row = int(rng.integers(count))
        traded = watch.replace_account(
            row,
            instrument=rng.choice(NAMES, each, replace=False),
            quantity=rng.integers(0, 1_000, each),
            cash_units=int(rng.integers(10 * UNIT)),
            debt_units=int(watch.book.debt_units[row]),
            terms=0,
        )
        shadow.check(watch, traded)


def test_a_value_that_grows_past_the_limit_is_unknown_until_it_shrinks_again() -> None:
    watch = Watch(account_of([2**20, 2**20], debt=UNIT), marks_of([2**28, 2**27]), LINES)
    assert watch.apply_prices([1], [2**28 + 1]).new_band.tolist() == [Band.UNKNOWN]
    assert watch.apply_prices([1], [2**28]).new_band.tolist() == [Band.SAFE]
    assert watch.value().assets_units.tolist() == [2**49]
    assert watch.apply_prices([0], [2**40]).new_band.tolist() == [Band.UNKNOWN]


def two_accounts() -> Watch:
    """One account at 200% on name 0, one at 160% on name 1; both owe 1,000."""
    book = Watch(account_of([200, 0], debt=1_000 * UNIT), marks_of([10 * UNIT, 10 * UNIT]), LINES)
    book.add_account(instrument=[1], quantity=[160], cash_units=0, debt_units=1_000 * UNIT, terms=0)
    return book


def test_only_holders_of_what_moved_are_told() -> None:
    watch = two_accounts()
    crossings = watch.apply_prices([1], [9 * UNIT])
    assert (crossings.row.tolist(), crossings.old_band.tolist(), crossings.new_band.tolist()) == ([1], [0], [2])
    assert (crossings.assets_units.tolist(), crossings.ratio_bp.tolist()) == ([1_440 * UNIT], [14_400])


def test_a_crossing_inside_a_batch_that_ends_where_it_began_is_not_told() -> None:
    watch = two_accounts()
    assert len(watch.apply_prices([1, 1], [1 * UNIT, 10 * UNIT])) == 0


def test_i04_the_same_ticks_again_change_nothing() -> None:
    watch = two_accounts()
    assert len(watch.apply_prices([0, 1], [6 * UNIT, 9 * UNIT])) == 2
    assert len(watch.apply_prices([0, 1], [6 * UNIT, 9 * UNIT])) == 0


def test_i07_a_price_that_swings_by_a_hair_around_a_line_is_told_once() -> None:
    watch = two_accounts()
    watch.apply_prices([1], [93_800])
    told = [len(watch.apply_prices([1], [price])) for price in (93_700, 93_800, 93_749, 93_751, 94_300, 93_700)]
    assert told == [1, 0, 0, 0, 0, 0]


def test_i14_i17_a_lost_price_is_told_as_unknown_and_its_return_as_a_band() -> None:
    watch = two_accounts()
    lost = watch.apply_prices([1], [0])
    assert (lost.row.tolist(), lost.new_band.tolist(), lost.ratio_bp.tolist()) == ([1], [Band.UNKNOWN], [-1])
    back = watch.apply_prices([1], [10 * UNIT])
    assert (back.old_band.tolist(), back.new_band.tolist()) == ([Band.UNKNOWN], [Band.SAFE])


def test_i16_an_accrual_is_told_without_a_tick() -> None:
    watch = two_accounts()
    assert watch.set_balances([0, 1], [0, 0], [1_001 * UNIT, 1_001 * UNIT]).row.tolist() == [1]


def test_after_a_restart_the_crossings_missed_are_told_at_the_start() -> None:
    watch = two_accounts()
    bands = watch.band.copy()
    watch.apply_prices([1], [9 * UNIT])
    again = Watch(watch.book, watch.marks, LINES, bands)
    assert (again.start_crossings.row.tolist(), again.start_crossings.new_band.tolist()) == ([1], [Band.CALL])
    assert len(Watch(watch.book, watch.marks, LINES, again.band).start_crossings) == 0
    assert len(Watch(watch.book, watch.marks, LINES).start_crossings) == 0


def test_the_hysteresis_outlives_a_restart() -> None:
    watch = two_accounts()
    watch.apply_prices([1], [93_700])
    watch.apply_prices([1], [94_000])
    assert Watch(watch.book, watch.marks, LINES, watch.band).band.tolist() == [Band.SAFE, Band.CALL]
    assert Watch(watch.book, watch.marks, LINES).band.tolist() == [Band.SAFE, Band.WARNING]


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
    assert len(watch.replace_marks(wider, both)) == 0
    row = watch.add_account(instrument=[2], quantity=[10], cash_units=0, debt_units=UNIT, terms=1)
    assert (row, watch.value().assets_units[row]) == (2, 70 * UNIT)


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
    with pytest.raises(BookError, match=r"row\[0\] is 2"):
        watch.replace_account(2, instrument=[], quantity=[], cash_units=0, debt_units=0, terms=0)
    with pytest.raises(BookError, match=r"instrument\[0\] is 9"):
        watch.replace_account(0, instrument=[9], quantity=[1], cash_units=0, debt_units=0, terms=0)
    with pytest.raises(BookError, match=r"quantity\[0\] is -1"):
        watch.replace_account(0, instrument=[0], quantity=[-1], cash_units=0, debt_units=0, terms=0)
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
    assert watch.book.position_count == 1
    assert watch.band.tolist() == [Band.SAFE, Band.SAFE]
    assert watch.value().assets_units.tolist() == [0, 1_600 * UNIT]
