"""What clients have that others may have too: documents, numbers, addresses, by blind index."""

from collections.abc import Collection

from reefpoint.records.parties.models import Document, TraitRow
from reefpoint.records.parties.types import Trait, TraitKind


def list_traits(client_ids: Collection[int] | None = None) -> list[Trait]:
    """What clients have that others may have too, oldest first; of all clients, or of some."""
    rows = TraitRow.objects.order_by("id")
    if client_ids is not None:
        rows = rows.filter(client_id__in=client_ids)
    columns = rows.values_list("client_id", "kind", "digest", "masked", "since", "until")
    return [
        Trait(client_id, TraitKind(kind), bytes(index), masked, since, until)
        for client_id, kind, index, masked, since, until in columns.iterator()
    ]


def list_clients_sharing(kinds_and_digests: Collection[tuple[TraitKind, bytes]]) -> list[Trait]:
    """Every trait on record with one of these kinds and digests."""
    wanted = {(kind.value, index) for kind, index in kinds_and_digests}
    rows = TraitRow.objects.filter(digest__in=[index for _kind, index in wanted]).order_by("id")
    return [
        Trait(row.client_id, TraitKind(row.kind), bytes(row.digest), row.masked, row.since, row.until)
        for row in rows
        if (row.kind, bytes(row.digest)) in wanted
    ]


def list_clients_with_documents_of(client_id: int) -> set[int]:
    """Other clients who handed in the same file as this one, by the blind index of its content."""
    own = Document.objects.filter(client_id=client_id, erased_at=None).values("digest")
    rows = Document.objects.filter(digest__in=own, erased_at=None).exclude(client_id=client_id)
    return set(rows.values_list("client_id", flat=True))
