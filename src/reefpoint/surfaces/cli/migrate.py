"""`reefpoint migrate`: the tables."""

import typer

from reefpoint.surfaces.cli.desk import open_desk


def migrate() -> None:
    """Create the tables, or bring them up to date. Nothing is lost, and a second run does nothing."""
    open_desk(must_be_migrated=False)

    from reefpoint.platform.database.tables import update_tables

    typer.echo(f"The tables are up to date ({update_tables()} changes made).")
