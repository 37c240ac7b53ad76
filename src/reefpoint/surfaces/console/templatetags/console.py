"""What only the console prints: subjects as links, payloads as they were shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from reefpoint.decisions.margin.types import BandRow
from reefpoint.flows.liquidation.types import PlanTerm
from reefpoint.records.products.types import SchemeTerms
from reefpoint.surfaces.console.payloads import payload_said
from reefpoint.surfaces.web.figures import money_text, quantity_text
from reefpoint.surfaces.web.templatetags.figures import band_key

register = template.Library()

PAGES = {
    "account": "console:account",
    "application": "console:application",
    "alert": "console:alert",
    "approval": "console:approval",
    "call": "console:call",
    "case": "console:case",
    "client": "console:client",
    "collateral_assessment": "console:assessment",
    "credit_decision": "console:decision",
    "group": "console:group",
    "import": "console:import",
    "lead": "console:lead",
    "liquidation": "console:liquidation",
    "quote": "console:quote",
    "list_version": "console:screening_list",
    "scheme": "console:scheme",
    "screening_hit": "console:hit",
}


@register.filter
def subject(name: str) -> SafeString | str:
    """A subject such as `account:17` as a link to its page, where it has one."""
    kind, _, key = name.partition(":")
    if kind not in PAGES or not key.isdigit():
        return name
    try:
        return format_html('<a href="{}">{}</a>', reverse(PAGES[kind], args=[int(key)]), name)
    except NoReverseMatch:
        return name


@register.filter
def named(ref: str, names: Mapping[str, str]) -> str:
    """A person's name for the reference of an actor; parts of the system go by their reference."""
    return names.get(ref, ref)


@register.filter
def payload(value: object) -> SafeString:
    """A payload in full: maps as terms with their values, lists in order, nothing rounded or left out."""
    if isinstance(value, Mapping):
        rows = ((key, payload(held)) for key, held in value.items())
        return format_html('<dl class="payload-map">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = format_html_join("", "<li>{}</li>", ((payload(held),) for held in value))
        return format_html('<ol class="payload-list">{}</ol>', items)
    return format_html("{}", "null" if value is None else str(value).lower() if isinstance(value, bool) else value)


@register.filter
def asked(value: object) -> SafeString:
    """A payload in words, for whoever decides."""
    return payload_said(value)


DUE_WORDS = {
    "fees": gettext_lazy("fees"),
    "penalty": gettext_lazy("penalty interest"),
    "interest": gettext_lazy("interest"),
    "principal": gettext_lazy("principal"),
}

PRICE_REASONS = {
    "wrong_columns": gettext_lazy("The line has the wrong number of columns"),
    "unknown_symbol": gettext_lazy("No such instrument is listed"),
    "wrong_currency": gettext_lazy("Not the currency of the instrument"),
    "missing_price": gettext_lazy("No price in the line"),
    "malformed_price": gettext_lazy("The price cannot be read"),
    "not_a_number": gettext_lazy("The price is not a number"),
    "zero_price": gettext_lazy("The price is zero"),
    "negative_price": gettext_lazy("The price is negative"),
    "absurd_price": gettext_lazy("The price is absurd"),
    "malformed_date": gettext_lazy("The date cannot be read"),
    "wrong_date": gettext_lazy("Not the date of the delivery"),
    "not_a_session": gettext_lazy("The venue did not trade that day"),
    "in_the_future": gettext_lazy("The time lies in the future"),
    "duplicate_row": gettext_lazy("The same line twice"),
    "already_recorded": gettext_lazy("Recorded already"),
    "conflicting_rows": gettext_lazy("Two lines say different prices"),
    "conflicts_with_record": gettext_lazy("Another price is on record"),
    "outside_band": gettext_lazy("Moved further than is believed"),
    "hundredfold": gettext_lazy("About a hundred times too large or small"),
}


@register.filter
def due_word(due: object) -> str:
    """What a payment settles, in words."""
    return str(DUE_WORDS.get(str(due), due))


@register.filter
def price_reason(reason: object) -> str:
    """Why a price line was held or refused, in words."""
    return str(PRICE_REASONS.get(str(reason), reason))


class Named(Protocol):
    """Anything with a name in both languages."""

    @property
    def name(self) -> str: ...
    @property
    def name_zh(self) -> str: ...


@register.filter
def name_of(thing: Named) -> str:
    """A name in the reader's language, where it has one."""
    return thing.name_zh if thing.name_zh and (get_language() or "").startswith("zh") else thing.name


@register.filter
def collateral(terms: SchemeTerms) -> list[tuple[str, int, int]]:
    """Accepted names with haircut and maintenance (bp), by symbol."""
    return [
        (symbol, terms.haircut_bp(symbol), terms.maintenance_bp(symbol)) for symbol in sorted(terms.accepted_symbols)
    ]


class OfClient(Protocol):
    """A row that says whose it is, in both languages."""

    @property
    def client_name(self) -> str: ...
    @property
    def client_name_zh(self) -> str: ...


@register.filter
def client_of(row: OfClient) -> str:
    """The client's name in the reader's language, where it has one."""
    is_chinese = (get_language() or "").startswith("zh")
    return row.client_name_zh if row.client_name_zh and is_chinese else row.client_name


@register.filter
def stacked(rows: Sequence[BandRow]) -> list[tuple[str, str, str]]:
    """The debt of each band as a piece of one bar: where it starts, how wide it is, which band."""
    whole = sum(row.debt_minor for row in rows) or 1
    pieces, start = [], 0
    for row in rows:
        pieces.append((f"{start * 100 / whole:.3f}%", f"{row.debt_minor * 100 / whole:.3f}%", band_key(row.band)))
        start += row.debt_minor
    return pieces


@register.filter
def until(at: datetime, now: datetime) -> str:
    """How long until an instant, or how late it is: two units are enough to act on."""
    seconds = int((at - now).total_seconds())
    days, rest = divmod(abs(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = {"days": days, "hours": hours, "minutes": rest // 60}
    span = (_("%(days)s d %(hours)s h") if days else _("%(hours)s h %(minutes)s min")) % parts
    return _("in %(span)s") % {"span": span} if seconds >= 0 else _("late by %(span)s") % {"span": span}


APPROVAL_WORDS = {
    "cases.close": gettext_lazy("Close a case"),
    "collateral.publish": gettext_lazy("Change what collateral counts"),
    "instruments.change": gettext_lazy("Put an instrument on record, change or delist it"),
    "instruments.record_listing": gettext_lazy("Change facts of a listing"),
    "scheme.publish": gettext_lazy("Publish a scheme version"),
    "scheme.withdraw": gettext_lazy("Withdraw a scheme version"),
    "scheme.change_tier": gettext_lazy("Change a scheme's tier"),
    "liquidation.start": gettext_lazy("Start a forced sale"),
    "clients.erase": gettext_lazy("Erase a client's data"),
    "clients.erase_run_out": gettext_lazy("Erase what has run out"),
    "kyc.publish": gettext_lazy("Publish a rating table"),
    "suitability.publish": gettext_lazy("Publish a questionnaire or a table of offers"),
    "models.release": gettext_lazy("Release a version of a model"),
    "ledger.reverse": gettext_lazy("Reverse a journal"),
    "treasury.write_off": gettext_lazy("Write off a break"),
    "monitoring.change_rules": gettext_lazy("Change a monitoring rule"),
    "credit.publish": gettext_lazy("Publish a credit policy"),
    "credit.approve": gettext_lazy("Approve a credit limit"),
    "credit.approve_large": gettext_lazy("Approve a credit limit, as a risk officer"),
    "credit.waive": gettext_lazy("Waive a condition of a credit"),
    "credit.waive_large": gettext_lazy("Waive a condition of a credit, as a risk officer"),
    "pricing.publish": gettext_lazy("Publish a price grid"),
    "pricing.exception": gettext_lazy("Grant another price"),
    "lending.fund": gettext_lazy("Let a credit be funded"),
    "lending.default": gettext_lazy("Sell for a late loan"),
    "pricing.reprice": gettext_lazy("Tell clients of new rates"),
    "price.confirm": gettext_lazy("Confirm a price"),
    "screening.resolve_hit": gettext_lazy("Resolve a screening hit"),
    "access.grant": gettext_lazy("Give a role"),
}


@register.filter
def approval_kind(kind: str) -> str:
    """What is asked, in words."""
    return str(APPROVAL_WORDS.get(kind, kind))


STEP_WORDS = {
    "end_orders": gettext_lazy("End the day's orders"),
    "settle_trades": gettext_lazy("Settle trades with the broker"),
    "accrue_interest": gettext_lazy("Accrue interest"),
    "accrue_funding": gettext_lazy("Accrue the cost of funding"),
    "collect_interest": gettext_lazy("Collect interest from cash"),
    "snapshot_margin": gettext_lazy("Take margin snapshots"),
    "reconcile_bank": gettext_lazy("Reconcile the bank"),
    "reconcile_broker": gettext_lazy("Reconcile the broker"),
    "seal": gettext_lazy("Seal the books and the audit log"),
    "close_day": gettext_lazy("Close the business day"),
}

FIGURE_WORDS = {
    "ended": gettext_lazy("ended"),
    "net_minor": gettext_lazy("net"),
    "loans": gettext_lazy("loans"),
    "posted_minor": gettext_lazy("posted"),
    "late_fees_minor": gettext_lazy("late fees"),
    "fees_minor": gettext_lazy("fees charged"),
    "accounts": gettext_lazy("accounts"),
    "called": gettext_lazy("called for maintenance"),
    "lines": gettext_lazy("lines"),
    "matched": gettext_lazy("matched"),
    "broken": gettext_lazy("broken"),
    "postings": gettext_lazy("postings"),
    "audit_entries": gettext_lazy("audit entries"),
}

SALE_OUTCOMES = {
    "unknown": gettext_lazy("the account cannot be valued, so nothing is planned"),
    "not_needed": gettext_lazy("it holds its target already"),
    "cash_cures": gettext_lazy("its own cash repays enough"),
    "cures": gettext_lazy("the sales reach the target, and no less would"),
    "falls_short": gettext_lazy("all that may be sold is sold, and it stays under the target"),
    "cannot_help": gettext_lazy("selling cannot raise the ratio; it recovers what it can"),
    "nothing_to_sell": gettext_lazy("no holding may be sold now"),
    "holds_shorts": gettext_lazy("it is short of a name; a person decides what is bought back"),
}

SALE_REASONS = {
    "all_that_may": gettext_lazy("all that may be sold of it is"),
    "closes": gettext_lazy("it closes what is left of the gap: one lot less would not"),
    "not_reached": gettext_lazy("the names before it are enough, or others close the gap with less"),
    "cannot_be_sold": gettext_lazy("stale, suspended or locked at its limit down"),
    "no_lot_free": gettext_lazy("not a lot of it may be sold now"),
    "would_not_help": gettext_lazy("its sale costs so much that the gap would widen"),
    "no_sale": gettext_lazy("nothing is sold from this account"),
}
SHARE_METHODS = {
    "nothing_binds": gettext_lazy("the day's volume was enough for every sale"),
    "programme": gettext_lazy("the day's volume was shared so that most is cured in all"),
    "greedy_is_better": gettext_lazy("the day's volume was given out by ratio, the lowest first"),
    "ordered": gettext_lazy("the day's volume was given out by ratio, the lowest first"),
    "solver_missing": gettext_lazy("the day's volume was given out by ratio, the lowest first; the solver is missing"),
    "solver_failed": gettext_lazy("the day's volume was given out by ratio, the lowest first; the solver failed"),
    "solver_late": gettext_lazy("the day's volume was given out by ratio, the lowest first; the solver was late"),
}


@register.filter
def sale_reason(term: PlanTerm) -> str:
    """Why so much of a holding is sold, in words; that the day's volume held it back, where it did."""
    words = str(SALE_REASONS.get(term.reason, term.reason))
    return words + "; " + _("the day's volume left no more") if term.is_held_back else words


@register.filter
def share_method(method: str) -> str:
    """How a session's volume was shared, in words."""
    return str(SHARE_METHODS.get(method, method))


@register.filter
def step_word(name: object) -> str:
    """A step of the day run, in words."""
    return str(STEP_WORDS.get(str(name), name))


@register.filter
def figure_word(key: str) -> str:
    """What a step counted, in words."""
    return str(FIGURE_WORDS.get(key, key))


@register.filter
def figure(key: str, value: int) -> str:
    """What a step counted: money where its name says minor units."""
    return money_text(value) if key.endswith("_minor") else quantity_text(value)


@register.filter
def sale_outcome(outcome: str) -> str:
    """What a sale plan comes to, in words."""
    return str(SALE_OUTCOMES.get(outcome, outcome))


class Step(Protocol):
    """A step that is done or not."""

    @property
    def is_done(self) -> bool: ...


class Stepped(Protocol):
    """A run that knows its steps."""

    @property
    def steps(self) -> Sequence[Step]: ...


@register.filter
def steps_done(run: Stepped) -> str:
    """How many steps of a run are done, of how many."""
    return f"{sum(step.is_done for step in run.steps)}/{len(run.steps)}"
