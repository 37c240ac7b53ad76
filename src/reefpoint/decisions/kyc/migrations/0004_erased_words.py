"""Words that a row must have become the word for their erasure, not empty."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure


class Migration(migrations.Migration):
    dependencies = [("kyc", "0003_erasure")]

    operations = [
        append_only_but_erasure("kyc_kycassessment", (), ["note"], "NEW.note = 'Erased'", was="fixed_columns"),
    ]
