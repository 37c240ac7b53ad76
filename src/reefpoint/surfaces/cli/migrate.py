"""`reefpoint migrate`: the tables."""

import typer

from reefpoint.surfaces.cli.desk import missing_migrations, open_desk


def migrate() -> None:
    """Create the tables, or bring them up to date. Nothing is lost, and a second run does nothing."""
    open_desk(must_be_migrated=False)

    from django.core.management import call_command

    missing = missing_migrations()
    call_command("migrate", interactive=False, verbosity=0)
    typer.echo(f"The tables are up to date ({missing} changes made).")
