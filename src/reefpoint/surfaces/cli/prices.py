"""`reefpoint import-prices`: a price file, judged line by line."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reefpoint.surfaces.cli.desk import open_desk

ROWS_MAX = 50


def import_prices(
    file: Annotated[Path, typer.Argument(help="CSV: date, symbol, price, currency; or date and a column per symbol.")],
    source: Annotated[
        str, typer.Option(help="Who gave the prices. A second source can confirm a held price.")
    ] = "file",
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The session; the desk's business date by default.")
    ] = None,
) -> None:
    """Take in a file of prices. What cannot be right is refused or held, line by line; the rest moves the book.

    Exit code 1 when any line was refused or held: each is shown with its row and the reason. The same file again
    changes nothing.

    Example: reefpoint import-prices closes.csv --on 2020-03-09
    """
    open_desk()

    from reefpoint.flows.operations.selectors.clock import get_clock
    from reefpoint.platform.basics.actors import system_actor
    from reefpoint.records.market.services.files import import_price_file

    clock = get_clock()
    result = import_price_file(
        actor=system_actor("file-import"),
        path=file,
        source=source,
        at=clock.at,
        on=on.date() if on else clock.business_date,
    )
    console = Console()
    seen = " before" if result.is_repeat else ""
    console.print(
        f"Session {result.on}: {result.lines} lines read{seen}, {result.accepted} accepted, {result.held} held, "
        f"{result.rejected} refused.",
        highlight=False,
    )
    if result.held or result.rejected:
        _print_verdicts(console, result.batch_id)
        raise typer.Exit(1)


def _print_verdicts(console: Console, batch_id: int) -> None:
    """Each line that was not taken as it came, by its row in the file."""
    from reefpoint.records.market.selectors.quarantine import get_batch

    batch = get_batch(batch_id)
    lines = [(line.row_number, "held", line.reason, line.raw) for line in batch.held_prices]
    lines += [(line.row_number, "refused", line.reason, line.raw) for line in batch.rejected_rows]
    table = Table(title_justify="left")
    for column in ("row", "verdict", "reason", "line"):
        table.add_column(column, justify="right" if column == "row" else "left")
    for row, verdict, reason, raw in sorted(lines)[:ROWS_MAX]:
        table.add_row(str(row), verdict, reason.value.replace("_", " "), escape(raw[:80]))
    console.print(table)
    if len(lines) > ROWS_MAX:
        console.print(f"and {len(lines) - ROWS_MAX} more; the console shows them all under Prices.")
