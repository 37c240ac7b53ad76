"""Retention: what has run out, its erasure by two people, and the legal holds that stop it."""

from datetime import date, datetime
from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.flows.operations.selectors.retention import Silence, find_run_out, read_silence
from reefpoint.flows.operations.services.data_rights import request_sweep
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.records.parties.selectors.data_rights import list_holds
from reefpoint.records.parties.services import lift_hold, place_hold
from reefpoint.surfaces.api.base import Caller, Id, In, Made, answers, now, router

retention = router("retention")


class RunOutOut(Schema):
    """A client of whom something has run out: what an erasure would take now, and what stays until when."""

    client_id: int
    number: str
    closed_on: date | None
    goes: list[DataCategory]
    kept: dict[DataCategory, date]
    tables: list[str]
    is_held: bool


class Sweep(In):
    """Why now; the second person reads it."""

    reason: Annotated[str, Field(min_length=5, max_length=500)]


class HoldIn(In):
    """The matter for which records must stay, such as a case number, and why."""

    client_id: Id
    matter: Annotated[str, Field(min_length=1, max_length=120)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HoldEnd(In):
    """Why the records need not stay any more."""

    client_id: Id
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HoldOut(Schema):
    """A legal hold; `lifted_at` is empty while it stands."""

    id: int
    client_id: int
    client_number: str
    matter: str
    reason: str
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None
    lifted_by: str
    lift_reason: str


@retention.get("/run-out", response=answers(list[RunOutOut]))
def list_run_out(request: Caller) -> list[RunOutOut]:
    """The dry run: at most 100 clients of whom something has run out, first those who left first."""
    return [
        RunOutOut(
            client_id=one.client_id,
            number=one.number,
            closed_on=one.closed_on,
            goes=list(one.goes),
            kept=dict(one.kept),
            tables=list(one.tables),
            is_held=one.is_held,
        )
        for one in find_run_out(request.auth, now().date())
    ]


@retention.get("/silence", response=answers(Silence))
def read_the_silent(request: Caller) -> Silence:
    """How long leads who never applied and prospects who fell silent are kept, and how many the next night takes."""
    return read_silence(request.auth, now().date())


@retention.post("/sweeps", response=answers(Made, 201))
def ask_for_sweep(request: Caller, sweep: Sweep) -> Status[Made]:
    """Ask a second person to let what has run out be erased; the answer is the id of that approval."""
    made = request_sweep(actor=request.auth, reason=sweep.reason, on=now().date(), at=now())
    return Status(201, Made(id=made))


@retention.get("/holds", response=answers(list[HoldOut]))
def read_holds(request: Caller) -> list[HoldOut]:
    """Every legal hold that was ever placed, newest first."""
    return [HoldOut.from_orm(one) for one in list_holds(request.auth)]


@retention.post("/holds", response=answers(Made, 201))
def place(request: Caller, hold: HoldIn) -> Status[Made]:
    """Stop every erasure of a client's records for a matter."""
    made = place_hold(actor=request.auth, client_id=hold.client_id, matter=hold.matter, reason=hold.reason, at=now())
    return Status(201, Made(id=made))


@retention.post("/holds/{hold_id}/lift", response=answers(None, 204))
def lift(request: Caller, hold_id: Id, end: HoldEnd) -> Status[None]:
    """Lift a hold."""
    lift_hold(actor=request.auth, client_id=end.client_id, hold_id=hold_id, reason=end.reason, at=now())
    return Status(204, None)
