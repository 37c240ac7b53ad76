"""The data folder, the embedded PostgreSQL, and what the database holds by itself: append-only guards, live topics."""
