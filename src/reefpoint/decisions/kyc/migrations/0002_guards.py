"""What was concluded about a client is never changed."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("kyc", "0001_initial")]

    operations = [append_only("kyc_kycassessment")]
