"""What was answered, proved and acknowledged is never changed."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("suitability", "0001_initial")]

    operations = [
        append_only("suitability_assessment"),
        append_only("suitability_segmentrecord"),
        append_only("suitability_entryrecord"),
        append_only("suitability_acknowledgement"),
    ]
