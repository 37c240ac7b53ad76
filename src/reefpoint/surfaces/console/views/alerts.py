"""Alerts of the monitoring: the list, and one alert with why it was raised."""

from datetime import datetime, time

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.cases.selectors import list_cases
from reefpoint.decisions.cases.services import add_alerts, open_case
from reefpoint.decisions.monitoring.selectors import find_alerts, get_alert
from reefpoint.decisions.monitoring.selectors.explain import explain_alert
from reefpoint.decisions.monitoring.selectors.restrictions import list_restrictions
from reefpoint.decisions.monitoring.selectors.rules import name_clients
from reefpoint.decisions.monitoring.services import dismiss_alert, snooze_alert
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

REASON_CHARACTERS_MAX = 300
CASES_OFFERED_MAX = 50
HOLDS_MAX = 50

ALERTS = Table(
    key="alerts",
    columns=(
        Column("id", _("Alert"), "code", link=lambda row: reverse("console:alert", args=[row.id])),
        Column("rule_code", _("Rule"), "custom", template="console/cells/alert_rule.html"),
        Column("client_number", _("Client"), "code", link=lambda row: reverse("console:client", args=[row.client_id])),
        Column("client_name", _("Name"), "custom", template="console/cells/client_name.html", is_name=True),
        Column("state", _("State"), "state"),
        Column("snoozed_until", _("Rests until"), "instant", unit="UTC", is_sortable=False, is_wide_only=True),
        Column("at", _("About"), "instant", unit="UTC"),
        Column("raised_at", _("Raised"), "instant", unit="UTC", is_wide_only=True),
    ),
    sort="-at",
    search=_("Client or rule"),
    choices=(
        Choice(
            "state",
            _("State"),
            (
                ("open", _("Open")),
                ("snoozed", _("Snoozed")),
                ("in_case", _("In a case")),
                ("dismissed", _("Put away")),
            ),
        ),
        Choice("mode", _("Mode"), (("live", _("Live")), ("shadow", _("Shadow")))),
    ),
    empty=_("No rule has fired"),
    empty_help=_("An alert appears here when what a client did makes a rule fire that is live."),
    row_id=lambda row: f"alert-{row.id}",
)


@page("monitoring.view")
def alerts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All alerts, the latest first; above them what is held or blocked without one."""
    wanted = ALERTS.read(request.GET)
    found = find_alerts(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        mode=wanted.chosen["mode"] or "live",
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    holds = list_restrictions(actor, is_without_alert=True, limit=HOLDS_MAX)
    context = {"holds": holds, "clients": name_clients(actor, [row.client_id for row in holds])}
    return ALERTS.answer(request, wanted, found, "console/alerts.html", context)


@page("monitoring.view")
def alert(request: HttpRequest, actor: Actor, alert_id: int) -> HttpResponse:
    """One alert: the rule as it was, term by term, what it read, and what can be done."""
    return _alert_page(request, actor, alert_id, {})


def _alert_page(request: HttpRequest, actor: Actor, alert_id: int, errors: dict[str, str]) -> HttpResponse:
    found, at = get_alert(actor, alert_id), desk_now()
    is_open = found.state.value in {"open", "snoozed"}
    may_work = is_open and "cases.work" in actor.permissions
    context = {
        "alert": found,
        "explained": explain_alert(actor, alert_id),
        "now": at,
        "may_work": may_work,
        "cases": list_cases(actor, state="open", limit=CASES_OFFERED_MAX).rows if may_work else (),
        "given": request.POST,
        "errors": errors,
    }
    return render(request, "console/alert.html", context)


@require_POST
@page("cases.work")
def decide_alert(request: HttpRequest, actor: Actor, alert_id: int) -> HttpResponse:
    """Open a case from an alert, add it to one, let it rest, or put it away."""
    at = desk_now()
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    decision = request.POST.get("decision", "")
    try:
        match decision:
            case "open":
                case_id = open_case(actor=actor, alert_ids=[alert_id], title=request.POST.get("title", ""), at=at)
                messages.success(request, _now("The case is open and yours."))
                return redirect("console:case", case_id=case_id)
            case "add":
                chosen = request.POST.get("case", "")
                case_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 16 else 0
                add_alerts(actor=actor, case_id=case_id, alert_ids=[alert_id], at=at)
                messages.success(request, _now("The alert is in the case."))
                return redirect("console:case", case_id=case_id)
            case "snooze":
                snooze_alert(
                    actor=actor,
                    alert_id=alert_id,
                    until=_end_of(request.POST.get("until", "")) or at,
                    reason=reason,
                    at=at,
                )
                messages.success(request, _now("The alert rests, and waits again by itself."))
            case "dismiss":
                dismiss_alert(actor=actor, alert_id=alert_id, reason=reason, at=at)
                messages.success(request, _now("The alert is put away."))
    except Refusal as refusal:
        if refusal.code in {"reason_needed", "snooze_refused"}:
            return _alert_page(request, actor, alert_id, {decision: said(refusal)})
        raise
    return redirect("console:alert", alert_id=alert_id)


def _end_of(text: str) -> datetime | None:
    """The end of a day in UTC, from a date field; None for what is no date."""
    try:
        on = parse_date(text)
    except ValueError:
        return None
    return make_aware(datetime.combine(on, time(23, 59))) if on else None
