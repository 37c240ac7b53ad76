"""Words that may name somebody can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure


class Migration(migrations.Migration):
    dependencies = [("kyc", "0002_guards")]

    operations = [
        append_only_but_erasure("kyc_kycassessment", (), ["note"], "NEW.note = ''"),
    ]
