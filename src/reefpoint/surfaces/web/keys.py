"""A person's keys for programs: made, shown once, ended."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.platform.access.rules import TOKEN_DAYS_MAX, token_rights
from reefpoint.platform.access.selectors import list_tokens
from reefpoint.platform.access.services import issue_token, revoke_token
from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.web.people import page

DAYS_OFFERED = (7, 30, 90, TOKEN_DAYS_MAX)


@page("operations.view")
def keys(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The reader's own keys; a POST makes one and shows it this once."""
    issued = None
    if request.method == "POST":
        days = request.POST.get("days", "")
        issued = issue_token(
            actor=actor,
            name=request.POST.get("name", "")[:80],
            rights=request.POST.getlist("rights") if request.POST.get("narrow") else None,
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            at=timezone.now(),
        )
    context = {
        "keys": list_tokens(actor, timezone.now()),
        "rights": sorted(token_rights(actor.permissions, None)),
        "issued": issued,
        "days_offered": DAYS_OFFERED,
    }
    return render(request, "web/keys.html", context)


@require_POST
@page("operations.view")
def end_key(request: HttpRequest, actor: Actor, token_id: int) -> HttpResponse:
    """End one key."""
    revoke_token(actor=actor, token_id=token_id, at=timezone.now())
    messages.success(request, _("The key is ended: no call with it is answered any more."))
    return redirect("web:keys")
