"""A scheme's tier changes by two people, with a row that says who, when and why."""

import django.db.models.deletion
from django.db import migrations, models

from reefpoint.platform.database.guards import append_only

TIER_BY_TWO = """
CREATE OR REPLACE FUNCTION products_check_tier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM products_schemetierchange
         WHERE scheme_id = NEW.id AND before = OLD.tier AND after = NEW.tier
           AND id = (SELECT max(id) FROM products_schemetierchange WHERE scheme_id = NEW.id)
    ) THEN
        RAISE EXCEPTION 'the tier of scheme % changes by an approval alone', NEW.code
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER products_scheme_tier_by_two BEFORE UPDATE OF tier ON products_scheme
    FOR EACH ROW WHEN (OLD.tier IS DISTINCT FROM NEW.tier) EXECUTE FUNCTION products_check_tier();
"""
NO_MORE = """
DROP TRIGGER products_scheme_tier_by_two ON products_scheme;
DROP FUNCTION products_check_tier();
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0003_whole_terms")]

    operations = [
        migrations.CreateModel(
            name="SchemeTierChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("before", models.PositiveSmallIntegerField()),
                ("after", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("maker", models.CharField(max_length=80)),
                ("checker", models.CharField(max_length=80)),
                ("approval_id", models.BigIntegerField(unique=True)),
                ("at", models.DateTimeField()),
                (
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tier_changes",
                        to="products.scheme",
                    ),
                ),
            ],
            options={
                "ordering": ("scheme", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("checker", models.F("maker")), _negated=True)
                        & models.Q(("checker", ""), _negated=True),
                        name="products_tier_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("before", models.F("after")), _negated=True), ("after__gte", 1)
                        ),
                        name="products_tier_changes",
                    ),
                ],
            },
        ),
        append_only("products_schemetierchange"),
        migrations.RunSQL(TIER_BY_TWO, NO_MORE),
    ]
