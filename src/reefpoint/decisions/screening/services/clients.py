"""Holding clients against the lists: one when they change, all when a list changes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import connection, transaction

from reefpoint.decisions.screening.models import ListVersion, NameKey, Rescreen, Screening, SubjectName
from reefpoint.decisions.screening.rules import hits as rules
from reefpoint.decisions.screening.rules.names import NameForms, name_forms
from reefpoint.decisions.screening.selectors.matching import (
    best_by_entry,
    find_candidates,
    find_matches,
    load_entries,
    make_match,
)
from reefpoint.decisions.screening.services.raising import (
    Found,
    causes_of,
    lapse_ended_entries,
    lapse_others,
    raise_hits,
)
from reefpoint.decisions.screening.services.subjects import keep_subjects, load_persons
from reefpoint.decisions.screening.types import ListVersionState, Match, PersonFacts
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.parties.selectors.clients import get_client, list_clients

NAME_CHARACTERS_MAX = 200
ALL_CANDIDATES = 100_000
"""A client is held against every name over the threshold; only a person's look-up stops at the likest."""
CLIENTS_AT_ONCE = 1_000
NAMES_AT_ONCE = 500


class NothingToScreen(Refusal):
    """A name that holds nothing readable: no letters that are known here, no Chinese characters."""

    code = "nothing_to_screen"


@transaction.atomic
def screen_name(
    *,
    actor: Actor,
    name: str,
    birth_on: date | None = None,
    country: str | None = None,
    limit: int = 10,
    at: datetime,
) -> list[Match]:
    """Look a name up on the lists in force, and keep that it was asked. Raises `NothingToScreen`."""
    require(actor, "screening.screen")
    if len(name) > NAME_CHARACTERS_MAX or not name_forms(name):
        raise NothingToScreen(
            "A name has up to {name_characters_max} characters, in Latin or Cyrillic letters or in Chinese characters.",
            name_characters_max=NAME_CHARACTERS_MAX,
        )
    matches = find_matches(name, birth_on=birth_on, country=country, limit=limit)
    record(
        actor=actor,
        action="screening.screen_name",
        subject="screening",
        inputs={
            "name": name,
            "birth_year": birth_on.year if birth_on else None,
            "country": country,
            "lists": versions_in_force(),
            "found": [[match.entry.source, match.entry.reference, match.score.score_bp] for match in matches],
        },
        at=at,
    )
    return matches


@transaction.atomic
def screen_client(*, actor: Actor, client_id: int, at: datetime) -> int:
    """Hold a client, and everybody behind one, against all lists in force. Returns how many hits are new.

    Hits that the present facts no longer give lapse if nobody has proposed anything. Raises `ClientNotFound`.
    """
    require(actor, "screening.screen")
    client = get_client(actor, client_id)
    persons = load_persons([client])
    keep_subjects([client_id], persons)
    found: list[Found] = []
    for person in persons:
        forms = forms_of(person)
        found += _hits_of(person, forms, best_by_entry(forms, find_candidates(forms, at_most=ALL_CANDIDATES)))
    new = raise_hits(actor=actor, found=found, at=at)
    lapsed = lapse_others(client_id, causes_of(found))
    versions = versions_in_force()
    Screening.objects.update_or_create(client_id=client_id, defaults={"list_versions": versions, "screened_at": at})
    record(
        actor=actor,
        action="screening.screen_client",
        subject=f"client:{client_id}",
        inputs={
            "lists": versions,
            "persons": [[person.role, list(person.names)] for person in persons],
            "found": [[m.entry.source, m.entry.reference, m.score.score_bp] for _, m in found],
            "new": new,
            "lapsed": lapsed,
        },
        at=at,
    )
    return new


def screen_unscreened(*, actor: Actor, at: datetime, limit: int = CLIENTS_AT_ONCE) -> int:
    """Screen clients that were never held against the lists, if any list is in force. Returns how many were."""
    if not versions_in_force():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id FROM parties_client c LEFT JOIN screening_screening s ON s.client_id = c.id
             WHERE s.client_id IS NULL AND c.status <> 'closed' ORDER BY c.id LIMIT %s
            """,
            [limit],
        )
        waiting = [client_id for (client_id,) in cursor.fetchall()]
    for client_id in waiting:
        screen_client(actor=actor, client_id=client_id, at=at)
    return len(waiting)


def rescreen_all(*, actor: Actor, version_id: int, at: datetime) -> int:
    """Hold all clients against what is new or changed in a version; returns how many hits are new.

    In batches of a transaction each, over the smaller side: the clients' names or the version's. One that was killed
    goes on where it stood; one that is done does nothing more. What a later version has replaced is left to that one.
    """
    require(actor, "screening.screen")
    run, is_new = Rescreen.objects.get_or_create(version_id=version_id, defaults={"started_at": at})
    if run.finished_at is not None:
        return run.hits
    if is_new or run.after_id == 0:
        _follow_all_clients(actor)
    names = SubjectName.objects.count()
    keys = NameKey.objects.filter(entry__since_version_id=version_id).count()
    is_by_client = names <= keys
    Rescreen.objects.filter(id=run.pk).update(total=min(names, keys))
    while _rescreen_batch(actor, run.pk, version_id, is_by_client=is_by_client, at=at):
        pass
    return Rescreen.objects.get(id=run.pk).hits


def _follow_all_clients(actor: Actor) -> None:
    after = 0
    while clients := list_clients(actor, after_id=after, limit=CLIENTS_AT_ONCE):
        with transaction.atomic():
            keep_subjects([client.id for client in clients], load_persons(clients))
        after = clients[-1].id


# A pair is a name of a client and a name of an entry that begins with the version: of two Chinese names those that
# sound the same, of all others those spelt alike. The same pairs that `screening_candidates` finds for a single name.
_PAIR = """
    SELECT s.client_id, s.person_no, k.entry_id, k.name_no, k.key, k.hanzi
      FROM {outer} CROSS JOIN LATERAL (
           SELECT {inner}.* FROM {inner_table} {inner} WHERE s.sound <> '' AND k.sound <> '' AND k.sound = s.sound
           UNION ALL
           SELECT {inner}.* FROM {inner_table} {inner}
            WHERE k.spelling % s.spelling AND (s.sound = '' OR k.sound = '')
              AND (s.sound = '' OR similarity(k.spelling, s.spelling) >= %(sino)s)) AS {inner}
      JOIN screening_entry e ON e.id = k.entry_id AND e.since_version_id = %(version)s AND e.until_version_id IS NULL
"""
_BY_CLIENT = (
    _PAIR.replace("%", "%%")
    .replace("%%(", "%(")
    .format(
        outer="(SELECT * FROM screening_subjectname WHERE id > %(after)s ORDER BY id LIMIT %(limit)s) AS s",
        inner="k",
        inner_table="screening_namekey",
    )
)
_BY_ENTRY = (
    _PAIR.replace("%", "%%")
    .replace("%%(", "%(")
    .format(
        outer="""(SELECT n.* FROM screening_namekey n JOIN screening_entry b ON b.id = n.entry_id
               WHERE b.since_version_id = %(version)s AND n.id > %(after)s ORDER BY n.id LIMIT %(limit)s) AS k""",
        inner="s",
        inner_table="screening_subjectname",
    )
)
_LAST_CLIENT_NAME = """
    SELECT max(id), count(*) FROM (
        SELECT id FROM screening_subjectname WHERE id > %(after)s ORDER BY id LIMIT %(limit)s) a
"""
_LAST_ENTRY_NAME = """
    SELECT max(id), count(*) FROM (
        SELECT n.id FROM screening_namekey n JOIN screening_entry b ON b.id = n.entry_id
         WHERE b.since_version_id = %(version)s AND n.id > %(after)s ORDER BY n.id LIMIT %(limit)s) a
"""


@transaction.atomic
def _rescreen_batch(actor: Actor, run_id: int, version_id: int, *, is_by_client: bool, at: datetime) -> bool:
    """One batch; false once there is nothing left, and the run is closed."""
    run = Rescreen.objects.select_for_update().get(id=run_id)
    if run.finished_at is not None:
        return False
    params = {"after": run.after_id, "limit": NAMES_AT_ONCE, "version": version_id, "sino": rules.SINO_THRESHOLD}
    with connection.cursor() as cursor:
        cursor.execute(_LAST_CLIENT_NAME if is_by_client else _LAST_ENTRY_NAME, params)
        last, count = cursor.fetchone()
        pairs: list[tuple[int, int, int, int, str, str]] = []
        if count:
            cursor.execute("SELECT set_limit(%s)", [rules.TRIGRAM_THRESHOLD])
            cursor.execute(_BY_CLIENT if is_by_client else _BY_ENTRY, params)
            pairs = cursor.fetchall()
    if not count:
        _close_run(actor, run, version_id, at)
        return False
    run.after_id = last
    run.done += count
    run.hits += raise_hits(actor=actor, found=_found_in(actor, pairs), at=at)
    run.save(update_fields=["after_id", "done", "hits"])
    return True


def _found_in(actor: Actor, pairs: Sequence[tuple[int, int, int, int, str, str]]) -> list[Found]:
    """The pairs that are worth a person's look, with the facts of the people in them."""
    by_person: dict[tuple[int, int], set[tuple[int, int, str, str]]] = defaultdict(set)
    for client_id, person_no, entry_id, name_no, key, hanzi in pairs:
        by_person[client_id, person_no].add((entry_id, name_no, key, hanzi))
    if not by_person:
        return []
    clients = [get_client(actor, client_id) for client_id in sorted({client_id for client_id, _ in by_person})]
    persons = {(person.client_id, person.person_no): person for person in load_persons(clients)}
    found: list[Found] = []
    for who, candidates in sorted(by_person.items()):
        if (person := persons.get(who)) is not None:
            forms = forms_of(person)
            found += _hits_of(person, forms, best_by_entry(forms, candidates))
    return found


def _close_run(actor: Actor, run: Rescreen, version_id: int, at: datetime) -> None:
    lapsed = lapse_ended_entries()
    version = ListVersion.objects.get(id=version_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO screening_screening (client_id, list_versions, screened_at)
            SELECT DISTINCT client_id, jsonb_build_object(%(source)s::text, %(version)s::bigint), %(at)s::timestamptz
              FROM screening_person
            ON CONFLICT (client_id) DO UPDATE SET screened_at = excluded.screened_at,
                   list_versions = screening_screening.list_versions || excluded.list_versions
            """,
            {"source": version.source, "version": version_id, "at": at},
        )
    run.finished_at = at
    run.save(update_fields=["finished_at"])
    record(
        actor=actor,
        action="screening.rescreen_all",
        subject=f"list_version:{version_id}",
        inputs={"names": run.done, "hits": run.hits, "lapsed": lapsed},
        at=at,
    )


def forms_of(person: PersonFacts) -> list[NameForms]:
    """Every form of every name of a person."""
    return [form for name in person.names for form in name_forms(name)]


def _hits_of(person: PersonFacts, forms: Sequence[NameForms], best: Mapping[int, tuple[int, int]]) -> list[Found]:
    """Of the best names of entries those that are hits, with birth date and country held beside them."""
    likely = {entry: name_no for entry, (score, name_no) in best.items() if score >= rules.HIT_WITH_SAME_BIRTH_BP}
    entries = load_entries(likely)
    matches = [
        make_match(entries[entry], forms, name_no=name_no, birth_on=person.birth_on, countries=person.countries)
        for entry, name_no in sorted(likely.items())
    ]
    return [(person, match) for match in matches if match.is_hit]


def versions_in_force() -> dict[str, int]:
    """The version in force of each list, by source."""
    return dict(ListVersion.objects.filter(state=ListVersionState.IN_FORCE).values_list("source", "id"))
