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


def append_only_but(table: str, columns: Iterable[str]) -> RunSQL:
    """Like `append_only`, for rows that carry a state: an UPDATE may change `columns` and nothing else."""
    kept = ", ".join(f"'{column}'" for column in columns)
    return RunSQL(
        f"""{_REFUSE_CHANGE}
        CREATE TRIGGER {table}_fixed_columns BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN (to_jsonb(OLD) - ARRAY[{kept}] IS DISTINCT FROM to_jsonb(NEW) - ARRAY[{kept}])
            EXECUTE FUNCTION reefpoint_refuse_change();
        CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION reefpoint_refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION reefpoint_refuse_change();
        """,
        f"""
        DROP TRIGGER {table}_fixed_columns ON {table};
        DROP TRIGGER {table}_no_delete ON {table};
        DROP TRIGGER {table}_no_truncate ON {table};
        """,
    )


def verify_guards(tables: Iterable[str], others: Iterable[tuple[str, str]] = ()) -> list[Finding]:
    """Each guard that is gone or switched off: those of append-only `tables`, and `others` as (table, trigger)."""
    expected = [(table, f"{table}_{guard}") for table in tables for guard in ("append_only", "no_truncate")]
    expected.extend(others)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT tgrelid::regclass::text, tgname FROM pg_trigger
             WHERE tgenabled IN ('O', 'A') AND tgname = ANY(%s)
            """,
            [[trigger for _table, trigger in expected]],
        )
        standing = set(cursor.fetchall())
    return [
        Finding("database.guard", table, f"the trigger {trigger} is missing or disabled")
        for table, trigger in expected
        if (table, trigger) not in standing
    ]
