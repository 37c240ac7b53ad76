"""Applications as their client and the desk see them, and their sections."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Q, QuerySet

from reefpoint.flows.origination.models import Application, InfoRequestRow, PreScreenRow, SectionDraft
from reefpoint.flows.origination.rules.answers import check_section
from reefpoint.flows.origination.rules.applications import REQUIRED_DOCUMENTS
from reefpoint.flows.origination.rules.pre_screen import outcome_of
from reefpoint.flows.origination.rules.questions import fields_of
from reefpoint.flows.origination.types.applications import (
    ApplicationState,
    ApplicationView,
    InfoRequest,
    PreScreen,
    PreScreenCode,
    PreScreenOutcome,
    PreScreenReason,
    SectionStatus,
    StepView,
)
from reefpoint.flows.origination.types.leads import LeadChannel
from reefpoint.flows.origination.types.questions import Section, SectionData
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.platform.vault.services import open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.selectors.clients import can_see_client, client_texts, find_own_client, visible_clients
from reefpoint.records.parties.types import ClientKind

APPLICATION_ORDERS = frozenset({"number", "name", "state", "waits_since", "begun_at"})


class ApplicationNotFound(NotFound):
    """No such application for this actor: whether it exists for others is not told (I66)."""


def find_own_application(actor: Actor) -> ApplicationView | None:
    """The newest application of whoever uses the portal; None before they have begun."""
    own = find_own_client(actor)
    row = _joined().filter(client_id=own.id).order_by("-id").first() if own else None
    return _view(row) if row else None


def get_application(actor: Actor, application_id: int) -> ApplicationView:
    """One application, for its client or for staff in scope. Raises `ApplicationNotFound`."""
    return _view(read_application(actor, application_id))


def read_application(actor: Actor, application_id: int) -> Application:
    """The row, for the services of this app, under the same scope.

    One that does not exist is refused as one of somebody else is (I66): staff without the right are told that alone.
    """
    row = _joined().filter(id=application_id).first()
    own = find_own_client(actor)
    if row is not None and own is not None and own.id == row.client_id:
        require(actor, "portal.apply")
        return row
    if "portal.apply" not in actor.permissions:
        require(actor, "applications.view")
    may_view = holds(actor.permissions, "applications.view")
    if row is None or not may_view or not can_see_client(actor, row.client_id):
        raise ApplicationNotFound("There is no such application.")
    return row


def find_applications(
    actor: Actor, *, text: str = "", state: str = "", order: str = "waits_since", offset: int, limit: int
) -> Listing[ApplicationView]:
    """One page of the applications in scope, of one state or of all.

    Raises `ValueError` for an order that applications do not have.
    """
    require(actor, "applications.view")
    if order.lstrip("-") not in APPLICATION_ORDERS:
        raise ValueError(f"applications have no order {order!r}")
    rows = _joined().filter(client__in=visible_clients(actor))
    if state:
        rows = rows.filter(state=state)
    rows = rows.filter(holding(text, "number", *client_texts()))
    key = order.replace("number", "id").replace("name", "client__name")
    return cut(rows.order_by(key, "id"), offset=offset, limit=limit, view=each(_view))


def list_waiting_applications(actor: Actor, *, limit: int) -> list[ApplicationView]:
    """Applications in scope that wait for an officer, or that this person took up, those that wait longest first."""
    require(actor, "applications.view")
    rows = _joined().filter(
        Q(state=ApplicationState.SUBMITTED) | Q(state=ApplicationState.IN_REVIEW, officer=actor.ref),
        client__in=visible_clients(actor),
    )
    return [_view(row) for row in rows.order_by("waits_since", "id")[:limit]]


def _joined() -> "QuerySet[Application]":
    return Application.objects.select_related("client")


# Sections


def section_context(application_id: int, section: str) -> str:
    """What a section's answers are sealed for."""
    return f"application:{application_id}:section:{section}"


def load_sections(application_id: int) -> dict[Section, SectionData]:
    """All answers in full, for the program itself: they must not reach a page of the desk, a log or an error."""
    rows = list(SectionDraft.objects.filter(application_id=application_id, blob__isnull=False))
    plains = open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), section_context(application_id, row.section)) for row in rows]
    )
    return {Section(row.section): json.loads(plain) for row, plain in zip(rows, plains, strict=True)}


def get_own_section(actor: Actor, application_id: int, section: Section) -> SectionData:
    """A section's answers in full, for the client who wrote them and for staff who help them write.

    Raises `ApplicationNotFound`.
    """
    row = read_application(actor, application_id)
    own = find_own_client(actor)
    if own is None or own.id != row.client_id:
        require(actor, "applications.assist")
    return load_sections(application_id).get(section, {})


def list_sections(
    actor: Actor, application_id: int, *, documents: Collection[str], has_questionnaire: bool
) -> list[SectionStatus]:
    """How far each section is, in the order in which they are asked."""
    row = read_application(actor, application_id)
    saved = dict(SectionDraft.objects.filter(application_id=application_id).values_list("section", "saved_at"))
    return section_statuses(
        ClientKind(row.kind), load_sections(application_id), saved, documents, has_questionnaire=has_questionnaire
    )


def section_statuses(
    kind: ClientKind,
    sections: Mapping[Section, SectionData],
    saved: Mapping[str, datetime],
    documents: Collection[str],
    *,
    has_questionnaire: bool,
) -> list[SectionStatus]:
    """How far each section is, from what was answered, uploaded and asked."""
    statuses = []
    for section in Section:
        data = sections.get(section, {})
        problems = tuple(check_section(section, data, kind))
        is_asked = bool(fields_of(section, kind)) or section in {Section.DOCUMENTS, Section.QUESTIONNAIRE}
        is_begun, is_complete = section in sections, not problems and (section in sections or section is Section.PEOPLE)
        if section is Section.DOCUMENTS:
            is_begun = bool(documents)
            is_complete = all(kind_of.value in documents for kind_of in REQUIRED_DOCUMENTS[kind])
        elif section is Section.QUESTIONNAIRE:
            is_begun = is_complete = has_questionnaire
        statuses.append(SectionStatus(section, is_asked, is_begun, is_complete, saved.get(section.value), problems))
    return statuses


# What happened


def list_pre_screens(actor: Actor, application_id: int) -> list[PreScreen]:
    """What each hand-in found, newest first; to whoever may not know, only what the client was told."""
    row = read_application(actor, application_id)
    may_know = actor.is_system or "screening.view" in actor.permissions
    found = [pre_screen_of(one) for one in PreScreenRow.objects.filter(application=row).order_by("-number")]
    return found if may_know else [told_pre_screen(one) for one in found]


def pre_screen_of(row: PreScreenRow) -> PreScreen:
    """A stored pre-screen."""
    reasons = tuple(
        PreScreenReason(PreScreenCode(code), detail, PreScreenOutcome(outcome), is_told)
        for code, detail, outcome, is_told in row.reasons
    )
    return PreScreen(row.number, row.at, PreScreenOutcome(row.outcome), reasons)


def told_pre_screen(found: PreScreen) -> PreScreen:
    """A pre-screen as the client reads it: without what is kept, and passed if nothing else was found."""
    return PreScreen(found.number, found.at, outcome_of(found.told), found.told)


def find_info_request(actor: Actor, application_id: int) -> InfoRequest | None:
    """What the client was asked for last."""
    row = read_application(actor, application_id)
    asked = InfoRequestRow.objects.filter(application=row).order_by("-id").first()
    if asked is None:
        return None
    return InfoRequest(
        asked.asked_at,
        tuple(Section(name) for name in asked.sections),
        tuple(asked.documents),
        asked.words,
        asked.answered_at,
    )


def told_applications(client_id: int) -> list[dict[str, object]]:
    """What a client may have of their applications: what they answered, were asked and were told, and the moves.

    Why it was decided, and what the desk noted, is left out: telling it could tip off.
    """
    rows = Application.objects.filter(client_id=client_id).order_by("id").select_related("decision")
    return [
        {
            "number": row.number,
            "state": row.state,
            "begun_at": row.begun_at,
            "submitted_at": row.submitted_at,
            "answers": load_sections(row.pk),
            "asked": [[asked.asked_at, asked.words] for asked in row.info_requests.all()],
            "told": row.decision.told if hasattr(row, "decision") else "",
            "moves": [[step.at, step.state] for step in row.steps.all()],
        }
        for row in rows.prefetch_related("info_requests", "steps")
    ]


def list_steps(actor: Actor, application_id: int) -> list[StepView]:
    """Every move of an application, oldest first."""
    row = read_application(actor, application_id)
    return [
        StepView(step.at, step.actor_name, step.action, ApplicationState(step.state), step.words)
        for step in row.steps.order_by("id")
    ]


def _view(row: Application) -> ApplicationView:
    return ApplicationView(
        id=row.pk,
        number=row.number,
        client_id=row.client_id,
        client_number=row.client.number,
        name=row.client.name,
        name_zh=row.client.name_zh,
        kind=ClientKind(row.kind),
        channel=LeadChannel(row.channel),
        language=row.client.language,
        state=ApplicationState(row.state),
        lead_id=row.lead_id,
        begun_at=row.begun_at,
        submitted_at=row.submitted_at,
        waits_since=row.waits_since,
        submissions=row.submissions,
        officer=row.officer_name,
        approval_id=row.approval_id,
    )
