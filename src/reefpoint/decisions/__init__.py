"""What the desk concludes from facts. Decisions write only their own results."""
