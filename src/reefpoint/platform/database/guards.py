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


def append_only_but_erasure(
    table: str, columns: Iterable[str], erasable: Iterable[str], blank: str, *, was: str = "append_only"
) -> RunSQL:
    """In place of the guard `was`: like `append_only_but`, and `erasable` columns may change to what is `blank` alone.

    `blank` is a condition in SQL on the row `NEW`. Personal data can so be erased, and never be put into other words.
    The guard looks after the update: before it, PostgreSQL knows no generated columns.
    """
    kept = ", ".join(f"'{column}'" for column in columns)
    gone = ", ".join(f"'{column}'" for column in erasable)
    states = f"ARRAY[{kept}]::text[]"
    both = f"{states} || ARRAY[{gone}]"
    if was == "append_only":
        more = f"""
        CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION reefpoint_refuse_change();"""
        before = f"""
        DROP TRIGGER {table}_no_delete ON {table};
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION reefpoint_refuse_change();"""
    else:
        more = ""
        before = f"""
        CREATE TRIGGER {table}_fixed_columns BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN (to_jsonb(OLD) - {states} IS DISTINCT FROM to_jsonb(NEW) - {states})
            EXECUTE FUNCTION reefpoint_refuse_change();"""
    return RunSQL(
        f"""{_REFUSE_CHANGE}
        DROP TRIGGER {table}_{was} ON {table};
        CREATE TRIGGER {table}_fixed_columns AFTER UPDATE ON {table} FOR EACH ROW
            WHEN (to_jsonb(OLD) - ({both}) IS DISTINCT FROM to_jsonb(NEW) - ({both})
                  OR (to_jsonb(OLD) - {states} IS DISTINCT FROM to_jsonb(NEW) - {states} AND NOT ({blank})))
            EXECUTE FUNCTION reefpoint_refuse_change();
        {more}
        """,
        f"DROP TRIGGER {table}_fixed_columns ON {table};{before}",
    )


def guards_of(tables: Iterable[str]) -> list[tuple[str, str]]:
    """The guards of tables of which only some columns may change, for `verify_guards`."""
    return [(table, f"{table}_{guard}") for table in tables for guard in ("fixed_columns", "no_delete", "no_truncate")]


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
