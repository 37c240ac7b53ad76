"""Published events are append-only, and each new delivery wakes the dispatchers of its group."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only

NOTIFY = """
CREATE FUNCTION events_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('reefpoint_events', waiting."group") FROM (SELECT DISTINCT "group" FROM inserted) AS waiting;
    RETURN NULL;
END $$;
CREATE TRIGGER events_delivery_notify AFTER INSERT ON events_delivery
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION events_notify();
ALTER TABLE events_delivery SET (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        append_only("events_event"),
        migrations.RunSQL(NOTIFY, "DROP TRIGGER events_delivery_notify ON events_delivery; DROP FUNCTION events_notify();"),
    ]
