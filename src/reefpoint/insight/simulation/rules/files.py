"""A file of closes: what it must look like, and every reason why one cannot be read.

    date,600519,000001
    volume,3000000,90000000
    lot,100,100
    2024-01-02,1685.01,9.21
    2024-01-03,1694.00,
    2024-01-04,1669.00,S

The first line names the columns. `volume` (shares a day) and `lot` are optional. An empty cell has no close of the day;
`S` or `停牌` is a day on which the name does not trade.
"""

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from reefpoint.engine.columns import PRICE_UNITS_MAX
from reefpoint.insight.simulation.rules.checks import SimulationRefused
from reefpoint.insight.simulation.types import History, Suspension
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.rules import day_limit_bp
from reefpoint.records.market.types import InstrumentView, SessionCalendar

FILE_BYTES_MAX = 1_000_000
FILE_NAMES_MAX = 30
FILE_SESSIONS_MAX = 5_200
VOLUME_ASSUMED = 1_000_000
LOTS = {"XHKG": 100, "XSHG": 100, "XSHE": 100}
"""Shares in a lot where the file names none: on the mainland 100 by rule; in Hong Kong each name has its own, often 100
or more, so that the file should say it."""
CALENDARS = {"XNYS": "XNYS", "XHKG": "XHKG", "XSHG": "XSHG", "XSHE": "XSHG"}
"""The venues a file may come from, and whose sessions they keep; Shenzhen keeps those of Shanghai."""
SYMBOL = re.compile(r"[A-Z0-9.]{1,12}")
PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?", re.ASCII)
SUSPENDED = frozenset({"S", "停牌"})
_UNITS = 10_000
_HEADS = ("volume", "lot")


class PriceFileRefused(Refusal):
    """A file of prices that cannot be read. The facts say where: `line` (from 1), `column` (its heading), `why`."""

    code = "price_file_refused"


@dataclass(frozen=True)
class PriceFile:
    """Closes of a file in units of 1e-4, 0 without a close; `halted[d][n]` where the name did not trade."""

    venue: str
    symbols: tuple[str, ...]
    volumes: tuple[int, ...]
    lots: tuple[int, ...]
    days: tuple[date, ...]
    closes: tuple[tuple[int, ...], ...]
    halted: tuple[tuple[bool, ...], ...]

    def between(self, symbols: Collection[str], since: date, until: date, currency: str) -> History:
        """The closes of some names over a period, with the venue's limits. Raises `SimulationRefused`."""
        if missing := sorted(set(symbols) - set(self.symbols)):
            raise SimulationRefused("There are no prices of {symbols}.", why="no_prices", symbols=missing)
        columns = [self.symbols.index(symbol) for symbol in sorted(symbols)]
        rows = [number for number, on in enumerate(self.days) if since <= on <= until]
        instruments = tuple(self._instrument(column, currency) for column in columns)
        return History(
            instruments=instruments,
            days=tuple(self.days[row] for row in rows),
            closes=tuple(tuple(self.closes[row][column] for column in columns) for row in rows),
            limits_bp=tuple(day_limit_bp(self.venue, one.symbol) for one in instruments),
            suspensions=tuple(halt for column in columns for halt in self._halts(column, rows)),
        )

    def _instrument(self, column: int, currency: str) -> InstrumentView:
        return InstrumentView(
            id=column + 1,
            symbol=self.symbols[column],
            name=self.symbols[column],
            name_zh="",
            currency=currency,
            venue=CALENDARS[self.venue],
            sector="",
            lot_size=self.lots[column],
            price_band_bp=_UNITS,
            assumed_daily_volume=self.volumes[column],
            is_suspended=False,
        )

    def _halts(self, column: int, rows: Sequence[int]) -> list[Suspension]:
        """Each stretch of days without trading, to the day on which it goes on."""
        halts = []
        for is_halted, group in groupby(rows, key=lambda row: self.halted[row][column]):
            stretch = list(group)
            if is_halted:
                after = stretch[-1] + 1
                until = self.days[after] if after <= rows[-1] else None
                halts.append(Suspension(self.symbols[column], self.days[stretch[0]], until))
        return halts


def read_prices(text: str, venue: str, calendar: SessionCalendar) -> PriceFile:
    """Read a file of closes on a venue's sessions. Raises `PriceFileRefused` naming line and column."""
    if len(text.encode()) > FILE_BYTES_MAX:
        raise PriceFileRefused("The file is larger than a megabyte.", why="too_large", line=0, column="")
    lines = [(number, row) for number, row in enumerate(_rows(text), start=1) if any(cell.strip() for cell in row)]
    if not lines:
        raise PriceFileRefused("The file is empty.", why="empty", line=0, column="")
    symbols = _read_heading(*lines[0])
    heads = {row[0].strip().lower(): (number, row) for number, row in lines[1:3] if row[0].strip().lower() in _HEADS}
    volumes = _read_head(heads.get("volume"), symbols, VOLUME_ASSUMED)
    lots = _read_head(heads.get("lot"), symbols, LOTS.get(venue, 1))
    body = lines[1 + len(heads) :]
    if len(body) > FILE_SESSIONS_MAX:
        raise PriceFileRefused(
            "The file has more than {file_sessions_max:,} days.",
            why="too_long",
            line=body[-1][0],
            column="",
            file_sessions_max=FILE_SESSIONS_MAX,
        )
    days: list[date] = []
    closes, halted = [], []
    for number, row in body:
        days.append(_read_day(number, row, days, calendar))
        units = [
            _read_close(number, name, cell) for name, cell in zip(symbols, _cells(number, row, symbols), strict=True)
        ]
        closes.append(tuple(max(one, 0) for one in units))
        halted.append(tuple(one < 0 for one in units))
    return PriceFile(venue, symbols, volumes, lots, tuple(days), tuple(closes), tuple(halted))


def _rows(text: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except csv.Error:
        raise PriceFileRefused("This is not a CSV file.", why="not_csv", line=0, column="") from None


def _read_heading(number: int, row: Sequence[str]) -> tuple[str, ...]:
    symbols = tuple(cell.strip().upper() for cell in row[1:])
    if row[0].strip().lower() != "date" or not symbols:
        raise PriceFileRefused(
            "The first line is `date` and the symbols of the names.", why="heading", line=number, column=row[0][:20]
        )
    if len(symbols) > FILE_NAMES_MAX:
        raise PriceFileRefused(
            "The file has more than {file_names_max} names.",
            why="too_many",
            line=number,
            column="",
            file_names_max=FILE_NAMES_MAX,
        )
    for symbol in symbols:
        if not SYMBOL.fullmatch(symbol) or symbols.count(symbol) > 1:
            raise PriceFileRefused(
                "Not a symbol, or twice in the heading: {column}.", why="symbol", line=number, column=symbol[:20]
            )
    return symbols


def _cells(number: int, row: Sequence[str], symbols: Sequence[str]) -> list[str]:
    if len(row) != len(symbols) + 1:
        raise PriceFileRefused(
            "Line {line} has {count} cells and the heading {wanted}.",
            why="cells",
            line=number,
            column="",
            count=len(row),
            wanted=len(symbols) + 1,
        )
    return [cell.strip() for cell in row[1:]]


def _read_head(line: tuple[int, Sequence[str]] | None, symbols: Sequence[str], otherwise: int) -> tuple[int, ...]:
    if line is None:
        return (otherwise,) * len(symbols)
    number, row = line
    values = []
    for name, cell in zip(symbols, _cells(number, row, symbols), strict=True):
        if not (cell.isascii() and cell.isdigit() and 0 < int(cell[:16]) <= 10**12 and len(cell) <= 13):
            raise PriceFileRefused(
                "Line {line}, {column}: a whole number of shares is needed.", why="shares", line=number, column=name
            )
        values.append(int(cell))
    return tuple(values)


def _read_day(number: int, row: Sequence[str], days: Sequence[date], calendar: SessionCalendar) -> date:
    try:
        on = date.fromisoformat(row[0].strip())
    except ValueError:
        raise PriceFileRefused(
            "Line {line}: {row} is not a day. Write 2024-01-02.", why="day", line=number, column="date", row=row[0][:20]
        ) from None
    if days and on <= days[-1]:
        raise PriceFileRefused(
            "Line {line}: {on} does not come after the day before it.", why="order", line=number, column="date", on=on
        )
    if not (calendar.first <= on <= calendar.last and calendar.is_session(on)):
        raise PriceFileRefused(
            "Line {line}: {venue} does not trade on {on}.",
            why="no_session",
            line=number,
            column="date",
            venue=calendar.venue,
            on=on,
        )
    return on


def _read_close(number: int, name: str, cell: str) -> int:
    """A close in units of 1e-4; 0 for none, -1 for a name that does not trade."""
    if not cell:
        return 0
    if cell.upper() in SUSPENDED:
        return -1
    units = int(Decimal(cell) * _UNITS) if PRICE.fullmatch(cell) else 0
    if not 0 < units <= PRICE_UNITS_MAX:
        raise PriceFileRefused(
            "Line {line}, {column}: {cell} is not a price above zero with at most four decimals.",
            why="price",
            line=number,
            column=name,
            cell=cell[:20],
        )
    return units
