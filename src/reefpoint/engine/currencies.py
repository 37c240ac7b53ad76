"""Several currencies: each account is valued in its home currency, at one version of the rates.

The kernels know one unit of money. So an instrument that is held in an account of another currency gets a column of
marks of its own for that home currency, with its price converted once; foreign cash and debt are converted balance by
balance. A new version of the rates is then nothing but new prices of those columns and new balances.

Rounding, to whole units of 1e-4 of the home currency: a price down, for long and short positions alike, so that a
column has one price, but to 1 unit at least, so that no name loses its price by it; cash down; debt up. A rate is money
of the home currency for one of the foreign one, int64 in 1e-8; a currency is its number in `FxVersion.currencies`. The
rate of a currency to itself is one, exactly, so accounts that hold nothing abroad are valued as if there were no other
currency.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    PRICE_UNITS_MAX,
    BookError,
    Int64s,
    check_column,
    check_range,
    check_table,
    count_rows,
)
from reefpoint.engine.explain import Explanation, PositionTerm, explain_account

E8 = 10**8
"""1e-8 in one."""
RATE_E8_MAX = 2**50
"""Largest rate: 11 million to one."""
CURRENCIES_MAX = 2**10


@dataclass(frozen=True, eq=False)
class FxVersion:
    """One version of the rates between currencies.

    `rate_e8` int64[C, C]: rate_e8[home, foreign] of home money for one of foreign, in 1e-8; 0 where there is no rate.
    The diagonal is 10^8. Refused with `BookError` otherwise.
    """

    name: str
    currencies: tuple[str, ...]
    rate_e8: Int64s

    def __post_init__(self) -> None:
        count = len(self.currencies)
        check_column("rate_e8", self.rate_e8, np.int64, (count, count))
        check_range("rate_e8", self.rate_e8, 0, RATE_E8_MAX)
        wrong = np.flatnonzero(self.rate_e8.diagonal() != E8)
        if len(wrong):
            raise BookError("rate_e8", int(wrong[0]) * (count + 1), f"must be {E8}: a currency to itself")
        if len(set(self.currencies)) != count:
            raise BookError("currencies", None, "names a currency twice")


@dataclass(frozen=True, eq=False)
class HomeColumns:
    """Which column of the converted marks stands for which instrument in which home currency.

    - `currency` int64[S]: of each instrument, as quoted
    - `instrument`, `home` int64[N]: of each column. The first S columns are the instruments as quoted, in order; then
      come the pairs held abroad.
    """

    currency: Int64s
    instrument: Int64s
    home: Int64s

    @classmethod
    def of_positions(cls, currency: Int64s, instrument: Int64s, home: Int64s) -> "HomeColumns":
        """The columns that these positions need: `instrument` int64[P] held in accounts of currency `home` int64[P]."""
        check_column("currency", currency, np.int64, (count_rows("currency", currency),))
        check_column("instrument", instrument, np.int64, (count_rows("instrument", instrument),))
        check_column("home", home, np.int64, (len(instrument),))
        for name, column in (("currency", currency), ("home", home)):
            check_range(name, column, 0, CURRENCIES_MAX - 1)
        check_range("instrument", instrument, 0, len(currency) - 1)
        is_abroad = currency[instrument] != home
        pairs = np.unique(np.stack((home[is_abroad], instrument[is_abroad])), axis=1)
        own = np.arange(len(currency))
        return cls(currency, np.concatenate((own, pairs[1])), np.concatenate((currency, pairs[0])))

    def columns(self, instrument: Int64s, home: Int64s) -> Int64s:
        """int64[P]: the column of each instrument in each home currency. Raises `BookError` for a pair without one."""
        check_column("instrument", instrument, np.int64, (count_rows("instrument", instrument),))
        check_column("home", home, np.int64, (len(instrument),))
        check_range("instrument", instrument, 0, len(self.currency) - 1)
        wanted = home * len(self.currency) + instrument
        at = np.minimum(np.searchsorted(self._keys, wanted, sorter=self._order), len(self._keys) - 1)
        found: Int64s = self._order[at] if len(wanted) else np.empty(0, dtype=np.int64)
        missing = np.flatnonzero(self._keys[found] != wanted)
        if len(missing):
            row = int(missing[0])
            raise BookError("instrument", row, f"is {instrument[row]}, which has no column in currency {home[row]}")
        return found

    def marks(self, native: Marks, fx: FxVersion) -> Marks:
        """The marks of all columns, prices and day limits converted at `fx`; no rate is no price.

        Raises `BookError` for a converted price past `PRICE_UNITS_MAX`, naming its column.
        """
        if native.instrument_count != len(self.currency):
            raise BookError("price_units", None, f"has {native.instrument_count} rows, currency {len(self.currency)}")
        names, rates = self.instrument, self._rates(fx)
        limit_up = _scaled(native.limit_up_units[names], rates)
        return Marks(
            price_units=_prices(native.price_units[names], rates),
            haircut_bp=np.ascontiguousarray(native.haircut_bp[:, names]),
            maintenance_bp=np.ascontiguousarray(native.maintenance_bp[:, names]),
            is_stale=native.is_stale[names],
            is_suspended=native.is_suspended[names],
            lot=native.lot[names],
            limit_down_units=np.minimum(_scaled(native.limit_down_units[names], rates), PRICE_UNITS_MAX).astype(
                np.int64
            ),
            limit_up_units=np.where(
                native.limit_up_units[names] == PRICE_UNITS_MAX, PRICE_UNITS_MAX, np.minimum(limit_up, PRICE_UNITS_MAX)
            ).astype(np.int64),
        )

    def prices(self, native_price_units: Int64s, rate_e8: Int64s) -> Int64s:
        """int64[K, N]: the prices of all columns in K scenarios of native prices int64[K, S] and rates int64[K, C, C].

        Each is what `marks` says at that scenario's prices and rates. Raises `BookError` as `marks` does.
        """
        scenarios, homes, foreign = check_table("rate_e8", rate_e8, np.int64, 3)
        check_column("native_price_units", native_price_units, np.int64, (scenarios, len(self.currency)))
        check_range("home", self.home, 0, min(homes, foreign) - 1)
        rates = rate_e8[:, self.home, self.currency[self.instrument]]
        return np.ascontiguousarray(_prices(native_price_units[:, self.instrument], rates))

    def moved_prices(self, instrument: Int64s, price_units: Int64s, fx: FxVersion) -> tuple[Int64s, Int64s]:
        """Columns and their prices after new prices of `instrument` as quoted: one column for each home currency."""
        check_column("instrument", instrument, np.int64, (count_rows("instrument", instrument),))
        check_column("price_units", price_units, np.int64, (len(instrument),))
        check_range("instrument", instrument, 0, len(self.currency) - 1)
        check_range("price_units", price_units, 0, PRICE_UNITS_MAX)
        price = np.full(len(self.currency), -1, dtype=np.int64)
        price[instrument] = price_units
        moved = np.flatnonzero(price[self.instrument] >= 0)
        return moved, _prices(price[self.instrument[moved]], self._rates(fx)[moved])

    def foreign_prices(self, native_price_units: Int64s, fx: FxVersion) -> tuple[Int64s, Int64s]:
        """Columns held abroad and their prices after a new version of the rates, at int64[S] prices as quoted."""
        check_column("native_price_units", native_price_units, np.int64, (len(self.currency),))
        abroad = np.arange(len(self.currency), len(self.instrument))
        return abroad, _prices(native_price_units[self.instrument[abroad]], self._rates(fx)[abroad])

    def _rates(self, fx: FxVersion) -> Int64s:
        check_range("home", self.home, 0, len(fx.currencies) - 1)
        return fx.rate_e8[self.home, self.currency[self.instrument]]

    @cached_property
    def _order(self) -> Int64s:
        return np.argsort(self.home * len(self.currency) + self.instrument)

    @cached_property
    def _keys(self) -> Int64s:
        return self.home * len(self.currency) + self.instrument


@dataclass(frozen=True, eq=False)
class Balances:
    """Cash and debt by account and currency, one row a pair, in units of that currency; all int64[N]."""

    account: Int64s
    currency: Int64s
    cash_units: Int64s
    debt_units: Int64s

    def __post_init__(self) -> None:
        count = count_rows("account", self.account)
        for name in ("account", "currency", "cash_units", "debt_units"):
            check_column(name, getattr(self, name), np.int64, (count,))
        check_range("cash_units", self.cash_units, 0, AMOUNT_UNITS_MAX)
        check_range("debt_units", self.debt_units, 0, AMOUNT_UNITS_MAX)

    def at_home(self, home: Int64s, fx: FxVersion) -> tuple[Int64s, Int64s]:
        """Cash and debt of each account in its `home` currency int64[A]: every balance converted, then added up.

        Cash rounds down and debt up, balance by balance. Raises `BookError` for a balance without a rate, naming its
        row, and for an account past `AMOUNT_UNITS_MAX`, naming the account.
        """
        check_column("home", home, np.int64, (count_rows("home", home),))
        check_range("account", self.account, 0, len(home) - 1)
        check_range("currency", self.currency, 0, len(fx.currencies) - 1)
        check_range("home", home, 0, len(fx.currencies) - 1)
        rate = fx.rate_e8[home[self.account], self.currency]
        unpriced = np.flatnonzero((rate == 0) & ((self.cash_units > 0) | (self.debt_units > 0)))
        if len(unpriced):
            row = int(unpriced[0])
            raise BookError("currency", row, f"is {fx.currencies[self.currency[row]]}, which has no rate in {fx.name}")
        totals = []
        for name, amounts in (("cash_units", self.cash_units), ("debt_units", -self.debt_units)):
            exact = np.zeros(len(home), dtype=object)
            np.add.at(exact, self.account, abs(_scaled(amounts, rate)))
            past = np.flatnonzero(exact > AMOUNT_UNITS_MAX)
            if len(past):
                raise BookError(name, int(past[0]), f"is {exact[past[0]]}, above {AMOUNT_UNITS_MAX}")
            totals.append(exact.astype(np.int64))
        return totals[0], totals[1]


@dataclass(frozen=True)
class PriceLine:
    """A position's price: home price = floor(price as quoted * rate)."""

    term: PositionTerm
    instrument: int
    currency: str
    native_price_units: int
    rate_e8: int
    home_price_units: int


@dataclass(frozen=True)
class BalanceLine:
    """A balance: home cash = floor(cash * rate), home debt = ceiling(debt * rate)."""

    currency: str
    cash_units: int
    debt_units: int
    rate_e8: int
    home_cash_units: int
    home_debt_units: int


@dataclass(frozen=True)
class HomeExplanation:
    """An account's figures in its home currency, and the prices, balances and rates behind them."""

    home: str
    fx_name: str
    explanation: Explanation
    prices: tuple[PriceLine, ...]
    balances: tuple[BalanceLine, ...]


def explain_at_home(
    account: Book,
    native: Marks,
    lines: Lines,
    *,
    columns: HomeColumns,
    balances: Balances,
    home: int,
    fx: FxVersion,
    limit_bp: int,
) -> HomeExplanation:
    """Explain a book of one account of currency `home`, whose cash and debt are what `balances` (all its rows) come to.

    Raises `BookError` as `explain_account` does, and when the book's cash or debt is not what the balances come to.
    """
    homes = np.array([home], dtype=np.int64)
    cash, debt = balances.at_home(homes, fx)
    for name, column, total in (("cash_units", account.cash_units, cash), ("debt_units", account.debt_units, debt)):
        if column[0] != total[0]:
            raise BookError(name, 0, f"is {column[0]}, the balances come to {total[0]} at {fx.name}")
    explanation = explain_account(account, columns.marks(native, fx), lines, limit_bp=limit_bp)
    rows = zip(balances.currency.tolist(), balances.cash_units.tolist(), balances.debt_units.tolist(), strict=True)
    return HomeExplanation(
        home=fx.currencies[home],
        fx_name=fx.name,
        explanation=explanation,
        prices=tuple(_price_line(term, native, columns, fx) for term in explanation.terms),
        balances=tuple(_balance_line(*row, rate_e8=int(fx.rate_e8[home, row[0]]), fx=fx) for row in rows),
    )


def _price_line(term: PositionTerm, native: Marks, columns: HomeColumns, fx: FxVersion) -> PriceLine:
    name, home = int(columns.instrument[term.instrument]), int(columns.home[term.instrument])
    currency = int(columns.currency[name])
    return PriceLine(
        term=term,
        instrument=name,
        currency=fx.currencies[currency],
        native_price_units=int(native.price_units[name]),
        rate_e8=int(fx.rate_e8[home, currency]),
        home_price_units=term.price_units,
    )


def _balance_line(currency: int, cash: int, debt: int, *, rate_e8: int, fx: FxVersion) -> BalanceLine:
    return BalanceLine(fx.currencies[currency], cash, debt, rate_e8, cash * rate_e8 // E8, -(-debt * rate_e8 // E8))


def _scaled(units: Int64s, rate_e8: Int64s) -> npt.NDArray[np.object_]:
    """floor(units * rate), in Python's integers: the product may pass 63 bits."""
    scaled: npt.NDArray[np.object_] = units.astype(object) * rate_e8.astype(object) // E8
    return scaled


def _prices(native: Int64s, rate_e8: Int64s) -> Int64s:
    """floor(price * rate), at least 1 where there is a price and a rate; `native` may be a table of scenarios."""
    is_wild = native.astype(np.float64) * rate_e8 > 2.0 * E8 * PRICE_UNITS_MAX
    price = convert_down(np.where(is_wild, 0, native), rate_e8)
    past = is_wild | (price > PRICE_UNITS_MAX)
    if past.any():
        at = np.unravel_index(int(past.argmax()), past.shape)
        exact = int(native[at]) * int(np.broadcast_to(rate_e8, past.shape)[at]) // E8
        raise BookError("price_units", int(at[-1]), f"is {exact} when converted, above {PRICE_UNITS_MAX}")
    return np.where((native > 0) & (rate_e8 > 0), np.maximum(price, 1), 0)


def convert_down(units: Int64s, rate_e8: Int64s | int) -> Int64s:
    """floor(units * rate / 1e8), in int64 throughout; the answer must fit one."""
    (whole, part), (times, rest) = np.divmod(units, E8), np.divmod(rate_e8, E8)
    down: Int64s = whole * rate_e8 + part * times + part * rest // E8
    return down


def convert_up(units: Int64s, rate_e8: Int64s | int) -> Int64s:
    """ceiling(units * rate / 1e8), in int64 throughout; the answer must fit one."""
    return -convert_down(-units, rate_e8)
