"""Tables that tell: when rows of them were written, whoever watches a page hears the topic, once that is committed.

What is sent is a topic alone, never a figure. A commit that wrote a table a thousand times tells its topic once.
"""

from django.db.migrations.operations.special import RunSQL

CHANNEL = "reefpoint_live"


def tells_live(table: str, topic: str) -> RunSQL:
    """A migration operation after which every write to `table` sends `topic` on the live channel."""
    return RunSQL(
        f"""
        CREATE OR REPLACE FUNCTION reefpoint_tell_live() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('{CHANNEL}', TG_ARGV[0]);
            RETURN NULL;
        END $$;
        CREATE TRIGGER {table}_live AFTER INSERT OR UPDATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION reefpoint_tell_live('{topic}');
        """,
        f"DROP TRIGGER {table}_live ON {table};",
    )
