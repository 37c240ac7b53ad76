"""Names held in accounts of another currency: a column of marks for each home currency, at one version of the rates.

A desk that holds nothing abroad has the columns as quoted, and asks for no rates.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from reefpoint.engine.book import Marks
from reefpoint.engine.currencies import FxVersion, HomeColumns
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.market.selectors.fx import is_fx_usable
from reefpoint.records.market.types import FxView, InstrumentView

CODES = tuple(MINOR_DIGITS)
NUMBER = {code: number for number, code in enumerate(CODES)}
"""A currency's number for the engine."""


def home_columns(instruments: Sequence[InstrumentView], homes: Collection[str]) -> HomeColumns:
    """The columns as quoted, and behind them one for each name and each of `homes` that it is not quoted in."""
    quoted = np.array([NUMBER[one.currency] for one in instruments], dtype=np.int64)
    own = np.arange(len(quoted), dtype=np.int64)
    wanted = np.array(sorted(NUMBER[code] for code in homes), dtype=np.int64)
    if np.isin(quoted, wanted).all() and len(wanted) <= 1:
        return HomeColumns(quoted, own, quoted)
    return HomeColumns.of_positions(quoted, np.tile(own, len(wanted)), np.repeat(wanted, len(own)))


def is_abroad(columns: HomeColumns) -> bool:
    """Whether there is a column beside those as quoted."""
    return len(columns.instrument) > len(columns.currency)


def marks_at_home(native: Marks, columns: HomeColumns, fx: FxView | None, at: datetime) -> Marks:
    """The marks of all columns. Without a rate a name has no price (I17); at rates too old it is stale (I12)."""
    if not is_abroad(columns):
        return native
    marks = columns.marks(native, engine_fx(fx))
    if is_fx_usable(fx, at.date()):
        return marks
    is_stale = marks.is_stale.copy()
    is_stale[len(columns.currency) :] = True
    return replace(marks, is_stale=is_stale)


def engine_fx(fx: FxView | None) -> FxVersion:
    """A version of the rates as the engine takes it; without one, each currency to itself alone."""
    rates = [[fx.rate_e8(home, foreign) if fx else 0 for foreign in CODES] for home in CODES]
    table = np.array(rates, dtype=np.int64)
    np.fill_diagonal(table, 10**8)
    return FxVersion(fx.name if fx else "no rates", CODES, table)
