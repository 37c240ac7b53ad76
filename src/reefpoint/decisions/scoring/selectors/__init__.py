"""Reads of scoring: sets of features and scores."""

from reefpoint.decisions.scoring.selectors.reading import (
    MARGIN,
    NoSuchScore,
    clients_with_scores,
    get_feature_set,
    get_score,
    latest_score,
    list_client_scores,
    list_client_sets,
)

__all__ = [
    "MARGIN",
    "NoSuchScore",
    "clients_with_scores",
    "get_feature_set",
    "get_score",
    "latest_score",
    "list_client_scores",
    "list_client_sets",
]
