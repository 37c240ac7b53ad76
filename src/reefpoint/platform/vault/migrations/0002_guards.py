"""Data keys are never removed: only their wrapping and their retirement change."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]

    operations = [append_only_but("vault_datakey", ("wrapped", "master_id", "retired_at"))]
