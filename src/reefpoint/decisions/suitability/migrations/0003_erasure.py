"""Words that may name somebody can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure


class Migration(migrations.Migration):
    dependencies = [("suitability", "0002_guards")]

    operations = [
        append_only_but_erasure("suitability_segmentrecord", (), ["evidence"], "NEW.evidence = ''"),
        append_only_but_erasure("suitability_entryrecord", (), ["evidence"], "NEW.evidence = ''"),
    ]
