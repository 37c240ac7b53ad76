"""`reefpoint demo`: a desk is made and a past market is replayed through it."""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from reefpoint.platform.database.embedded import EmbeddedPostgres
from reefpoint.platform.database.home import data_home, make_home
from reefpoint.surfaces.cli.crew import Crew
from reefpoint.surfaces.cli.desk import (
    DEMO_ANCHORS,
    DEMO_DATABASE,
    close_connections,
    open_desk,
    use_demo_database,
)
from reefpoint.surfaces.cli.serve import address_of, listen
from reefpoint.surfaces.cli.verify import print_verification

if TYPE_CHECKING:
    from reefpoint.records.products.types import SchemeTerms

FIRST_DAY = datetime.fromisoformat("2020-01-02")
LAST_DAY = datetime.fromisoformat("2020-06-30")
CONSOLE_SECONDS_MAX = 30
"""How long to wait for the console before its address is told: a link that answers, not one to be tried again."""
OPENINGS_MAX = 3
"""How often a desk is begun anew whose database was lost while it was being opened."""
LOCK_SECONDS_MAX = 15
"""How long a demo waits for the processes of one that was killed."""


def demo(
    start: Annotated[
        datetime,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="First business day, from 1990-01-02; else the next session."
        ),
    ] = FIRST_DAY,
    end: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business day, up to 2022-12-28.")
    ] = LAST_DAY,
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
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="The console's port; when it is taken, a free one is used.")
    ] = 8000,
    view: Annotated[
        bool, typer.Option("--view", help="No replay: open the console on the book that the last demo left.")
    ] = False,
) -> None:
    """Make a lending desk and replay a real crash through it: prices, calls, cures, sales, books, proof.

    20 US stocks from the packaged history (1990 to 2022). Every run begins anew, in a database of its own beside the
    desk's; `reefpoint verify --demo` proves it again later. The same command gives the same books: their fingerprint
    is printed. Kill any process of it and the books stay the same.

    Examples: reefpoint demo --headless · reefpoint demo --from 2008-09-02 --to 2009-03-31 --clients 200
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    home = data_home()
    make_home(home)
    with _only_demo_of(home) as lock:
        try:
            if view:
                _view(console, home, port, lock)
                return
            first, last = _sessions(console, start.date(), end.date())
            plan = _Plan(first, last, clients, seed, speed, close_out or [])
            is_whole = _run(console, home, plan, None if headless else port, lock)
        except KeyboardInterrupt:
            console.print("\nStopped. What was booked is in the database; the next demo begins anew.")
            raise typer.Exit(130) from None
    if not is_whole:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Plan:
    start: date
    end: date
    clients: int
    seed: int
    speed: float | None
    close_out: Sequence[str]


def _sessions(console: Console, start: date, end: date) -> tuple[date, date]:
    """The first and the last session of the wished slice, both in the packaged history."""
    from reefpoint.records.market.adapters.us20 import load_us20

    known = [on for on, _ in load_us20(date.min, date.max)]
    for on, option in ((start, "--from"), (end, "--to")):
        if not known[0] <= on <= known[-1]:
            raise typer.BadParameter(
                f"{on} is outside the packaged history, {known[0]} to {known[-1]}.", param_hint=option
            )
    sessions = [on for on in known if start <= on <= end]
    if len(sessions) < 2:
        raise typer.BadParameter(
            f"From {start} to {end} there are {len(sessions)} sessions; a replay needs two.", param_hint="--to"
        )
    if sessions[0] != start:
        console.print(f"{start} is not a session of the exchange; the replay begins on {sessions[0]}.")
    return sessions[0], sessions[-1]


@contextmanager
def _only_demo_of(home: Path) -> Iterator[int]:
    """Let one demo at a time use the data folder. Its processes inherit the lock, so it lasts until all are gone."""
    with (home / "demo.lock").open("a+") as file:
        deadline = time.monotonic() + LOCK_SECONDS_MAX
        while not _try_lock(file.fileno()):
            file.seek(0)
            leader = file.read().strip()
            if _is_alive(leader) or time.monotonic() > deadline:
                typer.secho(
                    f"A demo runs in {home} already (process {leader}). Stop it, or give this one a data folder of its "
                    "own: REEFPOINT_HOME=/another/folder reefpoint demo",
                    fg="red",
                    err=True,
                )
                raise typer.Exit(1)
            time.sleep(0.2)  # the demo was killed, and what it had started is about to end
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _run(console: Console, home: Path, plan: _Plan, port: int | None, lock: int) -> bool:
    """Replay the plan on a fresh database; with a port, keep the console open there. Returns whether the proof held."""
    began = time.monotonic()
    with _server(home) as server:
        for left in reversed(range(OPENINGS_MAX)):
            try:
                return _run_on(server, console, home, plan, port, lock, began)
            except _OpeningLost:
                if server is None or not left:
                    typer.secho(
                        "The database was lost while the desk was being opened, so nothing can be replayed in it. "
                        "Look at its log, and start the demo again on an empty database.",
                        fg="red",
                        err=True,
                    )
                    raise typer.Exit(1) from None
                console.print("[yellow]The database was lost while the desk was being opened; it begins anew.[/]")
    raise AssertionError("the last opening ends the demo")


def _run_on(
    server: EmbeddedPostgres | None,
    console: Console,
    home: Path,
    plan: _Plan,
    port: int | None,
    lock: int,
    began: float,
) -> bool:
    """One try on a fresh database. Raises `_OpeningLost` if the database goes before the first day can be replayed."""
    with _while_opening():
        changes = _fresh_database(home, server, plan.close_out)
        _migrate(console)
    with Crew(home, server, tell=lambda what: console.print(f"[yellow]{escape(what)}[/]"), inherit=[lock]) as crew:
        crew.start("work", "work")
        crew.start("watch", "watch")
        address = "" if port is None else _serve(crew, port)
        if address:
            _print_sign_in(console, address)
        _replay(console, plan, changes)
        _print_figures(console, time.monotonic() - began)
        if address:
            _open_cases(console)
        is_whole = print_verification(console)
        if address:
            _print_sign_in(console, address)
            console.print("The finished book stays open there. Ctrl-C ends the demo.")
            _wait_for_interrupt(console)
    return is_whole


class _OpeningLost(Exception):
    """The database went away before the desk was open. A replay goes on after that; half a desk is made anew."""


@contextmanager
def _while_opening() -> Iterator[None]:
    import psycopg
    from django.db import InterfaceError, OperationalError

    try:
        yield
    except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
        close_connections()
        raise _OpeningLost from error


def _view(console: Console, home: Path, port: int, lock: int) -> None:
    """The console on the book of the last demo, with its worker and watch."""
    with _server(home) as server:
        use_demo_database(home)
        os.environ["REEFPOINT_REQUIRE_SECOND_FACTOR"] = "0"
        open_desk()
        with Crew(home, server, tell=console.print, inherit=[lock]) as crew:
            crew.start("work", "work")
            crew.start("watch", "watch")
            _print_sign_in(console, _serve(crew, port))
            console.print("The book of the last demo is open there. Ctrl-C ends it.")
            _wait_for_interrupt(console)


@contextmanager
def _server(home: Path) -> Iterator[EmbeddedPostgres | None]:
    """The embedded PostgreSQL, unless the user gives a database. It is stopped at the end if it was started here."""
    if "DATABASE_URL" in os.environ:
        yield None
        return
    server = EmbeddedPostgres(home)
    was_running = server.status().is_running
    server.start()
    try:
        yield server
    finally:
        if not was_running:
            close_connections()
            server.stop()


def _fresh_database(
    home: Path, server: EmbeddedPostgres | None, close_out: Sequence[str]
) -> "dict[str, Callable[[SchemeTerms], SchemeTerms]]":
    """Point DATABASE_URL at an empty database: a new one in the embedded server, or the one that the user gives.

    Returns the changes of terms, read from the options before anything is dropped.
    """
    os.environ["REEFPOINT_REQUIRE_SECOND_FACTOR"] = "0"
    os.environ["REEFPOINT_ANCHORS"] = str(home / DEMO_ANCHORS)
    if server is None:
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
        changes = _changes(close_out)
    else:
        os.environ["DATABASE_URL"] = server.start().removesuffix("/postgres") + f"/{DEMO_DATABASE}"
        open_desk(must_be_migrated=False)
        changes = _changes(close_out)
        server.drop_database(DEMO_DATABASE)
        server.ensure_database(DEMO_DATABASE)
    (home / DEMO_ANCHORS).unlink(missing_ok=True)
    return changes


def _migrate(console: Console) -> None:
    with console.status("Making the tables"):
        open_desk(must_be_migrated=False)

        from reefpoint.platform.database.tables import update_tables

        update_tables()


def _serve(crew: Crew, port: int) -> str:
    """Start the console on a port that is free now; returns its address, once it answers there."""
    listener = listen("127.0.0.1", port)
    address = address_of(listener)
    free = listener.getsockname()[1]
    listener.close()
    crew.start("serve", "serve", "--port", str(free))
    deadline = time.monotonic() + CONSOLE_SECONDS_MAX
    while not _answers(free) and time.monotonic() < deadline:
        time.sleep(0.05)
    return address


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _print_sign_in(console: Console, address: str) -> None:
    from reefpoint.flows.operations.services.demo_cases import ON_THE_PORTAL
    from reefpoint.flows.operations.services.demo_desk import PASSWORD, email_of

    console.print(
        f"\nConsole: [b]{address}[/b]   sign in as [b]{email_of('risk')}[/b] with [b]{PASSWORD}[/b]\n"
        "(also credit@, operations@, treasury@, compliance@, auditor@, manager@; the demo asks for no second factor)\n"
        f"Portal: the same address and password, once the replay is through: {ON_THE_PORTAL}\n",
        highlight=False,
    )


def _changes(close_out: Sequence[str]) -> "dict[str, Callable[[SchemeTerms], SchemeTerms]]":
    """The scheme terms to change, from `CODE=BASIS_POINTS`. Whether they are lawful is judged at publication."""
    from reefpoint.records.products.selectors import load_demo_schemes

    codes = [draft.code for draft in load_demo_schemes()]
    changes: dict[str, Callable[[SchemeTerms], SchemeTerms]] = {}
    for text in close_out:
        code, _, line = text.upper().partition("=")
        if not line.isdecimal():
            raise typer.BadParameter(f"{text!r} is not CODE=BASIS_POINTS, as in PRIME=14500", param_hint="--close-out")
        if code not in codes:
            raise typer.BadParameter(
                f"There is no scheme {code}; the demo has {', '.join(codes)}.", param_hint="--close-out"
            )

        def change(terms: "SchemeTerms", close_out_bp: int = int(line)) -> "SchemeTerms":
            return replace(terms, close_out_bp=close_out_bp)

        changes[code] = change
    return changes


def _replay(console: Console, plan: _Plan, changes: "dict[str, Callable[[SchemeTerms], SchemeTerms]]") -> None:
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
        opening = progress.add_task("Opening the desk", total=plan.clients, counts="")
        with _while_opening():
            make_desk(
                DeskPlan(start=plan.start, clients=plan.clients, seed=plan.seed, changes=changes),
                settle=settle,
                progress=lambda what, done, of: progress.update(opening, completed=done, total=of, counts=what),
            )
        days = progress.add_task(str(plan.start), total=None, counts="")
        for day in replay(ReplayPlan(start=plan.start, end=plan.end, seed=plan.seed, speed=plan.speed)):
            counts = desk_counts()
            progress.update(
                days,
                description=str(day.on),
                completed=day.number,
                total=day.of,
                counts=f"calls {counts.calls} · open {counts.open_calls} · sales {counts.liquidations}"
                f" · running {counts.running}",
            )


def _open_cases(console: Console) -> None:
    from reefpoint.flows.operations.services.demo_cases import open_cases
    from reefpoint.flows.operations.services.replay import settle

    with console.status("Enquiries, applications and asks for credit come in"):
        open_cases(settle=settle)


def _print_figures(console: Console, seconds: float) -> None:
    """The summary table of the whole replay."""
    from reefpoint.flows.operations.selectors.digest import books_digest
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
        "fingerprint of the books": books_digest().fingerprint,
        "seconds": f"{seconds:.1f}",
    }
    for figure, value in rows.items():
        table.add_row(figure, value)
    console.print(table)


def _wait_for_interrupt(console: Console) -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nClosing. `reefpoint demo --view` opens this book again, `reefpoint verify --demo` proves it.")
