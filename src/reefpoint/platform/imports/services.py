"""Handing a file in, and reading it batch by batch."""

import csv
import hashlib
import io
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.imports import rules
from reefpoint.platform.imports.events import FileReceived
from reefpoint.platform.imports.models import BadChunk, Chunk, ImportFile
from reefpoint.platform.imports.rules import FileRefused, LineChunk
from reefpoint.platform.imports.selectors import get_import
from reefpoint.platform.imports.types import (
    BadRow,
    BatchFacts,
    ImportKind,
    ImportState,
    NumberedRow,
    RowProblem,
)
from reefpoint.platform.vault.services import open_sealed, seal
from reefpoint.platform.vault.types import Sealed

FILE_NAME_CHARS_MAX = 120

_kinds: dict[str, ImportKind] = {}


class UnknownKind(NotFound):
    """No such kind of file is imported here."""


class BadFileGone(NotFound):
    """The file of bad rows was kept for its time and is deleted."""

    code = "bad_file_gone_not_found"


def connect(kinds: Sequence[ImportKind]) -> None:
    """Make the kinds of files known to this process; called once at start."""
    global _kinds  # noqa: PLW0603 - the one process-wide table, set at start and never changed
    _kinds = {kind.name: kind for kind in kinds}


def list_kinds(actor: Actor) -> list[ImportKind]:
    """The kinds of files that this actor may hand in."""
    return [kind for kind in _kinds.values() if actor.is_system or kind.right in actor.permissions]


def get_kind(name: str) -> ImportKind:
    """One kind by its name. Raises `UnknownKind`."""
    if name not in _kinds:
        raise UnknownKind("No such kind of file is imported here.", kind=name)
    return _kinds[name]


@transaction.atomic
def receive_file(
    *, actor: Actor, kind: str, file_name: str, pieces: Iterable[bytes], on: date, at: datetime
) -> tuple[int, bool]:
    """Take a CSV file in, sealed, to be read by a job. Returns the import's id and whether it was there before.

    The whole file is looked at as it arrives, a piece at a time: one that is too large, no UTF-8 CSV or lacks columns
    is refused whole (`FileRefused`) and leaves nothing. The same content again is the same import.
    """
    known = get_kind(kind)
    require(actor, known.right)
    digest = hashlib.sha256()
    lines = rules.lines_of(_watched(pieces, digest))
    header = rules.read_header(next(lines, ""), known)
    imported = ImportFile(
        kind=kind,
        file_name=_clean_name(file_name),
        header=header,
        rows=0,
        chunks=0,
        requested_by=actor.ref,
        requested_by_name=actor.name,
        requested_by_user_id=actor.user_id,
        sees_all_clients=actor.sees_all_clients,
        business_on=on,
        received_at=at,
        bad_until=(at + rules.BAD_FILE_KEPT).date(),
    )
    with transaction.atomic():
        imported.digest = f"receiving:{secrets.token_hex(16)}"
        imported.save()
        for number, chunk in enumerate(rules.chunks_of(lines)):
            _keep(imported, number, chunk)
        if not imported.rows:
            raise FileRefused("empty", "The file has a header and no rows. Nothing was imported.")
        lock_name(f"import:{kind}:{digest.hexdigest()}")
        before = ImportFile.objects.filter(kind=kind, digest=digest.hexdigest()).values_list("id", flat=True).first()
        if before is not None:
            imported.waiting.all().delete()
            imported.delete()
            return before, True
        imported.digest = digest.hexdigest()
        imported.save()
    record(
        actor=actor,
        action="imports.receive",
        subject=f"import:{imported.pk}",
        inputs={"kind": kind, "rows": imported.rows, "sha256": imported.digest},
        at=at,
    )
    publish(FileReceived(import_id=imported.pk, kind=kind, at=at))
    return imported.pk, False


def _watched(pieces: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    is_first = True
    for piece in pieces:
        if is_first and piece:
            rules.check_beginning(piece)
            is_first = False
        digest.update(piece)
        yield piece


def _keep(imported: ImportFile, number: int, chunk: LineChunk) -> None:
    sealed = seal(chunk.content, context=rules.chunk_context(imported.pk, number))
    Chunk.objects.create(
        import_file=imported, number=number, first_line=chunk.first_line, key_id=sealed.key_id, blob=sealed.blob
    )
    imported.rows += chunk.count
    imported.chunks = number + 1


def _clean_name(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in base if letter.isprintable())[:FILE_NAME_CHARS_MAX] or "file.csv"


def run_import(*, import_id: int, at: datetime) -> None:
    """Read what is left of a file, batch by batch. Killed anywhere and run again, it goes on without doubles."""
    while run_next_batch(import_id=import_id, at=at):
        pass


@transaction.atomic
def run_next_batch(*, import_id: int, at: datetime) -> bool:
    """Read the next batch: its rows, what they led to and the progress are one transaction. False when all is read.

    A second runner of the same import waits here, and then goes on with the batch after.
    """
    imported = ImportFile.objects.select_for_update().get(id=import_id)
    if imported.state == ImportState.DONE:
        return False
    chunk = imported.waiting.filter(number=imported.chunks_done).first()
    if chunk is not None:
        _read(imported, chunk)
        chunk.delete()
        imported.chunks_done += 1
    is_over = imported.chunks_done == imported.chunks
    new = ImportState.DONE if is_over else ImportState.RUNNING
    if imported.state != new:
        rules.IMPORT_STATES.check(ImportState(imported.state), new)
        imported.state = new
    if is_over:
        imported.finished_at = at
        record(
            actor=_actor_of(imported, get_kind(imported.kind)),
            action="imports.finish",
            subject=f"import:{imported.pk}",
            inputs={"kind": imported.kind, "good": imported.good, "bad": imported.bad},
            at=at,
        )
    imported.save()
    return not is_over


def _read(imported: ImportFile, chunk: Chunk) -> None:
    kind = get_kind(imported.kind)
    content = open_sealed(
        Sealed(chunk.key_id, bytes(chunk.blob or b"")), context=rules.chunk_context(imported.pk, chunk.number)
    )
    good: list[NumberedRow] = []
    bad: dict[int, BadRow] = {}
    cells_of: dict[int, tuple[str, ...]] = {}
    for line, text in enumerate(content.decode().split("\n"), start=chunk.first_line):
        if not text.strip():
            continue
        cells = rules.split_line(text)
        if cells is None:
            bad[line] = BadRow(line, (RowProblem("broken_quotes"),), (text,))
            continue
        row, problems = rules.read_row(imported.header, cells, kind)
        if problems or (problems := kind.check(row)):
            bad[line] = BadRow(line, tuple(problems), tuple(cells))
        else:
            good.append(NumberedRow(line, row))
            cells_of[line] = tuple(cells)
    facts = BatchFacts(imported.pk, chunk.number, imported.business_on, imported.received_at)
    refused = kind.take(_actor_of(imported, kind), facts, good) if good else {}
    bad |= {line: BadRow(line, (problem,), cells_of[line]) for line, problem in refused.items()}
    imported.good += len(good) - len(refused)
    imported.bad += len(bad)
    if bad:
        plain = rules.pack_bad_rows(bad[line] for line in sorted(bad))
        sealed = seal(plain, context=rules.bad_context(imported.pk, chunk.number))
        BadChunk.objects.create(import_file=imported, number=chunk.number, key_id=sealed.key_id, blob=sealed.blob)


def _actor_of(imported: ImportFile, kind: ImportKind) -> Actor:
    """Whoever handed the file in, with the one right that was checked then."""
    return Actor(
        ref=imported.requested_by,
        name=imported.requested_by_name,
        permissions=frozenset({kind.right}),
        user_id=imported.requested_by_user_id,
        sees_all_clients=imported.sees_all_clients,
    )


def stream_bad_rows(actor: Actor, import_id: int, *, at: datetime, words: Callable[[RowProblem], str]) -> Iterator[str]:
    """The rows that were not taken as CSV, a batch in memory at a time; that they were handed out is logged.

    The file's own columns follow `line` and `reasons`, which `words` says for a reader. Text that a spreadsheet would
    run is guarded. Mended, the file can be handed in again. Raises `ImportNotFound`, `BadFileGone`.
    """
    view = get_import(actor, import_id)
    if view.bad and not view.has_bad_file:
        raise BadFileGone(
            "The bad rows were kept until {bad_until} and are deleted. Import the file again.", bad_until=view.bad_until
        )
    record(actor=actor, action="imports.open_bad_rows", subject=f"import:{import_id}", at=at)
    header = ImportFile.objects.values_list("header", flat=True).get(id=import_id)
    return _csv(import_id, header, words)


def _csv(import_id: int, header: list[str], words: Callable[[RowProblem], str]) -> Iterator[str]:
    kept = [place for place, name in enumerate(header) if name not in rules.RETURNED_COLUMNS]
    yield "\ufeff" + _line([*rules.RETURNED_COLUMNS, *(header[place] for place in kept)])
    for chunk in BadChunk.objects.filter(import_file_id=import_id).order_by("number").iterator(chunk_size=1):
        sealed = Sealed(chunk.key_id, bytes(chunk.blob or b""))
        for row in rules.unpack_bad_rows(open_sealed(sealed, context=rules.bad_context(import_id, chunk.number))):
            cells = [row.cells[place] for place in kept] if len(row.cells) == len(header) else list(row.cells)
            reasons = "; ".join(words(problem) for problem in row.problems)
            yield _line([str(row.line), *map(rules.guarded, [reasons, *cells])])


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


@transaction.atomic
def forget_bad_rows(*, on: date) -> int:
    """Delete files of bad rows whose time is over. Returns how many batches went."""
    return BadChunk.objects.filter(import_file__bad_until__lt=on).delete()[0]
