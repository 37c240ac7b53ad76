"""Why cash was held can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure

RELEASE = ("released_by", "released_at", "release_reason")


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0005_erasure")]

    operations = [
        append_only_but_erasure(
            "monitoring_restriction", RELEASE, ["reason"], "NEW.reason = 'Erased'", was="fixed_columns"
        ),
    ]
