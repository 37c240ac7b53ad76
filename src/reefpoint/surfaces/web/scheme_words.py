"""The elements of a scheme in words, in both languages, for every surface that shows terms."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from reefpoint.platform.basics.money import percent
from reefpoint.records.products.types import (
    Bound,
    Due,
    Fee,
    FeeBasis,
    FeeMoment,
    LiquidationOrder,
    LiquidationRule,
    Problem,
    RateKind,
)
from reefpoint.surfaces.web.figures import money_text, percent_text
from reefpoint.surfaces.web.sentences import said, told

RATE_KINDS: Mapping[RateKind, Promise] = {
    RateKind.FIXED: gettext_lazy("fixed for the life of a loan"),
    RateKind.RESET: gettext_lazy("set anew at fixed intervals"),
    RateKind.FLOATING: gettext_lazy("floating with the desk's base rate"),
}

FEE_MOMENTS: Mapping[FeeMoment, Promise] = {
    FeeMoment.DRAWDOWN: gettext_lazy("at a drawdown"),
    FeeMoment.MONTH_END: gettext_lazy("at each month's end"),
    FeeMoment.UNUSED_MONTH_END: gettext_lazy("at each month's end, on what is not drawn"),
    FeeMoment.EARLY_REPAYMENT: gettext_lazy("at an early repayment"),
    FeeMoment.RENEWAL: gettext_lazy("at a renewal"),
    FeeMoment.LATE: gettext_lazy("once a loan is late"),
}

FEE_BASES: Mapping[FeeMoment, Promise] = {
    FeeMoment.DRAWDOWN: gettext_lazy("of the amount drawn"),
    FeeMoment.MONTH_END: gettext_lazy("of the principal owed"),
    FeeMoment.UNUSED_MONTH_END: gettext_lazy("of the facility not drawn"),
    FeeMoment.EARLY_REPAYMENT: gettext_lazy("of the principal repaid"),
    FeeMoment.RENEWAL: gettext_lazy("of the principal renewed"),
    FeeMoment.LATE: gettext_lazy("of the principal that is late"),
}


def fee_words(fee: Fee, currency: str) -> str:
    """When a fee is charged and how much it is: "0.10% of the amount drawn, at a drawdown"."""
    if fee.basis is FeeBasis.FLAT:
        parts = {"amount": f"{money_text(fee.amount_minor)} {currency}", "moment": FEE_MOMENTS[fee.moment]}
        return _("%(amount)s, %(moment)s") % parts
    words = _("%(share)s %(basis)s, %(moment)s") % {
        "share": percent(fee.rate_bp),
        "basis": FEE_BASES[fee.moment],
        "moment": FEE_MOMENTS[fee.moment],
    }
    if fee.least_minor:
        words += _(", ") + _("at least %(money)s") % {"money": f"{money_text(fee.least_minor)} {currency}"}
    if fee.most_minor:
        words += _(", ") + _("at most %(money)s") % {"money": f"{money_text(fee.most_minor)} {currency}"}
    return words


def _both_names(fee: Fee) -> str:
    """The reader's name of a fee first: a comparison tells a change of either."""
    names = (fee.name_zh, fee.name) if (get_language() or "").startswith("zh") else (fee.name, fee.name_zh)
    return " · ".join(filter(None, names))


GROUPS: tuple[tuple[str, Promise, tuple[str, ...]], ...] = (
    ("product", gettext_lazy("Product and law"), ("rule_pack", "currency", "limit_minor", "min_equity_minor")),
    (
        "rate",
        gettext_lazy("Interest"),
        (
            "rate_kind",
            "rate_bp",
            "rate_floor_bp",
            "rate_cap_bp",
            "rate_reset_days",
            "rate_notice_days",
            "day_count",
        ),
    ),
    (
        "term",
        gettext_lazy("Term and repayment"),
        (
            "tenor_days",
            "grace_days",
            "penalty_rate_bp",
            "is_early_repayment_allowed",
            "renewals_max",
            "renewal_min_ratio_bp",
            "roll_over_allowed",
            "payment_order",
        ),
    ),
    ("fees", gettext_lazy("Fees"), ("fees",)),
    (
        "lines",
        gettext_lazy("The lines"),
        (
            "initial_bp",
            "withdrawal_bp",
            "warning_bp",
            "call_bp",
            "cure_bp",
            "close_out_bp",
            "hysteresis_bp",
        ),
    ),
    (
        "calls",
        gettext_lazy("Calls and sales"),
        ("call_deadline_sessions", "liquidation_rule", "liquidation_order", "target_bp"),
    ),
    (
        "collateral",
        gettext_lazy("Collateral"),
        (
            "default_haircut_bp",
            "default_maintenance_bp",
            "concentration_cap_bp",
            "group_cap_bp",
            "haircut_notice_sessions",
            "accepted_symbols",
            "haircuts_bp",
            "maintenances_bp",
        ),
    ),
)
"""All terms in groups, as the designer and a comparison show them."""

TERMS: Mapping[str, tuple[Promise, Promise]] = {
    "rule_pack": (gettext_lazy("Governing rules"), gettext_lazy("the jurisdiction whose law binds these terms")),
    "currency": (gettext_lazy("Currency"), gettext_lazy("of the loan and its collateral")),
    "limit_minor": (gettext_lazy("Limit"), gettext_lazy("the most that one account may borrow")),
    "min_equity_minor": (gettext_lazy("Equity at least"), gettext_lazy("the client's own money after a drawdown")),
    "rate_kind": (gettext_lazy("Kind of rate"), gettext_lazy("how a loan's rate can change after it is drawn")),
    "rate_bp": (gettext_lazy("List rate"), gettext_lazy("a year, before grade and portfolio")),
    "rate_floor_bp": (gettext_lazy("Lowest rate"), gettext_lazy("no quote is lower")),
    "rate_cap_bp": (gettext_lazy("Highest rate"), gettext_lazy("no quote is higher")),
    "rate_reset_days": (gettext_lazy("Rate set anew every"), gettext_lazy("0 for a fixed rate")),
    "rate_notice_days": (gettext_lazy("Notice of a new rate"), gettext_lazy("before it takes force")),
    "day_count": (gettext_lazy("Day count"), gettext_lazy("how days become interest")),
    "tenor_days": (gettext_lazy("Tenor"), gettext_lazy("from the drawdown to maturity")),
    "grace_days": (gettext_lazy("Days of grace"), gettext_lazy("after maturity, before a loan is late")),
    "penalty_rate_bp": (gettext_lazy("Penalty rate"), gettext_lazy("a year, on principal that is late")),
    "is_early_repayment_allowed": (gettext_lazy("Early repayment"), gettext_lazy("always allowed to answer a call")),
    "renewals_max": (gettext_lazy("Renewals"), gettext_lazy("at most so many; 0 for none")),
    "renewal_min_ratio_bp": (gettext_lazy("Ratio to renew"), gettext_lazy("the account needs at least this")),
    "roll_over_allowed": (gettext_lazy("Roll-over"), gettext_lazy("a renewal may carry unpaid interest over")),
    "payment_order": (gettext_lazy("A payment settles"), gettext_lazy("first to last")),
    "fees": (gettext_lazy("Fee"), gettext_lazy("charged exactly at its moment, and there is no other charge")),
    "initial_bp": (gettext_lazy("To draw down"), gettext_lazy("the ratio after a new loan")),
    "withdrawal_bp": (gettext_lazy("To withdraw"), gettext_lazy("the ratio after money leaves")),
    "warning_bp": (gettext_lazy("Warning line"), gettext_lazy("below it the client is warned")),
    "call_bp": (gettext_lazy("Call line"), gettext_lazy("below it collateral is called")),
    "cure_bp": (gettext_lazy("Cure line"), gettext_lazy("at it a call ends")),
    "close_out_bp": (gettext_lazy("Line of forced sale"), gettext_lazy("below it collateral is sold at once")),
    "hysteresis_bp": (gettext_lazy("Back above a line by"), gettext_lazy("before a band gets milder")),
    "call_deadline_sessions": (gettext_lazy("Time to answer a call"), gettext_lazy("after the day of the call")),
    "liquidation_rule": (gettext_lazy("A sale starts"), gettext_lazy("by policy, or after a second person's word")),
    "liquidation_order": (gettext_lazy("Sold first"), gettext_lazy("which collateral goes before the rest")),
    "target_bp": (gettext_lazy("Sold until"), gettext_lazy("the ratio that a forced sale restores")),
    "default_haircut_bp": (gettext_lazy("Haircut"), gettext_lazy("of a name that has none of its own")),
    "default_maintenance_bp": (
        gettext_lazy("Maintenance"),
        gettext_lazy("of a name that has none of its own: equity is at least so much of it"),
    ),
    "concentration_cap_bp": (gettext_lazy("One name at most"), gettext_lazy("of the account's assets")),
    "group_cap_bp": (gettext_lazy("One group at most"), gettext_lazy("of the account's assets")),
    "haircut_notice_sessions": (gettext_lazy("A higher haircut takes"), gettext_lazy("until it is in full force")),
    "accepted_symbols": (gettext_lazy("Accepted name"), gettext_lazy("lent on")),
    "haircuts_bp": (gettext_lazy("Haircut"), gettext_lazy("of this name")),
    "maintenances_bp": (
        gettext_lazy("Maintenance"),
        gettext_lazy("of this name: equity is at least so much of it"),
    ),
}
"""Each term's name, and what it means."""

UNITS: Mapping[str, Promise] = {
    "tenor_days": gettext_lazy("days"),
    "grace_days": gettext_lazy("days"),
    "rate_reset_days": gettext_lazy("days"),
    "rate_notice_days": gettext_lazy("days"),
    "renewals_max": gettext_lazy("times"),
    "call_deadline_sessions": gettext_lazy("sessions"),
    "haircut_notice_sessions": gettext_lazy("sessions"),
}

LIQUIDATION_RULES: Mapping[LiquidationRule, Promise] = {
    LiquidationRule.AUTO: gettext_lazy("by itself"),
    LiquidationRule.APPROVAL: gettext_lazy("once a second person approves"),
}
LIQUIDATION_ORDERS: Mapping[LiquidationOrder, Promise] = {
    LiquidationOrder.MOST_LIQUID: gettext_lazy("what trades most"),
    LiquidationOrder.LARGEST_POSITION: gettext_lazy("the largest position"),
    LiquidationOrder.HIGHEST_HAIRCUT: gettext_lazy("the highest haircut"),
}
DUES: Mapping[Due, Promise] = {
    Due.FEES: gettext_lazy("fees"),
    Due.PENALTY: gettext_lazy("penalty interest"),
    Due.INTEREST: gettext_lazy("interest"),
    Due.PRINCIPAL: gettext_lazy("principal"),
}


def term_words(field: str) -> str:
    """A term's name, with the symbol or fee it is about: "Haircut AMD"."""
    name, _dot, about = field.partition(".")
    return " ".join(filter(None, (str(TERMS[name][0]), about)))


def value_words(field: str, value: object, currency: str) -> str:  # noqa: PLR0911 - a table of kinds
    """A term's value as people read it, with its unit."""
    name = field.partition(".")[0]
    match value:
        case None:
            return "–"
        case Fee():
            return f"{_both_names(value)}: {fee_words(value, currency)}"
        case bool():
            return _("yes") if value else _("no")
        case RateKind():
            return str(RATE_KINDS[value])
        case LiquidationRule():
            return str(LIQUIDATION_RULES[value])
        case LiquidationOrder():
            return str(LIQUIDATION_ORDERS[value])
        case tuple():
            return " → ".join(str(DUES[one]) for one in value)
        case int() if name.endswith("_bp"):
            return percent_text(value)
        case int() if name.endswith("_minor"):
            return f"{money_text(value)} {currency}"
        case int():
            return f"{value} {UNITS[name]}" if name in UNITS else str(value)
    return str(value)


def bound_words(bound: Bound, currency: str) -> str:
    """A bound with where it is from: "at least 133.34%: FINRA Rule 4210(c)(1)"."""
    value = value_words(bound.field, bound.value, currency)
    side = _("at least %(value)s") if bound.is_floor else _("at most %(value)s")
    return f"{side % {'value': value}}: {_cited(bound)}"


def _cited(bound: Bound) -> str:
    """Source and article; a rule's number that begins its article is not said twice."""
    source, article = told(bound.source), told(bound.article)
    number = source.rpartition(" ")[2]
    return f"{source}{article.removeprefix(number)}" if article.startswith(number) else f"{source} {article}".rstrip()


def problem_words(problem: Problem, currency: str) -> str:
    """Why a term cannot be as it is."""
    if problem.bound is not None:
        return _("The law asks for %(bound)s") % {"bound": bound_words(problem.bound, currency)}
    return said(problem.reason or problem.message)
