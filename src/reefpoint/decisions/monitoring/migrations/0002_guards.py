"""What happened and what was raised is append-only; each activity carries the transaction that wrote it."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but

TRANSACTION = """
ALTER TABLE monitoring_activity ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX monitoring_activity_xid ON monitoring_activity (xid);
"""


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]

    operations = [
        migrations.RunSQL(TRANSACTION, "ALTER TABLE monitoring_activity DROP COLUMN xid;"),
        append_only("monitoring_activity"),
        append_only_but("monitoring_ruleversion", ("state", "approval_id", "decided_by")),
        append_only_but("monitoring_alert", ("state", "snoozed_until", "reason", "case_id")),
        append_only_but("monitoring_restriction", ("released_by", "released_at", "release_reason")),
    ]
