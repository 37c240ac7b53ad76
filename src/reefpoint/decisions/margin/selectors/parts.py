"""The whole book cut by scheme and pool, each part in its own currency, with what sums are told in.

For runs over the whole book (stress, gap loss): accounts of different home currencies are never added up but at one
version of the rates, once for each part (`engine.reporting`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from reefpoint.decisions.margin.selectors.book import load_book
from reefpoint.decisions.margin.selectors.currencies import CODES, NUMBER, engine_fx
from reefpoint.decisions.margin.selectors.standing import Sheet, book_of, load_sheet
from reefpoint.engine.book import Book
from reefpoint.engine.columns import Int64s
from reefpoint.engine.currencies import FxVersion, convert_up
from reefpoint.engine.reporting import Parts
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import owed_minor, price_units_per_minor
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.facilities import pool_codes
from reefpoint.records.market.selectors.fx import latest_fx
from reefpoint.records.market.types import InstrumentView
from reefpoint.records.products.selectors import get_version


class NoReportingRate(Refusal):
    """Accounts of a currency that cannot be told in the one asked for."""

    code = "no_reporting_rate"


class PartKey(NamedTuple):
    """Accounts under one scheme that are funded from one pool; `currency` is their home currency."""

    scheme: str
    pool: str
    currency: str


@dataclass(frozen=True, eq=False)
class DeskBook:
    """The book as columns: row i is the account `account_id[i]`; part p of `parts` is `keys[p]`.

    `currency` is that of all sums, `fx` the rates of the sheet, and `fx_name` their version, or nothing where no figure
    rests on it.
    """

    book: Book
    sheet: Sheet
    parts: Parts
    keys: tuple[PartKey, ...]
    currency: str
    fx: FxVersion
    fx_name: str
    account_id: Int64s
    debt_minor: Int64s

    @property
    def native_count(self) -> int:
        """How many columns of the marks are names as quoted; they come first."""
        return len(self.sheet.column)

    @property
    def instruments(self) -> tuple[InstrumentView, ...]:
        """The names as quoted."""
        return self.sheet.instruments[: self.native_count]

    @property
    def price_units(self) -> Int64s:
        """int64[S]: prices as quoted."""
        return self.sheet.marks.price_units[: self.native_count]

    def rate_e8(self, part: int) -> int:
        """Money of `currency` for one of a part's, today."""
        return int(self.fx.rate_e8[self.parts.reporting, self.parts.home[part]])

    def home_of(self, row: int) -> str:
        """The currency of an account."""
        return self.keys[int(self.parts.part[row])].currency

    def debt_of_part(self, part: int) -> int:
        """What a part has borrowed, in minor units of `currency`, rounded up."""
        own = int(self.debt_minor[self.parts.rows(part)].sum()) * price_units_per_minor(self.keys[part].currency)
        units = int(convert_up(np.array([own]), self.rate_e8(part))[0])
        return owed_minor(units, self.currency)

    @property
    def total_debt_minor(self) -> int:
        """What all have borrowed, in minor units of `currency`: the sum of the parts."""
        return sum(map(self.debt_of_part, range(len(self.keys))))


def load_desk_book(*, at: datetime, currency: str | None = None) -> DeskBook:
    """The whole book on the prices and rates known at `at`, its sums to be told in `currency`.

    Without one it is the currency of all accounts, or where they have several the base of the rates. Raises
    `NoReportingRate` for a currency that the desk does not keep, and when there is no rate to it.
    """
    loaded = load_book(at=at)
    ids, versions = loaded.record.account_id, loaded.record.scheme_version_id
    schemes = {version: get_version(version).scheme_code for version in np.unique(versions).tolist()}
    pools = pool_codes(ids.tolist())
    keys = [
        PartKey(schemes[version], pools.get(account_id, ""), loaded.sheet.terms[version].currency)
        for account_id, version in zip(ids.tolist(), versions.tolist(), strict=True)
    ]
    found = tuple(sorted(set(keys)))
    number = {key: place for place, key in enumerate(found)}
    homes = sorted({key.currency for key in found})
    fx_view = loaded.sheet.fx or (latest_fx(at) if set(homes) != {currency or (homes[0] if homes else "USD")} else None)
    if currency is None:
        currency = homes[0] if len(homes) == 1 else fx_view.base if fx_view else "USD"
    if currency not in NUMBER:
        raise NoReportingRate(
            "{currency} is no currency of the desk; it keeps {codes}.", currency=currency, codes=CODES
        )
    missing = [home for home in homes if home != currency and not (fx_view and fx_view.rate_e8(currency, home))]
    if missing:
        raise NoReportingRate(
            "There is no rate from {missing} to {currency}: record a version of the rates that has it.",
            missing=missing,
            currency=currency,
        )
    is_converted = bool(loaded.sheet.fx) or homes not in ([], [currency])
    return DeskBook(
        book=loaded.book,
        sheet=loaded.sheet,
        parts=Parts(
            part=np.array([number[key] for key in keys], dtype=np.int32),
            home=np.array([NUMBER[key.currency] for key in found], dtype=np.int64),
            reporting=NUMBER[currency],
            columns=loaded.sheet.columns,
        ),
        keys=found,
        currency=currency,
        fx=engine_fx(fx_view),
        fx_name=fx_view.name if fx_view and is_converted else "",
        account_id=ids,
        debt_minor=loaded.record.debt_minor,
    )


def load_account_book(account_id: int, *, at: datetime) -> DeskBook:
    """One account as a book of one, in its own currency, on the prices and rates known at `at`. No scope is looked at:
    whoever shows it does. Raises `NoSuchAccount`.
    """
    account = get_account(account_id)
    sheet = load_sheet([account.scheme_version_id], at=at)
    home = NUMBER[account.currency]
    columns = sheet.columns
    return DeskBook(
        book=book_of([account], sheet),
        sheet=sheet,
        parts=Parts(np.zeros(1, dtype=np.int32), np.array([home], dtype=np.int64), home, columns),
        keys=(PartKey(get_version(account.scheme_version_id).scheme_code, "", account.currency),),
        currency=account.currency,
        fx=engine_fx(sheet.fx),
        fx_name=sheet.fx.name if sheet.fx else "",
        account_id=np.array([account.id], dtype=np.int64),
        debt_minor=np.array([account.debt_minor], dtype=np.int64),
    )
