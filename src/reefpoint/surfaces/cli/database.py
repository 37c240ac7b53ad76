"""`reefpoint db`: the embedded PostgreSQL, by hand. Every other command starts it when it is needed."""

import os

import typer

from reefpoint.platform.database.home import data_home

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Start, stop and look at the desk's own PostgreSQL.",
    epilog="""
    [b]Examples[/b]\n
    psql "$(reefpoint db url)"          look inside with psql\n
    reefpoint db stop                   before copying the data folder
    """,
)


def _is_yours() -> bool:
    """Whether DATABASE_URL points at a server that is not ours to start or stop; says so."""
    if "DATABASE_URL" in os.environ:
        typer.echo("DATABASE_URL is set: that PostgreSQL is yours to start and stop.")
        return True
    return False


@app.command()
def start() -> None:
    """Start PostgreSQL, creating it at first. Harmless when it runs."""
    from reefpoint.platform.database.embedded import EmbeddedPostgres

    if _is_yours():
        return
    server = EmbeddedPostgres(data_home())
    server.ensure_database("reefpoint")
    typer.echo(f"PostgreSQL runs on port {server.status().port}.")


@app.command()
def stop() -> None:
    """Stop PostgreSQL. What was committed stays; open transactions are rolled back."""
    from reefpoint.platform.database.embedded import EmbeddedPostgres

    if _is_yours():
        return
    EmbeddedPostgres(data_home()).stop()
    typer.echo("PostgreSQL is stopped.")


@app.command()
def status() -> None:
    """Say whether PostgreSQL runs, and where its files are. Exit code 3 when it does not."""
    from reefpoint.platform.database.embedded import EmbeddedPostgres

    if _is_yours():
        return
    found = EmbeddedPostgres(data_home()).status()
    if found.cluster is None:
        typer.echo(f"There is no database in {data_home()} yet; `reefpoint db start` creates it.")
    elif found.is_running:
        typer.echo(f"PostgreSQL runs on port {found.port} (process {found.pid}); its files are in {found.cluster}.")
    else:
        typer.echo(f"PostgreSQL is stopped; its files are in {found.cluster}.")
    if not found.is_running:
        raise typer.Exit(3)


@app.command()
def url() -> None:
    """Print the address of the desk's database, password included, starting PostgreSQL if need be."""
    from reefpoint.platform.database.embedded import database_url

    typer.echo(database_url(data_home()))
