"""Guards that the database itself keeps, as migration operations, and the proof that they still stand."""

from collections.abc import Iterable

from django.db import connection
from django.db.migrations.operations.special import RunSQL

from reefpoint.platform.basics.findings import Finding

_REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION reefpoint_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Write a correcting row instead.';
END $$;
"""


def append_only(table: str) -> RunSQL:
    """A migration operation after which UPDATE, DELETE and TRUNCATE of `table` raise `IntegrityError`."""
    return RunSQL(
        f"""{_REFUSE_CHANGE}
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION reefpoint_refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION reefpoint_refuse_change();
        """,
        f"""
        DROP TRIGGER {table}_append_only ON {table};
        DROP TRIGGER {table}_no_truncate ON {table};
        """,
    )


def verify_guards(tables: Iterable[str]) -> list[Finding]:
    """Every trigger of these tables that somebody switched off, and every table that has none at all."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT guarded.name, tgname, tgenabled
              FROM unnest(%s::text[]) AS guarded(name)
              LEFT JOIN pg_trigger ON tgrelid = to_regclass(guarded.name) AND NOT tgisinternal
             WHERE tgname IS NULL OR tgenabled NOT IN ('O', 'A')
             ORDER BY 1, 2
            """,
            [list(tables)],
        )
        return [
            Finding("database.guard", table, f"trigger {trigger} is disabled" if trigger else "it has no guard trigger")
            for table, trigger, _ in cursor.fetchall()
        ]
