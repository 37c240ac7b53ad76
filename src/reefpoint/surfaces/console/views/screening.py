"""Screening: hits that wait for two people, lists with their versions, and looking a name up."""

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import BinaryIO, cast

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.screening.selectors import (
    find_hits,
    find_rescreen,
    find_versions,
    get_hit,
    get_version,
    list_changes,
    list_in_force,
    list_unsettled,
)
from reefpoint.decisions.screening.services import (
    FILE_BYTES_MAX,
    SECOND_BYTES_MAX,
    ListRefused,
    NothingToScreen,
    decide_hit,
    propose_resolution,
    receive_list,
    screen_name,
    withdraw_proposal,
)
from reefpoint.decisions.screening.types import ListShape, ListVersionState, Match, Outcome
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.selectors import find_approval
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.console.templatetags.screening import SHAPE_WORDS
from reefpoint.surfaces.console.views.approvals import REASON_CHARACTERS_MAX, live_for
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

HIT_STATES = (
    ("live", _("Waiting")),
    ("open", _("Open")),
    ("proposed", _("Proposed")),
    ("cleared", _("Cleared")),
    ("confirmed", _("Confirmed")),
    ("lapsed", _("Lapsed")),
)
HITS = Table(
    key="hits",
    columns=(
        Column("ours", _("Name"), is_sortable=False, link=lambda row: reverse("console:hit", args=[row.id])),
        Column("theirs", _("On the list"), is_sortable=False, is_name=True),
        Column("score_bp", _("Score"), "percent"),
        Column("birth", _("Birth"), "custom", is_sortable=False, template="console/cells/hit_birth.html"),
        Column("source", _("List"), "code"),
        Column("client_number", _("Client"), "code", link=lambda row: reverse("console:client", args=[row.client_id])),
        Column("role", _("Role"), "custom", is_sortable=False, template="console/cells/hit_role.html"),
        Column("state", _("State"), "custom", template="console/cells/hit_state.html"),
        Column("raised_at", _("Raised"), "instant", unit="UTC"),
    ),
    sort="raised_at",
    search=_("Name, client or id on the list"),
    choices=(Choice("state", _("State"), HIT_STATES),),
    empty=_("No hit waits for anybody"),
    empty_help=_("A hit is raised when a client, or somebody behind one, meets an entry of a list."),
    row_id=lambda row: f"hit-{row.id}",
)
VERSIONS = Table(
    key="versions",
    columns=(
        Column("source", _("List"), "code", link=lambda row: reverse("console:screening_list", args=[row.id])),
        Column("number", _("Version"), "quantity"),
        Column("state", _("State"), "state"),
        Column("entries", _("Entries"), "quantity"),
        Column("added", _("Added"), "quantity", is_sortable=False),
        Column("changed", _("Changed"), "quantity", is_sortable=False),
        Column("removed", _("Removed"), "quantity", is_sortable=False),
        Column("published_on", _("Published"), "day", is_wide_only=True),
        Column("received_at", _("Received"), "instant", unit="UTC"),
        Column("file_name", _("File"), is_sortable=False, is_wide_only=True),
    ),
    sort="-received_at",
    search=_("List or file"),
    choices=(
        Choice(
            "state",
            _("State"),
            (
                ("in_force", _("In force")),
                ("superseded", _("Superseded")),
                ("failed", _("Failed")),
                ("reading", _("Reading")),
                ("received", _("Received")),
            ),
        ),
    ),
    empty=_("No list was ever loaded"),
    empty_help=_("Until one is, nobody is held against anything. Load a file below."),
    row_id=lambda row: f"version-{row.id}",
)


@dataclass(frozen=True)
class Lookup:
    """A name as it was typed, and what it met; `errors` by field in words."""

    name: str = ""
    birth: str = ""
    country: str = ""
    matches: list[Match] | None = None
    errors: dict[str, str] = field(default_factory=dict)


@page("screening.view")
def hits(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The queue: what waits, the oldest first; the rest by filter."""
    wanted = HITS.read(request.GET)
    if "state" not in request.GET:
        wanted.chosen["state"] = "live"
    found = find_hits(
        actor,
        state=wanted.chosen["state"],
        text=wanted.text,
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {
        "tab": "hits",
        "in_force": list_in_force(actor),
        "failed": list_unsettled(actor),
        "live": live_for(actor, "approvals"),
        "table_live": "sse:approvals",
    }
    return HITS.answer(request, wanted, found, "console/hits.html", context)


@page("screening.view")
def hit(request: HttpRequest, actor: Actor, hit_id: int) -> HttpResponse:
    """One hit: both sides, which parts matched, and what two people made of it."""
    found = get_hit(actor, hit_id)
    approval = find_approval(actor, found.approval_id) if found.approval_id else None
    context = {
        "tab": "hits",
        "hit": found,
        "approval": approval if approval and approval.state == "pending" else None,
        "names": people_names(),
        "may_propose": "screening.resolve" in actor.permissions and found.state == "open",
        "live": live_for(actor, "approvals"),
    }
    return render(request, "console/hit.html", context)


@require_POST
@page("screening.resolve")
def resolve_hit(request: HttpRequest, actor: Actor, hit_id: int) -> HttpResponse:
    """Propose what a hit is, or decide on exactly what was proposed."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    shown = request.POST.get("payload_hash", "")
    at = desk_now()
    match request.POST.get("decision"):
        case "cleared" | "confirmed" as outcome:
            propose_resolution(actor=actor, hit_id=hit_id, outcome=Outcome(outcome), reason=reason, at=at)
            messages.success(request, _now("Proposed. A second person decides."))
        case "agree":
            state = decide_hit(actor=actor, hit_id=hit_id, is_agreed=True, payload_hash=shown, reason=reason, at=at)
            told = _now("Confirmed: all business with the client stops now.") if state == "confirmed" else ""
            messages.success(request, told or _now("Cleared: it is not raised again unless something changes."))
        case "reject":
            decide_hit(actor=actor, hit_id=hit_id, is_agreed=False, payload_hash=shown, reason=reason, at=at)
            messages.success(request, _now("Rejected: the hit is open again."))
        case "withdraw":
            withdraw_proposal(actor=actor, hit_id=hit_id, at=at)
            messages.success(request, _now("Withdrawn: the hit is open again."))
        case _:
            messages.error(request, _now("Nothing was decided: choose one of the answers."))
    return redirect("console:hit", hit_id=hit_id)


@page("screening.view")
def lists(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Deliveries of lists; a POST takes a new file in and leads to its progress."""
    problem, given = "", {"source": "", "shape": ""}
    if request.method == "POST":
        require(actor, "screening.load_list")
        given = {"source": request.POST.get("source", "").strip(), "shape": request.POST.get("shape", "")}
        try:
            return redirect("console:screening_list", version_id=_take_in(request, actor, given["source"]))
        except ListRefused as refusal:
            problem = said(refusal)
    wanted = VERSIONS.read(request.GET)
    found = find_versions(
        actor,
        state=wanted.chosen["state"],
        text=wanted.text,
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {
        "tab": "lists",
        "problem": problem,
        "given": given,
        "shapes": SHAPE_WORDS,
        "sources": [version.source for version in list_in_force(actor)],
        "failed": list_unsettled(actor),
        "may_load": "screening.load_list" in actor.permissions,
        "gigabytes_max": FILE_BYTES_MAX // 1_000_000_000,
        "megabytes_max": SECOND_BYTES_MAX // 1_000_000,
    }
    return VERSIONS.answer(request, wanted, found, "console/screening_lists.html", context)


def _take_in(request: HttpRequest, actor: Actor, source: str) -> int:
    """Keep an uploaded file and have the worker read it. Raises `ListRefused`."""
    try:
        shape = ListShape(request.POST.get("shape", ""))
    except ValueError:
        raise ListRefused(_now("Choose the form of the list.")) from None
    return receive_list(
        actor=actor,
        source=source,
        shape=shape,
        file_name=getattr(request.FILES.get("file"), "name", "") or "",
        content=_file_of(request.FILES.get("file")),
        second=_file_of(request.FILES.get("second")),
        may_shrink="may_shrink" in request.POST,
        at=desk_now(),
    )


def _file_of(uploaded: "UploadedFile[bytes] | None") -> BinaryIO:
    """An uploaded file as it lies on the disk or, if it is small, in memory."""
    return BytesIO() if uploaded is None or uploaded.file is None else cast(BinaryIO, uploaded.file)


@page("screening.view")
def screening_list(request: HttpRequest, actor: Actor, version_id: int) -> HttpResponse:
    """One version: how far it is, what it changed, and the screening of all clients that followed."""
    version = get_version(actor, version_id)
    rescreen = find_rescreen(actor, version_id)
    is_loading = version.state in (ListVersionState.RECEIVED, ListVersionState.READING)
    is_settled = version.state is ListVersionState.IN_FORCE and (rescreen is None or rescreen.finished_at is None)
    context = {
        "tab": "lists",
        "version": version,
        "rescreen": rescreen,
        "changes": list_changes(actor, version_id),
        "names": people_names(),
        "is_moving": is_loading or is_settled,
        "before": next((one for one in list_in_force(actor) if one.source == version.source), None),
    }
    return render(request, "console/screening_list.html", context)


@page("screening.screen")
def screen(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Look a name up. A POST asks, and the asking is kept."""
    lookup = _look_up(request, actor) if request.method == "POST" else Lookup()
    context = {"tab": "screen", "lookup": lookup, "in_force": list_in_force(actor)}
    return render(request, "console/screen_name.html", context)


def _look_up(request: HttpRequest, actor: Actor) -> Lookup:
    name = request.POST.get("name", "").strip()
    birth, country = request.POST.get("birth", "").strip(), request.POST.get("country", "").strip()[:40]
    errors: dict[str, str] = {}
    birth_on = None
    if birth:
        try:
            birth_on = date.fromisoformat(birth)
        except ValueError:
            errors["birth"] = _now("Write the date as 1971-03-12, or leave it out.")
    if errors:
        return Lookup(name, birth, country, None, errors)
    try:
        matches = screen_name(actor=actor, name=name, birth_on=birth_on, country=country.lower() or None, at=desk_now())
    except NothingToScreen as refusal:
        return Lookup(name, birth, country, None, {"name": said(refusal)})
    return Lookup(name, birth, country, matches)
