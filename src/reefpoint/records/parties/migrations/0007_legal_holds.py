"""Legal holds stop every erasure of a client; one approval may erase several clients."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.special import RunSQL

from reefpoint.platform.database.guards import append_only_but

REFUSE_HELD = """
CREATE FUNCTION parties_refuse_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM parties_legal_hold WHERE client_id = NEW.client_id AND lifted_at IS NULL) THEN
        RAISE EXCEPTION 'client % is under a legal hold: nothing is erased', NEW.client_id
            USING ERRCODE = 'restrict_violation', HINT = 'Lift the hold first.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER parties_erasure_not_held BEFORE INSERT ON parties_erasure
    FOR EACH ROW EXECUTE FUNCTION parties_refuse_held();
"""
NO_REFUSAL = """
DROP TRIGGER parties_erasure_not_held ON parties_erasure;
DROP FUNCTION parties_refuse_held();
"""


class Migration(migrations.Migration):
    dependencies = [("parties", "0006_erased_reasons")]

    operations = [
        migrations.AlterField(
            model_name="erasure",
            name="approval_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(fields=("client", "approval_id"), name="parties_erasure_once"),
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("matter", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=500)),
                ("placed_at", models.DateTimeField()),
                ("placed_by", models.CharField(max_length=80)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.CharField(blank=True, max_length=80)),
                ("lift_reason", models.CharField(blank=True, max_length=500)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="parties.client"
                    ),
                ),
            ],
            options={
                "db_table": "parties_legal_hold",
                "ordering": ("-id",),
                "constraints": (
                    models.UniqueConstraint(
                        fields=("client", "matter"), condition=models.Q(lifted_at=None), name="parties_hold_once"
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(matter="") & ~models.Q(reason=""), name="parties_hold_says_why"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(lifted_at=None, lifted_by="", lift_reason="")
                        | (models.Q(lifted_at__isnull=False) & ~models.Q(lifted_by="") & ~models.Q(lift_reason="")),
                        name="parties_hold_end_is_whole",
                    ),
                ),
            },
        ),
        append_only_but("parties_legal_hold", ("lifted_at", "lifted_by", "lift_reason")),
        RunSQL(REFUSE_HELD, NO_REFUSAL),
    ]
