"""Terms of schemes in templates."""

from django import template

from reefpoint.records.products.types import Fee, RateKind
from reefpoint.surfaces.web import scheme_words

register = template.Library()


@register.filter
def rate_kind_word(kind: RateKind) -> str:
    """How a rate can change, in words."""
    return str(scheme_words.RATE_KINDS[kind])


@register.filter
def fee_words(fee: Fee, currency: str) -> str:
    """When a fee is charged and how much it is, in words."""
    return scheme_words.fee_words(fee, currency)
