"""A pool says whose money it is; others' money never finances a loan in mainland China (`cn.refuse.r04`)."""

from django.db import migrations, models
from django.db.migrations.operations.special import RunSQL

REFUSE = """
CREATE FUNCTION treasury_refuse_third_party() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'allocate'
        AND (SELECT origin FROM treasury_fundingpool WHERE id = NEW.pool_id) NOT IN ('own', 'raised')
        AND EXISTS (
            SELECT 1 FROM accounts_marginaccount a
              JOIN products_schemeversion v ON v.id = a.scheme_version_id
              JOIN products_rulepack p ON p.id = v.rule_pack_id
             WHERE a.id = NEW.account_id AND p.jurisdiction = 'CN')
    THEN
        RAISE EXCEPTION 'cn.refuse.r04: pool % is not the lender''s own or lawfully raised money', NEW.pool_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER treasury_poolmovement_own_money BEFORE INSERT ON treasury_poolmovement
    FOR EACH ROW EXECUTE FUNCTION treasury_refuse_third_party();
"""
NO_REFUSAL = """
DROP TRIGGER treasury_poolmovement_own_money ON treasury_poolmovement;
DROP FUNCTION treasury_refuse_third_party();
"""


class Migration(migrations.Migration):
    dependencies = [("treasury", "0002_payments"), ("accounts", "0001_initial"), ("products", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="fundingpool",
            name="origin",
            field=models.CharField(
                choices=[
                    ("own", "own"),
                    ("raised", "raised"),
                    ("third_party", "third_party"),
                    ("unspecified", "unspecified"),
                ],
                default="unspecified",
                max_length=12,
            ),
        ),
        RunSQL(REFUSE, NO_REFUSAL),
    ]
