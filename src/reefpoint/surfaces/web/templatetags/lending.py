"""Words of requests for credit and payments, for templates."""

from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from reefpoint.decisions.credit.rules.conditions import actual_words, condition_words
from reefpoint.decisions.credit.types import Condition, ConditionStanding
from reefpoint.surfaces.web import credit_words as words
from reefpoint.surfaces.web import renewal_words

register = template.Library()

TABLES: Mapping[str, Mapping[str, words.Words]] = {
    "stage": words.STAGE_WORDS,
    "next": words.NEXT_WORDS,
    "turn": words.TURN_WORDS,
    "step": words.STEP_WORDS,
    "payment_step": words.PAYMENT_STEP_WORDS,
    "manner": words.MANNER_WORDS,
    "renewal": renewal_words.RENEWAL_WORDS,
    "maturity": renewal_words.MATURITY_WORDS,
    "bar": renewal_words.BAR_WORDS,
    "client_bar": renewal_words.CLIENT_BAR_WORDS,
    "condition": words.CONDITION_WORDS,
    "default": renewal_words.DEFAULT_WORDS,
    "default_hold": renewal_words.DEFAULT_HOLD_WORDS,
}


@register.filter
def credit_word(code: object, table: str) -> words.Words:
    """What a code of one table says to a reader; a code without words, itself."""
    return TABLES[table].get(str(code), str(code))


@register.filter
def condition_said(one: Condition | ConditionStanding) -> str:
    """A condition as a sentence in the reader's language."""
    said = condition_words(one.condition if isinstance(one, ConditionStanding) else one)
    return said.zh if (get_language() or "").startswith("zh") else said.en


@register.filter
def condition_actual(standing: ConditionStanding) -> str:
    """How far a condition is met, with its figure."""
    said = actual_words(standing)
    return said.zh if (get_language() or "").startswith("zh") else said.en


@register.simple_tag
def condition_state(standing: ConditionStanding) -> SafeString:
    """Whether a condition is met, as a quiet label."""
    tone = {"met": "cured", "waived": "cured"}.get(standing.stands, "pending")
    return format_html('<span class="state state-{}">{}</span>', tone, words.CONDITION_WORDS[standing.stands])


@register.simple_tag
def label(code: object, table: str) -> SafeString:
    """A code of one table as a quiet label."""
    key = str(code)
    return format_html('<span class="state state-{}">{}</span>', key.replace("_", "-"), credit_word(key, table))


@register.simple_tag
def stage(code: object) -> SafeString:
    """The stage of a request as a quiet label."""
    key = str(code)
    return format_html('<span class="state state-{}">{}</span>', key.replace("_", "-"), words.STAGE_WORDS.get(key, key))
