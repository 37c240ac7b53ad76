"""Where rules and ready-made terms are read from."""
