"""Prices and verdicts are never changed; a held price changes once, when it is decided on."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but

DECIDED_ONCE = """
CREATE TRIGGER market_heldprice_decided_once BEFORE UPDATE ON market_heldprice
    FOR EACH ROW WHEN (OLD.state <> 'held') EXECUTE FUNCTION reefpoint_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("market", "0001_initial")]

    operations = [
        append_only("market_pricebatch"),
        append_only("market_price"),
        append_only("market_rejectedrow"),
        append_only_but("market_heldprice", ["state", "decided_by", "decided_at", "decision_reason"]),
        migrations.RunSQL(DECIDED_ONCE, "DROP TRIGGER market_heldprice_decided_once ON market_heldprice"),
    ]
