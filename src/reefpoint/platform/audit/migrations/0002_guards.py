"""The audit log and its seals are append-only; each entry carries the transaction that wrote it."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only

TRANSACTION = """
ALTER TABLE audit_entry ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX audit_entry_xid ON audit_entry (xid);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(TRANSACTION, "ALTER TABLE audit_entry DROP COLUMN xid;"),
        append_only("audit_entry"),
        append_only("audit_seal"),
    ]
