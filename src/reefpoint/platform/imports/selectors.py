"""How far imports have come, and the rows that were not taken."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.imports import rules
from reefpoint.platform.imports.models import BadChunk, Chunk, ImportFile
from reefpoint.platform.imports.types import BadRow, ImportState, ImportView
from reefpoint.platform.vault.services import open_sealed
from reefpoint.platform.vault.types import Sealed


class ImportNotFound(NotFound):
    """There is no such import, or it is not this person's to see."""


def list_imports(actor: Actor, *, limit: int = 100) -> list[ImportView]:
    """Imports that this actor may see, newest first: all, or one's own."""
    return [_view(row) for row in _visible(actor)[:limit]]


def get_import(actor: Actor, import_id: int) -> ImportView:
    """One import. Raises `ImportNotFound`."""
    row = _visible(actor).filter(id=import_id).first()
    if row is None:
        raise ImportNotFound("There is no such import.")
    return _view(row)


def _visible(actor: Actor) -> "QuerySet[ImportFile]":
    require(actor, "imports.view")
    rows = ImportFile.objects.annotate(has_bad=Exists(BadChunk.objects.filter(import_file=OuterRef("pk"))))
    return rows if actor.sees_all_clients else rows.filter(requested_by=actor.ref)


def list_bad_rows(actor: Actor, import_id: int, *, limit: int = 20) -> list[BadRow]:
    """The first rows that were not taken, without what stood in them."""
    get_import(actor, import_id)
    found: list[BadRow] = []
    for chunk in BadChunk.objects.filter(import_file_id=import_id).order_by("number"):
        plain = open_sealed(
            Sealed(chunk.key_id, bytes(chunk.blob or b"")), context=rules.bad_context(import_id, chunk.number)
        )
        found += [BadRow(row.line, row.problems, ()) for row in rules.unpack_bad_rows(plain)]
        if len(found) >= limit:
            break
    return found[:limit]


def list_unfinished(*, before: datetime) -> list[int]:
    """Imports that were handed in before an instant and are not read to their end, oldest first."""
    rows = ImportFile.objects.exclude(state=ImportState.DONE).filter(received_at__lt=before)
    return list(rows.order_by("id").values_list("id", flat=True))


def verify_imports() -> list[Finding]:
    """Imports whose rows are gone before they were read."""
    findings = []
    for row in ImportFile.objects.exclude(state=ImportState.DONE).order_by("id"):
        if Chunk.objects.filter(import_file=row).count() != row.chunks - row.chunks_done:
            findings.append(Finding("imports.rows", f"import:{row.pk}", "rows that were not read yet are missing"))
    return findings


def _view(row: ImportFile) -> ImportView:
    return ImportView(
        id=row.pk,
        kind=row.kind,
        file_name=row.file_name,
        state=ImportState(row.state),
        rows=row.rows,
        good=row.good,
        bad=row.bad,
        received_at=row.received_at,
        finished_at=row.finished_at,
        bad_until=row.bad_until,
        requested_by_name=row.requested_by_name,
        has_bad_file=row.has_bad,  # type: ignore[attr-defined]  # annotated by `_visible`
    )
