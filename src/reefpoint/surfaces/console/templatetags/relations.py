"""Words for what clients share."""

from collections.abc import Iterable, Mapping

from django import template
from django.utils.translation import gettext_lazy

from reefpoint.decisions.relations.types import LimitView, Member

register = template.Library()

TRAIT_WORDS = {
    "bank_account": gettext_lazy("bank account"),
    "attorney": gettext_lazy("attorney"),
    "identifier": gettext_lazy("identity document"),
    "device": gettext_lazy("device"),
    "phone": gettext_lazy("phone"),
    "email": gettext_lazy("e-mail address"),
    "signatory": gettext_lazy("signatory"),
    "owner": gettext_lazy("owner"),
    "address": gettext_lazy("address"),
    "ip_day": gettext_lazy("network address on one day"),
}


@register.filter
def trait_word(kind: object) -> str:
    """A kind of thing that clients may share, in words."""
    return str(TRAIT_WORDS.get(str(kind), kind))


@register.filter
def trait_words(kinds: Iterable[object]) -> str:
    """Several kinds, in words."""
    return ", ".join(trait_word(kind) for kind in kinds)


@register.filter
def of_id(members: Mapping[int, Member], client_id: int) -> Member:
    """A member by the client's id."""
    return members[client_id]


@register.filter
def left(limit: LimitView, debt_minor: int) -> int:
    """What of a limit is not used, below zero when more is owed."""
    return limit.limit_minor - debt_minor
