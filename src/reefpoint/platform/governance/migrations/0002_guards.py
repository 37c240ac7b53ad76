"""What runs, and what became of it, is never changed; of a version only its state moves."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]

    operations = [
        append_only_but("governance_modelversion", ["state", "since", "validator", "validation", "approver"]),
        append_only("governance_modelmove"),
        append_only("governance_driftreading"),
        append_only("governance_sourcecheck"),
    ]
