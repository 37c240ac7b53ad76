"""What screening can tell: matches of a name, lists and their versions, hits, and where clients stand."""

from reefpoint.decisions.screening.selectors.hits import (
    HitNotFound,
    find_hits,
    find_screening_grade,
    get_hit,
    get_screening_standing,
    list_hits_of,
    load_screening_standings,
    verify_screening,
)
from reefpoint.decisions.screening.selectors.lists import (
    VersionNotFound,
    find_rescreen,
    find_versions,
    get_version,
    list_changes,
    list_in_force,
    list_unsettled,
    load_list_entries,
)
from reefpoint.decisions.screening.selectors.matching import best_score, find_matches

__all__ = [
    "HitNotFound",
    "VersionNotFound",
    "best_score",
    "find_hits",
    "find_matches",
    "find_rescreen",
    "find_screening_grade",
    "find_versions",
    "get_hit",
    "get_screening_standing",
    "get_version",
    "list_changes",
    "list_hits_of",
    "list_in_force",
    "list_unsettled",
    "load_list_entries",
    "load_screening_standings",
    "verify_screening",
]
