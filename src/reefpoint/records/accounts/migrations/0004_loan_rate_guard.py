"""The rates that a loan bore are never rewritten."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_loanrate")]

    operations = [append_only("accounts_loanrate")]
