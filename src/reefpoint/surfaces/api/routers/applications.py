"""Applications: read, written section by section, handed in, taken back; by their client or by staff who help."""

from dataclasses import asdict
from typing import Annotated, Any

from django.utils.translation import get_language
from ninja import Schema, Status
from pydantic import Field

from reefpoint.flows.origination.selectors.applications import (
    find_applications,
    find_own_application,
    get_application,
    get_own_section,
    list_pre_screens,
)
from reefpoint.flows.origination.services.applications import (
    SectionMalformed,
    begin_application,
    save_section,
    submit_application,
    withdraw_application,
)
from reefpoint.flows.origination.types import ApplicationState, ApplicationView, FieldProblem, PreScreen, Section
from reefpoint.records.parties.types import ClientKind
from reefpoint.surfaces.api.base import (
    Caller,
    Id,
    In,
    Limit,
    Listed,
    Made,
    Offset,
    SafeText,
    answers,
    now,
    router,
    today,
)

applications = router("applications")


class Begin(In):
    """For whom somebody applies."""

    kind: ClientKind


class SectionIn(In):
    """A section's answers by question; see docs/flows/onboarding.md for what each section asks."""

    answers: dict[Annotated[str, Field(max_length=60)], Any]


class SectionOut(Schema):
    """A section's answers as they were last saved."""

    answers: dict[str, Any]


class SectionProblem(Schema):
    """What is still missing or wrong: the path of a question, and a code."""

    field: str
    code: str


class SectionSaved(Schema):
    """`is_saved` false: some answers are none, nothing was kept."""

    is_saved: bool
    problems: list[SectionProblem]


class Reason(In):
    """Why."""

    reason: Annotated[str, Field(max_length=500)] = ""


@applications.get("", response=answers(Listed[ApplicationView]))
def list_applications(
    request: Caller,
    text: SafeText = "",
    state: ApplicationState | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[ApplicationView]:
    """Applications in scope, those that wait longest first."""
    found = find_applications(request.auth, text=text, state=state or "", offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@applications.post("", response=answers(Made, 201))
def begin(request: Caller, begin: Begin) -> Status[Made]:
    """Begin one's own application; begun before, the same one."""
    made = begin_application(actor=request.auth, kind=begin.kind, on=today(), at=now(), language=get_language() or "en")
    return Status(201, Made(id=made))


@applications.get("/own", response=answers(ApplicationView | None))
def read_own(request: Caller) -> ApplicationView | None:
    """The caller's own application; null before it was begun."""
    return find_own_application(request.auth)


@applications.get("/{application_id}", response=answers(ApplicationView))
def read_application(request: Caller, application_id: Id) -> ApplicationView:
    """One application."""
    return get_application(request.auth, application_id)


@applications.get("/{application_id}/sections/{section}", response=answers(SectionOut))
def read_section(request: Caller, application_id: Id, section: Section) -> SectionOut:
    """A section's answers, for whoever writes it."""
    return SectionOut(answers=dict(get_own_section(request.auth, application_id, section)))


@applications.put("/{application_id}/sections/{section}", response=answers(SectionSaved))
def write_section(request: Caller, application_id: Id, section: Section, body: SectionIn) -> SectionSaved:
    """Keep a section's answers, or say which of them are none."""
    try:
        left = save_section(
            actor=request.auth, application_id=application_id, section=section, data=body.answers, at=now()
        )
    except SectionMalformed as malformed:
        return SectionSaved(is_saved=False, problems=_problems(malformed.problems))
    return SectionSaved(is_saved=True, problems=_problems(left))


@applications.post("/{application_id}/submission", response=answers(PreScreen))
def submit(request: Caller, application_id: Id) -> PreScreen:
    """Hand an application in. `outcome` stopped: it was not taken, and the reasons say why."""
    submit_application(actor=request.auth, application_id=application_id, on=today(), at=now())
    return list_pre_screens(request.auth, application_id)[0]


@applications.post("/{application_id}/withdrawal", response=answers(None, 204))
def withdraw(request: Caller, application_id: Id, reason: Reason) -> Status[None]:
    """Take an application back."""
    withdraw_application(actor=request.auth, application_id=application_id, reason=reason.reason, at=now())
    return Status(204, None)


def _problems(problems: Any) -> list[SectionProblem]:
    return [SectionProblem(**asdict(one)) for one in problems if isinstance(one, FieldProblem)]
