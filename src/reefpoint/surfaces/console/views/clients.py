"""Clients in the reader's scope, and what is known of one of them: masked, until a reason is given and logged."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.cases.selectors import list_cases
from reefpoint.decisions.margin.selectors.pages import list_accounts
from reefpoint.decisions.monitoring.selectors import list_open_alerts
from reefpoint.decisions.relations.selectors import find_related
from reefpoint.decisions.screening.selectors import get_screening_standing, list_hits_of
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.flows.operations.selectors.retention import plan_retention
from reefpoint.flows.operations.services.data_rights import (
    end_relationship,
    export_client_data,
    request_erasure,
)
from reefpoint.platform.access.services import ReasonNeeded
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.parties.selectors.bank_accounts import list_bank_accounts
from reefpoint.records.parties.selectors.clients import find_clients, get_client
from reefpoint.records.parties.selectors.consents import list_consents
from reefpoint.records.parties.selectors.data_rights import list_erasures, list_holds
from reefpoint.records.parties.selectors.documents import list_documents
from reefpoint.records.parties.selectors.invitations import find_invitation
from reefpoint.records.parties.selectors.profiles import get_profile, list_related_persons
from reefpoint.records.parties.services import (
    add_document,
    block_client,
    end_invitation,
    invite_to_portal,
    open_document,
    record_consent,
    unblock_client,
    unmask,
    verify_bank_account,
    withdraw_consent,
)
from reefpoint.records.parties.types import ConsentChannel, ConsentPurpose, DocumentContent, DocumentKind
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

KIND_WORDS = (("individual", _("Person")), ("institution", _("Institution")))
REASON_CHARACTERS_MAX = 500

CLIENTS = Table(
    key="clients",
    columns=(
        Column("number", _("Client"), "code", link=lambda row: reverse("console:client", args=[row.id])),
        Column("name", _("Name"), is_name=True),
        Column("name_zh", _("Chinese name"), is_sortable=False),
        Column("kind", _("Kind"), "custom", template="console/cells/client_kind.html"),
        Column("email_masked", _("E-mail"), is_sortable=False, is_wide_only=True),
        Column("opened_on", _("Since"), "day", is_wide_only=True),
        Column("status", _("State"), "state"),
    ),
    sort="number",
    search=_("Number, name or e-mail"),
    choices=(
        Choice("kind", _("Kind"), KIND_WORDS),
        Choice(
            "status",
            _("State"),
            (
                ("prospect", _("Prospect")),
                ("active", _("Active")),
                ("blocked", _("Blocked")),
                ("closed", _("Closed")),
            ),
        ),
    ),
    empty=_("No client is registered, or none is assigned to you"),
    empty_help=_("Clients appear here once operations or a relationship manager has registered them."),
    row_id=lambda row: f"client-{row.id}",
)


@page("clients.view")
def clients(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All clients in scope."""
    wanted = CLIENTS.read(request.GET)
    found = find_clients(
        actor,
        text=wanted.text,
        kind=wanted.chosen["kind"],
        status=wanted.chosen["status"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return CLIENTS.answer(request, wanted, found, "console/clients.html", {})


@page("clients.view")
def client(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """One client, with the accounts."""
    found = get_client(actor, client_id)
    accounts = list_accounts(actor, client_id=client_id) if "account.view" in actor.permissions else None
    context: dict[str, object] = {
        "client": found,
        "accounts": accounts,
        "tab": "client",
        "sees_related": "relations.view" in actor.permissions,
        "related": find_related(actor, client_id) if "relations.view" in actor.permissions else None,
        "watched": watched_of(actor, client_id),
        "invitation": find_invitation(actor, client_id, desk_now()),
    }
    if "screening.view" in actor.permissions:
        context["screening"] = {
            "standing": get_screening_standing(client_id),
            "hits": list_hits_of(actor, client_id),
        }
    return render(request, "console/client.html", context)


@require_POST
@page("clients.invite")
def invite(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Invite the client to the portal, or take the invitation back."""
    if request.POST.get("change") == "end":
        end_invitation(actor=actor, client_id=client_id, at=desk_now())
        messages.success(request, _now("The invitation is taken back."))
    else:
        invite_to_portal(actor=actor, client_id=client_id, at=desk_now())
        messages.success(request, _now("Invited. A letter is on its way to the address on record."))
    return redirect("console:client", client_id=client_id)


@require_POST
@page("clients.block")
def change_standing(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Block a client, release the block, or end the relationship."""
    reason, at = _reason(request), desk_now()
    if not reason:
        raise ReasonNeeded(_now("Say why: it goes into the audit log."))
    match request.POST.get("change"):
        case "block":
            block_client(actor=actor, client_id=client_id, reason=reason, at=at)
            messages.success(request, _now("Blocked. Nothing is opened, lent, traded or paid out from now on."))
        case "unblock":
            unblock_client(actor=actor, client_id=client_id, reason=reason, at=at)
            messages.success(request, _now("The block is released."))
        case "end":
            end_relationship(actor=actor, client_id=client_id, reason=reason, at=at)
            messages.success(request, _now("The relationship is ended."))
        case _:
            messages.error(request, _now("Nothing was changed: choose what to do."))
    return redirect("console:client", client_id=client_id)


@page("clients.view")
def profile(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """What the client says of themselves, masked."""
    context = {
        "client": get_client(actor, client_id),
        "profile": get_profile(actor, client_id),
        "bank_accounts": list_bank_accounts(actor, client_id, with_removed=True),
        "people": list_related_persons(actor, client_id),
        "may_unmask": "clients.unmask" in actor.permissions,
        "may_verify": "clients.change_profile" in actor.permissions,
        "names": people_names(),
        "tab": "profile",
    }
    return render(request, "console/client_profile.html", context)


@page("clients.unmask")
def show_field(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """One field in full, once a reason is given; it stands on this answer alone."""
    found = get_client(actor, client_id)
    field = request.POST.get("field", request.GET.get("field", ""))[:40]
    context: dict[str, object] = {"client": found, "field": field, "tab": "profile"}
    if request.method == "POST":
        try:
            context["value"] = unmask(
                actor=actor, client_id=client_id, field=field, reason=_reason(request), at=desk_now()
            )
        except ReasonNeeded as refusal:
            context["error"] = said(refusal)
    return render(request, "console/client_unmask.html", context)


@require_POST
@page("clients.change_profile")
def verify_account(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Note that a bank account was seen to be the client's own."""
    chosen = request.POST.get("bank_account", "")
    verify_bank_account(
        actor=actor,
        client_id=client_id,
        bank_account_id=int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 15 else 0,
        reason=_reason(request),
        at=desk_now(),
    )
    messages.success(request, _now("The account is noted as the client's own."))
    return redirect("console:client_profile", client_id=client_id)


@page("documents.view")
def documents(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """The documents on file; a POST adds one."""
    found = get_client(actor, client_id)
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = _add_document(request, actor, client_id)
        if not errors:
            messages.success(request, _now("The document is on file, encrypted."))
            return redirect("console:client_documents", client_id=client_id)
    context = {
        "client": found,
        "documents": list_documents(actor, client_id),
        "kinds": list(DocumentKind),
        "may_add": "documents.add" in actor.permissions,
        "names": people_names(),
        "today": desk_now().date(),
        "given": request.POST,
        "errors": errors,
        "tab": "documents",
    }
    return render(request, "console/client_documents.html", context, status=422 if errors else 200)


def _add_document(request: HttpRequest, actor: Actor, client_id: int) -> dict[str, str]:
    """Add what the form says; returns what is wrong by field."""
    upload = request.FILES.get("file")
    kind, day = request.POST.get("kind", ""), request.POST.get("expires_on", "")
    if upload is None:
        return {"file": _now("Choose a file: PDF, JPEG or PNG, at most 10 MB.")}
    if kind not in set(DocumentKind):
        return {"kind": _now("Choose what the document shows.")}
    try:
        expires_on = date.fromisoformat(day) if day else None
    except ValueError:
        return {"expires_on": _now("This is not a date.")}
    try:
        add_document(
            actor=actor,
            client_id=client_id,
            kind=DocumentKind(kind),
            file_name=upload.name or "",
            content=upload.read(),
            expires_on=expires_on,
            at=desk_now(),
        )
    except Refusal as refusal:
        if refusal.code.startswith("document_") or refusal.code == "too_many_documents":
            return {"expires_on" if refusal.code == "document_expired" else "file": said(refusal)}
        raise
    return {}


@page("documents.view")
def document(request: HttpRequest, actor: Actor, document_id: int) -> HttpResponse:
    """The content of one document, as a file to keep; that it was handed out is logged."""
    return file_answer(open_document(actor=actor, document_id=document_id, at=desk_now()))


def file_answer(document: DocumentContent) -> HttpResponse:
    """A file of somebody's as an attachment: never shown inside our own pages, never taken for anything else."""
    answer = HttpResponse(document.content, content_type=document.media_type.value)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_ascii_name(document.file_name)}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@page("clients.view")
def data(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Consents, how long the law keeps what, export and erasure."""
    at = desk_now()
    found = get_client(actor, client_id)
    context = {
        "client": found,
        "consents": list_consents(actor, client_id),
        "purposes": list(ConsentPurpose),
        "channels": list(ConsentChannel),
        "retentions": plan_retention(client_id, at.date()).values(),
        "erasures": list_erasures(client_id),
        "names": people_names(),
        "tab": "data",
    }
    if "clients.hold" in actor.permissions:
        holds = list_holds(actor, client_id)
        context |= {"holds": holds, "standing": any(one.lifted_at is None for one in holds)}
    return render(request, "console/client_data.html", context)


@require_POST
@page("consents.record")
def consent(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Record a consent, or withdraw one."""
    get_client(actor, client_id)
    at, chosen = desk_now(), request.POST.get("withdraw", "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 15:
        withdraw_consent(actor=actor, client_id=client_id, consent_id=int(chosen), reason=_reason(request), at=at)
        messages.success(request, _now("Withdrawn: it counts for nothing from now on."))
    else:
        purpose, channel = request.POST.get("purpose", ""), request.POST.get("channel", "")
        version = request.POST.get("text_version", "").strip()[:40]
        if purpose not in set(ConsentPurpose) or channel not in set(ConsentChannel) or not version:
            messages.error(request, _now("Nothing was recorded: say what for, which text and how."))
        else:
            record_consent(
                actor=actor,
                client_id=client_id,
                purpose=ConsentPurpose(purpose),
                text_version=version,
                channel=ConsentChannel(channel),
                at=at,
            )
            messages.success(request, _now("The consent is on record."))
    return redirect("console:client_data", client_id=client_id)


@require_POST
@page("clients.export_data")
def export(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """All that the desk holds of the client, as one file."""
    found = get_client(actor, client_id)
    content = export_client_data(actor=actor, client_id=client_id, reason=_reason(request), at=desk_now())
    answer = HttpResponse(content, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.number}.zip"'
    return answer


@require_POST
@page("clients.erase")
def erase(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Ask a second person to let the client's data be erased."""
    reason = _reason(request)
    if not reason:
        raise ReasonNeeded(_now("Say on whose request: the second person will read it."))
    approval_id = request_erasure(actor=actor, client_id=client_id, reason=reason, at=desk_now())
    messages.success(request, _now("Asked. Nothing is erased before a second person approves."))
    return redirect("console:approval", approval_id=approval_id)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]


def _ascii_name(name: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "._-") else _escaped(char) for char in name)


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def watched_of(actor: Actor, client_id: int) -> dict[str, object] | None:
    """The client's alerts that wait and the cases about it, for those who may know of them; None for others."""
    if "cases.view" not in actor.permissions or "monitoring.view" not in actor.permissions:
        return None
    return {
        "cases": list_cases(actor, client_id=client_id, order="-opened_at").rows,
        "alerts": list_open_alerts(actor, at=desk_now(), client_id=client_id, limit=20),
    }
