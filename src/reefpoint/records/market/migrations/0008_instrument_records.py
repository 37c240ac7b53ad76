"""What was on record of an instrument and since when, why trading stopped, and delisting."""

import django.db.models.deletion
from django.db import migrations, models

from reefpoint.platform.database.guards import append_only

BEGIN = """
INSERT INTO market_instrumentrecord (instrument_id, at, name, name_zh, sector, lot_size, price_band_bp,
       assumed_daily_volume, delisted_on, reason, recorded_by, checked_by)
SELECT id, now(), name, name_zh, sector, lot_size, price_band_bp, assumed_daily_volume, NULL, '', 'system:setup', ''
  FROM market_instrument ORDER BY id
"""


class Migration(migrations.Migration):
    dependencies = [("market", "0007_listing_second_person")]

    operations = [
        migrations.AddField(model_name="instrument", name="delisted_on", field=models.DateField(null=True)),
        migrations.AddField(
            model_name="tradinghalt", name="reason", field=models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="tradinghalt", name="recorded_by", field=models.CharField(blank=True, default="", max_length=80),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=models.CheckConstraint(
                condition=models.Q(delisted_on=None) | models.Q(is_suspended=True),
                name="market_instrument_delisted_is_not_traded",
            ),
        ),
        migrations.CreateModel(
            name="InstrumentRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("name", models.CharField(max_length=120)),
                ("name_zh", models.CharField(blank=True, max_length=120)),
                ("sector", models.CharField(blank=True, max_length=60)),
                ("lot_size", models.PositiveIntegerField()),
                ("price_band_bp", models.PositiveIntegerField()),
                ("assumed_daily_volume", models.PositiveBigIntegerField()),
                ("delisted_on", models.DateField(null=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("recorded_by", models.CharField(max_length=80)),
                ("checked_by", models.CharField(blank=True, max_length=80)),
                ("approval_id", models.PositiveBigIntegerField(null=True)),
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
                "indexes": [models.Index(fields=["instrument", "at"], name="market_record_of_name")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("checked_by", models.F("recorded_by")), _negated=True),
                        name="market_record_second_person",
                    ),
                    models.UniqueConstraint(fields=("approval_id", "instrument"), name="market_record_once"),
                ],
            },
        ),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
        append_only("market_instrumentrecord"),
    ]
