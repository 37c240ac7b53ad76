"""Lists, their versions and what changed in each."""

from collections.abc import Sequence

from django.db.models import Q

from reefpoint.decisions.screening.models import Entry, ListVersion, Rescreen
from reefpoint.decisions.screening.selectors.matching import entry_view
from reefpoint.decisions.screening.types import EntryView, ListShape, ListVersionState, RescreenView, VersionView
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding

VERSION_ORDERS = frozenset({"id", "source", "number", "published_on", "entries", "received_at", "state"})


class VersionNotFound(NotFound):
    """There is no such version of a list."""


def find_versions(
    actor: Actor,
    *,
    source: str = "",
    state: str = "",
    text: str = "",
    order: str = "-id",
    offset: int = 0,
    limit: int = 50,
) -> Listing[VersionView]:
    """Deliveries of lists that match, the latest first by default. Two queries."""
    require(actor, "screening.view")
    if order.lstrip("-") not in VERSION_ORDERS:
        raise ValueError(f"versions have no order {order!r}")
    rows = ListVersion.objects.all()
    if source:
        rows = rows.filter(source=source)
    if state:
        rows = rows.filter(state=state)
    rows = rows.filter(holding(text, "source", "file_name"))
    key = order.replace("received_at", "id")
    return cut(rows.order_by(key, "-id"), offset=offset, limit=limit, view=each(_view))


def list_in_force(actor: Actor) -> list[VersionView]:
    """The version in force of each list, by source."""
    require(actor, "screening.view")
    return [_view(row) for row in ListVersion.objects.filter(state=ListVersionState.IN_FORCE).order_by("source")]


def list_unsettled(actor: Actor) -> list[VersionView]:
    """What a person should know of lists: files that failed after the version in force of their list, oldest first."""
    require(actor, "screening.view")
    settled = {version.source: version.number for version in list_in_force(actor)}
    failed = ListVersion.objects.filter(state=ListVersionState.FAILED).order_by("id")
    return [_view(row) for row in failed if row.number > settled.get(row.source, 0)]


def get_version(actor: Actor, version_id: int) -> VersionView:
    """One delivery. Raises `VersionNotFound`."""
    require(actor, "screening.view")
    row = ListVersion.objects.filter(id=version_id).first()
    if row is None:
        raise VersionNotFound("There is no version {version_id} of any list.", version_id=version_id)
    return _view(row)


def find_rescreen(actor: Actor, version_id: int) -> RescreenView | None:
    """The screening of all clients that followed from a version; None if it has not begun."""
    require(actor, "screening.view")
    row = Rescreen.objects.select_related("version").filter(version_id=version_id).first()
    if row is None:
        return None
    return RescreenView(
        id=row.pk,
        version_id=row.version_id,
        source=row.version.source,
        number=row.version.number,
        done=row.done,
        total=row.total,
        hits=row.hits,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def list_changes(actor: Actor, version_id: int, *, limit: int = 50) -> dict[str, Sequence[EntryView]]:
    """Some of the entries that a version added, changed or removed, by the publisher's id."""
    require(actor, "screening.view")
    begun = Entry.objects.filter(since_version_id=version_id).order_by("reference")
    ended = Entry.objects.filter(until_version_id=version_id).order_by("reference")
    again = Entry.objects.filter(since_version_id=version_id).values("reference")
    before = Entry.objects.filter(until_version_id=version_id).values("reference")
    found = {
        "added": begun.exclude(reference__in=before),
        "changed": begun.filter(reference__in=before),
        "removed": ended.exclude(reference__in=again),
    }
    return {name: [entry_view(row) for row in rows[:limit]] for name, rows in found.items()}


def load_list_entries(version_id: int) -> list[EntryView]:
    """Every entry that was in force while this version was, for a replay of an old answer."""
    version = ListVersion.objects.get(id=version_id)
    rows = Entry.objects.filter(
        Q(until_version__isnull=True) | Q(until_version__number__gt=version.number),
        source=version.source,
        since_version__number__lte=version.number,
    )
    return [entry_view(row) for row in rows.order_by("reference")]


def _view(row: ListVersion) -> VersionView:
    return VersionView(
        id=row.pk,
        source=row.source,
        number=row.number,
        shape=ListShape(row.shape),
        file_name=row.file_name,
        content_hash=row.content_hash,
        size_bytes=row.size_bytes,
        published_on=row.published_on,
        state=ListVersionState(row.state),
        problem=row.problem,
        entries=row.entries,
        added=row.added,
        changed=row.changed,
        removed=row.removed,
        missed_names=row.missed_names,
        done=row.done,
        total=row.total,
        received_by=row.received_by,
        received_at=row.received_at,
        finished_at=row.finished_at,
    )
