"""The quick way to make tables makes those that Django's own way makes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from reefpoint.platform.database.tables import missing_migrations, update_tables

SHAPE = """
SELECT table_name::text, 'column', column_name::text, concat_ws(' ', ordinal_position, data_type, is_nullable,
       column_default, is_identity, generation_expression)
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT conrelid::regclass::text, 'constraint', conname::text, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename::text, 'index', indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT tgrelid::regclass::text, 'trigger', tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT '', 'function', proname::text, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT app::text, 'migration', name::text, '' FROM django_migrations
 ORDER BY 1, 2, 3, 4
"""


@contextmanager
def empty_database(name: str) -> Iterator[None]:
    """Point Django at a database that has nothing in it, and drop that in the end."""
    settings, before = connection.settings_dict, connection.settings_dict["NAME"]
    own, drop = f"{before}_{name}", sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with connection.cursor() as cursor:
        cursor.execute(drop.format(sql.Identifier(own)))
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(own)))
    connection.close()
    settings["NAME"] = own
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = before
        with connection.cursor() as cursor:
            cursor.execute(drop.format(sql.Identifier(own)))


def shape() -> list[tuple[str, str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(SHAPE)
        return cursor.fetchall()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_empty_desk_gets_the_tables_that_its_migrations_say_and_a_second_call_changes_nothing() -> None:
    with empty_database("plain"):
        call_command("migrate", interactive=False, verbosity=0)
        plain = shape()
    with empty_database("quick"):
        assert update_tables() > 100
        quick = shape()
        assert (missing_migrations(), update_tables()) == (0, 0)
    assert [row for row in quick if row not in plain] == [row for row in plain if row not in quick] == []
    assert quick == plain
