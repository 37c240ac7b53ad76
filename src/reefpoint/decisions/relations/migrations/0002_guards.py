"""What was said of groups stays as it was said; only ends are added."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but


class Migration(migrations.Migration):
    dependencies = [("relations", "0001_initial")]

    operations = [
        append_only_but("relations_group", ["size", "ended_at"]),
        append_only_but("relations_membership", ["until"]),
        append_only_but("relations_grouplimit", ["until"]),
        append_only_but("relations_exclusion", ["until", "ended_by", "end_reason"]),
    ]
