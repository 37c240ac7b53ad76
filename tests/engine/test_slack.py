"""The slack index: both ways to take a batch leave the same bits, and it is as fast as it is exact."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.cases import LINES, UNIT, amounts, lines_tables, marks_of
from tests.engine.test_watch import NAMES, Shadow, check_index, in_every_way, random_watch, tick, watching

from reefpoint.engine import slack_account, slack_ticks
from reefpoint.engine import watch as watch_module
from reefpoint.engine.bands import Band, Lines, step_bands
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, BP, BookError
from reefpoint.engine.kernel import Kernel, kernel
from reefpoint.engine.slack_account import SHARES_MAX
from reefpoint.engine.slack_ticks import Costs
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Watch

Ticks = tuple[np.ndarray, np.ndarray]
INDEXED = "keeps an index"


def walk(rng: np.random.Generator, price: np.ndarray, count: int, *, gaps: bool = False, drift: float = 0.0) -> Ticks:
    """`count` ticks on random names, some 0.3% each; with `gaps` a price is now and then lost, or out of all bounds."""
    price = price.copy()
    names = rng.integers(0, len(price), count)
    prices = np.empty(count, dtype=np.int64)
    for i, name in enumerate(names):
        last = price[name] or 50 * UNIT
        price[name] = max(1, int(last * (1 + rng.normal(drift, 0.003))))
        if gaps and rng.random() < 0.05:
            price[name] = rng.choice([0, 2**34, 2**40])
        elif price[name] > 2**32:
            price[name] = 50 * UNIT
        prices[i] = price[name]
    return names, prices


def batches_of(rng: np.random.Generator, ticks: int) -> np.ndarray:
    """Where batches begin: some empty, some of many ticks."""
    return np.sort(np.append(rng.integers(0, ticks + 1, rng.integers(0, ticks)), [0, ticks]))


@in_every_way
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), gaps=st.booleans())
def test_a_stream_of_batches_is_the_same_as_batch_after_batch(way: str, seed: int, count: int, gaps: bool) -> None:
    rng = np.random.default_rng(seed)
    one_by_one, at_once = random_watch(np.random.default_rng(seed)), random_watch(np.random.default_rng(seed))
    names, prices = walk(rng, one_by_one.marks.price_units, count, gaps=gaps)
    starts = batches_of(rng, count)
    with watching(way):
        if rng.integers(2):
            one_by_one.decide()
            at_once.decide()
        told = at_once.apply_ticks(names, prices, starts)
        expected = []
        for number, (begin, end) in enumerate(pairwise(starts)):
            crossings = tick(one_by_one, *zip(names[begin:end], prices[begin:end], strict=True))
            expected += [(number, *one) for one in zip(*vars(crossings).values(), strict=True)]
        columns = vars(told)
        columns = {"batch": columns.pop("batch"), **columns}
        assert list(zip(*(column.tolist() for column in columns.values()), strict=True)) == expected
        assert at_once.marks.price_units.tobytes() == one_by_one.marks.price_units.tobytes()
        assert at_once.band.tobytes() == one_by_one.band.tobytes()


NEVER, ALWAYS = Costs(touch=0, one_way=0), Costs(touch=1, pass_account=-1, pass_position=0)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    ways=st.lists(st.sampled_from([NEVER, ALWAYS]), min_size=1, max_size=20),
    drift=st.sampled_from([0.0, -0.05]),
    moves_max=st.sampled_from([2, slack_ticks.MOVES_MAX]),
)
def test_touching_and_sweeping_tell_the_same_and_leave_the_same_envelopes(
    seed: int, ways: list[Costs], drift: float, moves_max: int
) -> None:
    """Sweeps after sweeps, and calm after a fall: accounts that a sweep left waiting are decided all the same."""
    rng = np.random.default_rng(seed)
    with watching(INDEXED), pytest.MonkeyPatch.context() as patch:
        patch.setattr(slack_ticks, "MOVES_MAX", moves_max)
        patch.setattr(Kernel, "_steps_left", 2**62)  # compiled kernels hold the number as it was
        watches = [random_watch(np.random.default_rng(seed)) for _ in range(2)]
        for watch in watches:
            watch.decide()
        price = watches[0].marks.price_units
        for number, way in enumerate(ways):
            names, price_units = walk(rng, price, 4, drift=drift if number % 3 == 0 else 0.0)
            price = price.copy()
            price[names] = price_units
            told = []
            for watch, cost in zip(watches, (NEVER, way), strict=True):
                patch.setattr(watch_module, "COSTS", cost)
                watch.apply_prices(names, price_units)
                told.append([column.tobytes() for column in vars(watch.decide()).values()])
                check_index(watch)
            assert told[0] == told[1]
            first, second = (watch._index._state for watch in watches if watch._index is not None)
            assert first.envelope.tobytes() == second.envelope.tobytes()
        assert watches[1].counts["sweeps"] == ways.count(ALWAYS)


@settings(max_examples=300, deadline=None)
@given(
    lines=lines_tables(rows=1),
    owed=st.one_of(amounts, st.integers(1, 1_000)),
    line_bp=st.integers(10_000, 30_000),
    offset=st.integers(-3, 3),
    before=st.sampled_from(list(Band)),
)
def test_edges_in_assets_are_where_the_bands_step_by_ratio(
    lines: Lines, owed: int, line_bp: int, offset: int, before: Band
) -> None:
    at_a_line = [line_bp, *lines.table[0, :3].tolist(), *(lines.table[0, :3] + lines.table[0, 3]).tolist()]
    for line in at_a_line:
        assets = min(max(0, line * owed // BP + offset), AMOUNT_UNITS_MAX)
        ratio = np.array([assets * BP // owed if owed else 2**63 - 1])
        band = int(step_bands(ratio, np.zeros(1, np.uint16), lines, np.array([before], np.int8))[0])
        assert slack_account._band_at(assets, owed, before, 0, lines.table) == band
        if owed and before != Band.UNKNOWN:
            low, high = slack_account.find_edges(before, owed, 0, lines.table)
            assert (low <= assets < high) == (band == before)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), moves_max=st.integers(0, 3))
def test_accounts_that_wait_for_their_turn_to_move_are_decided_all_the_same(seed: int, moves_max: int) -> None:
    with watching(INDEXED), pytest.MonkeyPatch.context() as patch:
        patch.setattr(slack_ticks, "MOVES_MAX", moves_max)
        patch.setattr(Kernel, "_steps_left", 2**62)  # compiled kernels hold the number as it was
        rng = np.random.default_rng(seed)
        watch, shadow = random_watch(rng), Shadow()
        shadow.check(watch)
        for drift in (-0.05, 0.0, 0.03, 0.0):
            names, prices = walk(rng, watch.marks.price_units, 8, drift=drift)
            watch.apply_prices(names, prices)
            shadow.check(watch)


def test_a_fall_of_all_names_is_swept_and_tells_what_a_full_valuation_finds() -> None:
    book, marks = seeded_book(5_000, 40, 10)
    watch = Watch(book, marks, LINES)
    watch.decide()
    names = np.arange(40)
    waited = 0
    for fall_bp in (300, 0, 500, 200, 0, -400, 0):
        before, price = watch.band.copy(), watch.marks.price_units
        calm = price + np.where(names % 2, 100, -100) * (names % 5 == 0)
        watch.apply_prices(names, price - price * fall_bp // BP if fall_bp else calm)
        crossings = watch.decide()
        full = value_book(watch.book, watch.marks, LINES)
        expected = step_bands(full.ratio_bp, watch.book.terms, LINES, before)
        assert crossings.row.tolist() == np.flatnonzero(expected != before).tolist()
        assert crossings.new_band.tolist() == expected[crossings.row].tolist()
        assert crossings.assets_units.tolist() == full.assets_units[crossings.row].tolist()
        assert crossings.ratio_bp.tolist() == full.ratio_bp[crossings.row].tolist()
        assert watch.band.tobytes() == expected.tobytes()
        waited += watch.counts["due"]
    assert watch.counts["sweeps"] == 4
    assert waited > 100


@pytest.mark.parametrize("steps_left", [2**62, -1], ids=["interpreted", "compiled"])
def test_rows_and_columns_that_are_full_move_and_at_last_all_is_laid_out_anew(steps_left: int) -> None:
    rng = np.random.default_rng(7)
    with watching(INDEXED), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kernel, "_steps_left", steps_left)
        watch, shadow = random_watch(rng, count=200, each=1), Shadow()
        shadow.check(watch)
        indices = []
        for _ in range(150):
            row = int(rng.integers(watch.book.account_count))
            count = int(rng.integers(NAMES + 1))
            watch.replace_account(
                row,
                instrument=rng.choice(NAMES, count, replace=False),
                quantity=rng.integers(1, 1_000, count),
                cash_units=0,
                debt_units=int(rng.integers(10**7)),
                terms=0,
            )
            watch.add_account(instrument=[0], quantity=[5], cash_units=0, debt_units=UNIT, terms=0)
            watch.decide()
            indices.append(watch._index)
        shadow.bands = watch.band.tolist()
        watch.apply_prices([0, 1], [60 * UNIT, 70 * UNIT])
        shadow.check(watch)
        kept = sum(one is other for one, other in pairwise(indices))
        assert 100 < kept < 149  # the index was kept through most trades, and opened anew at least once


@in_every_way
def test_more_shares_than_the_index_takes_and_a_value_past_the_limit_are_valued_exactly(way: str) -> None:
    with watching(way):
        watch = random_watch(np.random.default_rng(1))
        held = SHARES_MAX + 1
        worth = held * 1_000
        watch.add_account(instrument=[0], quantity=[held], cash_units=0, debt_units=worth * 100 // 161, terms=0)
        row = watch.add_account(instrument=[0], quantity=[held], cash_units=0, debt_units=worth // 2, terms=0)
        watch.apply_prices([0], [1_000])
        watch.decide()
        assert watch.band[row - 1 :].tolist() == [Band.SAFE, Band.SAFE]
        assert tick(watch, (0, 990)).row[-1:].tolist() == [row - 1]
        assert tick(watch, (1, 500 * UNIT)).row.max(initial=0) < row - 1
        assert tick(watch, (0, 800)).row[-1:].tolist() == [row - 1]
        past = tick(watch, (0, AMOUNT_UNITS_MAX // held + 1))
        assert (past.row[-2:].tolist(), past.new_band[-2:].tolist()) == ([row - 1, row], [Band.UNKNOWN] * 2)
        assert tick(watch, (0, 1_000)).new_band[-2:].tolist() == [Band.SAFE, Band.SAFE]


def test_a_wider_quantity_or_instrument_is_taken_in_place() -> None:
    with watching(INDEXED):
        watch, shadow = random_watch(np.random.default_rng(1)), Shadow()
        shadow.check(watch)
        wide = {"instrument": [0, 1], "quantity": [2**33, 7], "cash_units": 0, "debt_units": UNIT, "terms": 0}
        watch.replace_account(3, **wide)
        shadow.check(watch)
        assert watch.book.quantity.dtype == np.int64
        names = 70_000
        watch.replace_marks(marks_of([*watch.marks.price_units, *[UNIT] * (names - NAMES)]), LINES)
        watch.add_account(**{**wide, "instrument": [0, names - 1]})
        shadow.check(watch)
        watch.apply_prices([names - 1, 0], [2 * UNIT, 3])
        shadow.check(watch)


@in_every_way
def test_a_short_is_valued_at_each_tick_on_what_its_account_holds(way: str) -> None:
    with watching(way):
        watch = random_watch(np.random.default_rng(1))
        row = watch.add_account(instrument=[0, 1], quantity=[-100, 300], cash_units=0, debt_units=0, terms=0)
        watch.apply_prices([0, 1], [100 * UNIT, 60 * UNIT])
        watch.decide()
        assert watch.band[row] == Band.SAFE
        assert tick(watch, (1, 59 * UNIT)).row[-1:].tolist() != [row]
        rises = tick(watch, (0, 112 * UNIT))
        assert (rises.row[-1], rises.new_band[-1], rises.ratio_bp[-1]) == (row, Band.WARNING, 177 * BP // 112)
        falls = tick(watch, (1, 53 * UNIT))
        assert (falls.row[-1], falls.new_band[-1]) == (row, Band.CALL)
        watch.replace_account(row, instrument=[1], quantity=[300], cash_units=0, debt_units=100 * 100 * UNIT, terms=0)
        assert watch.decide().new_band.tolist() == [Band.WARNING]
        assert tick(watch, (1, 54 * UNIT)).row[-1:].tolist() == [row]


@pytest.mark.parametrize("starts", [[], [1, 2], [0, 1], [0, 3, 2]])
def test_batches_that_do_not_divide_the_ticks_are_refused_and_nothing_is_applied(starts: list[int]) -> None:
    watch = random_watch(np.random.default_rng(1))
    before = watch.marks.price_units.tobytes()
    with pytest.raises(BookError, match="batch_start"):
        watch.apply_ticks([0, 1], [1, 1], starts)
    assert watch.marks.price_units.tobytes() == before


def test_compiled_and_interpreted_are_one_and_the_choice_of_way_is_reproducible() -> None:
    told = []
    for steps_left in (2**62, -1, -1):
        with watching(INDEXED), pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_steps_left", steps_left)
            rng = np.random.default_rng(5)
            watch = random_watch(rng, count=60)
            watch.decide()
            names, prices = walk(rng, watch.marks.price_units, 300, gaps=True)
            crossings = watch.apply_ticks(names, prices, batches_of(rng, 300))
            watch.replace_account(4, instrument=[2], quantity=[3], cash_units=5, debt_units=9, terms=0)
            watch.add_account(instrument=[1], quantity=[3], cash_units=5, debt_units=9, terms=0)
            watch.decide()
            index = watch._index
            assert index is not None
            columns = [*vars(crossings).values(), *index._state, *index._columns, watch.band]
            told.append([column.tobytes() for column in columns])
    assert told[0] == told[1] == told[2]


# ---- speed: ratios against what it replaces -------------------------------------------------------------------------


@kernel
def _plain_delta(
    names: np.ndarray,
    prices: np.ndarray,
    start: np.ndarray,
    account: np.ndarray,
    quantity: np.ndarray,
    price: np.ndarray,
    assets: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    crossed: np.ndarray,
) -> int:
    """What the index is measured against: every holder of a name, one after another. Edges stay where they are."""
    count = 0
    for t in range(len(names)):
        step = prices[t] - price[names[t]]
        price[names[t]] = prices[t]
        for j in range(start[names[t]], start[names[t] + 1]):
            row = account[j]
            assets[row] += quantity[j] * step
            if assets[row] < low[row] or assets[row] >= high[row]:
                crossed[count % len(crossed)] = row
                count += 1
    return count


def seeded_book(accounts: int, names: int, each: int) -> tuple[Book, Marks]:
    """Accounts between 120% and 500% that hold popular names more often than others, on a day with 10% limits."""
    rng = np.random.default_rng(11)
    popularity = 1 / np.arange(1, names + 1) ** 0.6
    held = np.argsort(rng.exponential(size=(accounts, names)) / popularity, axis=1)[:, :each].astype(np.uint16)
    quantity = rng.integers(1, 100, (accounts, each)).astype(np.int32) * 100
    price = rng.integers(200, 5_000, names) * 100
    ratio = 1.2 + 3.8 * rng.beta(1.7, 3.2, accounts)
    debt = ((quantity * price[held]).sum(axis=1) / ratio).astype(np.int64)
    book = Book(
        np.arange(0, accounts * each + 1, each, dtype=np.int32),
        held.ravel(),
        quantity.ravel(),
        np.zeros(accounts, np.int64),
        debt,
        np.zeros(accounts, np.uint16),
    )
    day = replace(marks_of(price.tolist()), limit_down_units=price - price // 10, limit_up_units=price + price // 10)
    return book, day


def test_a_tick_costs_a_fraction_of_a_plain_delta_and_of_numpy() -> None:
    """Half of what is measured on 30,000 accounts and 300,000 positions; the larger the columns, the more is gained."""
    book, marks = seeded_book(30_000, 40, 10)
    watch = Watch(book, marks, LINES)
    watch.decide()
    rng = np.random.default_rng(3)
    names, prices = walk(rng, marks.price_units, 4_000)
    order = np.argsort(book.instrument, kind="stable")
    start = np.searchsorted(book.instrument[order], np.arange(41))
    account, quantity = book.account_of_position[order], book.quantity[order]
    assets = value_book(book, marks, LINES).assets_units
    price = marks.price_units.copy()
    low, high = np.zeros_like(assets), np.full_like(assets, 2**62)
    crossed = np.zeros(64, dtype=np.int64)

    def by_delta(begin: int, end: int) -> None:
        columns = (start, account, quantity, price, assets, low, high, crossed)
        _plain_delta.compiled(names[begin:end], prices[begin:end], *columns)

    def by_numpy(begin: int, end: int) -> None:
        for t in range(begin, end):
            holders = slice(start[names[t]], start[names[t] + 1])
            rows = account[holders]
            assets[rows] += quantity[holders] * (prices[t] - price[names[t]])
            price[names[t]] = prices[t]
            np.flatnonzero((assets[rows] < low[rows]) | (assets[rows] >= high[rows]))

    def by_index(begin: int, end: int) -> None:
        watch.apply_ticks(names[begin:end], prices[begin:end], np.arange(end - begin + 1))

    spent: dict[str, list[float]] = {"index": [], "delta": [], "numpy": []}
    ways = {"index": by_index, "delta": by_delta, "numpy": by_numpy}
    for begin in range(0, 4_000, 500):
        for way, run in ways.items():
            clock = time.process_time()
            run(begin, begin + 500)
            spent[way].append(time.process_time() - clock)
    index, delta, by_arrays = (np.median(spent[way]) for way in ("index", "delta", "numpy"))
    assert delta > 2.9 * index
    assert by_arrays > 17 * index
