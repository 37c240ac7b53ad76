"""Reads of related clients: `groups` for other apps, `pages` for people, `verify` for the proof."""

from reefpoint.decisions.relations.selectors.groups import (
    NoSuchGroup,
    get_group,
    load_exposures,
    load_groups,
    load_holders,
    load_members,
)
from reefpoint.decisions.relations.selectors.pages import (
    find_related,
    get_group_page,
    list_exclusions,
    list_groups,
)
from reefpoint.decisions.relations.selectors.verify import verify_relations

__all__ = [
    "NoSuchGroup",
    "find_related",
    "get_group",
    "get_group_page",
    "list_exclusions",
    "list_groups",
    "load_exposures",
    "load_groups",
    "load_holders",
    "load_members",
    "verify_relations",
]
