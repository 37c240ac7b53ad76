"""`reefpoint people`: who may sign in. What is done here is audited under the name of the machine's user."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reefpoint.platform.access.types import RoleName
from reefpoint.surfaces.cli.desk import open_desk

if TYPE_CHECKING:
    from reefpoint.platform.basics.actors import Actor

app = typer.Typer(
    no_args_is_help=True,
    help="People: let them in, change their roles, replace a lost second factor, shut them out.",
    epilog="""
    [b]The first administrator of a new desk[/b]\n
    reefpoint people add ada@example.com "Ada Lovelace" --role administrator
    """,
)

Email = Annotated[str, typer.Argument(help="The address they sign in with.")]
Roles = Annotated[list[RoleName], typer.Option("--role", help="Repeat for several roles.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the audit log.")]


@app.command("list")
def list_people() -> None:
    """Show everybody who can or could sign in."""
    open_desk()
    from rich.console import Console
    from rich.table import Table

    from reefpoint.platform.access.selectors import list_people as people

    table = Table("Address", "Name", "Roles", "Second factor", "Access", "Last sign-in (UTC)", box=None)
    for person in people():
        table.add_row(
            person.email,
            person.name,
            ", ".join(person.roles) or "none",
            "yes" if person.has_second_factor else "no",
            "open" if person.is_active else "shut",
            f"{person.last_seen_at:%Y-%m-%d %H:%M}" if person.last_seen_at else "never",
        )
    Console().print(table)


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Argument(help="Their name, as colleagues read it.")],
    role: Roles,
    language: Annotated[str, typer.Option(help="en or zh-hans; else what their browser asks for.")] = "",
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="REEFPOINT_NEW_PASSWORD")
    ] = "",
) -> None:
    """Let a person sign in. They add a passkey or an authenticator app at their first sign-in."""
    open_desk()
    from reefpoint.platform.access.services import create_user

    actor, at = _operator()
    create_user(actor=actor, email=email, name=name, password=password, roles=role, language=language, at=at)
    typer.echo(f"{name} can sign in as {email.strip().lower()} ({', '.join(role)}).")


@app.command()
def roles(email: Email, role: Roles, reason: Reason) -> None:
    """Give a person these roles and no others."""
    user_id = _find(email)
    from reefpoint.platform.access.services import set_roles

    actor, at = _operator()
    set_roles(actor=actor, user_id=user_id, roles=role, at=at, reason=reason)
    typer.echo(f"{email} now holds: {', '.join(role)}.")


@app.command()
def password(
    email: Email,
    reason: Reason,
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="REEFPOINT_NEW_PASSWORD")
    ] = "",
) -> None:
    """Replace a person's password and end their sessions."""
    user_id = _find(email)
    from reefpoint.platform.access.services import set_password

    actor, at = _operator()
    set_password(actor=actor, user_id=user_id, password=password, at=at, reason=reason)
    typer.echo(f"{email} has a new password; their sessions are ended.")


@app.command("reset-second-factor")
def reset_second_factor(
    email: Email, reason: Annotated[str, typer.Option(help="How you made sure that it is them.")]
) -> None:
    """Forget a person's authenticator app, passkeys and recovery codes, for a lost device."""
    user_id = _find(email)
    from reefpoint.platform.access.services import reset_second_factor as reset

    actor, at = _operator()
    forgotten = reset(actor=actor, user_id=user_id, at=at, reason=reason)
    typer.echo(f"{forgotten} forgotten; {email} adds a new second factor at the next sign-in.")


@app.command("shut-out")
def shut_out(email: Email, reason: Reason) -> None:
    """Close a person's access and end their sessions at once."""
    _set_active(email, reason, is_active=False)
    typer.echo(f"{email} is shut out.")


@app.command("let-in")
def let_in(email: Email, reason: Reason) -> None:
    """Open the access of a person who was shut out."""
    _set_active(email, reason, is_active=True)
    typer.echo(f"{email} can sign in again.")


def _set_active(email: str, reason: str, *, is_active: bool) -> None:
    user_id = _find(email)
    from reefpoint.platform.access.services import set_active

    actor, at = _operator()
    set_active(actor=actor, user_id=user_id, is_active=is_active, at=at, reason=reason)


def _find(email: str) -> int:
    open_desk()
    from reefpoint.platform.access.selectors import find_user_id

    user_id = find_user_id(email)
    if user_id is None:
        typer.secho(f"Nobody signs in as {email}. See `reefpoint people list`.", fg="red", err=True)
        raise typer.Exit(1)
    return user_id


def _operator() -> "tuple[Actor, datetime]":
    from reefpoint.platform.basics.actors import system_actor

    return system_actor(f"cli:{getpass.getuser()}"), datetime.now(UTC)
