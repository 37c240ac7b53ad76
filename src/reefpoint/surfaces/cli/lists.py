"""`reefpoint lists` and `reefpoint screen`: lists of sanctioned and exposed people, and a name held against them."""

from datetime import datetime
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reefpoint.surfaces.cli.desk import open_desk

app = typer.Typer(no_args_is_help=True, help="Lists that clients are held against: load a file, see what is in force.")


class Form(StrEnum):
    """In which form a list is published: `screening.types.ListShape`."""

    OPENSANCTIONS_CSV = "opensanctions.csv"
    OFAC_XML = "ofac.xml"
    OFAC_CSV = "ofac.csv"
    UN_XML = "un.xml"


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="The file as its publisher gives it.", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="The list's name here. The same name replaces the version in force.")],
    form: Annotated[Form, typer.Option(help="In which form it is published.")] = Form.OPENSANCTIONS_CSV,
    alt: Annotated[
        Path | None, typer.Option(help="The file of other names (OFAC as CSV).", exists=True, dir_okay=False)
    ] = None,
    did_shrink: Annotated[bool, typer.Option(help="Accept a list that lost more than a fifth of its entries.")] = False,
) -> None:
    """Take in a list, whole or not at all. A running worker then holds all clients against what changed.

    Exit code 1 when the file was refused: it says why, and what was in force stays in force.

    Example: reefpoint lists load targets.simple.csv --source opensanctions
    """
    open_desk()

    from reefpoint.decisions.screening.selectors import get_version
    from reefpoint.decisions.screening.services import ListRefused, load_received, receive_list
    from reefpoint.decisions.screening.types import ListShape, ListVersionState
    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.platform.basics.actors import system_actor

    actor, at = system_actor("file-import"), desk_now()
    with file.open("rb") as content, alt.open("rb") if alt else BytesIO() as second:
        version_id = receive_list(
            actor=actor,
            source=source,
            shape=ListShape(form.value),
            file_name=file.name,
            content=content,
            second=second,
            may_shrink=did_shrink,
            at=at,
        )
    load_received(actor=actor, version_id=version_id, at=at)
    version = get_version(actor, version_id)
    if version.state is ListVersionState.FAILED:
        raise ListRefused("{problem} What was in force stays in force.", problem=version.problem)
    missed = f" {version.missed_names} names are in scripts that are not read." if version.missed_names else ""
    typer.echo(
        f"{version.source} version {version.number} is in force: {version.entries} entries, {version.added} added, "
        f"{version.changed} changed, {version.removed} removed.{missed}"
    )


@app.command("show")
def show() -> None:
    """The lists in force, and files that were not taken in."""
    open_desk()

    from reefpoint.decisions.screening.selectors import list_in_force, list_unsettled
    from reefpoint.platform.basics.actors import system_actor

    actor = system_actor("cli")
    table = Table("list", "version", "entries", "received", "file")
    for version in list_in_force(actor):
        received = version.received_at.isoformat(timespec="minutes")
        table.add_row(version.source, str(version.number), str(version.entries), received, escape(version.file_name))
    Console().print(table)
    for version in list_unsettled(actor):
        typer.secho(f"{version.source} version {version.number} was refused: {version.problem}", fg="yellow")


def screen(
    name: Annotated[str, typer.Argument(help="A name in any order and script: Li Ming, LI Ming, 李明.")],
    birth: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Date of birth, as evidence beside the name.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Country by its two letters, as evidence beside the name.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many entries to show at most.")] = 10,
) -> None:
    """Look a name up on the lists in force. Exit code 1 when one of the matches would be a hit.

    Example: reefpoint screen 李明 --birth 1971-03-12
    """
    open_desk()

    from reefpoint.decisions.screening.services import screen_name
    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.platform.basics.actors import system_actor

    matches = screen_name(
        actor=system_actor("cli"),
        name=name,
        birth_on=birth.date() if birth else None,
        country=country.lower() if country else None,
        limit=limit,
        at=desk_now(),
    )
    table = Table("score", "hit", "name on the list", "list", "id", "birth", "country", "parts")
    for match in matches:
        parts = ", ".join(f"{part.ours or '–'}={part.theirs or '–'}" for part in match.score.parts)
        table.add_row(
            f"{match.score.score_bp / 100:.1f}%",
            "yes" if match.is_hit else "no",
            escape(match.theirs),
            match.entry.source,
            escape(match.entry.reference),
            match.birth.value,
            match.country.value,
            escape(parts),
        )
    Console().print(table if matches else "No entry is anything like this name.")
    if any(match.is_hit for match in matches):
        raise typer.Exit(1)
