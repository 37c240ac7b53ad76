"""Where accounts stand: facts, prices and terms put before the engine, and its answer in minor units.

A single account is a book of one, so the board, a what-if and the nightly run share one formula.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from django.db import connection

from reefpoint.decisions.collateral.rules import apply_cuts
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import valuation_cuts
from reefpoint.decisions.margin import rules
from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.currencies import CODES, home_columns, is_abroad, marks_at_home
from reefpoint.decisions.margin.types import Band, PriceCoverage, Standing
from reefpoint.engine.bands import RATIO_NO_DEBT, Lines
from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.currencies import HomeColumns
from reefpoint.engine.valuation import Valuation, value_book
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import held_minor, owed_minor, price_units_per_minor
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.accounts.selectors.positions import quantities_held
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.market.selectors.fx import latest_fx
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.selectors.prices import latest_prices
from reefpoint.records.market.types import FxView, InstrumentView, LatestPrice
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import SchemeTerms


class NoUsablePrice(Refusal):
    """An instrument without a price that new business could rest on."""

    code = "no_usable_price"


@dataclass(frozen=True)
class Sheet:
    """One version of prices under the terms of some scheme versions, as the engine takes it.

    `column` and `row` say where an instrument and a scheme version stand in `marks` and `lines`. A name that accounts
    of another currency may hold has a further column for that currency (`abroad`), priced at `fx`; `instruments` has
    the name of every column. All figures of a sheet rest on one price a name and one version of the rates (I15).
    """

    marks: Marks
    lines: Lines
    column: dict[int, int]
    row: dict[int, int]
    instruments: tuple[InstrumentView, ...]
    prices: dict[int, LatestPrice]
    terms: dict[int, SchemeTerms]
    columns: HomeColumns
    abroad: dict[tuple[int, str], int]
    fx: FxView | None

    def column_of(self, instrument_id: int, currency: str) -> int:
        """The column of a name in accounts of a currency."""
        column = self.column[instrument_id]
        return column if self.instruments[column].currency == currency else self.abroad[instrument_id, currency]

    def home_price_units(self, price: LatestPrice, currency: str) -> int:
        """A price in money of `currency`. Raises `NoUsablePrice` if it is quoted in another and no rate is current."""
        column = self.column_of(price.instrument_id, currency)
        if column < len(self.column):
            return price.price_units
        if not self.marks.price_units[column] or self.marks.is_stale[column]:
            raise NoUsablePrice("There is no current rate for this instrument's currency, so it cannot be traded now.")
        return int(self.marks.price_units[column])

    def rate_e8(self, home: str, foreign: str) -> int:
        """Money of `home` for one unit of `foreign`, in 1e-8, as this sheet reckons; 0 without a rate."""
        if home == foreign:
            return 10**8
        return self.fx.rate_e8(home, foreign) if self.fx else 0


def load_sheet(version_ids: Collection[int], *, at: datetime) -> Sheet:
    """Prices as known at `at`, with the haircuts and lines of the given scheme versions. Three queries, and
    two for rates where a name is quoted in another currency than accounts under these versions have.

    A haircut is the greater of the scheme's own and the desk's in force on the day of `at`; a suspended name is worth
    what the desk's policy leaves of its last price.
    """
    instruments = tuple(list_instruments())
    prices = latest_prices(as_of=at)
    terms = {version_id: get_terms(version_id) for version_id in sorted(set(version_ids))}
    found = [prices.get(instrument.id) for instrument in instruments]
    haircut_bp, maintenance_bp = collateral_tables(tuple(terms), instruments, at=at)
    is_suspended = np.array([instrument.is_suspended for instrument in instruments], dtype=np.bool_)
    price_units = _column(price.price_units if price else 0 for price in found)
    native = Marks(
        price_units=cut_prices(price_units, [one.id for one in instruments], is_suspended, at=at),
        haircut_bp=haircut_bp,
        maintenance_bp=maintenance_bp,
        is_stale=np.array([price is not None and price.is_stale for price in found], dtype=np.bool_),
        is_suspended=is_suspended,
        lot=_column(instrument.lot_size for instrument in instruments),
    )
    lines = Lines(
        warning_bp=_column(one.warning_bp for one in terms.values()),
        call_bp=_column(one.call_bp for one in terms.values()),
        close_out_bp=_column(one.close_out_bp for one in terms.values()),
        cure_bp=_column(one.cure_bp for one in terms.values()),
        hysteresis_bp=_column(one.hysteresis_bp for one in terms.values()),
    )
    columns = home_columns(instruments, {one.currency for one in terms.values()})
    fx = latest_fx(at) if is_abroad(columns) else None
    names = columns.instrument.tolist()
    pairs = list(zip(names, columns.home.tolist(), strict=True))
    return Sheet(
        marks=marks_at_home(native, columns, fx, at),
        lines=lines,
        column={instrument.id: column for column, instrument in enumerate(instruments)},
        row={version_id: row for row, version_id in enumerate(terms)},
        instruments=tuple(instruments[name] for name in names),
        prices=prices,
        terms=terms,
        columns=columns,
        abroad={
            (instruments[name].id, CODES[home]): column
            for column, (name, home) in enumerate(pairs)
            if column >= len(instruments)
        },
        fx=fx,
    )


def collateral_tables(
    version_ids: tuple[int, ...], instruments: Sequence[InstrumentView], *, at: datetime
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Haircut and maintenance of each name under each version, int64[T, S], on the day of `at`."""
    own_bp, maintenance_bp = scheme_tables(version_ids, tuple(one.symbol for one in instruments))
    desk_bp = haircuts_in_force(at.date())
    return raise_haircuts(own_bp, instruments, desk_bp), maintenance_bp


def raise_haircuts(
    own_bp: npt.NDArray[np.int64], instruments: Sequence[InstrumentView], desk_bp: Mapping[int, int]
) -> npt.NDArray[np.int64]:
    """The greater of the schemes' own haircuts and those of the desk, by instrument id: no name lends more by it."""
    if not desk_bp:
        return own_bp
    return np.maximum(own_bp, _column(desk_bp.get(one.id, 0) for one in instruments))


def cut_prices(
    price_units: npt.NDArray[np.int64],
    instrument_ids: Sequence[int],
    is_suspended: npt.NDArray[np.bool_],
    *,
    at: datetime,
) -> npt.NDArray[np.int64]:
    """Prices with those of suspended names cut as the desk's policy says on the day of `at` (I18)."""
    if not is_suspended.any():
        return price_units
    return apply_cuts(price_units, instrument_ids, valuation_cuts(at.date()))


@lru_cache(maxsize=8)
def scheme_tables(
    version_ids: tuple[int, ...], symbols: tuple[str, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Haircut and maintenance of each name under each version; terms never change, and each tick asks again."""
    terms = [get_terms(version_id) for version_id in version_ids]
    shape = (len(terms), len(symbols))
    return (
        _column(one.haircut_bp(symbol) for one in terms for symbol in symbols).reshape(shape),
        _column(one.maintenance_bp(symbol) for one in terms for symbol in symbols).reshape(shape),
    )


def _column(values: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.fromiter(values, dtype=np.int64)


def book_of(accounts: Sequence[AccountFacts], sheet: Sheet) -> Book:
    """The engine's columns for these accounts, in their order."""
    per_minor = [price_units_per_minor(account.currency) for account in accounts]
    held = [(row, holding) for row, account in enumerate(accounts) for holding in account.holdings]
    return build_book(
        cash_units=[account.cash_minor * scale for account, scale in zip(accounts, per_minor, strict=True)],
        debt_units=[account.debt_minor * scale for account, scale in zip(accounts, per_minor, strict=True)],
        terms=[sheet.row[account.scheme_version_id] for account in accounts],
        account=[row for row, _ in held],
        instrument=[sheet.column_of(holding.instrument_id, accounts[row].currency) for row, holding in held],
        quantity=[holding.quantity for _, holding in held],
    )


def standings(accounts: Sequence[AccountFacts], valuation: Valuation) -> list[Standing]:
    """The engine's figures as money: what is owed rounds up, what backs it rounds down."""
    return [
        Standing(
            account_id=account.id,
            market_minor=held_minor(int(valuation.market_units[row]), account.currency),
            assets_minor=held_minor(int(valuation.assets_units[row]), account.currency),
            lendable_minor=held_minor(int(valuation.lendable_units[row]), account.currency),
            requirement_minor=owed_minor(int(valuation.requirement_units[row]), account.currency),
            debt_minor=account.debt_minor,
            ratio_bp=ratio_or_none(int(valuation.ratio_bp[row])),
            band=Band(int(valuation.band[row])),
        )
        for row, account in enumerate(accounts)
    ]


def ratio_or_none(ratio_bp: int) -> int | None:
    """The engine's ratio as people see it: None without debt, or when it is not known."""
    return None if ratio_bp < 0 or ratio_bp == RATIO_NO_DEBT else ratio_bp


def measure_all(accounts: Sequence[AccountFacts], *, at: datetime) -> list[Standing]:
    """Where each account stands on the prices known at `at`; bands by the lines alone, without memory."""
    sheet = load_sheet({account.scheme_version_id for account in accounts}, at=at)
    return measure_on(sheet, accounts)


def measure_on(sheet: Sheet, accounts: Sequence[AccountFacts]) -> list[Standing]:
    """Where each account stands on a sheet that has its scheme version; bands by the lines alone."""
    return standings(accounts, value_book(book_of(accounts, sheet), sheet.marks, sheet.lines))


def get_price_coverage_bp(sheet: Sheet) -> int:
    """How much of the value that accounts hold has a current price on this sheet (`rules.price_coverage_bp`).

    Suspended names are left out: they trade nowhere, so no feed can bring them back. The book is only added up when
    some price is missing or stale.
    """
    return _coverage_bp(sheet.instruments, sheet.prices)


def get_coverage_now() -> PriceCoverage:
    """The coverage of everything recorded so far, against the newest session of which there is any price."""
    coverage_bp = _coverage_bp(list_instruments(), latest_prices())
    return PriceCoverage(coverage_bp, rules.PRICE_COVERAGE_MIN_BP, rules.is_covered(coverage_bp))


def _coverage_bp(instruments: Iterable[InstrumentView], prices: Mapping[int, LatestPrice]) -> int:
    found = {one.symbol: prices.get(one.id) for one in instruments if not one.is_suspended}
    if all(price is not None and not price.is_stale for price in found.values()):
        return 10_000
    held = quantities_held()
    return rules.price_coverage_bp(
        (held.get(symbol, 0) * price.price_units, not price.is_stale)
        for symbol, price in found.items()
        if price is not None
    )


def measure(account: AccountFacts, *, at: datetime) -> Standing:
    """Where one account stands, or would stand: pass changed facts for a what-if."""
    return measure_all([account], at=at)[0]


def measure_account(account_id: int, *, at: datetime) -> Standing:
    """Where a stored account stands. Raises `IndexError` if there is none."""
    return measure_all(load_accounts([account_id]), at=at)[0]


def is_enforced(account_id: int) -> bool:
    """Whether a sale of this account's collateral is due or running."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_enforced FROM margin_marginstate WHERE account_id = %s", [account_id])
        row = cursor.fetchone()
    return bool(row and row[0])


def list_enforced(*, without: Collection[int]) -> list[int]:
    """Accounts whose collateral is due to be sold, but for those given, in id order."""
    enforced = MarginState.objects.filter(is_enforced=True).exclude(account_id__in=list(without))
    return list(enforced.order_by("account_id").values_list("account_id", flat=True))


def current_price(prices: Mapping[int, LatestPrice], instrument_id: int) -> LatestPrice:
    """A price that new business may rest on. Raises `NoUsablePrice` if there is none, or it is stale."""
    price = prices.get(instrument_id)
    if price is None or price.is_stale:
        raise NoUsablePrice("There is no current price for this instrument, so it cannot be traded now.")
    return price
