"""Beginning an application: one's own, again after one that is over, or for a lead by staff who help."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.screening.selectors.hits import get_screening_standing
from reefpoint.decisions.screening.types import Standing
from reefpoint.flows.origination.models import Application, Lead
from reefpoint.flows.origination.rules.applications import MAY_BEGIN_AGAIN
from reefpoint.flows.origination.rules.leads import LEAD_STATES
from reefpoint.flows.origination.selectors.applications import load_sections
from reefpoint.flows.origination.selectors.leads import LeadNotFound, find_lead_by_email, visible_leads
from reefpoint.flows.origination.services.leads import contact_of, mark_converted
from reefpoint.flows.origination.services.steps import lock_application, lock_own, note_step
from reefpoint.flows.origination.services.writing import keep_section
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.leads import LeadChannel, LeadState
from reefpoint.flows.origination.types.questions import Section
from reefpoint.platform.access.selectors import find_email
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.services import begin_prospect, reopen_prospect
from reefpoint.records.parties.types import ClientDraft, ClientKind, ClientStatus


class NoOwnApplicant(Refusal):
    """Somebody without a way to apply: no e-mail on record."""

    code = "no_own_applicant"


@transaction.atomic
def begin_application(*, actor: Actor, kind: ClientKind, on: date, at: datetime, language: str = "en") -> int:
    """Begin one's own application on the portal. Returns its id; begun before, the same id.

    Once that one is refused or withdrawn, a new one is begun as `begin_again` does it. The lead with the same
    (verified) address, if there is one, is what it came from.
    """
    require(actor, "portal.apply")
    own = find_own_client(actor)
    if own is not None:
        held = Application.objects.filter(client_id=own.id).order_by("-id").first()
        if held is not None:
            is_over = ApplicationState(held.state) in MAY_BEGIN_AGAIN
            return begin_again(actor=actor, application_id=held.pk, at=at) if is_over else held.pk
    email = find_email(actor.user_id) if actor.user_id is not None else None
    if email is None:
        raise NoOwnApplicant("Sign in with your own address to apply.")
    draft = ClientDraft(name=actor.name or email, email=email, kind=kind, language=language)
    client_id = (
        own.id
        if own is not None
        else begin_prospect(actor=actor, draft=draft, portal_user_id=actor.user_id, on=on, at=at)
    )
    lead_id = find_lead_by_email(email)
    channel = (
        LeadChannel(Lead.objects.values_list("channel", flat=True).get(id=lead_id)) if lead_id else LeadChannel.WEB
    )
    return _begin(actor, client_id, kind, channel, lead_id, at)


@transaction.atomic
def begin_again(*, actor: Actor, application_id: int, at: datetime) -> int:
    """Begin a new application after one that was refused or withdrawn, by its client or by staff who help.

    The answers of the last one come over as they stand, but the declarations: those are made anew. Returns the new id;
    one that is under way already is returned as it is. Raises `CannotApplyAgain`, `InvalidTransition`.
    """
    last = lock_own(actor, application_id)
    newest = Application.objects.filter(client_id=last.client_id).order_by("-id")[0]
    if newest.pk != last.pk:
        return newest.pk
    if ApplicationState(last.state) not in MAY_BEGIN_AGAIN:
        raise InvalidTransition("This application is not over. Nothing new was begun.", state=last.state)
    is_confirmed = get_screening_standing(last.client_id).state is Standing.CONFIRMED
    if is_confirmed or last.client.status == ClientStatus.BLOCKED:
        raise CannotApplyAgain("A new application cannot be begun here. Please write to us.")
    if last.client.status == ClientStatus.CLOSED:
        reopen_prospect(actor=actor, client_id=last.client_id, reason=last.number, at=at)
    new_id = _begin(actor, last.client_id, ClientKind(last.kind), LeadChannel(last.channel), None, at)
    row = lock_application(new_id)
    for section, data in load_sections(last.pk).items():
        if section is not Section.DECLARATIONS:
            keep_section(actor, row, section, data, at)
    return new_id


class CannotApplyAgain(Refusal):
    """Somebody who is blocked, or whose hit on a list was confirmed. Why is not said (tipping off)."""

    code = "cannot_apply_again"


@transaction.atomic
def convert_lead(*, actor: Actor, lead_id: int, on: date, at: datetime) -> int:
    """Begin an application for a lead, by staff who help. Returns the application's id.

    Raises `LeadNotFound`, `InvalidTransition` for one that became an application before, `ClientExists`, and
    `LeadHasNoEmail`: a client is written to.
    """
    require(actor, "applications.assist")
    lead = visible_leads(actor).select_for_update().filter(id=lead_id).first()
    if lead is None:
        raise LeadNotFound("There is no such lead, or it is not yours to see.", lead_id=lead_id)
    LEAD_STATES.check(LeadState(lead.state), LeadState.CONVERTED)
    email = contact_of(lead).email
    if not email:
        raise LeadHasNoEmail("This lead has no e-mail address. Ask for one: a client is written to.")
    draft = ClientDraft(
        name=lead.name,
        name_zh=lead.name_zh,
        email=email,
        kind=ClientKind(lead.kind),
        language=lead.language,
        relationship_manager_id=lead.owner_id or actor.user_id,
    )
    client_id = begin_prospect(actor=actor, draft=draft, on=on, at=at)
    return _begin(actor, client_id, draft.kind, LeadChannel(lead.channel), lead_id, at)


class LeadHasNoEmail(Refusal):
    """A lead that can only be telephoned."""

    code = "lead_has_no_email"


def _begin(
    actor: Actor, client_id: int, kind: ClientKind, channel: LeadChannel, lead_id: int | None, at: datetime
) -> int:
    row = Application.objects.create(
        client_id=client_id, lead_id=lead_id, kind=kind, channel=channel, begun_at=at, waits_since=at
    )
    if lead_id is not None:
        mark_converted(actor=actor, lead_id=lead_id, words=row.number, at=at)
    note_step(actor, row, "begin", "", at)
    record(
        actor=actor,
        action="applications.begin",
        subject=f"application:{row.pk}",
        inputs={"client_id": client_id, "kind": kind, "channel": channel, "lead_id": lead_id},
        at=at,
    )
    return row.pk
