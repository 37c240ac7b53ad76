"""The documents of clients, without their contents."""

import uuid
from collections.abc import Collection

from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.models import Document
from reefpoint.records.parties.selectors.clients import require_own_or
from reefpoint.records.parties.types import DocumentKind, DocumentView, MediaType


def document_context(client_id: int, place: uuid.UUID) -> str:
    """The place of a document, under which it is sealed."""
    return f"client:{client_id}:document:{place}"


def list_documents(actor: Actor, client_id: int) -> list[DocumentView]:
    """The documents of a client, oldest first, without their contents. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "documents.view", client_id)
    return load_documents([client_id])


def load_documents(client_ids: Collection[int]) -> list[DocumentView]:
    """The documents of these clients, for the program."""
    rows = Document.objects.filter(client_id__in=client_ids).defer("blob").order_by("id")
    return [
        DocumentView(
            id=row.pk,
            client_id=row.client_id,
            kind=DocumentKind(row.kind),
            file_name=row.file_name,
            media_type=MediaType(row.media_type),
            size_bytes=row.size_bytes,
            digest=bytes(row.digest).hex(),
            expires_on=row.expires_on,
            added_at=row.added_at,
            added_by=row.added_by,
            erased_at=row.erased_at,
        )
        for row in rows
    ]
