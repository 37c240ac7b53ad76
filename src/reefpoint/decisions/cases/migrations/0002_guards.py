"""What happened on a case stays as it was written, and a closed case stays closed."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but

CLOSED_STAYS = """
CREATE TRIGGER cases_case_closed_stays BEFORE UPDATE ON cases_case
    FOR EACH ROW WHEN (OLD.state = 'closed') EXECUTE FUNCTION reefpoint_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        append_only("cases_caseclient"),
        append_only("cases_entry"),
        append_only_but("cases_document", ["key_id", "blob"]),
        append_only_but("cases_report", ["key_id", "blob"]),
        append_only_but(
            "cases_case",
            [
                "state",
                "assignee_id",
                "due_at",
                "disposition",
                "disposition_reason",
                "proposed_by",
                "approval_id",
                "closed_by",
                "closed_at",
            ],
        ),
        migrations.RunSQL(CLOSED_STAYS, "DROP TRIGGER cases_case_closed_stays ON cases_case"),
    ]
