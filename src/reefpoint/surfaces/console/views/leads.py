"""Leads: the list, one of them, those that look alike, and what became of them by channel."""

from datetime import UTC, date, datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.selectors.leads import (
    find_leads,
    get_lead,
    list_conversion,
    list_lead_steps,
    list_open_pairs,
    list_pairs_of,
    summarise_open_pairs,
)
from reefpoint.flows.origination.services.beginning import convert_lead
from reefpoint.flows.origination.services.leads import (
    LeadMalformed,
    keep_apart,
    lose_lead,
    merge_leads,
    note_contact,
    record_lead,
    reveal_contact,
    take_lead,
)
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft, LeadState
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.types import ClientKind
from reefpoint.surfaces.console.origination_words import CHANNEL_WORDS
from reefpoint.surfaces.console.views.clients import KIND_WORDS
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.application_words import problem_word
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.tables import Choice, Column, Table
from reefpoint.surfaces.web.templatetags.figures import STATE_WORDS

LANGUAGES = (("en", "English"), ("zh-hans", "简体中文"))
PERIOD = timedelta(days=365)

LEADS = Table(
    key="leads",
    columns=(
        Column("number", _("Lead"), "code", link=lambda row: reverse("console:lead", args=[row.id])),
        Column("name", _("Name"), "custom", template="console/cells/lead_name.html", is_name=True),
        Column("channel", _("Channel"), "custom", template="console/cells/channel.html"),
        Column("state", _("State"), "state"),
        Column("loan_wanted_minor", _("Loan wanted"), "money"),
        Column("email_masked", _("E-mail"), is_sortable=False, is_wide_only=True),
        Column("phone_masked", _("Phone"), is_sortable=False, is_wide_only=True),
        Column("duplicates", _("Look alike"), "quantity", is_sortable=False),
        Column("created_at", _("Since"), "instant", is_wide_only=True),
    ),
    sort="-created_at",
    search=_("Name, number, whole e-mail or phone"),
    choices=(
        Choice("channel", _("Channel"), tuple(CHANNEL_WORDS.items())),
        Choice("state", _("State"), tuple((state.value, STATE_WORDS[state.value]) for state in LeadState)),
    ),
    empty=_("Nobody has asked yet"),
    empty_help=_("Leads come from the website, from whoever records one here, and from files."),
    row_id=lambda row: f"lead-{row.id}",
)


@page("leads.view")
def leads(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All leads in scope."""
    wanted = LEADS.read(request.GET)
    found = find_leads(
        actor,
        text=wanted.text,
        channel=wanted.chosen["channel"],
        state=wanted.chosen["state"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {"pairs": summarise_open_pairs(actor)[0], "may_record": "leads.record" in actor.permissions}
    return LEADS.answer(request, wanted, found, "console/leads.html", context)


@page("leads.record")
def new_lead(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form for somebody who asked by telephone, in a branch or elsewhere; a POST keeps them."""
    context: dict[str, object] = {
        "channels": [one for one in CHANNEL_WORDS.items() if one[0] != LeadChannel.IMPORT],
        "kinds": KIND_WORDS,
        "languages": LANGUAGES,
        "given": request.POST,
        "errors": {},
    }
    if request.method != "POST":
        return render(request, "console/new_lead.html", context)
    draft, errors = _read_lead(request)
    if draft is not None:
        try:
            lead_id = record_lead(actor=actor, draft=draft, at=desk_now())
        except LeadMalformed as refusal:
            errors = {problem.field: str(problem_word(problem.code)) for problem in refusal.problems}
        else:
            messages.success(request, _now("The lead is kept. Look below for others that look like it."))
            return redirect("console:lead", lead_id=lead_id)
    return render(request, "console/new_lead.html", context | {"errors": errors}, status=422)


def _read_lead(request: HttpRequest) -> tuple[LeadDraft | None, dict[str, str]]:
    given = request.POST
    loan = None
    try:
        if given.get("loan_wanted", "").strip():
            loan = parse_money(given["loan_wanted"])
        draft = LeadDraft(
            name=given.get("name", "").strip(),
            name_zh=given.get("name_zh", "").strip(),
            channel=LeadChannel(given.get("channel", "")),
            kind=ClientKind(given.get("kind", "")),
            email=given.get("email", "").strip(),
            phone=given.get("phone", "").strip(),
            language=given.get("language", "en"),
            country=given.get("country", "").strip().upper(),
            source=given.get("source", "").strip(),
            loan_wanted_minor=loan,
            note=given.get("note", "").strip(),
            may_contact=given.get("may_contact") == "yes",
        )
    except AmountError:
        return None, {"loan_wanted": _now("This is no amount above zero.")}
    except ValueError:
        return None, {"channel": _now("Choose one of these.")}
    return draft, {}


@page("leads.view")
def lead(request: HttpRequest, actor: Actor, lead_id: int) -> HttpResponse:
    """One lead with what happened to it; a POST does something with it."""
    contact = _act(request, actor, lead_id) if request.method == "POST" else None
    if isinstance(contact, HttpResponse):
        return contact
    context = {
        "lead": get_lead(actor, lead_id),
        "contact": contact,
        "steps": list_lead_steps(actor, lead_id),
        "pairs": list_pairs_of(actor, lead_id),
        "names": people_names(),
        "may_record": "leads.record" in actor.permissions,
        "may_merge": "leads.merge" in actor.permissions,
        "may_convert": "applications.assist" in actor.permissions,
    }
    return render(request, "console/lead.html", context)


def _act(request: HttpRequest, actor: Actor, lead_id: int) -> object:
    words, at = request.POST.get("words", "").strip()[:2000], desk_now()
    match request.POST.get("action"):
        case "reveal":
            return reveal_contact(actor=actor, lead_id=lead_id, reason=words, at=at)
        case "contacted":
            note_contact(actor=actor, lead_id=lead_id, words=words, at=at)
            messages.success(request, _now("Noted."))
        case "take":
            take_lead(actor=actor, lead_id=lead_id, at=at)
            messages.success(request, _now("The lead is yours."))
        case "lose":
            lose_lead(actor=actor, lead_id=lead_id, reason=words, at=at)
            messages.success(request, _now("Noted. The lead can be taken up again."))
        case "convert":
            on = get_clock().business_date or at.date()
            application_id = convert_lead(actor=actor, lead_id=lead_id, on=on, at=at)
            messages.success(request, _now("The application is begun."))
            return redirect("console:application", application_id=application_id)
        case _:
            messages.error(request, _now("Nothing was done: choose what to do."))
    return redirect("console:lead", lead_id=lead_id)


@page("leads.view")
def duplicates(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Pairs of leads that look like one, for a person to say."""
    context = {
        "pairs": list_open_pairs(actor),
        "count": summarise_open_pairs(actor)[0],
        "may_merge": "leads.merge" in actor.permissions,
    }
    return render(request, "console/lead_pairs.html", context)


@require_POST
@page("leads.merge")
def decide_pair(request: HttpRequest, actor: Actor, pair_id: int) -> HttpResponse:
    """Make two leads one, or say that they are two."""
    decision, at = request.POST.get("decision", ""), desk_now()
    if decision == "apart":
        keep_apart(actor=actor, pair_id=pair_id, at=at)
        messages.success(request, _now("They stay two."))
    elif decision.isascii() and decision.isdigit() and len(decision) < 19:
        merge_leads(actor=actor, pair_id=pair_id, keep_id=int(decision), at=at)
        messages.success(request, _now("They are one now, with the history of both."))
    else:
        messages.error(request, _now("Nothing was decided: choose which one stays, or that they are two."))
    return redirect("console:lead_pairs")


@page("leads.view")
def conversion(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Leads, applications and accepted clients by channel, of a period that the address names."""
    today = desk_now().date()
    since = _day(request.GET.get("since", ""), today - PERIOD)
    until = _day(request.GET.get("until", ""), today)
    rows = list_conversion(actor, since=_midnight(since), until=_midnight(until + timedelta(days=1)))
    totals = {
        name: sum(getattr(row, name) for row in rows) for name in ("leads", "begun", "submitted", "accepted", "refused")
    }
    context = {"rows": rows, "totals": totals, "since": since, "until": until}
    return render(request, "console/conversion.html", context)


def _day(text: str, otherwise: date) -> date:
    try:
        return min(max(date.fromisoformat(text), date(2000, 1, 1)), date(2100, 1, 1))
    except ValueError:
        return otherwise


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=UTC)
