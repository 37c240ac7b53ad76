"""Cases: the list by deadline, and one case with all that is on it. Only for those who may know of them."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.cases.selectors import get_case_page, list_cases
from reefpoint.decisions.cases.services import (
    add_document,
    add_note,
    assign_case,
    link_client,
    make_report,
    open_document,
    open_report,
    propose_disposition,
)
from reefpoint.decisions.cases.types import CaseFile, Disposition
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import permissions_of
from reefpoint.platform.access.selectors import list_people
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.records.parties.selectors.clients import search_clients
from reefpoint.surfaces.console.templatetags.cases import DISPOSITION_WORDS
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

FIELD_CODES = frozenset({"reason_needed", "report_missing", "document_refused", "assignee_refused", "not_found"})

CASES = Table(
    key="cases",
    columns=(
        Column("number", _("Case"), "code", link=lambda row: reverse("console:case", args=[row.id])),
        Column("title", _("About"), is_name=True),
        Column("client_names", _("Clients"), "custom", is_sortable=False, template="console/cells/case_clients.html"),
        Column("state", _("State"), "custom", template="console/cells/case_state.html"),
        Column("assignee_name", _("With"), is_sortable=False),
        Column("alerts", _("Alerts"), "quantity", is_sortable=False, is_wide_only=True),
        Column("due_at", _("Due"), "instant", unit="UTC"),
        Column("opened_at", _("Case opened"), "instant", unit="UTC", is_wide_only=True),
        Column("disposition", _("Outcome"), "custom", is_sortable=False, template="console/cells/case_outcome.html"),
    ),
    sort="due_at",
    search=_("Case, client or words of the title"),
    choices=(
        Choice("state", _("State"), (("open", _("Open")), ("proposed", _("To be closed")), ("closed", _("Closed")))),
    ),
    empty=_("No case was opened"),
    empty_help=_(
        "A case is opened on the page of an alert. Nobody outside compliance and audit learns that there is one."
    ),
    row_id=lambda row: f"case-{row.id}",
)


@page("cases.view")
def cases(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All cases, those due first."""
    wanted = CASES.read(request.GET)
    found = list_cases(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return CASES.answer(request, wanted, found, "console/cases.html", {})


@page("cases.view")
def case(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """One case: whom and what it is about, what happened, what it came to."""
    return _case_page(request, actor, case_id, {})


def _case_page(request: HttpRequest, actor: Actor, case_id: int, errors: dict[str, str]) -> HttpResponse:
    found = get_case_page(actor, case_id)
    context = {
        "page": found,
        "case": found.row,
        "now": desk_now(),
        "names": people_names(),
        "may_work": found.row.state.value == "open" and "cases.work" in actor.permissions,
        "officers": [
            person for person in list_people() if person.is_active and "cases.work" in permissions_of(person.roles)
        ],
        "dispositions": [(one.value, DISPOSITION_WORDS[one.value]) for one in Disposition],
        "given": request.POST,
        "errors": errors,
    }
    return render(request, "console/case.html", context)


@require_POST
@page("cases.work")
def work_on_case(request: HttpRequest, actor: Actor, case_id: int, step: str) -> HttpResponse:
    """One step on a case; what is wrong is said beside its form."""
    doing = STEPS.get(step)
    if doing is None:
        raise NotFound(_now("There is no such step."))
    try:
        words = doing(request, actor, case_id)
    except Refusal as refusal:
        if refusal.code in FIELD_CODES:
            get_case_page(actor, case_id)
            return _case_page(request, actor, case_id, {step: said(refusal)})
        raise
    messages.success(request, words)
    return redirect("console:case", case_id=case_id)


def _note(request: HttpRequest, actor: Actor, case_id: int) -> str:
    add_note(actor=actor, case_id=case_id, text=request.POST.get("text", ""), at=desk_now())
    return _now("The note is on the case.")


def _assign(request: HttpRequest, actor: Actor, case_id: int) -> str:
    chosen = request.POST.get("user", "")
    user_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 16 else 0
    assign_case(actor=actor, case_id=case_id, user_id=user_id, at=desk_now())
    return _now("The case is assigned.")


def _link(request: HttpRequest, actor: Actor, case_id: int) -> str:
    number = request.POST.get("client", "").strip()[:40]
    found = [one for one in search_clients(actor, number) if one.number.casefold() == number.casefold()]
    if not found:
        raise NotFound(_now("There is no client with this number: type it as C-000123."))
    link_client(
        actor=actor, case_id=case_id, client_id=found[0].id, reason=request.POST.get("reason", ""), at=desk_now()
    )
    return _now("The client is linked to the case.")


def _document(request: HttpRequest, actor: Actor, case_id: int) -> str:
    sent = request.FILES.get("file")
    if sent is None:
        raise NotFound(_now("Choose a file."))
    add_document(actor=actor, case_id=case_id, file_name=sent.name or "", content=sent.read(), at=desk_now())
    return _now("The document is sealed into the case.")


def _report(request: HttpRequest, actor: Actor, case_id: int) -> str:
    make_report(actor=actor, case_id=case_id, at=desk_now())
    return _now("The extract is made; its hash is in the audit log.")


def _propose(request: HttpRequest, actor: Actor, case_id: int) -> str:
    chosen = request.POST.get("disposition", "")
    if chosen not in {one.value for one in Disposition}:
        raise NotFound(_now("Choose what the case came to."))
    propose_disposition(
        actor=actor,
        case_id=case_id,
        disposition=Disposition(chosen),
        reason=request.POST.get("reason", ""),
        at=desk_now(),
    )
    return _now("A second person is asked to close the case.")


STEPS: dict[str, Callable[[HttpRequest, Actor, int], str]] = {
    "note": _note,
    "assign": _assign,
    "link": _link,
    "document": _document,
    "report": _report,
    "propose": _propose,
}


@require_POST
@page("cases.view")
def case_document(request: HttpRequest, actor: Actor, document_id: int) -> HttpResponse:
    """A document of a case, handed out with an audit entry."""
    return _handed_out(open_document(actor=actor, document_id=document_id, at=desk_now()))


@require_POST
@page("cases.view")
def case_report(request: HttpRequest, actor: Actor, report_id: int) -> HttpResponse:
    """An extract for a report, handed out with an audit entry."""
    return _handed_out(open_report(actor=actor, report_id=report_id, at=desk_now()))


def _handed_out(file: CaseFile) -> HttpResponse:
    response = HttpResponse(file.content, content_type=file.media_type)
    name = "".join(char for char in file.file_name if char.isascii() and (char.isalnum() or char in "-._")) or "file"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
