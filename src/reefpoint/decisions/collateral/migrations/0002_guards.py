"""What was assessed and put in force is never changed."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("collateral", "0001_initial")]

    operations = [
        append_only("collateral_assessment"),
        append_only("collateral_nameassessment"),
        append_only("collateral_haircutrelease"),
        append_only("collateral_haircutstep"),
    ]
