"""Raising hits, once each, and letting those lapse whose cause is gone."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection

from reefpoint.decisions.screening.events import HitRaised
from reefpoint.decisions.screening.models import Entry, Hit
from reefpoint.decisions.screening.rules import hits as rules
from reefpoint.decisions.screening.services.subjects import facts_hashes
from reefpoint.decisions.screening.types import HitState, Match, PersonFacts
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.events.services import publish_all

Found = tuple[PersonFacts, Match]


def raise_hits(*, actor: Actor, found: Sequence[Found], at: datetime) -> int:
    """Raise what was found, but for what is known already: the same entry on the same facts. Returns how many are new.

    An open hit of the same person on the same entry, raised on older facts, lapses: the new one takes its place.
    """
    if not found:
        return 0
    lock_hits()
    causes = causes_of(found)
    known = set(
        Hit.objects.filter(client_id__in={person.client_id for person, _ in found}).values_list(
            "client_id", "source", "reference", "cause_hash"
        )
    )
    fresh: dict[tuple[int, str, str, str], Hit] = {}
    for (person, match), cause in zip(found, causes, strict=True):
        key = (person.client_id, match.entry.source, match.entry.reference, cause)
        if key not in known:
            fresh[key] = _hit(person, match, cause, at)
    if not fresh:
        return 0
    _lapse_older(list(fresh.values()))
    hits = Hit.objects.bulk_create(fresh.values())
    record(
        actor=actor,
        action="screening.raise_hits",
        subject=f"client:{hits[0].client_id}" if len({hit.client_id for hit in hits}) == 1 else "clients",
        inputs={"hits": [hit.pk for hit in hits]},
        at=at,
    )
    publish_all([HitRaised(hit_id=hit.pk, client_id=hit.client_id, at=at) for hit in hits])
    return len(hits)


def causes_of(found: Sequence[Found]) -> list[str]:
    """What each find rests on: the entry as it is in force, and the person's facts."""
    hashes = dict(Entry.objects.filter(id__in={match.entry.id for _, match in found}).values_list("id", "content_hash"))
    facts = facts_hashes([person for person, _ in found])
    return [rules.cause_hash(hashes[match.entry.id], known) for (_, match), known in zip(found, facts, strict=True)]


def _hit(person: PersonFacts, match: Match, cause: str, at: datetime) -> Hit:
    return Hit(
        client_id=person.client_id,
        role=person.role,
        entry_id=match.entry.id,
        source=match.entry.source,
        reference=match.entry.reference,
        cause_hash=cause,
        ours=match.ours,
        theirs=match.theirs,
        score_bp=match.score.score_bp,
        score={
            "basis": match.score.basis.value,
            "parts": [[part.ours, part.theirs, part.kind.value, part.similarity_bp] for part in match.score.parts],
        },
        birth=match.birth,
        country=match.country,
        names=list(person.names),
        birth_year=person.birth_on.year if person.birth_on else None,
        countries=list(person.countries),
        raised_at=at,
    )


def _lapse_older(hits: Sequence[Hit]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE screening_hit h SET state = 'lapsed'
              FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS new(client_id, role, source, reference)
             WHERE h.state = 'open' AND h.client_id = new.client_id AND h.role = new.role
               AND h.source = new.source AND h.reference = new.reference
            """,
            [
                [hit.client_id for hit in hits],
                [hit.role for hit in hits],
                [hit.source for hit in hits],
                [hit.reference for hit in hits],
            ],
        )


def lapse_ended_entries() -> int:
    """Let open hits lapse whose entry is no longer in force. Returns how many."""
    return Hit.objects.filter(state=HitState.OPEN, entry__until_version__isnull=False).update(state=HitState.LAPSED)


def lapse_others(client_id: int, causes: Collection[str]) -> int:
    """Let a client's open hits lapse that rest on none of these causes. Returns how many."""
    return (
        Hit.objects.filter(client_id=client_id, state=HitState.OPEN)
        .exclude(cause_hash__in=causes)
        .update(state=HitState.LAPSED)
    )


def lock_hits() -> None:
    """Let one transaction raise hits at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('screening:hits', 0))")
