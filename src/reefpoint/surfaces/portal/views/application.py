"""A client's application: its sections saved as they are written, handed in, followed, taken back.

No address here names an application: each page is about that of whoever is signed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.suitability.selectors import find_assessment
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.rules.applications import EDITABLE, MAY_BEGIN_AGAIN, REQUIRED_DOCUMENTS
from reefpoint.flows.origination.selectors.applications import (
    ApplicationNotFound,
    find_info_request,
    find_own_application,
    get_own_section,
    list_pre_screens,
    list_sections,
    list_steps,
)
from reefpoint.flows.origination.selectors.overview import list_offered_schemes
from reefpoint.flows.origination.selectors.review import find_decision
from reefpoint.flows.origination.services.beginning import begin_again, begin_application
from reefpoint.flows.origination.services.submitting import submit_application, withdraw_application
from reefpoint.flows.origination.services.writing import SectionMalformed, save_section
from reefpoint.flows.origination.types.applications import (
    ApplicationState,
    ApplicationView,
    PreScreenOutcome,
    SectionStatus,
)
from reefpoint.flows.origination.types.questions import FieldProblem, Plain, Section, SectionData
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.selectors.documents import list_documents
from reefpoint.records.parties.selectors.invitations import find_own_invitation
from reefpoint.records.parties.services import accept_invitation
from reefpoint.records.parties.types import ClientKind, ClientStatus
from reefpoint.surfaces.portal.devices import device_of
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.portal.views.accounts import own_accounts
from reefpoint.surfaces.portal.views.borrow import live_requests
from reefpoint.surfaces.portal.views.loans import due_loans
from reefpoint.surfaces.web.application_words import (
    DOCUMENT_WORDS,
    SECTION_WORDS,
    STATE_SENTENCES,
    Words,
    pre_screen_words,
)
from reefpoint.surfaces.web.section_forms import CHOOSE, Option, Typed, draw_section, read_section

OWN_PAGES = {Section.DOCUMENTS: "portal:documents", Section.QUESTIONNAIRE: "portal:questionnaire"}


@dataclass(frozen=True)
class Step:
    """One section in the list, with where it is written."""

    status: SectionStatus
    name: Words
    note: Words
    address: str

    @property
    def look(self) -> str:
        if self.status.is_complete:
            return "complete"
        return "begun" if self.status.is_begun else "new"


@dataclass
class Saved:
    """What came of saving a section: what was wrong and left out, and what is still missing."""

    wrong: list[FieldProblem] = field(default_factory=list)
    missing: list[FieldProblem] = field(default_factory=list)


def own_application(actor: Actor) -> ApplicationView:
    """The application of whoever is signed in. Raises `ApplicationNotFound` before they have begun."""
    found = find_own_application(actor)
    if found is None:
        raise ApplicationNotFound(_("You have not begun an application yet."))
    return found


def list_steps_of(actor: Actor, application: ApplicationView) -> list[Step]:
    """The sections that are asked of this client, with how far each is."""
    today = get_clock().business_date or desk_now().date()
    documents = list_documents(actor, application.client_id)
    valid = {one.kind.value for one in documents if one.expires_on is None or one.expires_on >= today}
    assessment = find_assessment(application.client_id)
    is_answered = assessment is not None and assessment.expires_on >= today
    statuses = list_sections(actor, application.id, documents=valid, has_questionnaire=is_answered)
    return [Step(one, *SECTION_WORDS[one.section], address_of(one.section)) for one in statuses if one.is_asked]


def address_of(section: Section) -> str:
    """Where a section is written."""
    return reverse(OWN_PAGES[section]) if section in OWN_PAGES else reverse("portal:section", args=[section.value])


@client_page
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The application as it stands: what is to do now, how far it is, what happened."""
    application = find_own_application(actor)
    if application is None:
        return _before_applying(request, actor)
    steps = list_steps_of(actor, application)
    done = sum(step.status.is_complete for step in steps)
    asked = find_info_request(actor, application.id)
    decision = find_decision(actor, application.id)
    context = {
        "told": decision.told if decision else "",
        "application": application,
        "due_loans": due_loans(actor),
        "live_requests": live_requests(actor),
        "own_accounts": own_accounts(actor),
        "sentence": STATE_SENTENCES[application.state],
        "steps": steps,
        "done": done,
        "total": len(steps),
        "is_editable": application.state in EDITABLE,
        "asked": asked if application.state is ApplicationState.INFO_REQUESTED else None,
        "asked_sections": [(SECTION_WORDS[one][0], address_of(one)) for one in asked.sections] if asked else (),
        "asked_documents": [DOCUMENT_WORDS[one] for one in asked.documents] if asked else (),
        "moves": [(one.at, STATE_SENTENCES[one.state][0]) for one in reversed(list_steps(actor, application.id))],
        "may_begin_again": application.state in MAY_BEGIN_AGAIN,
        "may_withdraw": application.state in EDITABLE | {ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW},
    }
    return render(request, "portal/home.html", context)


def _before_applying(request: HttpRequest, actor: Actor) -> HttpResponse:
    """For whom has no application: invited, a client whom the desk brought on, or somebody new."""
    own = find_own_client(actor)
    if own is not None and own.status is not ClientStatus.PROSPECT:
        return render(
            request,
            "portal/client.html",
            {
                "client": own,
                "due_loans": due_loans(actor),
                "live_requests": live_requests(actor),
                "own_accounts": own_accounts(actor),
            },
        )
    if invitation := find_own_invitation(actor, desk_now()):
        return render(request, "portal/invited.html", {"invitation": invitation})
    return render(request, "portal/begin.html", {"steps": [SECTION_WORDS[one] for one in Section]})


@require_POST
@client_page
def take_invitation(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Accept the desk's invitation: what is on record becomes one's own to see."""
    accept_invitation(actor=actor, at=desk_now())
    messages.success(request, _("Your sign-in is connected with your records."))
    return redirect("portal:home")


@require_POST
@client_page
def begin(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Begin, as a person or for an institution."""
    chosen = request.POST.get("kind", "")
    if chosen not in set(ClientKind):
        messages.error(request, _("Say whether you apply for yourself or for an institution."))
        return redirect("portal:home")
    clock = get_clock()
    begin_application(
        actor=actor,
        kind=ClientKind(chosen),
        on=clock.business_date or clock.at.date(),
        at=clock.at,
        language=get_language() or "en",
    )
    return redirect("portal:home")


@client_page
def section(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """One section: written, saved, gone on from. Saving by itself answers with a line only."""
    if name not in set(Section) or Section(name) in OWN_PAGES:
        raise NotFound(_("There is no such section."))
    which = Section(name)
    application = own_application(actor)
    if application.state not in EDITABLE:
        return redirect("portal:home")
    kept = get_own_section(actor, application.id, which)
    typed, problems = Typed(data=dict(kept)), []
    if request.method == "POST":
        typed = read_section(request.POST, which, application.kind)
        _drop_row(typed.data, request.POST.get("remove", ""))
        saved = _save(actor, application, which, typed, kept)
        problems = saved.wrong
        if request.htmx:  # type: ignore[attr-defined]  # put there by django-htmx
            return render(request, "portal/saved.html", {"saved": saved, "errors": len(problems) + len(typed.errors)})
        if not problems and not typed.errors:
            return _go_on(request, actor, application, which)
    boxes = draw_section(
        which,
        application.kind,
        typed.data,
        problems=problems,
        typed=typed,
        more=request.GET.get("more", ""),
        options={"scheme_code": scheme_options()},
    )
    context = {
        "which": which,
        "words": SECTION_WORDS[which],
        "boxes": boxes,
        "has_errors": bool(problems or typed.errors),
    }
    return render(request, "portal/section.html", context)


def _save(actor: Actor, application: ApplicationView, which: Section, typed: Typed, kept: Mapping[str, Plain]) -> Saved:
    """Save all that is an answer. Where something else was typed, the answer that was there before stays."""
    data = dict(typed.data)
    for path in typed.unread:
        _restore(data, path, kept)
    saved = Saved()
    for _attempt in range(3):
        try:
            saved.missing = save_section(
                actor=actor, application_id=application.id, section=which, data=data, at=desk_now()
            )
        except SectionMalformed as malformed:
            saved.wrong.extend(malformed.problems)
            for problem in malformed.problems:
                _restore(data, problem.field, kept)
        else:
            break
    return saved


def _restore(data: SectionData, path: str, kept: Mapping[str, Plain]) -> None:
    """Put the answer that was saved before in the place of a wrong one; a row's wrong answer is left out."""
    name, *inner = path.split(".")
    rows = data.get(name)
    if len(inner) == 2 and isinstance(rows, list) and inner[0].isdigit() and int(inner[0]) < len(rows):
        row = rows[int(inner[0])]
        if isinstance(row, dict):
            data[name] = [
                *rows[: int(inner[0])],
                {k: v for k, v in row.items() if k != inner[1]},
                *rows[int(inner[0]) + 1 :],
            ]
    elif name in kept:
        data[name] = kept[name]
    else:
        data.pop(name, None)


def _drop_row(data: SectionData, path: str) -> None:
    name, _dot, number = path.partition(".")
    rows = data.get(name)
    if isinstance(rows, list) and number.isascii() and number.isdigit() and int(number) < len(rows):
        data[name] = rows[: int(number)] + rows[int(number) + 1 :]


def _go_on(request: HttpRequest, actor: Actor, application: ApplicationView, which: Section) -> HttpResponse:
    here = address_of(which)
    if request.POST.get("add"):
        name = request.POST["add"]
        return redirect(f"{here}?more={name}#f-{name}" if name.isidentifier() else here)
    if request.POST.get("remove"):
        return redirect(here)
    messages.success(request, _("Saved."))
    if request.POST.get("then") != "next":
        return redirect("portal:home")
    order = [step.status.section for step in list_steps_of(actor, application)]
    following = order[order.index(which) + 1 :] if which in order else []
    return redirect(address_of(following[0])) if following else redirect("portal:review")


def scheme_options() -> tuple[Option, ...]:
    """The schemes that are on offer today, in the reader's language."""
    clock = get_clock()
    is_chinese = (get_language() or "").startswith("zh")
    offered = list_offered_schemes(clock.business_date or clock.at.date())
    return (CHOOSE, *((one.code, (is_chinese and one.name_zh) or one.name) for one in offered))


@client_page
def review(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All sections once more, what stops the application, and handing it in."""
    application = own_application(actor)
    if application.state not in EDITABLE:
        return redirect("portal:home")
    clock = get_clock()
    found = None
    if request.method == "POST":
        found = submit_application(
            actor=actor,
            application_id=application.id,
            on=clock.business_date or clock.at.date(),
            at=clock.at,
            device=device_of(request),
        )
        if found.outcome is not PreScreenOutcome.STOPPED:
            messages.success(request, _("Handed in. We have written you an e-mail."))
            return redirect("portal:home")
    else:
        found = next(iter(list_pre_screens(actor, application.id)), None)
    reasons = [pre_screen_words(one.code, one.detail) for one in found.told] if found else []
    steps = list_steps_of(actor, application)
    context = {
        "application": application,
        "steps": steps,
        "is_complete": all(step.status.is_complete for step in steps),
        "found": found,
        "reasons": reasons,
    }
    return render(request, "portal/review.html", context)


@client_page
def withdraw(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take the application back, once asked again."""
    application = own_application(actor)
    if request.method == "POST":
        reason = request.POST.get("reason", "")[:500]
        withdraw_application(actor=actor, application_id=application.id, reason=reason, at=desk_now())
        messages.success(request, _("Your application is withdrawn."))
        return redirect("portal:home")
    return render(request, "portal/withdraw.html", {"application": application})


@client_page
def start_again(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Say what a new application takes over from the last one, and begin it."""
    application = own_application(actor)
    if application.state not in MAY_BEGIN_AGAIN:
        return redirect("portal:home")
    if request.method == "POST":
        begin_again(actor=actor, application_id=application.id, at=desk_now())
        messages.success(request, _("Your new application is begun. Look over each section and hand it in."))
        return redirect("portal:home")
    return render(request, "portal/begin_again.html", {"application": application})


def required_documents(kind: ClientKind) -> list[str]:
    """The documents that this kind of client has to show."""
    return [one.value for one in REQUIRED_DOCUMENTS[kind]]
