"""Clients who share things, for the tests of related accounts."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from tests.desk import SYSTEM, noon

from reefpoint.decisions.relations.services import regroup_client
from reefpoint.records.parties.models import TraitRow
from reefpoint.records.parties.services import register_clients
from reefpoint.records.parties.types import ClientDraft, TraitKind

DAY = date(2019, 11, 25)
AT = noon(DAY)


def make_clients(count: int, word: str = "kin") -> list[int]:
    """Clients who share nothing yet."""
    drafts = [ClientDraft(f"{word.title()} {number}", f"{word}{number}@kin.test") for number in range(count)]
    return register_clients(actor=SYSTEM, drafts=drafts, on=DAY, at=AT)


def digest_of(text: str) -> bytes:
    """What stands for a thing; the tests need no keys."""
    return text.encode().ljust(32, b".")


def give(client_id: int, kind: str, thing: str, at: datetime = AT) -> None:
    """The client has a thing from now on."""
    TraitRow.objects.get_or_create(
        client_id=client_id,
        kind=TraitKind(kind),
        digest=digest_of(thing),
        until=None,
        defaults={"masked": f"···{thing[-2:]}", "since": at},
    )


def take(client_id: int, kind: str, thing: str, at: datetime = AT) -> None:
    """The client has it no longer."""
    TraitRow.objects.filter(client_id=client_id, kind=kind, digest=digest_of(thing), until=None).update(until=at)


def share(kind: str, thing: str, client_ids: Sequence[int], at: datetime = AT) -> None:
    """All of them have a thing, and the desk has taken it over."""
    for client_id in client_ids:
        give(client_id, kind, thing, at)
        regroup_client(actor=SYSTEM, client_id=client_id, at=at)


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)
