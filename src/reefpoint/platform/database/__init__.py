"""The embedded PostgreSQL and the guards that make tables append-only."""
