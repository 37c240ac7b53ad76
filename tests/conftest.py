"""Shared fixtures: a real PostgreSQL for every test that needs one."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
os.environ.setdefault("REEFPOINT_SECRET_KEY", "tests-only")
