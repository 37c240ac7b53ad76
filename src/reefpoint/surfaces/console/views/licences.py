"""The register of the operator's licences: without a valid one nothing is offered, signed or paid out."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.services import ReasonNeeded
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.parties.rules import PERMITS
from reefpoint.records.parties.selectors.licences import list_licence_standings
from reefpoint.records.parties.services import (
    add_licence_evidence,
    end_licence,
    open_licence_evidence,
    record_licence,
    revoke_licence,
)
from reefpoint.records.parties.types import Activity
from reefpoint.surfaces.console.views.clients import file_answer
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.sentences import said

TEXTS = {"number": 80, "holder": 160, "evidence": 500}


@page("licences.view")
def licences(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every licence on record and whether it is valid now; a POST records one."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = _record(request, actor)
        if not errors:
            messages.success(request, _now("The licence is on record and in force from its first day."))
            return redirect("console:licences")
    context = {
        "licences": list_licence_standings(at=desk_now()),
        "permits": [(place, sorted(permits)) for place, permits in PERMITS.items()],
        "activities": list(Activity),
        "may_record": "licences.record" in actor.permissions,
        "given": request.POST,
        "errors": errors,
    }
    return render(request, "console/licences.html", context, status=422 if errors else 200)


def _record(request: HttpRequest, actor: Actor) -> dict[str, str]:
    """Record what the form says; returns what is wrong by field."""
    given = request.POST
    errors = {name: _now("This is needed.") for name in TEXTS if not given.get(name, "").strip()}
    days: dict[str, date | None] = {}
    for name in ("valid_from", "valid_to"):
        try:
            days[name] = date.fromisoformat(given[name]) if given.get(name) else None
        except ValueError:
            errors[name] = _now("This is not a date.")
    first = days.get("valid_from")
    if first is None:
        errors.setdefault("valid_from", _now("Say from which day it is valid."))
    place, _sep, permit = given.get("permit", "").partition(":")
    if not permit:
        errors["permit"] = _now("Choose the kind of authorisation.")
    if errors or first is None:
        return errors
    try:
        licence_id = record_licence(
            actor=actor,
            jurisdiction=place[:8],
            activity=given.get("activity", "")[:40],
            permit=permit[:40],
            **{name: given[name].strip()[:length] for name, length in TEXTS.items()},
            valid_from=first,
            valid_to=days["valid_to"],
            at=desk_now(),
        )
        if (upload := request.FILES.get("file")) is not None:
            add_licence_evidence(
                actor=actor,
                licence_id=licence_id,
                file_name=upload.name or "",
                content=upload.read(),
                at=desk_now(),
            )
    except Refusal as refusal:
        if refusal.code == "document_refused":
            return {"file": said(refusal)}
        if refusal.code in {"licence_malformed", "cn.refuse.r01"}:
            return {"permit": said(refusal)}
        raise
    return {}


@require_POST
@page("licences.record")
def end(request: HttpRequest, actor: Actor, licence_id: int) -> HttpResponse:
    """End a licence now, or on a day."""
    reason, day = request.POST.get("reason", "").strip()[:500], request.POST.get("valid_to", "")
    if not reason:
        raise ReasonNeeded(_now("Say why the licence ends: it goes into the audit log."))
    if not day:
        revoke_licence(actor=actor, licence_id=licence_id, reason=reason, at=desk_now())
        messages.success(request, _now("Ended. Nothing rests on this licence from this minute on."))
        return redirect("console:licences")
    try:
        valid_to = date.fromisoformat(day)
    except ValueError:
        messages.error(request, _now("Nothing was changed: this is not a date."))
        return redirect("console:licences")
    end_licence(actor=actor, licence_id=licence_id, valid_to=valid_to, reason=reason, at=desk_now())
    messages.success(request, _now("The licence ends on that day."))
    return redirect("console:licences")


@page("licences.view")
def evidence(request: HttpRequest, actor: Actor, licence_id: int) -> HttpResponse:
    """The document that shows a licence."""
    return file_answer(open_licence_evidence(actor=actor, licence_id=licence_id, at=desk_now()))
