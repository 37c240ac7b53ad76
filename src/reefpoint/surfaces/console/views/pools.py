"""Pools of funds: what they may lend, what they cost, whose money they are; opening one and changing its terms."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.ledger.services import OtherCurrency
from reefpoint.records.treasury.selectors import get_pool, list_pools
from reefpoint.records.treasury.services import PoolRefused, change_pool, name_pool_origin, open_pool
from reefpoint.records.treasury.types import PoolOrigin, PoolView
from reefpoint.surfaces.console.pool_words import ORIGIN_WORDS
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.figures import percent_text
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

RIGHT = "treasury.open_pool"
REASON_CHARACTERS_MAX = 500
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")

POOLS = Table(
    key="pools",
    columns=(
        Column("code", _("Pool"), "code", link=lambda row: reverse("console:pool", args=[row.code])),
        Column("name", _("Name"), is_name=True),
        Column("currency", _("Currency"), "code"),
        Column("committed_minor", _("May be lent"), "money"),
        Column("lent_minor", pgettext_lazy("pool", "Lent"), "money"),
        Column("available_minor", pgettext_lazy("pool", "Left to lend"), "money"),
        Column("cost_bp", _("Cost a year"), "percent"),
        Column(
            "origin",
            _("Whose money"),
            "custom",
            template="console/cells/pool_origin.html",
            exported=lambda row: str(ORIGIN_WORDS[row.origin]),
        ),
    ),
    sort="code",
    search=_("Pool or name"),
    choices=(Choice("origin", _("Whose money"), tuple((one.value, words) for one, words in ORIGIN_WORDS.items())),),
    empty=_("No pool of funds is open"),
    empty_help=_("Treasury opens the first one here; nothing is lent before."),
    row_id=lambda row: f"pool-{row.code}",
)


@dataclass
class PoolForm:
    """Terms as typed, what is wrong by field, and the figures once they can be read."""

    given: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    committed_minor: int = 0
    cost_bp: int = 0


@page("treasury.view")
def pools(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every pool, and the form for a new one."""
    form = PoolForm({"currency": "USD"})
    if request.method == "POST":
        require(actor, RIGHT)
        form = _read(request, request.POST.get("currency", ""))
        if form.given["currency"] not in MINOR_DIGITS:
            form.errors["currency"] = _now("Choose one.")
        if not form.errors:
            try:
                open_pool(
                    actor=actor,
                    code=form.given["code"],
                    name=form.given["name"],
                    currency=form.given["currency"],
                    committed_minor=form.committed_minor,
                    cost_bp=form.cost_bp,
                    at=desk_now(),
                )
            except OtherCurrency as refused:
                form.errors["currency"] = said(refused)
            except PoolRefused as refused:
                form.errors[str(refused.facts.get("field", "code"))] = said(refused)
            else:
                messages.success(request, _now("The pool is open. Say whose money it is."))
                return redirect("console:pool", code=form.given["code"])
    wanted = POOLS.read(request.GET)
    context = {"form": form, "currencies": sorted(MINOR_DIGITS), "may_open": holds(actor.permissions, RIGHT)}
    answer = POOLS.answer(request, wanted, POOLS.find_in(list_pools(), wanted), "console/pools.html", context)
    answer.status_code = 422 if form.errors else 200
    return answer


@page("treasury.view")
def pool(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One pool, and the form for its terms."""
    found = get_pool(code)
    form = None
    if request.method == "POST":
        require(actor, RIGHT)
        form = _read(request, found.currency)
        reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
        if not reason or find_unsafe(reason):
            form.errors["reason"] = _now("Say why the terms change.")
        if not form.errors:
            try:
                change_pool(
                    actor=actor,
                    pool_code=code,
                    name=form.given["name"],
                    committed_minor=form.committed_minor,
                    cost_bp=form.cost_bp,
                    reason=reason,
                    at=desk_now(),
                )
                messages.success(request, _now("Recorded."))
                return redirect("console:pool", code=code)
            except PoolRefused as refused:
                form.errors[str(refused.facts.get("field", "reason"))] = said(refused)
    return _show(request, actor, found, form, {})


@require_POST
@page(RIGHT)
def origin(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Say whose money a pool is, and what shows it."""
    found = get_pool(code)
    errors: dict[str, str] = {}
    named, evidence = request.POST.get("origin", ""), request.POST.get("evidence", "").strip()[:REASON_CHARACTERS_MAX]
    if named not in set(PoolOrigin):
        errors["origin"] = _now("Choose one.")
    if not evidence or find_unsafe(evidence):
        errors["evidence"] = _now("Say what shows whose money this is: a resolution, a prospectus, audited accounts.")
    if errors:
        return _show(request, actor, found, None, errors)
    name_pool_origin(actor=actor, pool_code=code, origin=PoolOrigin(named), evidence=evidence, at=desk_now())
    messages.success(request, _now("Recorded."))
    return redirect("console:pool", code=code)


def _show(
    request: HttpRequest, actor: Actor, found: PoolView, form: PoolForm | None, origin_errors: dict[str, str]
) -> HttpResponse:
    digits = MINOR_DIGITS[found.currency]
    typed = {
        "name": found.name,
        "committed": f"{Decimal(found.committed_minor).scaleb(-digits):f}",
        "cost": percent_text(found.cost_bp).rstrip("%"),
    }
    context = {
        "pool": found,
        "form": form or PoolForm(typed),
        "origins": ORIGIN_WORDS.items(),
        "origin_words": ORIGIN_WORDS[found.origin],
        "origin_errors": origin_errors,
        "given": request.POST,
        "may_open": holds(actor.permissions, RIGHT),
    }
    is_wrong = bool(origin_errors or (form and form.errors))
    return render(request, "console/pool.html", context, status=422 if is_wrong else 200)


def _read(request: HttpRequest, currency: str) -> PoolForm:
    given = {name: request.POST.get(name, "").strip()[:120] for name in ("code", "name", "committed", "cost")}
    form = PoolForm({**given, "currency": currency})
    if not given["name"] or find_unsafe(given["name"]):
        form.errors["name"] = _now("A pool has a name.")
    try:
        cents, digits = parse_money(given["committed"]), MINOR_DIGITS.get(currency, 2)
        minor = Decimal(cents).scaleb(digits - 2)
        form.committed_minor = int(minor)
        if minor != form.committed_minor:
            form.errors["committed_minor"] = _now("This currency has no such fractions.")
    except AmountError:
        form.errors["committed_minor"] = _now("An amount such as 500,000 or 500k or 50万.")
    cost = given["cost"].removesuffix("%").strip()
    if _PERCENT.fullmatch(cost) and Decimal(cost) <= 100:
        form.cost_bp = int(Decimal(cost) * 100)
    else:
        form.errors["cost_bp"] = _now("A percentage from 0 to 100, such as 3.5.")
    return form
