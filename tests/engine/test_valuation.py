"""Full valuation: golden answers, the oracle, and what must hold of any book."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.cases import (
    LINES,
    UNIT,
    account_of,
    books,
    lines_tables,
    marks_of,
    marks_tables,
    reference,
    reference_band,
)

from reefpoint.engine import valuation
from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN, Band, Lines
from reefpoint.engine.book import Book, Marks, build_book, sorted_by_size
from reefpoint.engine.columns import BookError
from reefpoint.engine.kernel import BLOCK_ROWS, Kernel
from reefpoint.engine.valuation import Valuation, value_book

NAMES = 4


def columns(valued: Valuation) -> list[bytes]:
    return [column.tobytes() for column in vars(valued).values()]


def in_both_forms(work: Callable[[], Valuation]) -> list[list[bytes]]:
    """The columns by the interpreter and by compiled code."""
    answers = []
    for steps_left in (2**62, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_steps_left", steps_left)
            answers.append(columns(work()))
    return answers


def test_cn01_half_a_million_cash_and_a_million_of_shares_over_a_million_is_150_percent() -> None:
    book = account_of([10_000], cash=500_000 * UNIT, debt=1_000_000 * UNIT)
    assert value_book(book, marks_of([100 * UNIT]), LINES).ratio_bp.tolist() == [15_000]


def test_cn17_shares_and_cash_in_transit_keep_the_ratio_on_the_ex_date() -> None:
    debt = 1_200_000 * UNIT
    ex_price = (20 * UNIT - UNIT // 2) * 10 // 13
    before = value_book(account_of([100_000], debt=debt), marks_of([20 * UNIT]), LINES)
    naive = value_book(account_of([100_000], debt=debt), marks_of([ex_price]), LINES)
    counted = value_book(account_of([130_000], cash=50_000 * UNIT, debt=debt), marks_of([ex_price]), LINES)
    assert (before.ratio_bp[0], naive.ratio_bp[0], counted.ratio_bp[0]) == (16_666, 12_500, 16_666)


def test_us02_call_is_the_requirement_less_the_equity() -> None:
    book = account_of([1_000], debt=10_000 * UNIT)
    valued = value_book(book, marks_of([12 * UNIT], maintenance_bp=2_500), LINES)
    equity = valued.assets_units[0] - book.debt_units[0]
    assert valued.requirement_units[0] - equity == 1_000 * UNIT
    at_trigger = value_book(book, marks_of([133_334]), LINES)
    assert at_trigger.assets_units[0] - book.debt_units[0] >= at_trigger.requirement_units[0]
    below = value_book(book, marks_of([133_333]), LINES)
    assert below.assets_units[0] - book.debt_units[0] < below.requirement_units[0]


def test_hk01_call_restores_the_initial_margin() -> None:
    book = account_of([100, 100], debt=15_000 * UNIT)
    marks = marks_of([50 * UNIT, 195 * UNIT])
    initial = value_book(book, replace(marks, maintenance_bp=np.array([[3_000, 5_000]])), LINES)
    maintenance = value_book(book, replace(marks, maintenance_bp=np.array([[2_500, 4_500]])), LINES)
    equity = initial.assets_units[0] - book.debt_units[0]
    assert initial.requirement_units[0] == 11_250 * UNIT
    assert maintenance.requirement_units[0] == 10_025 * UNIT
    assert equity < maintenance.requirement_units[0]
    assert initial.requirement_units[0] - equity == 1_750 * UNIT


def test_hk02_shortfall_is_the_loan_over_the_lower_of_lending_value_and_limit() -> None:
    book = account_of([10_000], debt=640_000 * UNIT)
    lendable = value_book(book, marks_of([100 * UNIT], haircut_bp=4_000), LINES).lendable_units[0]
    assert lendable == 600_000 * UNIT
    assert book.debt_units[0] - min(lendable, 550_000 * UNIT) == 90_000 * UNIT


def test_a_book_without_accounts_and_an_account_without_positions_are_valued() -> None:
    empty = build_book(cash_units=[], debt_units=[], terms=[], account=[], instrument=[], quantity=[])
    assert len(value_book(empty, marks_of([]), LINES).ratio_bp) == 0
    cash_only = value_book(account_of([], cash=150, debt=100), marks_of([]), LINES)
    assert (cash_only.ratio_bp[0], cash_only.band[0], cash_only.lendable_units[0]) == (15_000, Band.WARNING, 150)


def test_without_debt_the_ratio_is_above_every_line() -> None:
    valued = value_book(account_of([0, 1], debt=0), marks_of([0, 5]), LINES)
    assert (valued.ratio_bp[0], valued.band[0]) == (RATIO_NO_DEBT, Band.SAFE)


def test_debt_without_assets_is_at_the_close_out() -> None:
    valued = value_book(account_of([], debt=1), marks_of([]), LINES)
    assert (valued.ratio_bp[0], valued.band[0]) == (0, Band.CLOSE_OUT)


def test_i14_i17_a_held_name_without_a_price_makes_its_account_unknown_and_no_other() -> None:
    marks = marks_of([0, 5 * UNIT])
    unknown = value_book(account_of([1, 1_000], debt=0), marks, LINES)
    assert unknown.is_unknown.all()
    assert (unknown.ratio_bp[0], unknown.band[0]) == (RATIO_UNKNOWN, Band.UNKNOWN)
    assert (unknown.assets_units[0], unknown.lendable_units[0], unknown.market_units[0]) == (0, 0, 0)
    assert not value_book(account_of([0, 1_000], debt=0), marks, LINES).is_unknown.any()


def test_i12_stale_and_suspended_names_keep_their_value_and_lend_nothing() -> None:
    valued = value_book(account_of([10, 10, 10], debt=UNIT), marks_of([UNIT] * 3, stale=(0,), suspended=(1,)), LINES)
    assert valued.assets_units[0] == 30 * UNIT
    assert valued.lendable_units[0] == 7 * UNIT


def test_a_value_past_the_limit_is_unknown_and_never_wraps_around() -> None:
    book = account_of([2**40], debt=1)
    assert value_book(book, marks_of([2**40]), LINES).is_unknown.all()
    assert value_book(book, marks_of([2**9]), LINES).assets_units[0] == 2**49
    assert value_book(book, marks_of([2**9 + 1]), LINES).is_unknown.all()


@pytest.mark.parametrize(
    ("assets", "band"),
    [
        (16_000, Band.SAFE),
        (15_999, Band.WARNING),
        (15_000, Band.WARNING),
        (14_999, Band.CALL),
        (13_000, Band.CALL),
        (12_999, Band.CLOSE_OUT),
    ],
)
def test_a_ratio_on_its_line_still_holds_it(assets: int, band: Band) -> None:
    assert value_book(account_of([], cash=assets, debt=10_000), marks_of([]), LINES).band[0] == band


def assert_equals_the_oracle(book: Book, marks: Marks, lines: Lines, valued: Valuation) -> None:
    for row in range(book.account_count):
        expected = reference(book, marks, row)
        assert (
            valued.market_units[row],
            valued.short_units[row],
            valued.assets_units[row],
            valued.lendable_units[row],
            valued.requirement_units[row],
            valued.ratio_bp[row],
            valued.is_unknown[row],
        ) == tuple(vars(expected).values())
        if not expected.is_unknown:
            owed = int(book.debt_units[row]) + expected.short
            assert valued.band[row] == reference_band(expected.assets, owed, lines, int(book.terms[row]))


@given(data=st.data())
def test_every_figure_equals_the_oracle(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    assert_equals_the_oracle(book, marks, lines, value_book(book, marks, lines))


@settings(deadline=None)
@given(data=st.data())
def test_every_figure_of_the_float_pass_equals_the_oracle_in_both_forms(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(valuation, "is_worth_a_table", lambda book, marks: True)
        interpreted, compiled = in_both_forms(lambda: value_book(book, marks, lines))
        assert_equals_the_oracle(book, marks, lines, value_book(book, marks, lines))
    assert interpreted == compiled == columns(value_book(book, marks, lines))


@settings(deadline=None)
@given(data=st.data())
def test_every_figure_of_a_few_positions_equals_the_oracle(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kernel, "_steps_left", 2**62)
        patch.setattr(valuation, "FEW_POSITIONS", (1, 10**6))
        assert_equals_the_oracle(book, marks, lines, value_book(book, marks, lines))
        some = np.flatnonzero(np.arange(book.account_count) % 2)
        assert columns(value_book(book, marks, lines, some)) == [
            column[some].tobytes() for column in vars(value_book(book, marks, lines)).values()
        ]


def test_a_small_desk_is_valued_in_columns_with_the_bits_of_the_loops() -> None:
    book, marks = ordinary_book(500)
    loops = in_both_forms(lambda: value_book(book, marks, TWO_SCHEMES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kernel, "_steps_left", 2**62)
        assert valuation._value_few(book, marks, TWO_SCHEMES, Valuation.of_size(500))
        patch.setattr(valuation, "FEW_POSITIONS", (0, -1))
        loops.append(columns(value_book(book, marks, TWO_SCHEMES)))
    assert loops[0] == loops[1] == loops[2]


@pytest.mark.parametrize("spoilt", ["price", "short", "empty", "large", "many"])
def test_what_columns_cannot_be_certain_of_is_left_to_the_loops(spoilt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    book, marks = ordinary_book(100)
    quantity, cash = book.quantity.copy(), book.cash_units.copy()
    if spoilt == "price":
        marks = with_price(marks, int(book.instrument[0]), 0)
    elif spoilt == "many":
        monkeypatch.setattr(valuation, "FEW_POSITIONS", (1, book.position_count - 1))
    elif spoilt == "large":
        cash[7] = 2**48
    else:
        quantity[3] = -1 if spoilt == "short" else 0
    spoilt_book = replace(book, quantity=quantity, cash_units=cash)
    assert not valuation._value_few(spoilt_book, marks, TWO_SCHEMES, Valuation.of_size(100))
    compiled = in_both_forms(lambda: value_book(spoilt_book, marks, TWO_SCHEMES))
    assert compiled[0] == compiled[1]


def ordinary_book(accounts: int) -> tuple[Book, Marks]:
    """Long positions in names that all have a price, some accounts without debt and some without a position."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(0, 9, accounts)
    book = build_book(
        cash_units=rng.integers(0, 10**9, accounts),
        debt_units=rng.integers(0, 10**10, accounts) * (rng.random(accounts) < 0.9),
        terms=rng.integers(0, 2, accounts),
        account=np.repeat(np.arange(accounts), sizes),
        instrument=np.concatenate([rng.permutation(20)[:size] for size in sizes]),
        quantity=rng.integers(1, 5_000, sizes.sum()),
    )
    marks = Marks(
        rng.integers(1, 10**7, 20),
        rng.integers(0, UNIT, (2, 20)),
        rng.integers(0, UNIT, (2, 20)),
        rng.random(20) < 0.2,
        rng.random(20) < 0.2,
        np.ones(20, dtype=np.int64),
    )
    return book, marks


def big_book(accounts: int, names: int, seed: int = 1) -> tuple[Book, Marks]:
    """Some of everything: shorts, names without a price, amounts that float64 does not hold, accounts without debt."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 20, accounts)
    book = build_book(
        cash_units=rng.integers(0, 10**9, accounts),
        debt_units=rng.integers(0, 10**10, accounts) * (rng.random(accounts) < 0.9),
        terms=rng.integers(0, 2, accounts),
        account=np.repeat(np.arange(accounts), sizes),
        instrument=np.concatenate([rng.permutation(names)[:size] for size in sizes]),
        quantity=rng.integers(1, 2_000, sizes.sum())
        * np.where(rng.random(sizes.sum()) < 0.01, -1, 1)
        * np.where(rng.random(sizes.sum()) < 0.01, 10**6, 1),
    )
    price = rng.integers(1, 10**6, names) * (rng.random(names) < 0.99)
    price[0] = 2**39
    marks = Marks(
        price,
        rng.integers(0, UNIT, (2, names)),
        rng.integers(0, UNIT, (2, names)),
        rng.random(names) < 0.1,
        rng.random(names) < 0.1,
        np.ones(names, dtype=np.int64),
    )
    return book, marks


TWO_SCHEMES = Lines(*(np.array([bp, bp + 500]) for bp in (16_000, 15_000, 13_000, 15_000, 0)))


def test_a_book_of_many_blocks_is_the_same_for_any_threads_order_of_accounts_and_reused_columns() -> None:
    book, marks = big_book(3 * BLOCK_ROWS // 2, 300)
    exact = value_book(book, marks, TWO_SCHEMES, np.arange(book.account_count))
    assert {-1, 0, 1, 2, 3} == set(exact.band.tolist())
    assert (exact.short_units > 0).any()
    assert (exact.assets_units > 2**53 // UNIT).any()
    once, thrice = value_book(book, marks, TWO_SCHEMES), value_book(book, marks, TWO_SCHEMES, threads=3)
    assert columns(once) == columns(thrice) == columns(exact)
    by_size, order = sorted_by_size(book)
    assert by_size.long_only_count > BLOCK_ROWS
    assert columns(value_book(by_size, marks, TWO_SCHEMES, out=thrice)) == [
        column[order].tobytes() for column in vars(exact).values()
    ]
    with pytest.raises(BookError, match="out has 1 rows, not"):
        value_book(book, marks, TWO_SCHEMES, out=Valuation.of_size(1))
    with pytest.raises(BookError, match=r"rows\[1\] is 7"):
        value_book(account_of([1]), marks_of([1]), LINES, np.array([0, 7]))


def test_a_small_book_makes_no_table_of_figures() -> None:
    marks = marks_of([UNIT] * 50, terms=2)
    value_book(account_of([1] * 50), marks, TWO_SCHEMES)
    assert "factors" not in vars(marks)


@given(
    owed=st.integers(1, 2**49),
    assets=st.one_of(st.integers(0, 2**49), st.sampled_from([0, 1, 2**49 - 1, 2**49])),
    near=st.integers(-2, 2),
)
def test_the_ratio_is_the_exact_floor_even_beside_a_whole_number(owed: int, assets: int, near: int) -> None:
    """The float pass divides in floats and corrects; the worst quotients are those next to a whole number."""
    beside = min(max(assets * UNIT // owed * owed // UNIT + near, 0), 2**49)
    book = build_book(
        cash_units=[assets, beside], debt_units=[owed, owed], terms=[0, 0], account=[], instrument=[], quantity=[]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(valuation, "is_worth_a_table", lambda book, marks: True)
        patch.setattr(Kernel, "_steps_left", -1)
        valued = value_book(book, marks_of([]), LINES)
    assert valued.ratio_bp.tolist() == [assets * UNIT // owed, beside * UNIT // owed]


def test_a_short_counts_with_what_is_owed() -> None:
    """Shenzhen 4.9: (cash + securities) / (financed + securities lent at their price now)."""
    book = account_of([100, -50], cash=3_000 * UNIT, debt=1_000 * UNIT)
    valued = value_book(book, marks_of([20 * UNIT, 10 * UNIT], haircut_bp=3_000, maintenance_bp=3_000), LINES)
    assert valued.market_units[0] == 2_000 * UNIT
    assert valued.short_units[0] == 500 * UNIT
    assert valued.ratio_bp[0] == 5_000 * UNIT // 1_500
    assert valued.requirement_units[0] == (2_000 + 500) * UNIT * 3 // 10
    assert valued.lendable_units[0] == (3_000 + 1_400 - 500) * UNIT


def test_a_short_without_debt_is_owed_all_the_same() -> None:
    valued = value_book(account_of([-10], cash=12 * UNIT), marks_of([UNIT]), LINES)
    assert (valued.ratio_bp[0], valued.band[0]) == (12_000, Band.CLOSE_OUT)


def test_a_stale_short_still_takes_its_whole_value_from_what_is_lent() -> None:
    valued = value_book(account_of([-10], cash=12 * UNIT), marks_of([UNIT], stale=(0,)), LINES)
    assert valued.lendable_units[0] == 2 * UNIT


def test_sums_are_rounded_once_for_the_account() -> None:
    marks = marks_of([1, 1, 1], haircut_bp=5_000, maintenance_bp=5_000)
    valued = value_book(account_of([1, 1, 1]), marks, LINES)
    assert (valued.lendable_units[0], valued.requirement_units[0]) == (1, 2)


@given(data=st.data())
def test_i09_rows_alone_or_in_another_order_have_the_same_figures(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    whole = value_book(book, marks, lines)
    rows = np.array(data.draw(st.permutations(range(book.account_count))), dtype=np.int64)
    assert columns(value_book(book, marks, lines, rows)) == [c[rows].tobytes() for c in vars(whole).values()]
    for row in range(book.account_count):
        assert columns(value_book(book.account(row), marks, lines)) == [
            c[row : row + 1].tobytes() for c in vars(whole).values()
        ]


def with_price(marks: Marks, name: int, price: int) -> Marks:
    prices = marks.price_units.copy()
    prices[name] = price
    return replace(marks, price_units=prices)


@given(data=st.data(), name=st.integers(0, NAMES - 1))
def test_i06_lowering_one_price_never_improves_a_long_account(data: st.DataObject, name: int) -> None:
    book, marks, lines = data.draw(books(NAMES)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    high = data.draw(st.integers(2, 2**40))
    better = value_book(book, with_price(marks, name, high), lines)
    worse = value_book(book, with_price(marks, name, data.draw(st.integers(1, high - 1))), lines)
    known = ~better.is_unknown & ~worse.is_unknown
    for column in ("market_units", "assets_units", "lendable_units", "ratio_bp"):
        assert (getattr(worse, column)[known] <= getattr(better, column)[known]).all()
    assert (worse.band[known] >= better.band[known]).all()


@given(data=st.data(), extra=st.integers(1, 10**9), name=st.integers(0, NAMES - 1))
def test_adding_collateral_never_worsens(data: st.DataObject, extra: int, name: int) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    cash = np.minimum(book.cash_units + extra, 2**49)
    quantity = book.quantity.astype(np.int64)
    quantity[book.instrument == name] += extra  # more of a long position, or less of a short one
    quantity = np.minimum(quantity, 2**40)
    before = value_book(book, marks, lines)
    for better in (replace(book, cash_units=cash), replace(book, quantity=quantity)):
        after = value_book(better, marks, lines)
        known = ~before.is_unknown & ~after.is_unknown
        assert (after.ratio_bp[known] >= before.ratio_bp[known]).all()
        assert (after.lendable_units[known] >= before.lendable_units[known]).all()
        assert (after.band[known] <= before.band[known]).all()


@given(quantity=st.integers(1, 10**6), parts=st.integers(2, 5), price=st.integers(1, 10**7), rate=st.integers(0, UNIT))
def test_i22_lending_value_of_parts_never_exceeds_the_whole_and_requirement_never_falls_below(
    quantity: int, parts: int, price: int, rate: int
) -> None:
    marks = marks_of([price], haircut_bp=rate, maintenance_bp=rate)
    whole = value_book(account_of([quantity * parts]), marks, LINES)
    part = value_book(account_of([quantity]), marks, LINES)
    assert part.lendable_units[0] * parts <= whole.lendable_units[0]
    assert part.requirement_units[0] * parts >= whole.requirement_units[0]
