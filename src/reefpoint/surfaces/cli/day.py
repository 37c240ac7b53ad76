"""`reefpoint day`: the business day of a desk of one's own, by hand or from a scheduler."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from reefpoint.surfaces.cli.desk import open_desk

if TYPE_CHECKING:
    from reefpoint.platform.basics.actors import Actor

app = typer.Typer(
    no_args_is_help=True,
    help="""Begin, sell on, and end a business day.

    In the order of a day: [b]begin[/b] in the morning, [b]reefpoint import-prices[/b] when prices arrive, [b]sell[/b]
    once they are in, [b]end[/b] after the close. Each may be repeated: what is done is not done twice.
    [b]reefpoint work[/b] and [b]reefpoint watch[/b] must be running.
    """,
)

On = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The business date.")]


@app.command()
def begin(
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The business date whose books are opened.")],
) -> None:
    """Open the books of a day, try notices again, and judge anew the accounts that no sale runs on any more.

    Example: reefpoint day begin --on 2026-03-09
    """
    actor, at = _open()
    from reefpoint.flows.liquidation.services.opening import release_idle_enforcement
    from reefpoint.flows.operations.services.day_run import begin_day

    begin_day(actor=actor, on=on.date(), at=at)
    released = release_idle_enforcement(actor=actor, on=on.date(), at=at)
    typer.echo(f"The books of {on.date()} are open. Accounts judged anew: {released}.")


@app.command()
def sell(on: On = None) -> None:
    """Plan the day's forced sales on the prices that are in, the worst account first, and place their orders.

    Exit code 1 when the session is held, because too little of the book has a current price: run it again when prices
    are back.
    """
    actor, at = _open()
    from reefpoint.flows.liquidation.services.selling import run_liquidation_session

    session = _business_date(on)
    result = run_liquidation_session(actor=actor, on=session, at=at)
    if result.is_held:
        typer.echo(f"Held: too little of the book has a current price. Waiting to be sold: {result.looked_at}.")
        raise typer.Exit(1)
    typer.echo(
        f"Session {session}: {result.looked_at} sales looked at, {result.orders} orders placed, "
        f"{result.ended} ended without one."
    )


@app.command()
def end(on: On = None) -> None:
    """Run the end of the day, after the close: ten steps, each once, from the session's last orders to closed books.

    A run that was broken off goes on with the first step that is not done.
    """
    actor, at = _open()
    from reefpoint.flows.operations.selectors.day_runs import find_day_run
    from reefpoint.flows.operations.services.day_run import run_day

    session = _business_date(on)
    run_day(actor=actor, on=session, at=at)
    run = find_day_run(session)
    assert run is not None, "a day that was run has a record"
    table = Table(title=f"End of {session}: {run.state.value}", title_justify="left")
    table.add_column("step")
    table.add_column("figures")
    for step in run.steps:
        figures = ", ".join(f"{name} {value:,}" for name, value in step.figures.items())
        table.add_row(step.name.value.replace("_", " "), figures)
    Console().print(table)


def _open() -> "tuple[Actor, datetime]":
    """The desk, who acts on it, and its time."""
    open_desk()
    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.platform.basics.actors import system_actor

    return system_actor("day-command"), desk_now()


def _business_date(on: datetime | None) -> date:
    """The day named, else the one whose books are open."""
    from reefpoint.flows.operations.selectors.clock import get_clock

    session = on.date() if on else get_clock().business_date
    if session is None:
        typer.secho("No books are open: begin a day first, `reefpoint day begin --on DATE`.", err=True, fg="red")
        raise typer.Exit(1)
    return session
