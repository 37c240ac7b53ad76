"""Which table tells which live topic."""

from django.db import migrations

from reefpoint.platform.database.live import tells_live


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("access", "0002_approvals"),
        ("liquidation", "0001_initial"),
        ("margin", "0001_initial"),
        ("market", "0001_initial"),
    ]
    operations = [
        tells_live("margin_marginstate", "margin"),
        tells_live("margin_margincall", "margin"),
        tells_live("liquidation_liquidation", "sales"),
        tells_live("market_pricebatch", "prices"),
        tells_live("market_heldprice", "prices"),
        tells_live("access_approval", "approvals"),
    ]
