"""The `reefpoint` command: demo, verify, migrate, serve, work, watch, people, db, check-config."""
