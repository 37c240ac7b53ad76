"""Related accounts: groups of clients that belong together, one group drawn, its limit, and what is not counted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.relations.rules import LINK_BP, WEIGHT_BP
from reefpoint.decisions.relations.selectors import get_group_page, list_exclusions, list_groups
from reefpoint.decisions.relations.services import end_exclusion, exclude_value, set_group_limit
from reefpoint.decisions.relations.types import GroupPage, Member, SharedValue
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.market.selectors import list_instruments
from reefpoint.surfaces.console.templatetags.console import name_of
from reefpoint.surfaces.console.templatetags.relations import trait_word
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.figures import percent_text
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.tables import Choice, Column, Table

REASON_CHARACTERS_MAX = 500
DRAWN_MAX = 80
"""Members in the drawing; the tables have all."""

GROUPS = Table(
    key="groups",
    columns=(
        Column("number", _("Group"), "code", link=lambda row: reverse("console:group", args=[row.id])),
        Column("size", _("Clients"), "quantity", is_summed=True),
        Column("kinds", _("Linked by"), "custom", is_sortable=False, template="console/cells/trait_kinds.html"),
        Column("accounts", _("Accounts"), "quantity"),
        Column("currency", _("Currency"), is_sortable=False, is_wide_only=True),
        Column("debt_minor", _("Debt"), "money", is_summed=True),
        Column("collateral_minor", _("Collateral"), "money", is_sortable=False, is_wide_only=True),
        Column("equity_minor", _("Equity"), "money", is_sortable=False, is_wide_only=True),
        Column("limit_minor", _("Limit"), "money"),
        Column("used_bp", _("Used"), "percent"),
        Column("formed_at", _("Since"), "instant", unit="UTC", is_wide_only=True),
    ),
    sort="-debt_minor",
    search=_("Group, or a client's name or number"),
    choices=(
        Choice(
            "limited",
            _("Limit"),
            (("yes", _("With a limit")), ("over", _("Above the limit")), ("no", _("Without a limit"))),
        ),
    ),
    empty=_("No two clients belong together"),
    empty_help=_(
        "A group appears here when clients share a bank account, a phone, a device or other things that weigh enough."
    ),
    row_id=lambda row: f"group-{row.id}",
)


@page("relations.view")
def groups(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All groups, those that owe most first."""
    wanted = GROUPS.read(request.GET)
    found = list_groups(
        actor,
        text=wanted.text,
        limited=wanted.chosen["limited"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {"weights": sorted(WEIGHT_BP.items(), key=lambda one: (-one[1], one[0])), "line_bp": LINK_BP}
    return GROUPS.answer(request, wanted, found, "console/groups.html", context)


@page("relations.view")
def group(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    """One group: what links it, what it owes, its limit."""
    return _group_page(request, actor, group_id)


def _group_page(
    request: HttpRequest,
    actor: Actor,
    group_id: int,
    *,
    given: QueryDict | None = None,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    found = get_group_page(actor, group_id)
    limits = {limit.currency: limit for limit in found.limits}
    names = {one.id: name_of(one) for one in list_instruments()}
    context = {
        "group": found,
        "members": {member.client_id: member for member in found.members},
        "exposures": [
            (exposure, limits.get(exposure.currency), names.get(exposure.top_instrument_id or 0, ""))
            for exposure in found.exposures
        ],
        "debts": sorted(found.members, key=lambda one: (-max(one.debt_minor.values(), default=0), one.client_id)),
        "chart": graph(found),
        "drawn_max": DRAWN_MAX,
        "line_bp": LINK_BP,
        "names": people_names(),
        "currencies": sorted({exposure.currency for exposure in found.exposures}) or ["USD"],
        "given": given,
        "errors": errors or {},
    }
    return render(request, "console/group.html", context)


def graph(found: GroupPage) -> dict[str, object]:
    """The group as points and lines: two who share a thing are joined, more of them meet at a point of its own."""
    by_debt = sorted(found.members, key=lambda one: (-max(one.debt_minor.values(), default=0), one.client_id))
    drawn = {member.client_id for member in by_debt[:DRAWN_MAX]}
    points = [_client_point(member) for member in found.members if member.client_id in drawn]
    lines = []
    together: dict[tuple[int, int], list[SharedValue]] = {}
    for number, value in enumerate(found.values):
        inside = [client_id for client_id in value.client_ids if client_id in drawn]
        words = f"{trait_word(value.kind)} {value.mark}"
        if len(inside) == 2:
            together.setdefault((inside[0], inside[1]), []).append(value)
        elif len(inside) > 2:
            points.append({"id": f"v{number}", "name": words, "kind": "thing", "address": f"#value-{value.digest}"})
            lines += [
                {
                    "source": f"c{client_id}",
                    "target": f"v{number}",
                    "name": f"{words} · {percent_text(value.weight_bp)}",
                    "label": "",
                    "strong": value.weight_bp >= LINK_BP,
                }
                for client_id in inside
            ]
    weights = {(link.first_id, link.second_id): link.weight_bp for link in found.links}
    for (first, second), values in together.items():
        weight = weights.get((first, second), max(value.weight_bp for value in values))
        kinds = ", ".join(dict.fromkeys(trait_word(value.kind) for value in values))
        lines.append(
            {
                "source": f"c{first}",
                "target": f"c{second}",
                "name": " · ".join(
                    [f"{trait_word(value.kind)} {value.mark}" for value in values] + [percent_text(weight)]
                ),
                "label": f"{kinds} {percent_text(weight)}",
                "strong": weight >= LINK_BP,
            }
        )
    return {"points": points, "lines": lines}


def _client_point(member: Member) -> dict[str, object]:
    owed = max(member.debt_minor.values(), default=0)
    return {
        "id": f"c{member.client_id}",
        "name": name_of(member),
        "number": member.number,
        "kind": "debtor" if owed else "client",
        "address": reverse("console:client", args=[member.client_id]),
    }


@require_POST
@page("relations.set_limit")
def group_limit(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    """Set or lift the limit of a group."""
    errors: dict[str, str] = {}
    currency, reason = request.POST.get("currency", ""), request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    lifts = request.POST.get("decision") == "lift"
    amount: int | None = None
    if not lifts:
        try:
            typed = request.POST.get("amount", "")
            amount = 0 if typed.strip() in {"0", "0.00"} else parse_money(typed)
        except AmountError:
            errors["amount"] = _now("This is not an amount: type 500,000 or 500k or 50万.")
    if currency not in MINOR_DIGITS:
        errors["currency"] = _now("Choose a currency from the list.")
    if not reason:
        errors["reason"] = _now("Say why: the next person will want to know.")
    if errors:
        return _group_page(request, actor, group_id, given=request.POST, errors=errors)
    set_group_limit(actor=actor, group_id=group_id, currency=currency, limit_minor=amount, reason=reason, at=desk_now())
    messages.success(
        request, _now("The limit is lifted.") if lifts else _now("The limit is set; it holds from now on.")
    )
    return redirect("console:group", group_id=group_id)


@page("relations.view")
def exclusions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is not counted as a link, and what was not."""
    return render(request, "console/exclusions.html", {"rows": list_exclusions(actor), "names": people_names()})


@require_POST
@page("relations.exclude")
def exclude(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Count a shared thing no longer."""
    digest, reason = request.POST.get("digest", ""), request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    try:
        content = bytes.fromhex(digest[:128])
    except ValueError:
        content = b""
    exclude_value(actor=actor, kind=request.POST.get("kind", "")[:16], digest=content, reason=reason, at=desk_now())
    messages.success(request, _now("It no longer counts. The groups are computed anew."))
    return redirect("console:exclusions")


@require_POST
@page("relations.exclude")
def count_again(request: HttpRequest, actor: Actor, exclusion_id: int) -> HttpResponse:
    """Count a thing again."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    end_exclusion(actor=actor, exclusion_id=exclusion_id, reason=reason, at=desk_now())
    messages.success(request, _now("It counts again. The groups are computed anew."))
    return redirect("console:exclusions")
