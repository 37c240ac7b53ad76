"""Who is screened: clients and the people behind them, kept as search keys that follow the records."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection

from reefpoint.decisions.screening.models import Person, SubjectName
from reefpoint.decisions.screening.rules.names import name_forms
from reefpoint.decisions.screening.types import PersonFacts
from reefpoint.platform.vault.services import digest_many
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.types import ClientStatus, ClientView, ProfileFacts

CLIENT_ROLE = "client"


def load_persons(clients: Sequence[ClientView]) -> list[PersonFacts]:
    """The people of these clients as the records have them, closed clients left out. Two queries."""
    open_ones = [client for client in clients if client.status is not ClientStatus.CLOSED]
    profiles = load_profiles([client.id for client in open_ones])
    return [person for client in open_ones for person in _persons(client, profiles.get(client.id))]


def _persons(client: ClientView, profile: ProfileFacts | None) -> Iterable[PersonFacts]:
    names = [client.name, client.name_zh]
    if profile is None:
        yield PersonFacts(client.id, 0, CLIENT_ROLE, _distinct(names), None, ())
        return
    names += [profile.name, profile.name_zh, *profile.former_names]
    countries = _distinct([profile.nationality.lower(), profile.residence.lower()])
    yield PersonFacts(client.id, 0, CLIENT_ROLE, _distinct(names), profile.birth_or_incorporated_on, countries)
    seen: set[tuple[object, ...]] = set()
    for number, one in enumerate(profile.related_persons, start=1):
        told = (one.role, one.name, one.name_zh, one.birth_on, one.nationality)
        if told in seen:
            continue
        seen.add(told)
        yield PersonFacts(
            client_id=client.id,
            person_no=number,
            role=str(one.role),
            names=_distinct([one.name, one.name_zh]),
            birth_on=one.birth_on,
            countries=_distinct([one.nationality.lower()]),
        )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def facts_hashes(persons: Sequence[PersonFacts]) -> list[str]:
    """What is known of each person, as one word under the vault's key: a birth day cannot be guessed from it."""
    told = [
        json.dumps([person.role, person.names, str(person.birth_on), sorted(person.countries)]) for person in persons
    ]
    return [found.hex()[:32] for found in digest_many([("screening.person", text) for text in told])]


def keep_subjects(client_ids: Sequence[int], persons: Sequence[PersonFacts]) -> None:
    """Make the search keys of these clients follow their facts; clients whose facts stand are left as they are."""
    kept: dict[int, set[tuple[int, str]]] = {}
    for client_id, number, known in Person.objects.filter(client_id__in=client_ids).values_list(
        "client_id", "person_no", "facts_hash"
    ):
        kept.setdefault(client_id, set()).add((number, known))
    now: dict[int, list[tuple[PersonFacts, str]]] = {client_id: [] for client_id in client_ids}
    for person, known in zip(persons, facts_hashes(persons), strict=True):
        now[person.client_id].append((person, known))
    stale = [
        client_id
        for client_id, found in now.items()
        if {(person.person_no, known) for person, known in found} != kept.get(client_id, set())
    ]
    if not stale:
        return
    SubjectName.objects.filter(client_id__in=stale).delete()
    Person.objects.filter(client_id__in=stale).delete()
    found = [pair for client_id in stale for pair in now[client_id]]
    Person.objects.bulk_create(
        Person(
            client_id=person.client_id,
            person_no=person.person_no,
            role=person.role,
            names=list(person.names),
            birth_year=person.birth_on.year if person.birth_on else None,
            countries=list(person.countries),
            facts_hash=known,
        )
        for person, known in found
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY screening_subjectname (client_id, person_no, name_no, text, key, hanzi, sound) FROM STDIN"
        ) as rows,
    ):
        for person, _ in found:
            for name_no, text in enumerate(person.names):
                for key in dict.fromkeys(key for form in name_forms(text) for key in form.keys):
                    rows.write_row((person.client_id, person.person_no, name_no, text, *key))
