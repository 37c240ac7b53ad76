"""Building features and scoring clients."""

from reefpoint.decisions.scoring.services.building import UnknownHolding, build_features, build_features_of
from reefpoint.decisions.scoring.services.scoring import UnknownInput, score_cases, score_client

__all__ = ["UnknownHolding", "UnknownInput", "build_features", "build_features_of", "score_cases", "score_client"]
