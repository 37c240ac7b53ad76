"""A client's profile changed by staff, a section at a time."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.flows.origination.services.profiles import (
    PROFILE_NAMES,
    SECTIONS,
    ProfileMoved,
    change_profile,
    get_profile_section,
)
from reefpoint.flows.origination.services.writing import SectionMalformed
from reefpoint.flows.origination.types.questions import FieldProblem, Section
from reefpoint.platform.access.services import ReasonNeeded
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.surfaces.web.application_words import SECTION_WORDS
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.section_forms import Typed, draw_section, read_section
from reefpoint.surfaces.web.sentences import said

REASON_CHARACTERS_MAX = 200


@page("clients.change_profile")
def change(request: HttpRequest, actor: Actor, client_id: int, name: str) -> HttpResponse:
    """One section as it is on record, masked; a POST puts it on record as typed, with a reason."""
    if name not in set(SECTIONS):
        raise NotFound(_now("There is no such section."))
    section, client = Section(name), get_client(actor, client_id)
    held, version = get_profile_section(actor, client_id, section)
    typed, error = Typed(data=held), ""
    problems: tuple[FieldProblem, ...] = ()
    given = request.POST
    if request.method == "POST":
        typed = read_section(given, section, client.kind)
        shown = given.get("version", "")
        try:
            if not typed.errors and "add" not in given:
                change_profile(
                    actor=actor,
                    client_id=client_id,
                    section=section,
                    data=typed.data,
                    removed=given.get("remove", ""),
                    version=int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else -1,
                    reason=given.get("reason", "")[:REASON_CHARACTERS_MAX],
                    at=desk_now(),
                )
                messages.success(request, _now("On record in a new version."))
                return redirect("console:client_profile", client_id=client_id)
        except SectionMalformed as malformed:
            problems = malformed.problems
        except (ReasonNeeded, ProfileMoved) as refusal:
            error = said(refusal)
    context = {
        "client": client,
        "tab": "profile",
        "words": SECTION_WORDS[section],
        "boxes": draw_section(
            section,
            client.kind,
            typed.data,
            problems=problems,
            typed=typed,
            more=given.get("add", ""),
            only=PROFILE_NAMES,
        ),
        "version": given.get("version", version),
        "reason": given.get("reason", ""),
        "error": error,
        "has_errors": bool(problems or typed.errors),
    }
    return render(
        request, "console/change_profile.html", context, status=422 if context["has_errors"] or error else 200
    )
