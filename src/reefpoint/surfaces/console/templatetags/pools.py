"""Words of pools of funds."""

from django import template

from reefpoint.records.treasury.types import PoolOrigin
from reefpoint.surfaces.console.pool_words import ORIGIN_WORDS

register = template.Library()


@register.filter
def pool_origin(origin: PoolOrigin) -> str:
    """Whose money a pool is, in words."""
    return str(ORIGIN_WORDS[origin])
