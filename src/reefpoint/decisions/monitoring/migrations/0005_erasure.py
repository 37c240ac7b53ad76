"""Words that may name somebody can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0004_payment_requests")]

    operations = [
        append_only_but_erasure("monitoring_activity", (), ["counterparty_name"], "NEW.counterparty_name = ''"),
    ]
