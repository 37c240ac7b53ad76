"""The second person: what waits for a decision, exactly as it was asked."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.selectors import count_pending, find_approval, list_decided, list_pending
from reefpoint.platform.access.services import approve, reject, withdraw
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.surfaces.web.live import live_address
from reefpoint.surfaces.web.people import page

REASON_CHARACTERS_MAX = 500
PENDING_MAX = 100


@page("approvals.view")
def approvals(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for this person, and what was decided lately."""
    context = {
        "pending": list_pending(actor, limit=PENDING_MAX),
        "count": count_pending(actor),
        "decided": list_decided(actor),
        "live": live_for(actor, "approvals"),
    }
    return render(request, "console/approvals.html", context)


@page("approvals.view")
def approval(request: HttpRequest, actor: Actor, approval_id: int) -> HttpResponse:
    """One request with the payload in full and its fingerprint, and the decision."""
    found = find_approval(actor, approval_id)
    if found is None:
        raise NotFound(_("There is no such request, or it is not yours to decide."))
    return render(request, "console/approval.html", {"approval": found})


@require_POST
@page("approvals.view")
def decide(request: HttpRequest, actor: Actor, approval_id: int) -> HttpResponse:
    """Approve, reject or withdraw exactly what the form showed."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    shown = request.POST.get("payload_hash", "")
    at = desk_now()
    match request.POST.get("decision"):
        case "approve":
            approve(actor=actor, approval_id=approval_id, payload_hash=shown, at=at, reason=reason)
            messages.success(request, _("Approved. What follows from it runs now."))
        case "reject":
            reject(actor=actor, approval_id=approval_id, payload_hash=shown, at=at, reason=reason)
            messages.success(request, _("Rejected. Whoever asked can read your reason."))
        case "withdraw":
            withdraw(actor=actor, approval_id=approval_id, at=at, reason=reason)
            messages.success(request, _("Withdrawn."))
        case _:
            messages.error(request, _("Nothing was decided: choose approve or reject."))
    return redirect("console:approval", approval_id=approval_id)


def live_for(actor: Actor, *topics: str) -> str:
    """The stream of a page for its reader; the top bar listens to days and prices on every page."""
    return live_address(actor.user_id or 0, *sorted({*topics, "day", "prices"}))
