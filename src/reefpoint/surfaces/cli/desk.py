"""Opening the desk: the data folder, the database and Django, made ready before a command imports any model."""

import os
from pathlib import Path

import typer

from reefpoint.platform.database.home import data_home, secret_key


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
    if must_be_migrated and (missing := missing_migrations()):
        typer.secho(
            f"The tables are not up to date ({missing} changes): run `reefpoint migrate` first.", fg="red", err=True
        )
        raise typer.Exit(1)
    return home


def missing_migrations() -> int:
    """How many migrations the database lacks."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
