"""What clients agreed to."""

from typing import Annotated

from ninja import Status
from pydantic import Field

from reefpoint.records.parties.selectors.consents import list_consents as read_consents
from reefpoint.records.parties.services import record_consent, withdraw_consent
from reefpoint.records.parties.types import ConsentChannel, ConsentPurpose, ConsentView
from reefpoint.surfaces.api.base import Caller, Id, In, Made, answers, now, router

consents = router("consents")


class ConsentIn(In):
    """A consent as it was given, with the version of the text that was seen."""

    purpose: ConsentPurpose
    text_version: Annotated[str, Field(min_length=1, max_length=40)]
    channel: ConsentChannel


class Withdrawal(In):
    """Why a consent is taken back."""

    reason: Annotated[str, Field(max_length=300)] = ""


@consents.get("/{client_id}/consents", response=answers(list[ConsentView]))
def list_consents(request: Caller, client_id: Id) -> list[ConsentView]:
    """Every consent of a client, withdrawn ones included."""
    return read_consents(request.auth, client_id)


@consents.post("/{client_id}/consents", response=answers(Made, 201))
def record(request: Caller, client_id: Id, consent: ConsentIn) -> Status[Made]:
    """Put a consent on record."""
    return Status(201, Made(id=record_consent(actor=request.auth, client_id=client_id, at=now(), **consent.dict())))


@consents.post("/{client_id}/consents/{consent_id}/withdrawal", response=answers(None, 204))
def withdraw(request: Caller, client_id: Id, consent_id: Id, withdrawal: Withdrawal) -> Status[None]:
    """Take a consent back: it counts for nothing from now on."""
    withdraw_consent(actor=request.auth, client_id=client_id, consent_id=consent_id, reason=withdrawal.reason, at=now())
    return Status(204, None)
