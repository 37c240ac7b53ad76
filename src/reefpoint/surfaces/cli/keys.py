"""`reefpoint keys`: the keys under which personal data is sealed. Audited under the name of the machine's user."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reefpoint.surfaces.cli.desk import open_desk

if TYPE_CHECKING:
    from reefpoint.platform.basics.actors import Actor

app = typer.Typer(
    no_args_is_help=True, help="Keys of sealed data: see them, turn the data key, replace the master key."
)

Reason = Annotated[str, typer.Option(help="Why; it goes into the audit log.")]


@app.command("list")
def list_keys() -> None:
    """Show the data keys, which master key wraps each, and how many records rest on it."""
    open_desk()
    from rich.console import Console
    from rich.table import Table

    from reefpoint.platform.vault.selectors import list_data_keys

    table = Table("Key", "For", "Under master key", "Made (UTC)", "Retired", "Records", "Readable", box=None)
    for key in list_data_keys(_operator()):
        table.add_row(
            str(key.id),
            key.purpose,
            key.master_id,
            f"{key.made_at:%Y-%m-%d %H:%M}",
            f"{key.retired_at:%Y-%m-%d %H:%M}" if key.retired_at else "-",
            str(key.rows),
            "yes" if key.is_readable else "no: master key not at hand",
        )
    Console().print(table)


@app.command()
def turn(reason: Reason = "") -> None:
    """Seal under a new data key, and move every record to it now. Killed anywhere, give the command again."""
    open_desk()
    from reefpoint.platform.vault.services import reseal_batch, sealed_tables, turn_data_key

    key_id = turn_data_key(actor=_operator(), at=datetime.now(UTC), reason=reason)
    moved = 0
    for table in sealed_tables():
        while count := reseal_batch(table):
            moved += count
    typer.echo(f"Data key {key_id} is in force; {moved} records were moved to it.")


@app.command("replace-master")
def replace_master(reason: Reason = "") -> None:
    """Put a new master key before the others and wrap every data key under it.

    The keys of the data folder are changed by this command. Where REEFPOINT_MASTER_KEYS holds them, put the new one in
    front there first. Keep the old one for as long as backups from before are kept.
    """
    open_desk()
    import os

    from reefpoint.platform.vault.adapters.master_keys import VARIABLE, add_master_key
    from reefpoint.platform.vault.services import rewrap_data_keys

    if not os.environ.get(VARIABLE):
        add_master_key()
    count = rewrap_data_keys(actor=_operator(), at=datetime.now(UTC), reason=reason)
    typer.echo(f"{count} data keys are wrapped under the new master key. Keep a copy of it away from this machine.")


def _operator() -> "Actor":
    from reefpoint.platform.basics.actors import system_actor

    return system_actor(f"cli:{getpass.getuser()}")
