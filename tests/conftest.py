"""Shared fixtures: a real PostgreSQL for every test that needs one."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
os.environ.setdefault("REEFPOINT_SECRET_KEY", "tests-only")

from collections.abc import Iterator

import pytest
from django.core.management.color import Style
from django.db.backends.postgresql.operations import DatabaseOperations


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """Let tests with real transactions empty append-only tables afterwards; it takes a superuser of the database."""
    flush = DatabaseOperations.sql_flush

    def flush_unguarded(self: DatabaseOperations, style: Style, *args: object, **options: object) -> list[str]:
        statements = flush(self, style, *args, **options)  # type: ignore[arg-type] # passed through as they came
        return ["SET session_replication_role = replica", *statements, "RESET session_replication_role"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flush_unguarded)
        yield
