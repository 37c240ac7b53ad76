"""Building features and scoring clients."""

from reefpoint.decisions.scoring.services.building import UnknownHolding, build_features, build_features_of
from reefpoint.decisions.scoring.services.scoring import score_client

__all__ = ["UnknownHolding", "build_features", "build_features_of", "score_client"]
