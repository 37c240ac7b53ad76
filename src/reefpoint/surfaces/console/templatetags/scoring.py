"""Words and figures of features, scores and models."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

from reefpoint.decisions.scoring.selectors import DEFINITIONS, GERMAN_WORDS_ZH
from reefpoint.decisions.scoring.types import Bin, FeatureValue, Unit
from reefpoint.surfaces.web.templatetags.figures import money, percent, quantity

register = template.Library()
Words = str | Promise

MODEL_WORDS: Mapping[str, Words] = {
    # states
    "draft": gettext_lazy("Draft"),
    "developed": pgettext_lazy("model", "Developed"),
    "validated": pgettext_lazy("model", "Validated"),
    "approved": gettext_lazy("Approved"),
    "shadow": gettext_lazy("Shadow"),
    "champion": pgettext_lazy("model", "Champion"),
    "retired": pgettext_lazy("model", "Retired"),
    "suspended": pgettext_lazy("model", "Suspended"),
    # kinds
    "scorecard": gettext_lazy("Scorecard"),
    "boosted": gettext_lazy("Boosted trees"),
    # verdicts
    "insufficient": gettext_lazy("Too few cases to say"),
    "ok": pgettext_lazy("drift", "No drift"),
    "investigate": pgettext_lazy("drift", "Look into it"),
    "act": pgettext_lazy("drift", "Act"),
    "good": pgettext_lazy("source", "In order"),
    "stale": pgettext_lazy("source", "Stale"),
    "failing": pgettext_lazy("source", "Rows fail a check"),
    "empty": pgettext_lazy("source", "Empty"),
    # uses
    "margin": gettext_lazy("Clients who borrow against securities"),
    "german": gettext_lazy("Reference sample"),
    # measures
    "no_claim": gettext_lazy("Claims no probability"),
    "auc": "AUC",
    "ks": "KS",
    "points": gettext_lazy("Points"),
    # causes of a score
    "request": gettext_lazy("Asked for"),
    "schedule": gettext_lazy("On schedule"),
    "call": gettext_lazy("Margin call"),
    "band": gettext_lazy("Worse margin band"),
    "change": gettext_lazy("Profile changed"),
    # sources of features
    "profile": gettext_lazy("Profile"),
    "bureau": gettext_lazy("Bureau"),
    "accounts": gettext_lazy("Accounts"),
    "flows": gettext_lazy("Cash flows"),
    "portfolio": gettext_lazy("Portfolio"),
    "links": gettext_lazy("Related clients"),
    "prices": gettext_lazy("Prices"),
    # how a figure was measured
    "5x2 cross-validation": gettext_lazy("built on one half of the cases and tested on the other, ten times"),
}

MISSING_WORDS: Mapping[str, Words] = {
    "not_asked": gettext_lazy("There is no profile"),
    "not_said": gettext_lazy("The client did not say"),
    "no_report": gettext_lazy("There is no bureau report"),
    "stale_report": gettext_lazy("The newest report is over 90 days old"),
    "not_reported": gettext_lazy("The report does not say"),
    "no_account": gettext_lazy("There is no account here"),
    "too_young": gettext_lazy("The account is younger than 90 days"),
    "no_holdings": gettext_lazy("Nothing is held or offered"),
    "no_price": gettext_lazy("A name has no current price"),
    "short_history": gettext_lazy("A name has too short a history"),
    "other_currency": gettext_lazy("Part of it is in another currency"),
}

_TONES = {
    "champion": "in-force",
    "ok": "in-force",
    "good": "in-force",
    "draft": "draft",
    "investigate": "pending",
    "stale": "pending",
    "suspended": "failed",
    "act": "failed",
    "failing": "failed",
}


@register.filter
def measure_word(measure: str) -> str:
    """What drift was measured of: the points, or a feature by its name."""
    prefix, _, code = measure.rpartition(":")
    return feature_word(code) if prefix else model_word(measure)


@register.filter
def model_word(key: object) -> str:
    """A word of the register in the reader's language."""
    return str(MODEL_WORDS.get(str(key), key))


@register.filter
def model_tone(key: object) -> str:
    """The class that colours a state or verdict; too few cases are never green."""
    return f"state-{_TONES.get(str(key), 'shadow')}"


@register.filter
def in_both(facts: Mapping[str, Any], name: str) -> Any:
    """A text or list of a version's facts in the reader's language."""
    chinese = facts.get(f"{name}_zh") if is_chinese() else None
    return chinese if chinese is not None else facts.get(name, "")


def is_chinese() -> bool:
    """Whether the reader reads Chinese."""
    return (get_language() or "").startswith("zh")


@register.filter
def feature_word(code: str) -> str:
    """The name of a feature, or of what stands for a model that cannot be trusted."""
    if code == "no_model":
        return str(gettext_lazy("A scorecard that can be trusted"))
    found = DEFINITIONS.get(code)
    return code if found is None else found.words_zh if is_chinese() else found.words


@register.filter
def feature_value(value: FeatureValue) -> str:
    """A feature in its unit; for a missing one, the reason."""
    if value.missing is not None:
        return str(MISSING_WORDS[value.missing])
    return scalar(value.value, DEFINITIONS[value.code].unit)


def scalar(value: object, unit: Unit) -> str:
    """A number in its unit."""
    if not isinstance(value, int):
        return str(value)
    match unit:
        case Unit.MINOR:
            return money(value)
        case Unit.BP:
            return percent(value)
        case Unit.HUNDREDTHS:
            return f"{value / 100:.2f}"
        case _:
            return quantity(value)


@register.filter
def part_value(part: Any) -> str:
    """The value that a characteristic was given, in its feature's unit."""
    if part.value is None:
        return "–"
    found = DEFINITIONS.get(part.name)
    return str(part.value) if found is None else scalar(part.value, found.unit)


@register.filter
def bin_label(one: Bin, name: str) -> str:
    """Whom a bin admits: a range in the unit of its input, or the words it lists."""
    if one.values:
        return "；".join(GERMAN_WORDS_ZH.get(word, word) for word in one.values) if is_chinese() else one.label
    if one.low is None and one.high is None:
        return one.label
    found = DEFINITIONS.get(name)
    unit = found.unit if found else Unit.NONE
    low, high = (None if edge is None else scalar(edge, unit) for edge in (one.low, one.high))
    if low is None:
        return f"< {high}"
    return f"≥ {low}" if high is None else f"{low} – < {high}"


@register.filter
def bin_reason(one: Any) -> str:
    """What a bin tells somebody who lost points by it."""
    return str(one.reason_zh if is_chinese() else one.reason)


@register.filter
def in_ten_thousandths(value: int) -> str:
    """A figure kept in ten-thousandths, such as a PSI: 1000 is 0.100."""
    return f"{value / 10_000:.3f}"
