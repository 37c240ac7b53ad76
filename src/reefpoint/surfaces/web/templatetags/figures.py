"""Figures, bands and spark lines in templates. Built into every template; see `surfaces/web/figures.py`."""

from collections.abc import Sequence
from datetime import date, datetime

from django import template
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.surfaces.web import figures, sentences

register = template.Library()

BAND_WORDS = {
    "safe": pgettext_lazy("band", "Safe"),
    "warning": pgettext_lazy("band", "Warning"),
    "call": pgettext_lazy("band", "Call"),
    "close_out": pgettext_lazy("band", "Close-out"),
    "unknown": pgettext_lazy("band", "Unknown"),
}
BAND_KEYS = ("safe", "warning", "call", "close_out")

STATE_WORDS = {
    "active": gettext_lazy("Active"),
    "announced": gettext_lazy("Told to the client"),
    "approved": gettext_lazy("Approved"),
    "awaiting_approval": gettext_lazy("Awaiting approval"),
    "blocked": gettext_lazy("Blocked"),
    "cancelled": gettext_lazy("Cancelled"),
    "cleared": gettext_lazy("Cleared"),
    "closed": gettext_lazy("Closed"),
    "completed": gettext_lazy("Completed"),
    "confirmed": gettext_lazy("Confirmed"),
    "cured": gettext_lazy("Cured"),
    "delivered": gettext_lazy("Delivered"),
    "discarded": gettext_lazy("Discarded"),
    "dismissed": gettext_lazy("Put away"),
    "done": gettext_lazy("Done"),
    "draft": gettext_lazy("Draft"),
    "exhausted": gettext_lazy("Exhausted"),
    "expired": gettext_lazy("Expired"),
    "failed": gettext_lazy("Failed"),
    "filled": gettext_lazy("Filled"),
    "frozen": gettext_lazy("Frozen"),
    "held": gettext_lazy("Held"),
    "signed_by_client": gettext_lazy("Signed by the client"),
    "offered": pgettext_lazy("state", "Offered"),
    "in_force": gettext_lazy("In force"),
    "lapsed": gettext_lazy("Lapsed"),
    "line": gettext_lazy("Call line"),
    "maintenance": pgettext_lazy("what a call is for", "Maintenance"),
    "in_case": gettext_lazy("In a case"),
    "new": gettext_lazy("New"),
    "open": gettext_lazy("Open"),
    "partially_filled": gettext_lazy("Partly filled"),
    "paid": pgettext_lazy("loan", "Paid"),
    "pending": gettext_lazy("Pending"),
    "planned": gettext_lazy("Planned"),
    "proposed": gettext_lazy("Proposed"),
    "prospect": gettext_lazy("Prospect"),
    "published": gettext_lazy("Published"),
    "queued": gettext_lazy("Queued"),
    "reading": gettext_lazy("Reading"),
    "received": gettext_lazy("Received"),
    "rejected": gettext_lazy("Rejected"),
    "repaid": gettext_lazy("Repaid"),
    "requested": gettext_lazy("Requested"),
    "revoked": gettext_lazy("Revoked"),
    "running": gettext_lazy("Running"),
    "selling": gettext_lazy("Selling"),
    "sent": gettext_lazy("Sent"),
    "skipped": gettext_lazy("Skipped"),
    "snoozed": gettext_lazy("Snoozed"),
    "started": gettext_lazy("Started"),
    "superseded": gettext_lazy("Superseded"),
    "unknown": gettext_lazy("Unknown"),
    "withdrawn": gettext_lazy("Withdrawn"),
    "accepted": gettext_lazy("Accepted"),
    "clear": gettext_lazy("Clear"),
    "contacted": gettext_lazy("Contacted"),
    "converted": gettext_lazy("Application begun"),
    "in_review": gettext_lazy("In review"),
    "info_requested": gettext_lazy("Information requested"),
    "lost": gettext_lazy("Lost"),
    "merged": gettext_lazy("Merged"),
    "never": gettext_lazy("Never"),
    "open_hits": gettext_lazy("Open hits"),
    "passed": gettext_lazy("Passed"),
    "referred": gettext_lazy("Referred to a person"),
    "refused": gettext_lazy("Refused"),
    "stopped": gettext_lazy("Stopped"),
    "submitted": gettext_lazy("Handed in"),
    "waiting": gettext_lazy("Waiting"),
    "applied": gettext_lazy("Applied"),
    "approved_to_fund": gettext_lazy("Approved to fund"),
    "asked": gettext_lazy("Asked for"),
    "champion": gettext_lazy("Champion"),
    "dead": gettext_lazy("Given up"),
    "deciding": gettext_lazy("Being decided"),
    "declined": gettext_lazy("Declined"),
    "developed": gettext_lazy("Developed"),
    "distinct": gettext_lazy("Two people"),
    "funded": gettext_lazy("Funded"),
    "funding": gettext_lazy("Being funded"),
    "granted": gettext_lazy("Granted"),
    "notified": gettext_lazy("Told to the client"),
    "rated": gettext_lazy("Rated"),
    "retired": gettext_lazy("Retired"),
    "shadow": gettext_lazy("In shadow"),
    "signed": gettext_lazy("Signed"),
    "suspended": gettext_lazy("Suspended"),
    "undone": gettext_lazy("Undone"),
    "validated": gettext_lazy("Validated"),
}


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


@register.filter
def money(minor: int | None, currency: str = "") -> str:
    """Minor units in full, with the decimals of the currency: cents unless it is told."""
    return figures.money_text(minor, currency)


@register.filter
def money_brief(minor: int | None) -> SafeString:
    """Minor units in brief, with the exact figure on hover and for screen readers."""
    brief = figures.money_brief(minor, chinese=_is_chinese())
    return format_html('<data value="{}" title="{}">{}</data>', minor or 0, figures.money_text(minor), brief)


@register.filter
def money_signed(minor: int | None, currency: str = "") -> str:
    """Minor units in full, gains with a plus."""
    return figures.signed_text(figures.money_text(minor, currency), minor)


@register.filter
def quantity(value: int | None) -> str:
    """A whole number, grouped."""
    return figures.quantity_text(value)


@register.filter
def price(units: int | None) -> str:
    """A price of 1e-4 units."""
    return figures.price_text(units)


@register.filter
def rate(rate_e8: int) -> str:
    """A rate between currencies of 1e-8 units, without the zeros at its end."""
    return figures.rate_text(rate_e8)


@register.filter
def percent(bp: int | None) -> str:
    """Basis points as a percentage."""
    return figures.percent_text(bp)


@register.filter
def percent_signed(bp: int | None) -> str:
    """Basis points as a percentage, gains with a plus."""
    return figures.signed_text(figures.percent_text(bp), bp)


@register.filter
def day(on: date | None) -> SafeString | str:
    """A business date, in the one order that no country misreads."""
    return figures.NOTHING if on is None else format_html('<time datetime="{0}">{0}</time>', on.isoformat()[:10])


@register.filter
def instant(at: datetime | None) -> SafeString | str:
    """An instant to the minute in UTC, machine-readable for the browser."""
    if at is None:
        return figures.NOTHING
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), at.strftime("%Y-%m-%d %H:%M"))


@register.filter
def band_key(band: object) -> str:
    """The name of a band, from its name or its number (0 safe .. 3 close-out, anything else unknown)."""
    if isinstance(band, int) and not isinstance(band, str):
        return BAND_KEYS[band] if 0 <= band < len(BAND_KEYS) else "unknown"
    return str(band) if str(band) in BAND_WORDS else "unknown"


@register.filter
def band_word(band: object) -> str:
    """The band's name in the reader's language."""
    return str(BAND_WORDS[band_key(band)])


@register.simple_tag
def band(value: object) -> SafeString:
    """A band as icon and word; the shape differs as well as the colour."""
    key = band_key(value)
    return format_html(
        '<span class="band band-{}"><svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>{}</span>',
        key,
        key,
        BAND_WORDS[key],
    )


@register.filter
def said(words: Refusal | Sentence) -> str:
    """A refusal or another sentence of the desk in the reader's language."""
    return sentences.said(words)


@register.filter
def told(text: str) -> str:
    """A text on record in the reader's language, where the desk itself wrote it."""
    return sentences.told(text)


@register.filter
def state_word(state: object) -> str:
    """A state in words."""
    return str(STATE_WORDS.get(str(state).lower(), state))


@register.simple_tag
def state(value: object) -> SafeString:
    """A state as a quiet label."""
    key = str(value).lower()
    return format_html('<span class="state state-{}">{}</span>', key.replace("_", "-"), STATE_WORDS.get(key, value))


@register.simple_tag
def spark(values: Sequence[int], level: int | None = None) -> SafeString | str:
    """A spark line of integers, with an optional level drawn through it."""
    geometry = figures.spark(list(values), level=level)
    return "" if geometry is None else SafeString(render_to_string("web/spark.svg", {"spark": geometry}))


@register.filter
def share_of(part: int, whole: int) -> str:
    """A part of a whole as an SVG length, for bars."""
    return f"{part * 100 / whole:.2f}%" if whole else "0%"


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """The page's own query string with some values changed; an empty value drops the key."""
    params: QueryDict = context["request"].GET.copy()
    for key, value in changes.items():
        if value in ("", None):
            params.pop(key, None)
        else:
            params[key] = str(value)
    return f"?{params.urlencode()}"
