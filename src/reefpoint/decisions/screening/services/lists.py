"""Taking in a list: a file is kept, read, and put in force whole or not at all."""

import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import BinaryIO

from django.db import connection, transaction
from django.db.models import Max

from reefpoint.decisions.screening.adapters import PARSERS, TAIL_BYTES, ListRefused, Progress
from reefpoint.decisions.screening.events import ListFailed, ListLoaded, ListReceived
from reefpoint.decisions.screening.models import Entry, ListFile, ListVersion, StagedEntry
from reefpoint.decisions.screening.rules import hits as rules
from reefpoint.decisions.screening.rules.names import name_forms
from reefpoint.decisions.screening.types import EntryDraft, EntryKind, ListBytes, ListShape, ListVersionState
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.events.services import publish

SOURCE_CHARACTERS_MAX = 40
BLOCK_BYTES = 4_000_000
"""A file is taken in, kept and read in blocks of so many bytes: no more of it is ever held."""
STAGED_AT_ONCE = 2_000
KEYED_AT_ONCE = 2_000
Content = bytes | BinaryIO
SCREENED_KINDS = frozenset({EntryKind.PERSON, EntryKind.ORGANISATION, EntryKind.OTHER})
"""Ships and aircraft are kept with their list, and no client is held against them."""


@transaction.atomic
def receive_list(
    *,
    actor: Actor,
    source: str,
    shape: ListShape,
    file_name: str,
    content: Content,
    second: Content = b"",
    may_shrink: bool = False,
    at: datetime,
) -> int:
    """Keep a file of a list, to be read by `load_received`. Returns the version's id.

    `content` is bytes or an open file, which is read twice in blocks. `source` names the list (`ofac.sdn`), `second` is
    a file of alternative names where the form has one. `may_shrink` accepts a list that lost more than a fifth of its
    entries. The bytes of the version in force, or of one that still waits, are that version. Raises `ListRefused` for
    an empty or oversized file.
    """
    require(actor, "screening.load_list")
    if not 0 < len(source) <= SOURCE_CHARACTERS_MAX or not source.isprintable() or source != source.strip():
        raise ListRefused(
            "A list is named by 1 to {source_characters_max} printable characters.",
            source_characters_max=SOURCE_CHARACTERS_MAX,
        )
    content_hash, sizes = _measure(content, second)
    _lock_source(source)
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
        size_bytes=sum(sizes),
        may_shrink=may_shrink,
        state=rules.LIST_STATES.initial,
        total=sizes[0],
        received_by=actor.ref,
        received_at=at,
    )
    for part, body in enumerate((content, second), start=1):
        for number, block in enumerate(_blocks_of(body)):
            ListFile.objects.create(version=version, part=part, number=number, content=zlib.compress(block, 1))
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


def _measure(content: Content, second: Content) -> tuple[str, tuple[int, int]]:
    """The hash over both files and the bytes of each. Raises `ListRefused` for an empty or oversized one."""
    digest, sizes, is_blank = hashlib.sha256(), [0, 0], True
    for part, body in enumerate((content, second)):
        for block in _blocks_of(body):
            if part and not sizes[part]:
                digest.update(b"\0")
            digest.update(block)
            sizes[part] += len(block)
            is_blank = is_blank and not block.strip()
            most = rules.SECOND_BYTES_MAX if part else rules.FILE_BYTES_MAX
            if sizes[part] > most:
                raise ListRefused("The file has more than {file_bytes_max:,} bytes.", file_bytes_max=most)
        if is_blank:
            raise ListRefused("The file is empty.")
    return digest.hexdigest(), (sizes[0], sizes[1])


def _blocks_of(content: Content) -> Iterator[bytes]:
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    stream.seek(0)
    while block := stream.read(BLOCK_BYTES):
        yield block


def load_list(
    *,
    actor: Actor,
    source: str,
    content: Content,
    at: datetime,
    shape: ListShape,
    file_name: str = "",
    second: Content = b"",
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

    The file is read block by block and its entries are staged as they come, so that its size costs no memory; only the
    switch is one transaction. Safe to repeat after a kill: what was staged is staged anew, what is in force stays.
    """
    require(actor, "screening.load_list")
    with _alone_with(version_id):
        version = ListVersion.objects.get(id=version_id)
        if ListVersionState(version.state) not in (ListVersionState.RECEIVED, ListVersionState.READING):
            return
        _set(version, state=ListVersionState.READING)
        try:
            count, published_on = _stage(version)
            _put_in_force(actor, version_id, count, published_on, at)
        except ListRefused as refusal:
            _fail(actor, version_id, refusal.message, at)


@contextmanager
def _alone_with(version_id: int) -> Iterator[None]:
    """Let one process read a version at a time: a command and the worker may both be asked to."""
    name = f"screening.read:{version_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def _stage(version: ListVersion) -> tuple[int, date | None]:
    """Read the file of a version into the staging table, a batch at a time. Returns its entries and its day."""
    file = _stored(version, 1)
    assert file is not None, "a delivery has a file"
    _unstage(version.pk)
    entries = PARSERS[ListShape(version.shape)](file, _stored(version, 2), _progress_of(version))
    published_on: date | None = None

    def each() -> Iterator[EntryDraft]:
        nonlocal published_on
        published_on = yield from entries

    count, drafts = 0, each()
    while batch := list(islice(drafts, STAGED_AT_ONCE)):
        count += len(batch)
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY screening_stagedentry (version_id, reference, kind, names, births, countries, programmes, note, "
                "content_hash) FROM STDIN"
            ) as rows,
        ):
            for entry in batch:
                rows.write_row((version.pk, *_row(entry)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE screening_stagedentry")
        cursor.execute(
            "SELECT reference FROM screening_stagedentry WHERE version_id = %s GROUP BY reference HAVING count(*) > 1 "
            "ORDER BY reference LIMIT 1",
            [version.pk],
        )
        twice = cursor.fetchone()
    if twice is not None:
        raise ListRefused("The entry {reference} stands in the file twice.", reference=twice[0])
    return count, published_on


def _unstage(version_id: int) -> None:
    """Take away what was staged of a version, and of others that are read no more."""
    read = ListVersion.objects.filter(state=ListVersionState.READING).exclude(id=version_id)
    StagedEntry.objects.exclude(version__in=read)._raw_delete(StagedEntry.objects.db)


def _stored(version: ListVersion, part: int) -> ListBytes | None:
    """A file of a delivery as it was taken in; None if there is none."""
    blocks = ListFile.objects.filter(version=version, part=part)
    numbers = list(blocks.values_list("number", flat=True).order_by("number"))
    if not numbers:
        return None

    def block(number: int) -> bytes:
        return zlib.decompress(bytes(blocks.values_list("content", flat=True).get(number=number)))

    return ListBytes(version.total, block(numbers[-1])[-TAIL_BYTES:], lambda: map(block, numbers))


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
def _put_in_force(actor: Actor, version_id: int, count: int, published_on: date | None, at: datetime) -> None:
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
    if before is not None and not version.may_shrink and rules.shrinks_too_much(before.entries, count):
        raise ListRefused(
            "The file has {count:,} entries where {entries:,} are in force: it may be cut off. "
            "If the list did shrink, load it again and say so.",
            count=count,
            entries=before.entries,
        )
    if before is not None:
        _set(before, state=ListVersionState.SUPERSEDED)
    added, changed, removed, missed = _replace_entries(version)
    _set(
        version,
        state=ListVersionState.IN_FORCE,
        published_on=published_on,
        entries=count,
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
            "entries": count,
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
    StagedEntry.objects.filter(version_id=version_id).delete()
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


_SAME_REFERENCE = """
    s.version_id = %(version)s AND e.until_version_id IS NULL AND e.source = %(source)s AND s.reference = e.reference"""


def _replace_entries(version: ListVersion) -> tuple[int, int, int, int]:
    """Hold the staged entries against those in force: end what is gone or changed, begin what is new or changed.

    Returns the numbers of added, changed and removed entries, and of new names in no readable script.
    """
    params: dict[str, str | int] = {"source": version.source, "version": version.pk}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH ended AS (
                UPDATE screening_entry e SET until_version_id = %(version)s
                 WHERE e.source = %(source)s AND e.until_version_id IS NULL AND NOT EXISTS (
                       SELECT 1 FROM screening_stagedentry s
                        WHERE {_SAME_REFERENCE} AND s.content_hash = e.content_hash)
                RETURNING e.id, e.reference
            ), unsearched AS (
                DELETE FROM screening_namekey k USING ended WHERE k.entry_id = ended.id
            )
            SELECT count(*) FILTER (WHERE s.reference IS NOT NULL), count(*) FILTER (WHERE s.reference IS NULL)
              FROM ended
              LEFT JOIN screening_stagedentry s ON s.version_id = %(version)s AND s.reference = ended.reference
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
              FROM screening_stagedentry s
             WHERE s.version_id = %(version)s AND NOT EXISTS (SELECT 1 FROM screening_entry e WHERE {_SAME_REFERENCE})
             ORDER BY s.reference
            """,  # noqa: S608 - a constant
            params,
        )
        begun = cursor.rowcount
        cursor.execute("DELETE FROM screening_stagedentry WHERE version_id = %s", [version.pk])
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
    missed = after = 0
    begun = Entry.objects.filter(since_version_id=version_id, kind__in=SCREENED_KINDS).order_by("id")
    with connection.cursor() as cursor:
        while batch := list(begun.filter(id__gt=after).values_list("id", "names")[:KEYED_AT_ONCE]):
            after = batch[-1][0]
            with cursor.copy("COPY screening_namekey (entry_id, name_no, key, hanzi, sound) FROM STDIN") as out:
                for entry_id, names in batch:
                    for name_no, (text, _) in enumerate(names):
                        keys = [key for form in name_forms(text) for key in form.keys]
                        missed += not keys
                        for key in dict.fromkeys(keys):
                            out.write_row((entry_id, name_no, *key))
        for index in ("screening_key_trigrams", "screening_key_other_trigrams"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])
        cursor.execute("ANALYZE screening_namekey")
    return missed
