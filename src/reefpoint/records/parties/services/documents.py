"""Documents of clients: taken for what their content is, sealed, handed out one by one with an audit row."""

import uuid
from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.vault.services import digest, open_sealed, seal
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.adapters.file_checks import SUFFIXES, check_file
from reefpoint.records.parties.models import Document
from reefpoint.records.parties.rules import clean_file_name
from reefpoint.records.parties.selectors.clients import find_own_client, require_own_or, visible_clients
from reefpoint.records.parties.selectors.documents import document_context
from reefpoint.records.parties.types import DocumentContent, DocumentKind, MediaType

DOCUMENTS_A_CLIENT_MAX = 200


class DocumentNotFound(NotFound):
    """There is no such document, or it is not the actor's to see (I66)."""

    code = "document_not_found"


class DocumentErased(Refusal):
    """The document's content was erased."""

    code = "document_erased"


class TooManyDocuments(Refusal):
    """The client has as many documents as the desk keeps for one."""

    code = "too_many_documents"


class DocumentExpired(Refusal):
    """A document that has expired already shows nothing."""

    code = "document_expired"


@transaction.atomic
def add_document(
    *,
    actor: Actor,
    client_id: int,
    kind: DocumentKind,
    file_name: str,
    content: bytes,
    expires_on: date | None = None,
    at: datetime,
) -> int:
    """Keep a document of a client, by the client or for them. Returns its id; the same content again, the same id.

    Raises `DocumentRefused` for a file that is not what it must be, `DocumentExpired`, `TooManyDocuments`.
    """
    require_own_or(actor, "documents.add", client_id)
    if expires_on is not None and expires_on < at.date():
        raise DocumentExpired("This document expired on {expires_on}. Send one that is valid.", expires_on=expires_on)
    media_type = check_file(content)
    index = digest("document", content.hex())
    held = Document.objects.filter(client_id=client_id, erased_at=None)
    same = held.filter(digest=index, kind=kind, expires_on=expires_on).values_list("id", flat=True).first()
    if same is not None:
        return same
    if held.count() >= DOCUMENTS_A_CLIENT_MAX:
        raise TooManyDocuments(
            "There are {documents_a_client_max} documents on file already. Nothing was added.",
            documents_a_client_max=DOCUMENTS_A_CLIENT_MAX,
        )
    place = uuid.uuid4()
    sealed = seal(content, context=document_context(client_id, place))
    document = Document.objects.create(
        client_id=client_id,
        place=place,
        kind=kind,
        file_name=clean_file_name(file_name, SUFFIXES[media_type]),
        media_type=media_type,
        size_bytes=len(content),
        key_id=sealed.key_id,
        blob=sealed.blob,
        digest=index,
        expires_on=expires_on,
        added_at=at,
        added_by=actor.ref,
    )
    record(
        actor=actor,
        action="documents.add",
        subject=f"client:{client_id}",
        inputs={
            "document_id": document.pk,
            "kind": kind,
            "media_type": media_type,
            "size_bytes": len(content),
            "expires_on": expires_on,
        },
        at=at,
    )
    return document.pk


@transaction.atomic
def open_document(*, actor: Actor, document_id: int, at: datetime) -> DocumentContent:
    """The content of a document for whoever may have it; that it was handed out goes into the audit log.

    Raises `DocumentNotFound` alike for one outside the scope and one that never was, `DocumentErased`.
    """
    own = find_own_client(actor)
    if own is None:
        require(actor, "documents.view")
    document = (
        Document.objects.filter(id=document_id).filter(client__in=[own.id] if own else visible_clients(actor)).first()
    )
    if document is None:
        raise DocumentNotFound("There is no such document, or it is not yours to see.", document_id=document_id)
    if document.blob is None:
        raise DocumentErased("The content of this document was erased.", document_id=document_id)
    context = document_context(document.client_id, document.place)
    content = open_sealed(Sealed(document.key_id, bytes(document.blob)), context=context)
    record(
        actor=actor,
        action="documents.open",
        subject=f"client:{document.client_id}",
        inputs={"document_id": document.pk, "kind": document.kind},
        at=at,
    )
    return DocumentContent(document.file_name, MediaType(document.media_type), content)
