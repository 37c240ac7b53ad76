"""The scenarios that the desk comes with, and how a table of a person's own is read."""

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from reefpoint.engine.columns import BP
from reefpoint.engine.scenarios import ShockRow
from reefpoint.insight.stress.types import HistoricalWindow, ScenarioChoice
from reefpoint.platform.basics.errors import Refusal

FALLS_BP = (1_000, 2_000, 3_000, 4_000)
"""Parallel falls: -10%, -20%, -30%, -40%."""
MARKET_FALLS_BP = (1_000, 2_000, 3_000)
"""Falls of the market; each name follows by its beta."""
WORST_BY_BETA = -0.99
"""What a name loses at most in them, however large its beta."""
GAP_PCT = "-50"
"""What a single name loses overnight in its own scenario."""
GAP_NAMES = 5
"""How many of the names that the book holds most of get such a scenario."""
CURRENCY_FALLS_BP = (1_000,)
"""Falls of each currency of the book against all others."""
FX_TARGET = "fx:"
"""Before the code of a currency in a table of scenarios: its worth in every other currency moves."""
MARKET = "market"
"""What falls in a reverse stress when each name follows the market by its beta."""
WORST_ACCOUNTS = 10
MOVE_BP = -100
"""The small move of a sensitivity: 1% down."""
HEADER = ("scenario", "target", "shock")

WINDOWS = (
    HistoricalWindow("1990 Gulf", date(1990, 7, 16), date(1990, 10, 11)),
    HistoricalWindow("1998 Russia and LTCM", date(1998, 7, 17), date(1998, 8, 31)),
    HistoricalWindow("2000-2002 dot-com", date(2000, 3, 24), date(2002, 10, 9)),
    HistoricalWindow("2001 September", date(2001, 9, 10), date(2001, 9, 21)),
    HistoricalWindow("2008 Lehman", date(2008, 9, 12), date(2008, 11, 20)),
    HistoricalWindow("2011 downgrade", date(2011, 7, 22), date(2011, 8, 8)),
    HistoricalWindow("2018 fourth quarter", date(2018, 9, 20), date(2018, 12, 24)),
    HistoricalWindow("2020 pandemic", date(2020, 2, 19), date(2020, 3, 23)),
    HistoricalWindow("2020 one day", date(2020, 3, 13), date(2020, 3, 16)),
    HistoricalWindow("2022 rates", date(2022, 1, 3), date(2022, 6, 16)),
)
"""Peaks and troughs of the S&P 500 by close."""


def usual_scenarios() -> ScenarioChoice:
    """What is run when nobody asks for anything else."""
    return ScenarioChoice(FALLS_BP, MARKET_FALLS_BP, CURRENCY_FALLS_BP, with_history=True, with_gaps=True)


class ScenarioRefused(Refusal):
    """A scenario that cannot be run. The sentence says which line or option, and why."""

    code = "scenario_refused"


def read_scenarios(lines: Iterable[str]) -> tuple[ShockRow, ...]:
    """The rows of a CSV: `scenario,target,shock`; the target is a symbol, a sector, `*` for all
    or `fx:HKD` for what a currency is worth in the others, the shock a percentage.

    Raises `ScenarioRefused` with the line for one that does not have three columns, and for a file without rows. What
    the columns say is judged by the engine (`line_of_row` leads from its row to the line).
    """
    rows: list[ShockRow] = []
    for line, columns in enumerate(csv.reader(lines), 1):
        cells = tuple(cell.strip() for cell in columns)
        if line == 1 and tuple(cell.lower().removeprefix("\ufeff") for cell in cells) != HEADER:
            raise ScenarioRefused(
                "Line 1 must be the heading {header}, not {cells!r}.", header=",".join(HEADER), cells=",".join(cells)
            )
        if line > 1 and len(cells) != len(HEADER):
            raise ScenarioRefused(
                "Line {line} has {count} columns; it must have {wanted}.",
                line=line,
                count=len(cells),
                wanted=len(HEADER),
            )
        if line > 1:
            rows.append(ShockRow(*cells))
    if not rows:
        raise ScenarioRefused("The file has no scenarios: after the heading there must be a line.")
    return tuple(rows)


def read_falls(text: str) -> tuple[int, ...]:
    """Percentages between commas, "10, 20, 35.5%", in basis points: two decimals at most, above 0 and below 100.

    Raises `ScenarioRefused` with the word that is none.
    """
    falls = []
    for word in text.replace("，", ",").split(",") if text.strip() else ():
        try:
            fall_bp = Decimal(word.strip().removesuffix("%")) * 100
        except InvalidOperation:
            fall_bp = Decimal("nan")
        if not fall_bp.is_finite() or fall_bp != int(fall_bp) or not 0 < fall_bp < BP:
            raise ScenarioRefused("{word!r} is not a fall between 0.01 and 99.99 percent.", word=word.strip())
        falls.append(int(fall_bp))
    return tuple(dict.fromkeys(falls))


def line_of_row(row: int) -> int:
    """Where row `row` (from 0) of `read_scenarios` stands in the file."""
    return row + 2
