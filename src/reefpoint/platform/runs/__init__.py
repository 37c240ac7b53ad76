"""Long work that somebody asked for and waits on: how far it is, and what came of it."""
