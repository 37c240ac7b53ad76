"""Taking in a list: a file is kept, read, and put in force whole or not at all."""

import hashlib
import json
import zlib
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from reefpoint.decisions.screening.adapters import PARSERS, ListRefused, Progress
from reefpoint.decisions.screening.events import ListFailed, ListLoaded, ListReceived
from reefpoint.decisions.screening.models import Entry, ListFile, ListVersion
from reefpoint.decisions.screening.rules import hits as rules
from reefpoint.decisions.screening.rules.names import name_forms
from reefpoint.decisions.screening.types import EntryDraft, EntryKind, ListShape, ListVersionState, ParsedList
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.events.services import publish

SOURCE_CHARACTERS_MAX = 40
SCREENED_KINDS = frozenset({EntryKind.PERSON, EntryKind.ORGANISATION, EntryKind.OTHER})
"""Ships and aircraft are kept with their list, and no client is held against them."""


@transaction.atomic
def receive_list(
    *,
    actor: Actor,
    source: str,
    shape: ListShape,
    file_name: str,
    content: bytes,
    second: bytes = b"",
    may_shrink: bool = False,
    at: datetime,
) -> int:
    """Keep a file of a list, to be read by `load_received`. Returns the version's id.

    `source` names the list (`ofac.sdn`), `second` is a file of alternative names where the form has one. `may_shrink`
    accepts a list that lost more than a fifth of its entries. The bytes of the version in force, or of one that still
    waits, are that version. Raises `ListRefused` for an empty or oversized file.
    """
    require(actor, "screening.load_list")
    if not 0 < len(source) <= SOURCE_CHARACTERS_MAX or not source.isprintable() or source != source.strip():
        raise ListRefused(
            "A list is named by 1 to {source_characters_max} printable characters.",
            source_characters_max=SOURCE_CHARACTERS_MAX,
        )
    if not content.strip():
        raise ListRefused("The file is empty.")
    if len(content) + len(second) > rules.FILE_BYTES_MAX:
        raise ListRefused(
            "The file has {count:,} bytes; at most {file_bytes_max:,} are read.",
            count=len(content),
            file_bytes_max=rules.FILE_BYTES_MAX,
        )
    _lock_source(source)
    content_hash = hashlib.sha256(content + b"\0" + second if second else content).hexdigest()
    usable = (ListVersionState.RECEIVED, ListVersionState.READING, ListVersionState.IN_FORCE)
    known = ListVersion.objects.filter(source=source, content_hash=content_hash, shape=shape, state__in=usable).first()
    if known is not None:
        return known.pk
    latest = ListVersion.objects.filter(source=source).aggregate(Max("number"))["number__max"] or 0
    version = ListVersion.objects.create(
        source=source,
        number=latest + 1,
        shape=shape,
        file_name="".join(letter for letter in file_name if letter.isprintable())[-200:],
        content_hash=content_hash,
        size_bytes=len(content) + len(second),
        may_shrink=may_shrink,
        state=rules.LIST_STATES.initial,
        total=len(content),
        received_by=actor.ref,
        received_at=at,
    )
    for part, body in enumerate((content, second), start=1):
        if body:
            ListFile.objects.create(version=version, part=part, content=zlib.compress(body, 6))
    record(
        actor=actor,
        action="screening.receive_list",
        subject=f"list_version:{version.pk}",
        inputs={
            "source": source,
            "number": version.number,
            "shape": shape.value,
            "content_hash": content_hash,
            "may_shrink": may_shrink,
        },
        at=at,
    )
    publish(ListReceived(version_id=version.pk, source=source, at=at))
    return version.pk


def load_list(
    *,
    actor: Actor,
    source: str,
    content: bytes,
    at: datetime,
    shape: ListShape,
    file_name: str = "",
    second: bytes = b"",
) -> int:
    """Receive a list and read it at once; what a surface does in two steps. Returns the version's id.

    Raises `ListRefused`: the version then stands as failed, with the reason, and what was in force stays in force.
    """
    version_id = receive_list(
        actor=actor, source=source, shape=shape, file_name=file_name, content=content, second=second, at=at
    )
    load_received(actor=actor, version_id=version_id, at=at)
    version = ListVersion.objects.get(id=version_id)
    if version.state == ListVersionState.FAILED:
        raise ListRefused("{problem}", problem=version.problem, version_id=version_id)
    return version_id


def load_received(*, actor: Actor, version_id: int, at: datetime) -> None:
    """Read a received file and put it in force, in one transaction; or mark it failed and leave what is in force.

    Safe to repeat after a kill: what was not committed left nothing, what was is not done again.
    """
    require(actor, "screening.load_list")
    version = ListVersion.objects.get(id=version_id)
    if ListVersionState(version.state) not in (ListVersionState.RECEIVED, ListVersionState.READING):
        return
    _set(version, state=ListVersionState.READING)
    files = {file.part: zlib.decompress(bytes(file.content)) for file in version.files.all()}
    try:
        parsed = PARSERS[ListShape(version.shape)](files[1], files.get(2, b""), _progress_of(version))
        _put_in_force(actor, version_id, parsed, at)
    except ListRefused as refusal:
        _fail(actor, version_id, refusal.message, at)


def _progress_of(version: ListVersion) -> Progress:
    """Write down how far the reading is, seldom enough to cost nothing."""
    said = 0

    def tell(done: int, total: int) -> None:
        nonlocal said
        if done - said >= total // 20 or done == total:
            said = done
            ListVersion.objects.filter(id=version.pk, state=ListVersionState.READING).update(done=done, total=total)

    return tell


@transaction.atomic
def _put_in_force(actor: Actor, version_id: int, parsed: ParsedList, at: datetime) -> None:
    version = ListVersion.objects.get(id=version_id)
    _lock_source(version.source)
    version = ListVersion.objects.select_for_update().get(id=version_id)
    if version.state != ListVersionState.READING:
        return
    before = ListVersion.objects.filter(source=version.source, state=ListVersionState.IN_FORCE).first()
    if before is not None and before.number > version.number:
        raise ListRefused(
            "Version {number} of this list is in force already, and is newer than this one.", number=before.number
        )
    if before is not None and not version.may_shrink and rules.shrinks_too_much(before.entries, len(parsed.entries)):
        raise ListRefused(
            "The file has {count:,} entries where {entries:,} are in force: it may be cut off. "
            "If the list did shrink, load it again and say so.",
            count=len(parsed.entries),
            entries=before.entries,
        )
    if before is not None:
        _set(before, state=ListVersionState.SUPERSEDED)
    added, changed, removed, missed = _replace_entries(version, parsed.entries)
    _set(
        version,
        state=ListVersionState.IN_FORCE,
        published_on=parsed.published_on,
        entries=len(parsed.entries),
        added=added,
        changed=changed,
        removed=removed,
        missed_names=missed,
        finished_at=at,
    )
    record(
        actor=actor,
        action="screening.load_list",
        subject=f"list_version:{version_id}",
        inputs={
            "source": version.source,
            "number": version.number,
            "entries": len(parsed.entries),
            "added": added,
            "changed": changed,
            "removed": removed,
            "content_hash": version.content_hash,
        },
        at=at,
    )
    publish(ListLoaded(version_id=version_id, source=version.source, changes=added + changed, at=at))


@transaction.atomic
def _fail(actor: Actor, version_id: int, problem: str, at: datetime) -> None:
    version = ListVersion.objects.select_for_update().get(id=version_id)
    _set(version, state=ListVersionState.FAILED, problem=problem[:500], finished_at=at)
    record(
        actor=actor,
        action="screening.refuse_list",
        subject=f"list_version:{version_id}",
        reason=problem[:500],
        inputs={"source": version.source, "number": version.number, "content_hash": version.content_hash},
        at=at,
    )
    publish(ListFailed(version_id=version_id, source=version.source, at=at))


def _set(version: ListVersion, *, state: ListVersionState, **changes: object) -> None:
    rules.LIST_STATES.check(ListVersionState(version.state), state)
    version.state = state
    for name, value in changes.items():
        setattr(version, name, value)
    version.save(update_fields=["state", *changes])


def _lock_source(source: str) -> None:
    """Let one version of a source be received or put in force at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"screening:{source}"])


_STAGE = """
CREATE TEMPORARY TABLE screening_staged (
    reference text PRIMARY KEY, kind text, names jsonb, births jsonb, countries jsonb, programmes text, note text,
    content_hash text) ON COMMIT DROP
"""
_SAME_REFERENCE = "e.until_version_id IS NULL AND e.source = %(source)s AND s.reference = e.reference"


def _replace_entries(version: ListVersion, entries: Sequence[EntryDraft]) -> tuple[int, int, int, int]:
    """Hold the staged entries against those in force: end what is gone or changed, begin what is new or changed.

    Returns the numbers of added, changed and removed entries, and of new names in no readable script.
    """
    params: dict[str, str | int] = {"source": version.source, "version": version.pk}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS screening_staged")
        cursor.execute(_STAGE)
        with cursor.copy("COPY screening_staged FROM STDIN") as rows:
            for entry in entries:
                rows.write_row(_row(entry))
        cursor.execute("ANALYZE screening_staged")
        cursor.execute(
            f"""
            WITH ended AS (
                UPDATE screening_entry e SET until_version_id = %(version)s
                 WHERE e.source = %(source)s AND e.until_version_id IS NULL AND NOT EXISTS (
                       SELECT 1 FROM screening_staged s WHERE {_SAME_REFERENCE} AND s.content_hash = e.content_hash)
                RETURNING e.id, e.reference
            ), unsearched AS (
                DELETE FROM screening_namekey k USING ended WHERE k.entry_id = ended.id
            )
            SELECT count(*) FILTER (WHERE s.reference IS NOT NULL), count(*) FILTER (WHERE s.reference IS NULL)
              FROM ended LEFT JOIN screening_staged s USING (reference)
            """,  # noqa: S608 - a constant
            params,
        )
        changed, removed = cursor.fetchone()
        cursor.execute(
            f"""
            INSERT INTO screening_entry (source, reference, kind, names, births, countries, programmes, note,
                                         content_hash, since_version_id)
            SELECT %(source)s, s.reference, s.kind, s.names, s.births, s.countries, s.programmes, s.note,
                   s.content_hash, %(version)s
              FROM screening_staged s
             WHERE NOT EXISTS (SELECT 1 FROM screening_entry e WHERE {_SAME_REFERENCE})
             ORDER BY s.reference
            """,  # noqa: S608 - a constant
            params,
        )
        begun = cursor.rowcount
    missed = _write_keys(version.pk)
    return begun - changed, changed, removed, missed


def _row(entry: EntryDraft) -> tuple[str, ...]:
    return (
        entry.reference,
        entry.kind.value,
        json.dumps([[name.text, name.is_weak] for name in entry.names]),
        json.dumps(list(entry.births)),
        json.dumps(list(entry.countries)),
        entry.programmes,
        entry.note,
        rules.entry_hash(entry),
    )


def _write_keys(version_id: int) -> int:
    """The search keys of all entries that begin with a version. Returns how many names have none."""
    missed = 0
    rows: list[tuple[int, int, str, str, str]] = []
    begun = Entry.objects.filter(since_version_id=version_id, kind__in=SCREENED_KINDS).order_by("id")
    for entry_id, names in begun.values_list("id", "names").iterator(chunk_size=5_000):
        for name_no, (text, _) in enumerate(names):
            keys = [key for form in name_forms(text) for key in form.keys]
            missed += not keys
            rows.extend((entry_id, name_no, *key) for key in dict.fromkeys(keys))
    with connection.cursor() as cursor:
        with cursor.copy("COPY screening_namekey (entry_id, name_no, key, hanzi, sound) FROM STDIN") as out:
            for row in rows:
                out.write_row(row)
        for index in ("screening_key_trigrams", "screening_key_other_trigrams"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])
        cursor.execute("ANALYZE screening_namekey")
    return missed
