"""Rules of scoring: what features are, what a scorecard is and gives, how a boosted model is read."""
