"""What is published, and what was in force on a day."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

from django.db import connection

from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.platform.publications.models import Publication
from reefpoint.platform.publications.rules import SHIPPED, SHIPPED_FROM, fingerprint
from reefpoint.platform.publications.types import PublicationKind, PublicationState, PublicationView

GUARDS = ("fixed_columns", "no_delete", "no_truncate", "published_once")


class PublicationNotFound(NotFound):
    """No publication has this id."""


def in_force(kind: PublicationKind, on: date) -> PublicationView:
    """The version that holds on a day: published, in effect, the newest of those; else what was shipped."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM publications_publication
             WHERE kind = %s AND state = %s AND effective_from <= %s
             ORDER BY effective_from DESC, version DESC LIMIT 1
            """,
            [kind.name, PublicationState.PUBLISHED, on],
        )
        found = cursor.fetchone()
    return shipped(kind) if found is None else get_published(found[0])


def numbers_in_force(kinds: Collection[PublicationKind], on: date) -> dict[str, tuple[int, date]]:
    """Version and first day of what holds on a day, by the name of the kind. One query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (kind) kind, version, effective_from FROM publications_publication
             WHERE kind = ANY(%s) AND state = %s AND effective_from <= %s
             ORDER BY kind, effective_from DESC, version DESC
            """,
            [[kind.name for kind in kinds], PublicationState.PUBLISHED, on],
        )
        found = {name: (version, since) for name, version, since in cursor.fetchall()}
    return {kind.name: found.get(kind.name, (1, SHIPPED_FROM)) for kind in kinds}


@lru_cache(maxsize=256)
def get_published(publication_id: int) -> PublicationView:
    """A published version; nothing of it ever changes, so it is read once a process. Raises `PublicationNotFound`."""
    row = Publication.objects.filter(id=publication_id, state=PublicationState.PUBLISHED).first()
    if row is None:
        raise PublicationNotFound("There is no publication {publication_id}.", publication_id=publication_id)
    return _view(row)


def list_versions(kind: PublicationKind) -> list[PublicationView]:
    """All versions, newest first; what was shipped stands among them once it was used, or when there is no other."""
    rows = Publication.objects.filter(kind=kind.name).order_by("-version")
    return [_view(row) for row in rows] or [shipped(kind)]


@lru_cache(maxsize=32)
def shipped(kind: PublicationKind) -> PublicationView:
    """What comes with the program, as the first version would be."""
    return PublicationView(
        id=None,
        kind=kind.name,
        version=1,
        content=kind.shipped(),
        effective_from=SHIPPED_FROM,
        state=PublicationState.PUBLISHED,
        maker=SHIPPED,
        checker="",
        published_at=None,
        is_shipped=True,
    )


def verify_publications() -> list[Finding]:
    """Every version whose content is not what was written down, and every guard that is gone."""
    findings = [
        Finding("publications.content", f"publication:{row.pk}", "its content is not the one that was written down")
        for row in Publication.objects.order_by("id")
        if fingerprint(row.content) != row.content_hash
    ]
    table = Publication._meta.db_table
    return findings + verify_guards([], [(table, f"{table}_{guard}") for guard in GUARDS])


def _view(row: Publication) -> PublicationView:
    return PublicationView(
        id=row.pk,
        kind=row.kind,
        version=row.version,
        content=row.content,
        effective_from=row.effective_from,
        state=PublicationState(row.state),
        maker=row.maker,
        checker=row.checker,
        published_at=row.published_at,
        is_shipped=row.maker == SHIPPED,
    )
