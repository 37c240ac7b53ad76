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
from reefpoint.flows.origination.selectors.review import Review, load_review
from reefpoint.flows.origination.services.beginning import begin_again, begin_application
from reefpoint.flows.origination.services.decisions import (
    accept_application,
    refuse_application,
    request_information,
    take_up,
)
from reefpoint.flows.origination.services.submitting import submit_application, withdraw_application
from reefpoint.flows.origination.services.writing import SectionMalformed, save_section
from reefpoint.flows.origination.types.applications import ApplicationState, ApplicationView, PreScreen
from reefpoint.flows.origination.types.decisions import RefusalReason
from reefpoint.flows.origination.types.questions import FieldProblem, Section
from reefpoint.records.parties.types import ClientKind, DocumentKind
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


Words = Annotated[str, Field(max_length=2000)]
Fingerprint = Annotated[str, Field(max_length=64, description="Of the facts that the decision is about.")]


class MoreWanted(In):
    """What the client should look at again. `words` go to the client as they stand, `note` stays on the desk."""

    sections: Annotated[list[Section], Field(max_length=20)] = Field(default_factory=list)
    documents: Annotated[list[DocumentKind], Field(max_length=20)] = Field(default_factory=list)
    words: Words
    note: Words = ""


class Acceptance(In):
    """Why, and on which facts. `words` are added to the letter as they stand, `note` stays on the desk."""

    fingerprint: Fingerprint
    note: Words
    words: Words = ""


class ApplicationRefusal(In):
    """The reasons, and on which facts; the client reads those that may be told."""

    fingerprint: Fingerprint
    reasons: Annotated[list[RefusalReason], Field(max_length=20)]
    note: Words = ""
    words: Words = ""


class AcceptanceAnswer(Schema):
    """`approval_id`: a second person has the word; null: the client is accepted."""

    approval_id: int | None


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


@applications.post("/{application_id}/successor", response=answers(Made, 201))
def apply_again(request: Caller, application_id: Id) -> Status[Made]:
    """Begin a new application after one that was refused or withdrawn."""
    return Status(201, Made(id=begin_again(actor=request.auth, application_id=application_id, at=now())))


@applications.get("/{application_id}/review", response=answers(Review))
def read_review(request: Caller, application_id: Id) -> Review:
    """All facts that a decision would rest on, what stands against accepting, and the fingerprint to decide with."""
    return load_review(request.auth, application_id, on=today(), at=now())


@applications.post("/{application_id}/review", response=answers(None, 204))
def take_into_review(request: Caller, application_id: Id) -> Status[None]:
    """Take a waiting application into review."""
    take_up(actor=request.auth, application_id=application_id, on=today(), at=now())
    return Status(204, None)


@applications.post("/{application_id}/questions", response=answers(None, 204))
def ask_for_more(request: Caller, application_id: Id, wanted: MoreWanted) -> Status[None]:
    """Ask the client for more."""
    request_information(
        actor=request.auth,
        application_id=application_id,
        sections=wanted.sections,
        documents=wanted.documents,
        words=wanted.words,
        note=wanted.note,
        at=now(),
    )
    return Status(204, None)


@applications.post("/{application_id}/acceptance", response=answers(AcceptanceAnswer))
def accept(request: Caller, application_id: Id, decision: Acceptance) -> AcceptanceAnswer:
    """Accept the client, or ask a second person to where the risk is high."""
    approval_id = accept_application(
        actor=request.auth,
        application_id=application_id,
        shown=decision.fingerprint,
        note=decision.note,
        words=decision.words,
        on=today(),
        at=now(),
    )
    return AcceptanceAnswer(approval_id=approval_id)


@applications.post("/{application_id}/refusal", response=answers(None, 204))
def refuse(request: Caller, application_id: Id, decision: ApplicationRefusal) -> Status[None]:
    """Refuse the client."""
    refuse_application(
        actor=request.auth,
        application_id=application_id,
        reasons=decision.reasons,
        note=decision.note,
        words=decision.words,
        shown=decision.fingerprint,
        on=today(),
        at=now(),
    )
    return Status(204, None)


def _problems(problems: Any) -> list[SectionProblem]:
    return [SectionProblem(**asdict(one)) for one in problems if isinstance(one, FieldProblem)]
