"""`reefpoint demo`: a desk is made and a past market is replayed through it."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from reefpoint.platform.database.embedded import EmbeddedPostgres
from reefpoint.platform.database.home import data_home
from reefpoint.surfaces.cli.crew import Crew
from reefpoint.surfaces.cli.desk import missing_migrations, open_desk
from reefpoint.surfaces.cli.serve import address_of, listen
from reefpoint.surfaces.cli.verify import print_verification

if TYPE_CHECKING:
    from reefpoint.records.products.types import SchemeTerms

DATABASE = "reefpoint_demo"
FIRST_DAY = datetime.fromisoformat("2020-01-02")
LAST_DAY = datetime.fromisoformat("2020-06-30")


def demo(
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business day.")] = FIRST_DAY,
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business day.")] = LAST_DAY,
    clients: Annotated[int, typer.Option(min=1, max=20_000, help="How many clients the desk has.")] = 500,
    speed: Annotated[
        float | None, typer.Option(min=0.01, help="Business days a second at most; as fast as possible by default.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No console: replay, print the figures, end.")] = False,
    seed: Annotated[int, typer.Option(help="Draws the cast and its behaviour; the same seed, the same books.")] = 7,
    close_out: Annotated[
        list[str] | None,
        typer.Option(help="Change a scheme's close-out line, in basis points: --close-out PRIME=14500. Repeatable."),
    ] = None,
    port: Annotated[int, typer.Option(help="The console's port; when it is taken, a free one is used.")] = 8000,
) -> None:
    """Make a lending desk and replay a real crash through it: prices, calls, cures, sales, books, proof.

    20 US stocks from the packaged history (1990 to 2022). Every run begins anew in a database of its own.

    Examples: reefpoint demo --headless · reefpoint demo --from 2008-09-02 --to 2009-03-31 --clients 200
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    began = time.monotonic()
    home = data_home()
    server = _fresh_database(home)
    os.environ["REEFPOINT_REQUIRE_SECOND_FACTOR"] = "0"
    _migrate(console)
    with Crew(home, server) as crew:
        crew.start("work", "work")
        crew.start("watch", "watch")
        address = "" if headless else _serve(crew, port)
        if address:
            _print_sign_in(console, address)
        _replay(console, start.date(), end.date(), clients, seed, speed, _changes(close_out or []))
        _print_figures(console, time.monotonic() - began)
        is_whole = print_verification(console)
        if address:
            _print_sign_in(console, address)
            console.print("The finished book stays open there. Ctrl-C ends the demo.")
            _wait_for_interrupt()
    if not is_whole:
        raise typer.Exit(1)


def _fresh_database(home: Path) -> EmbeddedPostgres | None:
    """Point DATABASE_URL at an empty database: a new one in the embedded server, or the one that the user gives."""
    if "DATABASE_URL" in os.environ:
        open_desk(must_be_migrated=False)
        from django.db import connection

        if connection.introspection.table_names():
            typer.secho(
                "DATABASE_URL points at a database that is not empty. The demo begins anew and would lose what is in "
                "it: give it an empty one, or unset DATABASE_URL.",
                fg="red",
                err=True,
            )
            raise typer.Exit(1)
        return None
    server = EmbeddedPostgres(home)
    server.start()
    server.drop_database(DATABASE)
    os.environ["DATABASE_URL"] = server.ensure_database(DATABASE)
    return server


def _migrate(console: Console) -> None:
    with console.status("Making the tables"):
        open_desk(must_be_migrated=False)

        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        assert not missing_migrations()


def _serve(crew: Crew, port: int) -> str:
    """Start the console on a port that is free now; returns its address."""
    listener = listen("127.0.0.1", port)
    address = address_of(listener)
    free = listener.getsockname()[1]
    listener.close()
    crew.start("serve", "serve", "--port", str(free))
    return address


def _print_sign_in(console: Console, address: str) -> None:
    from reefpoint.flows.operations.services.demo_desk import PASSWORD, email_of

    console.print(
        f"\nConsole: [b]{address}[/b]   sign in as [b]{email_of('risk')}[/b] with [b]{PASSWORD}[/b]\n"
        "(also credit@, operations@, treasury@, compliance@, auditor@, manager@; the demo asks for no second factor)\n",
        highlight=False,
    )


def _changes(close_out: list[str]) -> "dict[str, Callable[[SchemeTerms], SchemeTerms]]":
    """The scheme terms to change, from `CODE=BASIS_POINTS`."""
    changes: dict[str, Callable[[SchemeTerms], SchemeTerms]] = {}
    for text in close_out:
        code, _, line = text.partition("=")
        if not (code and line.isdecimal()):
            raise typer.BadParameter(f"{text!r} is not CODE=BASIS_POINTS, as in PRIME=14500", param_hint="--close-out")

        def change(terms: "SchemeTerms", close_out_bp: int = int(line)) -> "SchemeTerms":
            return replace(terms, close_out_bp=close_out_bp)

        changes[code.upper()] = change
    return changes


def _replay(
    console: Console,
    start: date,
    end: date,
    clients: int,
    seed: int,
    speed: float | None,
    changes: "dict[str, Callable[[SchemeTerms], SchemeTerms]]",
) -> None:
    from reefpoint.flows.operations.selectors.progress import desk_counts
    from reefpoint.flows.operations.services.demo_desk import DeskPlan, make_desk
    from reefpoint.flows.operations.services.replay import ReplayPlan, replay, settle

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Progress(*columns, console=console) as progress:
        opening = progress.add_task("Opening the desk", total=clients, counts="")
        make_desk(
            DeskPlan(start=start, clients=clients, seed=seed, changes=changes),
            settle=settle,
            progress=lambda what, done, of: progress.update(opening, completed=done, total=of, counts=what),
        )
        days = progress.add_task(str(start), total=None, counts="")
        for day in replay(ReplayPlan(start=start, end=end, seed=seed, speed=speed)):
            counts = desk_counts()
            progress.update(
                days,
                description=str(day.on),
                completed=day.number,
                total=day.of,
                counts=f"calls {counts.calls} · open {counts.open_calls} · sales {counts.liquidations}"
                f" · running {counts.running}",
            )


def _print_figures(console: Console, seconds: float) -> None:
    """The summary table of the whole replay."""
    from reefpoint.flows.operations.selectors.progress import desk_counts
    from reefpoint.insight.performance.selectors import get_period

    period = get_period()
    counts = desk_counts()
    if period is None:
        return
    last = period.last
    table = Table(title=f"{period.first.on} to {last.on}, {period.days} business days", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")

    def money(minor: int) -> str:
        return f"{minor / 100:,.2f}"

    rows = {
        "accounts": f"{last.accounts:,}",
        "prices accepted": f"{counts.prices:,}",
        "prices held, then confirmed": f"{counts.held_prices:,}",
        "margin calls opened": f"{period.calls_opened:,}",
        "  cured": f"{period.calls_cured:,}",
        "  expired": f"{period.calls_expired:,}",
        "  superseded by the close-out line": f"{period.calls_superseded:,}",
        "liquidations opened": f"{period.liquidations_opened:,}",
        "  ended": f"{period.liquidations_ended:,}",
        "sold, USD": money(period.sold_minor),
        "debt at the end, USD": money(last.debt_minor),
        "assets at the end, USD": money(last.assets_minor),
        "accounts in deficit": f"{last.deficit_accounts:,}",
        "deficit, USD": money(last.deficit_minor),
        "interest earned, USD": money(period.interest_income_minor),
        "fees earned, USD": money(period.fee_income_minor),
        "funding cost, USD": money(period.funding_cost_minor),
        "net revenue, USD": money(period.net_revenue_minor),
        "journals posted": f"{counts.journals:,}",
        "audit entries": f"{counts.audit_entries:,}",
        "reconciliation breaks open": f"{counts.open_breaks:,}",
        "seconds": f"{seconds:.1f}",
    }
    for figure, value in rows.items():
        table.add_row(figure, value)
    console.print(table)


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        return
