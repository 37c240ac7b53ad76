"""The rights in a client's data: a field in full, all of it as a file, and its erasure."""

from typing import Annotated

from django.http import HttpResponse
from ninja import Schema, Status
from pydantic import Field

from reefpoint.flows.operations.services.data_rights import export_client_data, request_erasure
from reefpoint.records.parties.services import unmask
from reefpoint.surfaces.api.base import Caller, Id, In, Made, answers, now, router

data_rights = router("data rights")


class Purpose(In):
    """What for; it goes into the audit log."""

    reason: Annotated[str, Field(min_length=5, max_length=300)]


class FieldWanted(Purpose):
    """A field of a profile: `phone`, `address`, `birth`, `identifier:0`, `tax:0`, `bank:` and the account's id."""

    field: Annotated[str, Field(max_length=40)]


class FieldInFull(Schema):
    """A field in full, for this answer alone."""

    field: str
    value: str


@data_rights.post("/{client_id}/unmaskings", response=answers(FieldInFull))
def show_field(request: Caller, client_id: Id, wanted: FieldWanted) -> FieldInFull:
    """One field in full. For people who are signed in: a key never has this right."""
    value = unmask(actor=request.auth, client_id=client_id, field=wanted.field, reason=wanted.reason, at=now())
    return FieldInFull(field=wanted.field, value=value)


@data_rights.post("/{client_id}/exports", response=answers(bytes))
def export(request: Caller, client_id: Id, purpose: Purpose) -> HttpResponse:
    """All that the desk holds of the client, as a zip file."""
    content = export_client_data(actor=request.auth, client_id=client_id, reason=purpose.reason, at=now())
    response = HttpResponse(content, content_type="application/zip")
    response.headers["Content-Disposition"] = "attachment"
    return response


@data_rights.post("/{client_id}/erasures", response=answers(Made, 201))
def ask_for_erasure(request: Caller, client_id: Id, purpose: Purpose) -> Status[Made]:
    """Ask a second person to let the client's data be erased; the answer is the id of that approval."""
    made = request_erasure(actor=request.auth, client_id=client_id, reason=purpose.reason, at=now())
    return Status(201, Made(id=made))
