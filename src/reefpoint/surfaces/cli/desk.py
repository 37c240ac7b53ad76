"""Opening the desk: the data folder, the database and Django, made ready before a command imports any model."""

import os
from pathlib import Path

import typer

from reefpoint.platform.database.home import data_home, secret_key

DEMO_DATABASE = "reefpoint_demo"
DEMO_ANCHORS = "demo-anchors.jsonl"


def use_demo_database(home: Path) -> None:
    """Let this command see the book of the last demo in the embedded server, and not the desk's own."""
    from reefpoint.platform.database.embedded import EmbeddedPostgres

    if "DATABASE_URL" in os.environ:
        typer.secho("DATABASE_URL is set: the demo's book is in the database that it names.", fg="red", err=True)
        raise typer.Exit(1)
    server = EmbeddedPostgres(home)
    if server.status().cluster is None or not server.has_database(DEMO_DATABASE):
        typer.secho(f"There is no demo in {home} yet: run `reefpoint demo` first.", fg="red", err=True)
        raise typer.Exit(1)
    os.environ["DATABASE_URL"] = server.ensure_database(DEMO_DATABASE)
    os.environ["REEFPOINT_ANCHORS"] = str(home / DEMO_ANCHORS)


def close_connections() -> None:
    """Leave the database, if any connection to it was made."""
    from django.conf import settings
    from django.db import connections

    if settings.configured:
        connections.close_all()


def open_desk(*, must_be_migrated: bool = True) -> Path:
    """Make settings, database and models ready for use, and return the data folder.

    Commands import models, services and selectors only after this, inside their functions: that keeps `--help`
    quick and lets settings see the database that was just started.
    """
    from reefpoint.platform.database.embedded import database_url

    home = data_home()
    os.environ["REEFPOINT_HOME"] = str(home)
    os.environ["DATABASE_URL"] = database_url(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
    if not os.environ.get("REEFPOINT_SECRET_KEY"):
        os.environ["REEFPOINT_SECRET_KEY"] = secret_key(home)

    import django

    django.setup()

    from reefpoint.platform.database.tables import missing_migrations

    if must_be_migrated and (missing := missing_migrations()):
        typer.secho(
            f"The tables are not up to date ({missing} changes): run `reefpoint migrate` first.", fg="red", err=True
        )
        raise typer.Exit(1)
    return home
