"""What was told never changes; requests and new rates move on."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but


class Migration(migrations.Migration):
    dependencies = [("pricing", "0001_initial")]

    operations = [
        append_only("pricing_quote"),
        append_only_but("pricing_priceexception", ["state", "decided_by", "decided_at"]),
        append_only_but("pricing_rateproposal", ["state", "closed_at"]),
    ]
