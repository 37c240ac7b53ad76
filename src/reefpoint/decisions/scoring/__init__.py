"""Scoring: a versioned set of features per client and day, the scorecard that reads it, a challenger beside it."""
