"""`reefpoint check-config`: is this installation in order?"""

import os
import platform
from urllib.parse import urlsplit

import typer

from reefpoint.surfaces.cli.desk import open_desk


def check_config() -> None:
    """Look at the settings, the database and its tables, and say what is not in order. Exit code 1 if anything is."""
    home = open_desk(must_be_migrated=False)

    from django.core import checks
    from django.db import connection

    from reefpoint.platform.database.tables import missing_migrations

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    address = urlsplit(os.environ["DATABASE_URL"])
    typer.echo(f"Python      {platform.python_version()}")
    typer.echo(f"Data folder {home}")
    typer.echo(f"PostgreSQL  {version} on {address.hostname}:{address.port}")

    problems = [f"{found.id}: {found.msg}" for found in checks.run_checks() if found.is_serious()]
    if missing := missing_migrations():
        problems.append(f"{missing} changes to the tables are missing: run `reefpoint migrate`")
    for problem in problems:
        typer.secho(f"Problem     {problem}", fg="red")
    if problems:
        raise typer.Exit(1)
    typer.echo("Everything is in order.")
