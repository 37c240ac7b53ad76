"""Several currencies: prices and balances converted once, in one named place, and every line shows its rate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import LINES, UNIT, column, marks_of

from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.columns import PRICE_UNITS_MAX, BookError
from reefpoint.engine.currencies import E8, Balances, FxVersion, HomeColumns, explain_at_home
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Watch

CNY, HKD, USD = range(3)
RATES = {(CNY, HKD): 91_800_000, (CNY, USD): 718_500_001, (HKD, USD): 782_650_000}


def fx_of(rates: dict[tuple[int, int], int], name: str = "fx-1") -> FxVersion:
    table = np.diag([E8] * 3)
    for pair, rate in rates.items():
        table[pair] = rate
    return FxVersion(name, ("CNY", "HKD", "USD"), table)


FX = fx_of(RATES)
NATIVE = marks_of([10 * UNIT, 333_333, 1_234_567])
CURRENCY = column(CNY, HKD, USD)
HELD = {"account": column(0, 0, 0, 1), "instrument": column(0, 1, 2, 2), "quantity": column(100, 200, -3, 50)}
HOME = column(CNY, HKD)
BALANCES = Balances(column(0, 0, 1), column(CNY, USD, HKD), column(5_000, 333, 10**9), column(0, 777, 10**6))


def at_home(fx: FxVersion, native: Marks = NATIVE) -> tuple[HomeColumns, Book, Marks]:
    homes = HOME[HELD["account"]]
    columns = HomeColumns.of_positions(CURRENCY, HELD["instrument"], homes)
    cash, debt = BALANCES.at_home(HOME, fx)
    book = build_book(
        cash_units=cash,
        debt_units=debt,
        terms=[0, 0],
        account=HELD["account"],
        instrument=columns.columns(HELD["instrument"], homes),
        quantity=HELD["quantity"],
    )
    return columns, book, columns.marks(native, fx)


def test_a_name_held_abroad_has_a_column_for_each_home_currency() -> None:
    columns, book, marks = at_home(FX)
    assert columns.instrument.tolist() == [0, 1, 2, 1, 2, 2]
    assert columns.home.tolist() == [CNY, HKD, USD, CNY, CNY, HKD]
    assert book.instrument.tolist() == [0, 3, 4, 5]
    assert marks.price_units.tolist() == [
        *NATIVE.price_units,
        333_333 * 91_800_000 // E8,
        1_234_567 * 718_500_001 // E8,
        1_234_567 * 782_650_000 // E8,
    ]
    valued = value_book(book, marks, LINES)
    assert valued.market_units[0] == 100 * 100_000 + 200 * int(marks.price_units[3])
    assert valued.short_units[0] == 3 * int(marks.price_units[4])


def test_cash_rounds_down_and_debt_up_balance_by_balance() -> None:
    cash, debt = BALANCES.at_home(HOME, FX)
    assert cash.tolist() == [5_000 + 333 * 718_500_001 // E8, 10**9]
    assert debt.tolist() == [-(-777 * 718_500_001 // E8), 10**6]


def test_without_a_rate_a_name_has_no_price_and_a_balance_is_refused() -> None:
    no_dollar = fx_of({(CNY, HKD): RATES[CNY, HKD]})
    columns, book, _ = at_home(FX)
    marks = columns.marks(NATIVE, no_dollar)
    assert marks.price_units.tolist()[4:] == [0, 0]
    assert value_book(book, marks, LINES).is_unknown.tolist() == [True, True]
    with pytest.raises(BookError, match=r"currency\[1\] is USD, which has no rate in fx-1"):
        BALANCES.at_home(HOME, no_dollar)


def test_a_new_version_of_the_rates_is_new_prices_and_new_balances_to_the_watch() -> None:
    new = fx_of({pair: rate * 9 // 10 for pair, rate in RATES.items()}, "fx-2")
    columns, book, marks = at_home(FX)
    watch = Watch(book, marks, LINES)
    watch.decide()
    watch.apply_prices(*columns.foreign_prices(NATIVE.price_units, new))
    watch.set_balances([0, 1], *BALANCES.at_home(HOME, new))
    watch.decide()
    cash, debt = BALANCES.at_home(HOME, new)
    fresh = value_book(replace(book, cash_units=cash, debt_units=debt), columns.marks(NATIVE, new), LINES)
    assert watch.value().assets_units.tolist() == fresh.assets_units.tolist()
    assert watch.value().ratio_bp.tolist() == fresh.ratio_bp.tolist()


def test_a_tick_moves_every_column_of_its_name() -> None:
    columns, _, marks = at_home(FX)
    moved, prices = columns.moved_prices(column(2), column(1_300_000), FX)
    fresh = columns.marks(replace(NATIVE, price_units=column(*NATIVE.price_units[:2], 1_300_000)), FX)
    assert moved.tolist() == [2, 4, 5]
    assert prices.tolist() == fresh.price_units[moved].tolist() != marks.price_units[moved].tolist()


def test_day_limits_are_converted_and_no_limit_stays_none() -> None:
    limited = replace(NATIVE, limit_down_units=column(0, 300_000, 0), limit_up_units=column(2**40, 360_000, 2**40))
    _, _, marks = at_home(FX, limited)
    assert marks.limit_down_units[3] == 300_000 * 91_800_000 // E8
    assert marks.limit_up_units.tolist()[2:] == [PRICE_UNITS_MAX, 360_000 * 91_800_000 // E8, *[PRICE_UNITS_MAX] * 2]


def test_every_line_shows_native_price_rate_and_home_price_and_adds_up() -> None:
    columns, book, marks = at_home(FX)
    own = Balances(*(values[:2] for values in vars(BALANCES).values()))
    told = explain_at_home(
        book.account(0), NATIVE, LINES, columns=columns, balances=own, home=CNY, fx=FX, limit_bp=1_000
    )
    assert (told.home, told.fx_name) == ("CNY", "fx-1")
    assert [(line.instrument, line.currency, line.rate_e8) for line in told.prices] == [
        (0, "CNY", E8),
        (1, "HKD", RATES[CNY, HKD]),
        (2, "USD", RATES[CNY, USD]),
    ]
    for line in told.prices:
        assert line.home_price_units == line.native_price_units * line.rate_e8 // E8
        assert line.term.value_units == line.term.quantity * line.home_price_units
    assert sum(line.home_cash_units for line in told.balances) == told.explanation.cash_units
    assert sum(line.home_debt_units for line in told.balances) == told.explanation.debt_units
    assert told.explanation.ratio_bp == value_book(book, marks, LINES).ratio_bp[0]
    with pytest.raises(BookError, match=r"cash_units\[0\] is 7392, the balances come to"):
        explain_at_home(
            book.account(0), NATIVE, LINES, columns=columns, balances=BALANCES_ONE, home=CNY, fx=FX, limit_bp=1_000
        )


BALANCES_ONE = Balances(column(0), column(CNY), column(1), column(0))


@given(rate=st.integers(1, 2**50), price=st.integers(0, 2**40), cash=st.integers(0, 2**49), debt=st.integers(0, 2**49))
def test_conversion_is_exact_or_refused(rate: int, price: int, cash: int, debt: int) -> None:
    fx = fx_of({(CNY, USD): rate})
    columns = HomeColumns.of_positions(column(USD), column(0), column(CNY))
    expected = price * rate // E8
    if expected > PRICE_UNITS_MAX:
        with pytest.raises(BookError, match="when converted"):
            columns.marks(marks_of([price]), fx)
    else:
        assert columns.marks(marks_of([price]), fx).price_units.tolist() == [price, max(expected, min(price, 1))]
    balances = Balances(column(0), column(USD), column(cash), column(debt))
    home_cash, home_debt = cash * rate // E8, -(-debt * rate // E8)
    if max(home_cash, home_debt) > 2**49:
        with pytest.raises(BookError, match=r"_units\[0\] is \d+, above"):
            balances.at_home(column(CNY), fx)
    else:
        assert [int(total[0]) for total in balances.at_home(column(CNY), fx)] == [home_cash, home_debt]


@pytest.mark.parametrize(
    ("rates", "where"),
    [
        (np.array([[E8, 1], [1, E8 - 1]]), r"rate_e8\[3\] must be 100000000"),
        (np.array([[E8, -1], [1, E8]]), r"rate_e8\[1\] is -1"),
        (np.array([[E8, 2**50 + 1], [1, E8]]), r"rate_e8\[1\] is"),
        (np.array([[E8, 1.0], [1, E8]]), "rate_e8 must be int64, not float64"),
        (np.array([[E8]]), r"rate_e8 must have shape \(2, 2\)"),
    ],
)
def test_bad_rates_are_refused_and_named(rates: np.ndarray, where: str) -> None:
    with pytest.raises(BookError, match=where):
        FxVersion("fx", ("CNY", "USD"), rates)


def test_a_pair_without_a_column_is_refused_and_named() -> None:
    columns = HomeColumns.of_positions(CURRENCY, column(2), column(CNY))
    with pytest.raises(BookError, match=r"instrument\[1\] is 2, which has no column in currency 1"):
        columns.columns(column(2, 2), column(CNY, HKD))
    assert columns.columns(column(), column()).tolist() == []
