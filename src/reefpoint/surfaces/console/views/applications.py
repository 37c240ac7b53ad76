"""Applications: the list by state and age, and the one page from which a client is accepted or refused."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.rules.applications import MAY_BEGIN_AGAIN, documents_of
from reefpoint.flows.origination.rules.decisions import KEPT_REASONS
from reefpoint.flows.origination.rules.questions import sections_of
from reefpoint.flows.origination.selectors.applications import (
    find_applications,
    find_info_request,
    get_application,
    list_pre_screens,
    list_steps,
)
from reefpoint.flows.origination.selectors.review import find_decision, load_review
from reefpoint.flows.origination.services.beginning import begin_again
from reefpoint.flows.origination.services.decisions import (
    accept_application,
    preview_letters,
    preview_refusal,
    refuse_application,
    request_information,
    take_up,
)
from reefpoint.flows.origination.types.applications import ApplicationState, ApplicationView
from reefpoint.flows.origination.types.decisions import Blocker, RefusalReason
from reefpoint.flows.origination.types.questions import Section
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.parties.selectors.documents import list_documents
from reefpoint.records.parties.selectors.profiles import get_profile
from reefpoint.records.parties.types import DocumentKind
from reefpoint.surfaces.console.views.clients import KIND_WORDS
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table
from reefpoint.surfaces.web.templatetags.figures import STATE_WORDS

APPLICATIONS = Table(
    key="applications",
    columns=(
        Column("number", _("Application"), "code", link=lambda row: reverse("console:application", args=[row.id])),
        Column("name", _("Name"), "custom", template="console/cells/lead_name.html", is_name=True),
        Column("kind", _("Kind"), "custom", is_sortable=False, template="console/cells/client_kind.html"),
        Column("channel", _("Channel"), "custom", is_sortable=False, template="console/cells/channel.html"),
        Column("state", _("State"), "state"),
        Column("waits_since", _("In this state since"), "instant"),
        Column("officer", _("Officer"), is_sortable=False, is_wide_only=True),
        Column("submissions", _("Handed in"), "quantity", is_sortable=False, is_wide_only=True),
    ),
    sort="waits_since",
    search=_("Name or number"),
    choices=(
        Choice("state", _("State"), tuple((state.value, STATE_WORDS[state.value]) for state in ApplicationState)),
    ),
    empty=_("Nobody has applied yet"),
    empty_help=_("Applications come from the portal, from leads, and from files of clients."),
    row_id=lambda row: f"application-{row.id}",
)
LETTERS = {"accept": "accepted", "refuse": "refused", "request_info": "info_requested"}
"""The letter of each decision."""


@page("applications.view")
def applications(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All applications in scope, those that wait longest first."""
    wanted = APPLICATIONS.read(request.GET)
    found = find_applications(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return APPLICATIONS.answer(request, wanted, found, "console/applications.html", {})


@page("applications.view")
def application(request: HttpRequest, actor: Actor, application_id: int) -> HttpResponse:
    """Everything that a decision on one application needs, and the decision at the bottom."""
    at = desk_now()
    on = get_clock().business_date or at.date()
    found = get_application(actor, application_id)
    review = load_review(actor, application_id, on=on, at=at)
    may_know = "screening.view" in actor.permissions
    context = {
        "application": found,
        "client": get_client(actor, found.client_id),
        "profile": get_profile(actor, found.client_id),
        "documents": list_documents(actor, found.client_id),
        "review": review,
        "screened_at": datetime.fromisoformat(review.facts.screened_at) if review.facts.screened_at else None,
        "pre_screens": list_pre_screens(actor, application_id),
        "asked": find_info_request(actor, application_id),
        "steps": list_steps(actor, application_id),
        "decision": find_decision(actor, application_id),
        "notices": list_notices(about=f"application:{application_id}"),
        "reasons": [
            (reason.value, preview_refusal([reason], found.language).removeprefix("- "), reason in KEPT_REASONS)
            for reason in RefusalReason
        ],
        "sections": sections_of(found.kind),
        "document_kinds": documents_of(found.kind),
        "blockers": [(one, _cure(one, found, actor)) for one in review.blockers],
        "kind_words": dict(KIND_WORDS),
        "may_know": may_know,
        "may_decide": "applications.decide" in actor.permissions,
        "may_begin_again": found.state in MAY_BEGIN_AGAIN and "applications.assist" in actor.permissions,
    }
    return render(request, "console/application.html", context)


def _cure(blocker: Blocker, found: ApplicationView, actor: Actor) -> str:
    """Where somebody with the rights of this actor can do something about a blocker; empty if nowhere."""
    match blocker:
        case Blocker.CLIENT_NOT_PROSPECT:
            return reverse("console:client", args=[found.client_id])
        case Blocker.PRE_SCREEN_STOPPED:
            return "#pre-screen"
        case Blocker.NOT_IN_REVIEW:
            return "#decision"
        case Blocker.NO_LICENCE:
            right, address = "licences.view", reverse("console:licences")
        case Blocker.DOCUMENTS_MISSING:
            right, address = "documents.view", reverse("console:client_documents", args=[found.client_id])
        case Blocker.QUESTIONNAIRE_MISSING:
            right, address = "suitability.view", reverse("console:suitability", args=[found.client_id])
        case Blocker.NO_LIST:
            right, address = "screening.view", reverse("console:screening_lists")
        case Blocker.OPEN_HITS | Blocker.CONFIRMED_HIT | Blocker.NEVER_SCREENED:
            right, address = "screening.view", reverse("console:client", args=[found.client_id]) + "#screening"
        case Blocker.NOT_ASSESSED | Blocker.PROHIBITED | Blocker.IDENTITY_CHECKS_FAILED:
            right, address = "kyc.view", reverse("console:kyc", args=[found.client_id])
        case Blocker.OPEN_ALERT:
            right, address = "monitoring.view", f"{reverse('console:alerts')}?q={found.client_number}"
    return address if right in actor.permissions else ""


@require_POST
@page("applications.decide")
def preview_application(request: HttpRequest, actor: Actor, application_id: int) -> HttpResponse:
    """The letter that a decision would send, in both languages. Nothing is decided."""
    given = request.POST
    letters = preview_letters(
        actor=actor,
        application_id=application_id,
        letter=LETTERS.get(given.get("decision", ""), "accepted"),
        reasons=[reason for reason in RefusalReason if reason.value in given.getlist("reason")],
        words=given.get("words", ""),
    )
    found = get_application(actor, application_id)
    return render(request, "console/letters.html", {"application": found, "letters": letters})


@require_POST
@page("applications.assist")
def apply_again(request: HttpRequest, actor: Actor, application_id: int) -> HttpResponse:
    """Begin a new application for somebody whose last one is over."""
    new_id = begin_again(actor=actor, application_id=application_id, at=desk_now())
    messages.success(request, _now("A new application is begun. The declarations are made anew."))
    return redirect("console:application", application_id=new_id)


@require_POST
@page("applications.decide")
def decide_application(request: HttpRequest, actor: Actor, application_id: int) -> HttpResponse:
    """Take it up, ask for more, accept or refuse: exactly what the form showed."""
    given, at = request.POST, desk_now()
    on = get_clock().business_date or at.date()
    words, note = given.get("words", "").strip()[:2000], given.get("note", "").strip()[:2000]
    shown = given.get("fingerprint", "")
    match given.get("decision"):
        case "take_up":
            take_up(actor=actor, application_id=application_id, on=on, at=at)
            messages.success(request, _now("You have it in review."))
        case "request_info":
            request_information(
                actor=actor,
                application_id=application_id,
                sections=[section for section in Section if section.value in given.getlist("section")],
                documents=[kind for kind in DocumentKind if kind.value in given.getlist("document")],
                words=words,
                note=note,
                at=at,
            )
            messages.success(request, _now("The client is asked, and reads your words as they stand."))
        case "accept":
            waiting = accept_application(
                actor=actor, application_id=application_id, shown=shown, note=note, words=words, on=on, at=at
            )
            if waiting is None:
                messages.success(request, _now("Accepted. The client is told."))
            else:
                messages.success(request, _now("A second person must agree: the risk is high."))
        case "refuse":
            refuse_application(
                actor=actor,
                application_id=application_id,
                reasons=[reason for reason in RefusalReason if reason.value in given.getlist("reason")],
                note=note,
                words=words,
                shown=shown,
                on=on,
                at=at,
            )
            messages.success(request, _now("Refused. The client is told what may be told."))
        case _:
            messages.error(request, _now("Nothing was decided: choose what to do."))
    return redirect("console:application", application_id=application_id)
