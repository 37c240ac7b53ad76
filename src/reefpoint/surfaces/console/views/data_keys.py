"""The keys under which personal data is sealed, and their turning."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.vault.selectors import list_data_keys, reseal_progress
from reefpoint.platform.vault.services import turn_data_key
from reefpoint.surfaces.web.people import page


@page("vault.turn_keys")
def data_keys(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every data key and what rests on it; a POST turns to a new one."""
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()[:300]
        turn_data_key(actor=actor, at=desk_now(), reason=reason)
        messages.success(request, _now("Turned. What lies under the old key is moved in the background."))
        return redirect("console:data_keys")
    context = {"keys": list_data_keys(actor), "progress": reseal_progress()}
    return render(request, "console/data_keys.html", context)
