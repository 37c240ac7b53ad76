"""Reads of scoring: sets of features and scores."""

from reefpoint.decisions.scoring.adapters.german import CHINESE as GERMAN_WORDS_ZH
from reefpoint.decisions.scoring.rules.features import DEFINITIONS
from reefpoint.decisions.scoring.selectors.reading import (
    MARGIN,
    NoSuchScore,
    clients_with_scores,
    count_scores,
    explain_score,
    get_feature_set,
    get_score,
    latest_score,
    list_client_scores,
    list_client_sets,
    read_runtime,
    read_set,
    read_trees,
)

__all__ = [
    "DEFINITIONS",
    "GERMAN_WORDS_ZH",
    "MARGIN",
    "NoSuchScore",
    "clients_with_scores",
    "count_scores",
    "explain_score",
    "get_feature_set",
    "get_score",
    "latest_score",
    "list_client_scores",
    "list_client_sets",
    "read_runtime",
    "read_set",
    "read_trees",
]
