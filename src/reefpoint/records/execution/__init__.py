"""The securities rail: orders, fills, the broker and its end-of-day files, position reconciliation."""
