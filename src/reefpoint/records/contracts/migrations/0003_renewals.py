"""A renewal is a contract of its own that amends one in force of the same client; it is acknowledged and signed alike."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.special import RunSQL

AMENDS = """
CREATE FUNCTION contracts_check_amends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM contracts_contract AS amended
         WHERE amended.id = NEW.amends_id AND amended.client_id = NEW.client_id AND amended.state = 'in_force'
           AND amended.paper = 'loan'
    ) THEN
        RAISE EXCEPTION 'contract % is not in force, or not a contract of this client', NEW.amends_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contracts_contract_amends BEFORE INSERT ON contracts_contract FOR EACH ROW
    WHEN (NEW.amends_id IS NOT NULL) EXECUTE FUNCTION contracts_check_amends();
"""
NO_AMENDS = """
DROP TRIGGER contracts_contract_amends ON contracts_contract;
DROP FUNCTION contracts_check_amends();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="contract",
            name="amends",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="amendments", to="contracts.contract"
            ),
        ),
        migrations.AddField(
            model_name="contract",
            name="paper",
            field=models.CharField(choices=[("loan", "loan"), ("renewal", "renewal")], default="loan", max_length=8),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("amends__isnull", True), ("paper", "renewal"), _connector="OR"),
                name="contracts_renewal_amends",
            ),
        ),
        RunSQL(AMENDS, NO_AMENDS),
    ]
