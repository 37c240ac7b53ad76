"""The whole book as the monitor holds it: columns for the engine, and beside them what is on record of each account.

Nothing here is an object an account: a desk of a million accounts is a dozen arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from reefpoint.decisions.margin.models import MarginCall
from reefpoint.decisions.margin.selectors.currencies import is_abroad, marks_at_home
from reefpoint.decisions.margin.selectors.standing import (
    Sheet,
    collateral_tables,
    cut_prices,
    load_sheet,
    ratio_or_none,
)
from reefpoint.decisions.margin.types import Band, CallCause, CallState, Standing
from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN
from reefpoint.engine.book import Book, Marks, pack_instruments, sorted_by_size
from reefpoint.engine.columns import Bools, Int8s, Int64s
from reefpoint.engine.loading import read_columns, read_positions
from reefpoint.engine.valuation import Valuation
from reefpoint.platform.basics.money import price_units_per_minor
from reefpoint.platform.database.bulk import copy_out
from reefpoint.records.accounts.selectors.accounts import ACCOUNT_FIELDS, CURRENCIES, copy_book
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.market.selectors.fx import latest_fx
from reefpoint.records.market.selectors.prices import latest_columns

STATE_FIELDS = {
    "account_id": 8,
    "band": 2,
    "assets_minor": 8,
    "lendable_minor": 8,
    "requirement_minor": 8,
    "ratio_bp": 8,
}
STATE_ROWS = """
SELECT account_id, band, assets_minor, lendable_minor, requirement_minor,
       coalesce(ratio_bp, CASE WHEN band = %(unknown)s THEN %(ratio_unknown)s::bigint ELSE %(no_debt)s::bigint END)
  FROM margin_marginstate ORDER BY account_id
"""
BANDS = {band.value: band for band in Band}
FIGURES = ("assets_minor", "lendable_minor", "requirement_minor", "ratio_bp")
"""The figures of a state that prices alone can change."""


@dataclass(eq=False)
class OnRecord:
    """What the desk's tables say of each account of the book; row i is the account `account_id[i]`.

    - `account_id`, `scheme_version_id`, `debt_minor` int64[A]
    - `units_per_minor` int64[A]: price units in one minor unit of its money
    - `is_measured` bool[A]: it has a margin state; `figures` int64[4, A]: the `FIGURES` of it
    - `is_called` bool[A]: it has an open call; `is_called_for_maintenance` bool[A]: one that equity ends, not the ratio
    """

    account_id: Int64s
    scheme_version_id: Int64s
    debt_minor: Int64s
    units_per_minor: Int64s
    is_measured: Bools
    is_called: Bools
    is_called_for_maintenance: Bools
    figures: Int64s

    def __post_init__(self) -> None:
        self._index()

    def _index(self) -> None:
        self._by_id = np.argsort(self.account_id, kind="stable")
        self._sorted_id = self.account_id[self._by_id]

    def __len__(self) -> int:
        return len(self.account_id)

    def find_rows(self, account_ids: Sequence[int]) -> Int64s:
        """int64[N]: the row of each of these accounts, -1 for one that is not in the book."""
        wanted = np.asarray(account_ids, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._sorted_id, wanted), max(0, len(self) - 1))
        if not len(self):
            return np.full(len(wanted), -1, dtype=np.int64)
        return np.where(self._sorted_id[place] == wanted, self._by_id[place], -1)

    def add(self, account_ids: Sequence[int]) -> None:
        """Accounts that were opened since: rows at the end, never measured, with nothing said of them yet."""
        none = np.zeros(len(account_ids), dtype=np.int64)
        self.account_id = np.append(self.account_id, np.asarray(account_ids, dtype=np.int64))
        self.scheme_version_id = np.append(self.scheme_version_id, none)
        self.debt_minor = np.append(self.debt_minor, none)
        self.units_per_minor = np.append(self.units_per_minor, none)
        self.is_measured = np.append(self.is_measured, none.astype(np.bool_))
        self.is_called = np.append(self.is_called, none.astype(np.bool_))
        self.is_called_for_maintenance = np.append(self.is_called_for_maintenance, none.astype(np.bool_))
        self.figures = np.append(self.figures, np.zeros((len(FIGURES), len(none)), dtype=np.int64), axis=1)
        self._index()

    def take_facts(self, row: int, facts: AccountFacts) -> None:
        """What the records say of an account now."""
        self.scheme_version_id[row] = facts.scheme_version_id
        self.debt_minor[row] = facts.debt_minor
        self.units_per_minor[row] = price_units_per_minor(facts.currency)

    def take_calls(self, rows: Int64s, called: Mapping[int, CallCause]) -> None:
        """What these accounts are called for now."""
        self.is_called[rows] = np.isin(self.account_id[rows], list(called))
        self.is_called_for_maintenance[rows] = np.isin(self.account_id[rows], _for_maintenance(called))

    def figures_of(self, rows: Int64s, valued: Valuation) -> Int64s:
        """int64[4, N]: the `FIGURES` that a valuation of `rows` puts on record, in their minor units."""
        scale = self.units_per_minor[rows]
        return np.stack(
            (
                valued.assets_units // scale,
                valued.lendable_units // scale,
                -(-valued.requirement_units // scale),  # what is owed rounds up, as in `owed_minor`
                valued.ratio_bp,
            )
        )

    def standings(self, rows: Int64s, valued: Valuation) -> list[Standing]:
        """A valuation of `rows` as money: what is owed rounds up, what backs it rounds down."""
        scale = self.units_per_minor[rows]
        columns = (
            self.account_id[rows],
            valued.market_units // scale,
            *self.figures_of(rows, valued),
            self.debt_minor[rows],
            valued.band,
        )
        return [
            Standing(account_id, market, assets, lendable, requirement, debt, ratio_or_none(ratio), BANDS[band])
            for account_id, market, assets, lendable, requirement, ratio, debt, band in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


@dataclass(frozen=True, eq=False)
class LoadedBook:
    """The book in the order that is valued fastest, under `sheet`, with the bands and figures on record."""

    book: Book
    sheet: Sheet
    band: Int8s
    record: OnRecord


def load_book(*, at: datetime) -> LoadedBook:
    """Read the whole book on the prices known at `at`. Raises `BookError` for rows that contradict each other."""
    position_rows, account_rows = copy_book()
    accounts = read_columns(account_rows, ACCOUNT_FIELDS)
    versions, terms = np.unique(accounts["scheme_version_id"], return_inverse=True)
    sheet = load_sheet(versions.tolist(), at=at)
    ids = accounts["account_id"]
    start, instrument, quantity = read_positions(position_rows, ids, np.fromiter(sheet.column, np.int64))
    if is_abroad(sheet.columns):
        home = np.repeat(accounts["currency"].astype(np.int64) - 1, np.diff(start))
        instrument = pack_instruments(sheet.columns.columns(instrument.astype(np.int64), home))
    scale = np.array([0, *(price_units_per_minor(code) for code in CURRENCIES)])[accounts["currency"]]
    money = (accounts["cash_minor"] * scale, accounts["debt_minor"] * scale)
    book, order = sorted_by_size(Book(start, instrument, quantity, *money, terms.astype(np.uint16)))
    band, is_measured, figures = _load_states(ids)
    called = dict(MarginCall.objects.filter(state=CallState.OPEN).values_list("account_id", "cause"))
    record = OnRecord(
        account_id=ids[order],
        scheme_version_id=accounts["scheme_version_id"][order],
        debt_minor=accounts["debt_minor"][order],
        units_per_minor=scale[order],
        is_measured=is_measured[order],
        is_called=np.isin(ids, [*called], assume_unique=True)[order],
        is_called_for_maintenance=np.isin(ids, _for_maintenance(called), assume_unique=True)[order],
        figures=figures[:, order],
    )
    return LoadedBook(book, sheet, band[order], record)


def load_marks(sheet: Sheet, *, at: datetime) -> Marks | None:
    """The marks of `sheet` brought up to `at`; None when there are other instruments now, and it takes a new sheet."""
    latest = latest_columns(at)
    if latest.instrument_id.tolist() != list(sheet.column):
        return None
    quoted = len(sheet.column)
    haircut_bp, _ = collateral_tables(tuple(sheet.terms), sheet.instruments[:quoted], at=at)
    native = Marks(
        price_units=cut_prices(latest.price_units, latest.instrument_id.tolist(), latest.is_suspended, at=at),
        haircut_bp=haircut_bp,
        maintenance_bp=np.ascontiguousarray(sheet.marks.maintenance_bp[:, :quoted]),
        is_stale=latest.is_stale,
        is_suspended=latest.is_suspended,
        lot=latest.lot,
    )
    fx = latest_fx(at) if is_abroad(sheet.columns) else None
    return marks_at_home(native, sheet.columns, fx, at)


def _load_states(account_ids: Int64s) -> tuple[Int8s, Bools, Int64s]:
    """Band, whether there is a state, and the figures of it, of each account."""
    absent = {"unknown": Band.UNKNOWN.value, "ratio_unknown": RATIO_UNKNOWN, "no_debt": RATIO_NO_DEBT}
    states = read_columns(copy_out(STATE_ROWS, absent), STATE_FIELDS)
    _, here, there = np.intersect1d(account_ids, states["account_id"], assume_unique=True, return_indices=True)
    band = np.full(len(account_ids), Band.UNKNOWN.value, dtype=np.int8)
    band[here] = states["band"][there]
    is_measured = np.zeros(len(account_ids), dtype=np.bool_)
    is_measured[here] = True
    figures = np.zeros((len(FIGURES), len(account_ids)), dtype=np.int64)
    figures[:, here] = [states[name][there] for name in FIGURES]
    return band, is_measured, figures


def _for_maintenance(called: Mapping[int, str]) -> list[int]:
    return [account_id for account_id, cause in called.items() if cause == CallCause.MAINTENANCE]
