"""The `reefpoint` command: serve, work, watch, demo, verify, database."""
