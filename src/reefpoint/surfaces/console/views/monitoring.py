"""Monitoring rules: what is watched for, each rule with its versions and examples, changes by two people, and holds."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.monitoring.rules.feeding import UNWATCHED
from reefpoint.decisions.monitoring.selectors.restrictions import list_restrictions
from reefpoint.decisions.monitoring.selectors.rules import (
    alerts_by_month,
    get_backtest,
    get_rule_page,
    history_span,
    list_backtests,
    list_rules,
    list_undecided,
    list_versions,
    name_clients,
)
from reefpoint.decisions.monitoring.services.backtests import request_backtest
from reefpoint.decisions.monitoring.services.restrictions import release_restriction
from reefpoint.decisions.monitoring.services.rules import draft_rule_version, request_rule_change
from reefpoint.decisions.monitoring.types import (
    Consequence,
    Parameter,
    ParameterKind,
    RuleDraft,
    RuleMode,
    RuleVersionState,
    VersionView,
)
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.surfaces.console.views.approvals import REASON_CHARACTERS_MAX
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

BACKTEST_DAYS = timedelta(days=365)
NUMBER_DIGITS_MAX = 15

RULES = Table(
    key="rules",
    columns=(
        Column("number", _("No."), "quantity", link=lambda row: reverse("console:rule", args=[row.code])),
        Column("title", _("Rule"), "custom", template="console/cells/rule_title.html", is_name=True),
        Column("mode", _("Mode"), "custom", template="console/cells/rule_mode.html"),
        Column("consequence", _("What follows"), "custom", template="console/cells/rule_consequence.html"),
        Column("version", _("Version"), "quantity", is_wide_only=True),
        Column("effective_from", _("In force from"), "day", is_wide_only=True),
        Column("alerts_30d", _("Alerts, 30 days"), "quantity", is_summed=True),
        Column("shadow_30d", _("In shadow, 30 days"), "quantity", is_summed=True, is_wide_only=True),
        Column("open_alerts", _("Open"), "quantity", is_summed=True),
        Column("undecided", _("Clients not judged"), "quantity", is_summed=True),
    ),
    sort="number",
    search=_("Code or title"),
    choices=(
        Choice("mode", _("Mode"), (("live", _("Live")), ("shadow", _("Shadow")), ("test", _("Test")))),
        Choice(
            "consequence",
            _("What follows"),
            (("alert", _("Alert")), ("hold", _("Cash held")), ("block", _("Payments blocked"))),
        ),
    ),
    empty=_("No rule is installed yet"),
    empty_help=_("The typologies that come with the program are installed by the worker within a minute of its start."),
    row_id=lambda row: f"rule-{row.code}",
)


@page("monitoring.view")
def rules(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All rules with what they raised of late."""
    at = desk_now()
    wanted = RULES.read(request.GET)
    return RULES.answer(
        request,
        wanted,
        RULES.find_in(list_rules(actor, on=at.date(), at=at), wanted),
        "console/rules.html",
        {"unwatched": UNWATCHED},
    )


@page("monitoring.view")
def rule(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One rule: what it asks, on what grounds, what it raised, and how to change it."""
    return _rule_page(request, actor, code)


def _rule_page(
    request: HttpRequest, actor: Actor, code: str, *, given: QueryDict | None = None, error: str = ""
) -> HttpResponse:
    at = desk_now()
    versions = list_versions(actor, code)
    current = _current(versions, at.date())
    chosen = next((one for one in versions if str(one.version) == request.GET.get("version", "")), current)
    span = history_span(actor)
    context = {
        "rule": get_rule_page(actor, code, (chosen or current).draft),
        "versions": versions,
        "version": chosen,
        "current": current,
        "backtests": list_backtests(actor, code),
        "months": alerts_by_month(actor, code),
        "undecided": list_undecided(actor, code),
        "names": people_names(),
        "may_change": "monitoring.change_rules" in actor.permissions,
        "given": given,
        "error": error,
        "modes": list(RuleMode),
        "consequences": list(Consequence),
        "tomorrow": at.date() + timedelta(days=1),
        "since": max(span[0], span[1] - BACKTEST_DAYS) if span else None,
        "until": span[1] if span else None,
    }
    return render(request, "console/rule.html", context, status=409 if error else 200)


def _current(versions: list[VersionView], on: date) -> VersionView:
    """The version in force on a day, or the newest one before any is."""
    approved = [one for one in versions if one.state is RuleVersionState.APPROVED and one.effective_from <= on]
    return max(approved, key=lambda one: (one.effective_from, one.version), default=versions[0])


@require_POST
@page("monitoring.change_rules")
def draft_rule(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Write a changed version; what is wrong with it is said beside the form, and nothing typed is lost."""
    at = desk_now()
    base = _current(list_versions(actor, code), at.date())
    try:
        draft = _typed(request.POST, base.draft)
        effective_from = date.fromisoformat(request.POST.get("effective_from", ""))
        version_id = draft_rule_version(actor=actor, code=code, draft=draft, effective_from=effective_from, at=at)
    except Refusal as refusal:
        return _rule_page(request, actor, code, given=request.POST, error=said(refusal))
    except ValueError:
        return _rule_page(
            request, actor, code, given=request.POST, error=_now("A figure or the date cannot be read. Look again.")
        )
    messages.success(request, _now("The draft is kept. Run it over history, then ask for the change."))
    number = next(one.version for one in list_versions(actor, code) if one.id == version_id)
    return redirect(f"{reverse('console:rule', args=[code])}?version={number}")


def _typed(given: Mapping[str, str], base: RuleDraft) -> RuleDraft:
    """The draft as it was typed. Raises `ValueError` for what cannot be read."""
    return replace(
        base,
        expression=" ".join(given.get("expression", "").split()),
        parameters=tuple(_typed_parameter(given.get(f"p_{one.name}", ""), one) for one in base.parameters),
        mode=RuleMode(given.get("mode", "")),
        consequence=Consequence(given.get("consequence", "")),
        cooldown_days=_number(given.get("cooldown_days", "")),
    )


def _typed_parameter(text: str, parameter: Parameter) -> Parameter:
    if parameter.kind is ParameterKind.COUNTRIES:
        return replace(parameter, value=tuple(text.upper().replace(",", " ").split()))
    if parameter.kind is ParameterKind.MONEY:
        try:
            return replace(parameter, value=parse_money(text))
        except AmountError as error:
            raise ValueError(text) from error
    return replace(parameter, value=_number(text))


def _number(text: str) -> int:
    digits = text.replace(",", "").strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > NUMBER_DIGITS_MAX:
        raise ValueError(text)
    return int(digits)


@require_POST
@page("monitoring.change_rules")
def start_backtest(request: HttpRequest, actor: Actor, code: str, version_id: int) -> HttpResponse:
    """Run a version over the days that were asked for; the worker does it, and the page shows how far it is."""
    try:
        since = date.fromisoformat(request.POST.get("since", ""))
        until = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        return _rule_page(request, actor, code, error=_now("Give the first and the last day of the history."))
    backtest_id = request_backtest(actor=actor, version_id=version_id, since=since, until=until, at=desk_now())
    return redirect("console:backtest", backtest_id=backtest_id)


@require_POST
@page("monitoring.change_rules")
def request_change(request: HttpRequest, actor: Actor, code: str, version_id: int) -> HttpResponse:
    """Ask a second person to put a version in force."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    try:
        approval_id = request_rule_change(actor=actor, version_id=version_id, reason=reason, at=desk_now())
    except Refusal as refusal:
        return _rule_page(request, actor, code, error=said(refusal))
    messages.success(request, _now("Asked. A second person decides; you will find the decision here."))
    return redirect("console:approval", approval_id=approval_id)


@page("monitoring.view")
def backtest(request: HttpRequest, actor: Actor, backtest_id: int) -> HttpResponse:
    """How far a backtest is, and what it found."""
    found, version = get_backtest(actor, backtest_id)
    result = found.result
    ids = [*result.get("clients_added", []), *result.get("clients_lost", [])]
    ids += [one["client_id"] for one in result.get("shown", [])]
    context = {"backtest": found, "version": version, "result": result, "clients": name_clients(actor, ids)}
    return render(request, "console/backtest.html", context)


@page("monitoring.view")
def restrictions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Cash that may not leave, and what was let go."""
    rows = list_restrictions(actor, with_released=True)
    context = {
        "standing": [row for row in rows if row.released_at is None],
        "released": [row for row in rows if row.released_at is not None][:50],
        "clients": name_clients(actor, [row.client_id for row in rows]),
        "names": people_names(),
        "may_release": "account.freeze" in actor.permissions,
    }
    return render(request, "console/restrictions.html", context)


@require_POST
@page("monitoring.view")
def release(request: HttpRequest, actor: Actor, restriction_id: int) -> HttpResponse:
    """Let cash go, with a reason."""
    if not list_restrictions(actor, restriction_id=restriction_id):
        raise NotFound(_now("There is no such restriction, or it was released before."))
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    release_restriction(actor=actor, restriction_id=restriction_id, reason=reason, at=desk_now())
    messages.success(request, _now("Released."))
    return redirect("console:restrictions")
