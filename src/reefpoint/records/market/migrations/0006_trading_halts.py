"""Since when and until when names did not trade, kept for good; what is suspended now begins the record."""

import django.db.models.deletion
from django.db import migrations, models

from reefpoint.platform.database.guards import append_only

BEGIN = """
INSERT INTO market_tradinghalt (instrument_id, is_suspended, at)
SELECT id, true, suspended_at FROM market_instrument WHERE is_suspended AND suspended_at IS NOT NULL ORDER BY id
"""


class Migration(migrations.Migration):
    dependencies = [("market", "0005_held_rates")]

    operations = [
        migrations.CreateModel(
            name="TradingHalt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_suspended", models.BooleanField()),
                ("at", models.DateTimeField()),
                (
                    "instrument",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="market.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ("instrument", "id"),
                "indexes": [models.Index(fields=["instrument", "at"], name="market_halt_of_name")],
            },
        ),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
        append_only("market_tradinghalt"),
    ]
