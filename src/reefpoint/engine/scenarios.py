"""Scenarios: what prices might be, as tables of prices for the stress run.

A shock is a change of a price in 1e-8 of it (`e8`: -10% is -10,000,000), a direction a shock for every name at once.
The price under a shock is floor(price * (1 + shock)) in exact integers, rounded once and down, but at least 1 unit:
a name that has a price never loses it, and one without a price (0) never gains one. A shock of -100% or less is
refused: a share may become nearly worthless, not owe money.

Four ways to make them: falls of everything (`fall_scenarios`), moves of factors (`factor_scenarios`), what happened
from one day to another (`window_scenarios`), and tables of a person's own (`table_scenarios`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np

from reefpoint.engine.columns import (
    BP,
    PRICE_UNITS_MAX,
    BookError,
    Bools,
    Float64s,
    Int64s,
    check_column,
    check_range,
    count_rows,
    int_column,
)

E8 = 100_000_000
"""Shock units in one: a shock of E8 doubles a price."""
SHOCK_E8_MAX = 99 * E8
"""The largest rise, a hundredfold price."""
EVERYTHING = "*"
"""The target of a table's row that is meant for all names."""


@dataclass(frozen=True, eq=False)
class Scenarios:
    """K versions of the prices of S instruments.

    - `names`: K different names
    - `price_units` int64[K, S], K >= 1: 0..`PRICE_UNITS_MAX`, where 0 is no price (its holders cannot be valued)
    """

    names: tuple[str, ...]
    price_units: Int64s

    def __post_init__(self) -> None:
        if not isinstance(self.price_units, np.ndarray) or self.price_units.ndim != 2:
            raise BookError("price_units", None, "must be a table of scenarios by instruments")
        if not self.names:
            raise BookError("names", None, "is empty: there must be a scenario")
        check_column("price_units", self.price_units, np.int64, (len(self.names), self.price_units.shape[1]))
        check_range("price_units", self.price_units, 0, PRICE_UNITS_MAX)
        seen: set[str] = set()
        for row, name in enumerate(self.names):
            if not name or name in seen:
                raise BookError("names", row, f"is {name!r}: each scenario has a name of its own")
            seen.add(name)

    def __len__(self) -> int:
        return len(self.names)


def shock_prices(price_units: Int64s, shock_e8: Int64s, names: Sequence[str]) -> Scenarios:
    """Prices int64[S] under shocks int64[K, S] (or [K, 1], the same for all names), one scenario a row.

    Raises `BookError` with the scenario's row for a shock of -100% or less, and for a price that would be too large.
    """
    count = count_rows("price_units", price_units)
    check_column("price_units", price_units, np.int64, (count,))
    check_range("price_units", price_units, 0, PRICE_UNITS_MAX)
    if not isinstance(shock_e8, np.ndarray) or shock_e8.dtype != np.int64 or shock_e8.ndim != 2:
        raise BookError("shock_e8", None, "must be an int64 table")
    if len(shock_e8) != len(names) or shock_e8.shape[1] not in (1, count):
        raise BookError("shock_e8", None, f"has shape {shock_e8.shape}, not {len(names)} rows for {count} instruments")
    for bad in (shock_e8 <= -E8, shock_e8 > SHOCK_E8_MAX):
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            shock = Decimal(int(shock_e8[row, column])) / (E8 // 100)
            raise BookError("shock_e8", row, f"({names[row]}) is {shock}% for instrument {column}, not above -100%")
    return Scenarios(tuple(names), _moved(price_units, shock_e8))


def _moved(price_units: Int64s, shock_e8: Int64s) -> Int64s:
    """max(1, floor(price * (E8 + shock) / E8)) without passing an int64; 0 where there is no price."""
    factor = np.maximum(E8 + shock_e8, 0)
    whole, part = np.divmod(price_units, E8)
    with np.errstate(over="ignore"):
        moved = whole * factor + part * factor // E8
    too_large = price_units.astype(np.float64) * factor >= float(PRICE_UNITS_MAX + 1) * E8
    if too_large.any():
        row, column = (int(i) for i in np.argwhere(too_large)[0])
        raise BookError("shock_e8", row, f"makes the price of instrument {column} larger than a price may be")
    return np.where(price_units > 0, np.maximum(moved, 1), 0)


def fall_scenarios(price_units: Int64s, falls_bp: Sequence[int]) -> Scenarios:
    """All names fall together by each of `falls_bp`: 1,000 is -10%. 0 is today's prices; a negative fall is a rise."""
    column = int_column("falls_bp", falls_bp)
    check_range(
        "falls_bp", column, -SHOCK_E8_MAX, SHOCK_E8_MAX
    )  # so that the shocks fit; they have bounds of their own
    falls, shocks = column.tolist(), -column.reshape(-1, 1) * (E8 // BP)
    return shock_prices(price_units, shocks, [f"all {-fall / 100:+.2f}%" if fall else "today" for fall in falls])


def factor_scenarios(
    price_units: Int64s, loadings: Float64s, moves: Float64s, names: Sequence[str], own: Float64s | None = None
) -> Scenarios:
    """Moves of factors: the shock of a name is the sum over factors of loading * move, plus its `own`.

    - `loadings` float64[S, F]: how a name follows each factor (a market beta, 1 in the column of its sector, ...)
    - `moves` float64[K, F]: the return of each factor in each scenario; -0.1 is -10%
    - `own` float64[K, S]: a return of the name alone; none by default

    Shocks are rounded to 1e-8. Raises `BookError` with the row for NaN, infinity and shocks of -100% or less.
    """
    if not isinstance(loadings, np.ndarray) or loadings.ndim != 2:
        raise BookError("loadings", None, "must be a table of instruments by factors")
    shape = (count_rows("price_units", price_units), loadings.shape[1])
    tables = {"loadings": (loadings, shape), "moves": (moves, (len(names), shape[1]))}
    if own is not None:
        tables["own"] = own, (len(names), shape[0])
    for label, (table, wanted) in tables.items():
        check_column(label, table, np.float64, wanted)
        _check_finite(label, table)
    returns = moves @ loadings.T if own is None else moves @ loadings.T + own
    return shock_prices(price_units, _as_e8(returns, names), names)


def _check_finite(label: str, table: Float64s) -> None:
    if not np.isfinite(table).all():
        row = int(np.argwhere(~np.isfinite(table))[0][0])
        raise BookError(label, row, "has a value that is not a finite number")


def _as_e8(returns: Float64s, names: Sequence[str]) -> Int64s:
    """Returns in 1e-8. Those past any shock that is allowed are refused here, before they pass an int64."""
    wild = np.abs(returns) > SHOCK_E8_MAX / E8
    if wild.any():
        row = int(np.argwhere(wild)[0][0])
        raise BookError("shock_e8", row, f"({names[row]}) is more than a hundredfold price")
    return np.rint(returns * E8).astype(np.int64)


def sector_loadings(sectors: Sequence[str]) -> tuple[Float64s, tuple[str, ...]]:
    """For names in these sectors (one each): float64[S, F] with 1 in the column of its sector, and the F sectors."""
    found = tuple(sorted(set(sectors)))
    return np.array([[float(sector == one) for one in found] for sector in sectors]).reshape(-1, len(found)), found


@dataclass(frozen=True)
class Window:
    """From the close of row `first` of a table of closes to the close of row `last`."""

    name: str
    first: int
    last: int


def window_scenarios(
    price_units: Int64s, close_units: Int64s, windows: Sequence[Window], sectors: Sequence[str]
) -> tuple[Scenarios, Bools]:
    """What happened in each window, done to today's prices; and bool[K, S] of where a proxy stood in.

    `close_units` int64[D, S]: closes by session, 0 where there is none. A name without a close on the first or the last
    day of a window moves like the middle one of the names of its sector that have both (of two middle ones, the worse),
    or of all names when its sector has none: it is never left still. Returns are floor(last / first) in 1e-8.

    Raises `BookError` with the window's row when it is not in the table, or when no name at all has both closes.
    """
    check_column("close_units", close_units, np.int64, (len(close_units), len(price_units)))
    check_range("close_units", close_units, 0, PRICE_UNITS_MAX)
    if len(sectors) != len(price_units):
        raise BookError("sectors", None, f"has {len(sectors)} rows, there are {len(price_units)} instruments")
    sector = np.array(sectors, dtype=object)
    shocks = np.zeros((len(windows), len(price_units)), dtype=np.int64)
    is_proxy = np.zeros(shocks.shape, dtype=np.bool_)
    for row, window in enumerate(windows):
        if not 0 <= window.first < window.last < len(close_units):
            raise BookError("windows", row, f"({window.name}) must go from an earlier to a later of {len(close_units)}")
        before, after = close_units[window.first], close_units[window.last]
        has_both = (before > 0) & (after > 0)
        if not has_both.any():
            raise BookError("windows", row, f"({window.name}) has no name with a close on both its days")
        shocks[row, has_both] = _ratio_e8(after[has_both], before[has_both]) - E8
        is_proxy[row] = ~has_both
        for column in np.flatnonzero(~has_both):
            alike = has_both & (sector == sector[column])
            shocks[row, column] = _lower_median(shocks[row, alike if alike.any() else has_both])
    # a close that all but vanished rounds to -100%, which no shock may be: the least price does it
    np.maximum(shocks, 1 - E8, out=shocks)
    return shock_prices(price_units, shocks, [window.name for window in windows]), is_proxy


def _ratio_e8(numerator: Int64s, denominator: Int64s) -> Int64s:
    """floor(numerator * 1e8 / denominator), four digits at a time so that 2^40 * 1e8 never has to be held."""
    whole, rest = np.divmod(numerator, denominator)
    high, rest = np.divmod(rest * BP, denominator)
    low = rest * BP // denominator
    ratio: Int64s = np.minimum(whole, 1000) * E8 + high * BP + low
    return ratio


def _lower_median(values: Int64s) -> int:
    return int(np.sort(values)[(len(values) - 1) // 2])


@dataclass(frozen=True)
class ShockRow:
    """A row of a person's table: in `scenario`, `target` moves by `shock_pct` percent, as it was written ("-12.5").

    `target` is a symbol, a sector, or `*` for all names.
    """

    scenario: str
    target: str
    shock_pct: str


def table_scenarios(
    price_units: Int64s, symbols: Sequence[str], sectors: Sequence[str], rows: Sequence[ShockRow]
) -> Scenarios:
    """The scenarios of a table, in the order in which they first appear.

    A name moves by its own row, or else by its sector's, or else by that of `*`; a name with none keeps its price.
    Raises `BookError` with the row for a target that is neither, a target that comes twice in a scenario, and a shock
    that is not a number above -100%; and for a table without rows.
    """
    if not rows:
        raise BookError("rows", None, "is empty: there must be a shock")
    column = {symbol: index for index, symbol in enumerate(symbols)}
    names = tuple(dict.fromkeys(row.scenario for row in rows))
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        if not row.scenario:
            raise BookError("rows", number, "has no scenario name")
        if row.target != EVERYTHING and row.target not in column and row.target not in sectors:
            raise BookError("rows", number, f"is for {row.target!r}, which is no symbol and no sector")
        if (row.scenario, row.target) in seen:
            raise BookError("rows", number, f"is the second for {row.target} in {row.scenario}")
        seen[row.scenario, row.target] = percent_e8(row.shock_pct, number)
    shocks = np.zeros((len(names), len(symbols)), dtype=np.int64)
    for at, name in enumerate(names):
        for index, (symbol, sector) in enumerate(zip(symbols, sectors, strict=True)):
            targets: Iterable[str] = (symbol, sector, EVERYTHING)
            shocks[at, index] = next((seen[name, one] for one in targets if (name, one) in seen), 0)
    return shock_prices(price_units, shocks, names)


def percent_e8(text: str, row: int) -> int:
    """A shock as a person writes it, "-12.5" or "-12.5%", in 1e-8. Raises `BookError` with the row of the table."""
    try:
        shock = Decimal(text.strip().removesuffix("%"))
    except InvalidOperation as error:
        raise BookError("rows", row, f"has the shock {text!r}, which is not a number of percent") from error
    if not shock.is_finite() or not -100 < shock <= SHOCK_E8_MAX // (E8 // 100):
        raise BookError("rows", row, f"has the shock {text!r}: it must be above -100% and make no hundredfold price")
    shock_e8 = shock * (E8 // 100)
    if shock_e8 != int(shock_e8):
        raise BookError("rows", row, f"has the shock {text!r}, with more than six decimals of a percent")
    return int(shock_e8)


def along(price_units: Int64s, direction_e8: Int64s, steps_bp: Sequence[int]) -> Scenarios:
    """Prices some way along a direction: step t shocks each name by direction * t / 10,000, rounded down.

    `direction_e8` int64[S] is the whole way, -100% to +9,900%. A name that falls all the way keeps 1 unit.
    """
    check_column("direction_e8", direction_e8, np.int64, price_units.shape)
    check_range("direction_e8", direction_e8, -E8, SHOCK_E8_MAX)
    steps = np.array(steps_bp, dtype=np.int64)
    check_range("steps_bp", steps, 0, BP)
    shocks = direction_e8 * steps.reshape(-1, 1) // BP
    return Scenarios(tuple(f"{step} bp" for step in steps.tolist()), _moved(price_units, shocks))
