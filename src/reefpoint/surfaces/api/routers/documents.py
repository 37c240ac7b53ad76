"""Documents of clients: listed, added, handed out."""

import datetime as dt

from django.http import HttpResponse
from ninja import File, Form, Status
from ninja.files import UploadedFile

from reefpoint.records.parties.rules import FILE_BYTES_MAX
from reefpoint.records.parties.selectors.documents import list_documents as read_documents
from reefpoint.records.parties.services import add_document, open_document
from reefpoint.records.parties.types import DocumentKind, DocumentView
from reefpoint.surfaces.api.base import Caller, Id, Made, answers, now, router

documents = router("documents")


@documents.get("/clients/{client_id}/documents", response=answers(list[DocumentView]))
def list_documents(request: Caller, client_id: Id) -> list[DocumentView]:
    """What is on file of a client, without contents."""
    return read_documents(request.auth, client_id)


@documents.post("/clients/{client_id}/documents", response=answers(Made, 201))
def add(
    request: Caller,
    client_id: Id,
    kind: Form[DocumentKind],
    file: File[UploadedFile],
    expires_on: Form[dt.date | None] = None,
) -> Status[Made]:
    """Keep a PDF, JPEG or PNG of a client; what it is, is seen from its content."""
    made = add_document(
        actor=request.auth,
        client_id=client_id,
        kind=kind,
        file_name=file.name or "",
        content=file.read(FILE_BYTES_MAX + 1),
        expires_on=expires_on,
        at=now(),
    )
    return Status(201, Made(id=made))


@documents.get("/documents/{document_id}", response=answers(bytes))
def hand_out(request: Caller, document_id: Id) -> HttpResponse:
    """The content of a document; that it was handed out is on record."""
    found = open_document(actor=request.auth, document_id=document_id, at=now())
    response = HttpResponse(found.content, content_type=found.media_type.value)
    response.headers["Content-Disposition"] = "attachment"
    return response
