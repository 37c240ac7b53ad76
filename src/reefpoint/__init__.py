"""Reefpoint: a margin-lending desk, from the first enquiry to the last reconciliation."""
