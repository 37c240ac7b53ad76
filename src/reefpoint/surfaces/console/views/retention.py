"""Retention: how long each class of record is kept, what has run out, and which matters stop its erasure."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.flows.operations.selectors.retention import (
    GRACE_DAYS,
    SWEEP_CLIENTS_MAX,
    find_run_out,
    list_retention_rules,
    read_silence,
)
from reefpoint.flows.operations.services.data_rights import request_sweep
from reefpoint.platform.access.services import ReasonNeeded
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import INVENTORY, DataCategory
from reefpoint.records.parties.selectors.data_rights import list_holds
from reefpoint.records.parties.services import lift_hold, place_hold
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.tables import Column, Table

REASON_CHARACTERS_MAX = 500

RUN_OUT = Table(
    key="retention",
    columns=(
        Column("number", _("Client"), "code", link=lambda row: reverse("console:client_data", args=[row.client_id])),
        Column("name", _("Name"), is_name=True),
        Column("closed_on", _("Left"), "day"),
        Column("goes", _("Goes now"), "custom", template="console/cells/run_out_goes.html", is_sortable=False),
        Column("kept", _("Stays until"), "custom", template="console/cells/run_out_kept.html", is_sortable=False),
    ),
    sort="closed_on",
    search=_("Number or name"),
    empty=_("Nothing has run out"),
    empty_help=_("Clients appear here once they have left and no law keeps some of their records any more."),
    row_id=lambda row: f"run-out-{row.client_id}",
)


@page("clients.erase")
def retention(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The dry run of what would be erased; a POST asks a second person for exactly that."""
    on = desk_now().date()
    if request.method == "POST":
        reason = _reason(request)
        if not reason:
            raise ReasonNeeded(_now("Say why now: the second person will read it."))
        approval_id = request_sweep(actor=actor, reason=reason, on=on, at=desk_now())
        messages.success(request, _now("Asked. Nothing is erased before a second person approves."))
        return redirect("console:approval", approval_id=approval_id)
    due = find_run_out(actor, on)
    wanted = RUN_OUT.read(request.GET)
    context = {
        "rules": list_retention_rules(on),
        "classes": [
            (category, sorted(label for label, held in INVENTORY.items() if category in held.kept_as))
            for category in DataCategory
            if category is not DataCategory.TECHNICAL
        ],
        "holds": list_holds(actor, only_standing=True),
        "names": people_names(),
        "silence": read_silence(actor, on),
        "free": sum(not one.is_held for one in due),
        "grace_days": GRACE_DAYS,
        "clients_max": SWEEP_CLIENTS_MAX,
    }
    return RUN_OUT.answer(request, wanted, RUN_OUT.find_in(due, wanted), "console/retention.html", context)


@require_POST
@page("clients.hold")
def hold(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Stop every erasure of a client's records for a matter, or lift such a hold."""
    chosen = request.POST.get("lift", "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 15:
        lift_hold(actor=actor, client_id=client_id, hold_id=int(chosen), reason=_reason(request), at=desk_now())
        messages.success(request, _now("Lifted. What has run out can be erased again, by two people."))
    else:
        matter = request.POST.get("matter", "")
        place_hold(actor=actor, client_id=client_id, matter=matter, reason=_reason(request), at=desk_now())
        messages.success(request, _now("Held. Nothing of this client is erased until the hold is lifted."))
    return redirect("console:client_data", client_id=client_id)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\x00", "").strip()[:REASON_CHARACTERS_MAX]
