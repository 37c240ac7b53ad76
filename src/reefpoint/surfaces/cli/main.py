"""The `reefpoint` command. Each subcommand has a file of its own beside this one."""

import sys

import typer

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.database.binaries import DatabaseError
from reefpoint.surfaces.cli import (
    bench,
    check_config,
    database,
    day,
    demo,
    gap,
    haircuts,
    keys,
    lists,
    migrate,
    people,
    prices,
    serve,
    stress,
    train,
    verify,
    watch,
    work,
)
from reefpoint.surfaces.cli.crew import end_with_the_leader

app = typer.Typer(
    name="reefpoint",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""
    An open-source margin-lending desk.

    With no configuration the desk keeps its data in [b].reefpoint[/b] of the current folder, in a PostgreSQL of its
    own that starts when it is needed. [b]REEFPOINT_HOME[/b] chooses another folder, [b]DATABASE_URL[/b] a server
    of yours.
    """,
    epilog="""
    [b]See it all at once[/b]\n
    reefpoint demo             a desk is made, and the crash of 2020 goes through it\n
    \n
    [b]A first run[/b]\n
    reefpoint migrate          create or update the tables\n
    reefpoint serve            open the console in a browser\n
    reefpoint work             handle events and jobs, in a second terminal\n
    reefpoint watch            watch the margin of every account, in a third
    """,
)
app.add_typer(database.app, name="db")
app.add_typer(people.app, name="people")
app.add_typer(day.app, name="day")
app.add_typer(lists.app, name="lists")
app.add_typer(keys.app, name="keys")
app.command()(migrate.migrate)
app.command()(serve.serve)
app.command()(work.work)
app.command()(watch.watch)
app.command()(demo.demo)
app.command()(verify.verify)
app.command()(stress.stress)
app.command()(gap.gap)
app.command()(haircuts.haircuts)
app.command()(bench.bench)
app.command()(train.train)
app.command()(lists.screen)
app.command("import-prices")(prices.import_prices)
app.command()(check_config.check_config)


def main() -> None:
    """Run the command line; an expected refusal is one sentence and exit code 1."""
    end_with_the_leader()
    try:
        app()
    except (Refusal, DatabaseError) as problem:
        typer.secho(f"reefpoint: {problem}", err=True, fg="red")
        sys.exit(1)
