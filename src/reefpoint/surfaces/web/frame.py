"""The frame around every page: its sections and who sees them, the theme, the reader's language."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from reefpoint.platform.access.rules import holds
from reefpoint.surfaces.web.desk import DeskGlance, glance
from reefpoint.surfaces.web.people import actor_of
from reefpoint.surfaces.web.views import THEME_COOKIE, THEMES

Words = str | Promise


@dataclass(frozen=True)
class Section:
    """One entry on the left, for whoever holds `permission`."""

    title: Words
    icon: str
    route: str
    permission: str


@dataclass(frozen=True)
class Link:
    """A section as it is shown to one reader."""

    title: Words
    icon: str
    address: str
    is_current: bool


GROUPS: tuple[tuple[Words, tuple[Section, ...]], ...] = (
    (
        _("Risk"),
        (
            Section(_("Today"), "today", "console:today", "operations.view"),
            Section(_("Board"), "board", "console:board", "margin.view"),
            Section(_("Accounts"), "accounts", "console:accounts", "account.view"),
            Section(_("Margin calls"), "calls", "console:calls", "margin.view"),
            Section(_("Liquidations"), "liquidations", "console:liquidations", "liquidation.view"),
            Section(_("Stress"), "warning", "console:stress", "margin.view"),
        ),
    ),
    (
        _("Book"),
        (
            Section(_("Leads"), "leads", "console:leads", "leads.view"),
            Section(_("Applications"), "applications", "console:applications", "applications.view"),
            Section(_("Clients"), "clients", "console:clients", "clients.view"),
            Section(_("Licences"), "licences", "console:licences", "licences.view"),
            Section(_("Prices"), "prices", "console:prices", "prices.view"),
        ),
    ),
    (
        _("Credit"),
        (
            Section(_("Pipeline"), "pipeline", "console:pipeline", "lending.view"),
            Section(_("Loans due"), "days", "console:maturities", "lending.view"),
            Section(_("Funding pools"), "accounts", "console:pools", "treasury.view"),
            Section(_("Schemes"), "schemes", "console:schemes", "schemes.view"),
            Section(_("Collateral"), "collateral", "console:collateral", "collateral.view"),
            Section(_("Models"), "models", "console:models", "models.view"),
            Section(_("Policy"), "policy", "console:decisions", "credit.view"),
            Section(_("Pricing"), "pricing", "console:quotes", "pricing.view"),
            Section(_("Contracts"), "contracts", "console:contracts", "contracts.view"),
        ),
    ),
    (
        _("Compliance"),
        (
            Section(_("Screening"), "screening", "console:hits", "screening.view"),
            Section(_("Client reviews"), "reviews", "console:kyc_reviews", "kyc.view"),
            Section(_("Suitability"), "suitability", "console:risk_classes", "suitability.view"),
            Section(_("Alerts"), "alerts", "console:alerts", "monitoring.view"),
            Section(_("Cases"), "cases", "console:cases", "cases.view"),
            Section(_("Related accounts"), "related", "console:groups", "relations.view"),
            Section(_("Retention"), "retention", "console:retention", "clients.erase"),
            Section(_("Monitoring rules"), "warning", "console:rules", "monitoring.view"),
        ),
    ),
    (
        _("Desk"),
        (
            Section(_("Approvals"), "approvals", "console:approvals", "approvals.view"),
            Section(_("Imports"), "imports", "console:imports", "imports.view"),
            Section(_("Runs"), "runs", "console:runs", "operations.view"),
            Section(_("Day runs"), "days", "console:day_runs", "operations.view"),
            Section(_("Audit log"), "audit", "console:audit", "audit.view"),
            Section(_("Data keys"), "keys", "console:data_keys", "vault.turn_keys"),
        ),
    ),
)


def visible_groups(request: HttpRequest) -> list[tuple[Words, list[Link]]]:
    """The sections that this reader may open, by heading."""
    actor = actor_of(request)
    if actor is None:
        return []
    groups = []
    for title, sections in GROUPS:
        links = [
            Link(section.title, section.icon, address, _is_within(request.path, address))
            for section in sections
            if holds(actor.permissions, section.permission)
            for address in [reverse(section.route)]
        ]
        if links:
            groups.append((title, links))
    return groups


def _is_within(path: str, address: str) -> bool:
    return path == address if address == "/" else path.startswith(address)


def frame(request: HttpRequest) -> dict[str, object]:
    """Context for the frame, lazy so that a fragment pays nothing for it."""
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "groups": SimpleLazyObject(lambda: visible_groups(request)),
        "actor": SimpleLazyObject(lambda: actor_of(request)),
        "desk": SimpleLazyObject(lambda: _glance(request)),
    }


def _glance(request: HttpRequest) -> DeskGlance | None:
    actor = actor_of(request)
    return None if actor is None else glance(actor)
