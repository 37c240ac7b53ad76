"""A renewal is priced by a quote and signed as a paper; a maturity moves only under an agreement that is in force."""

from django.db import migrations, models
from django.db.migrations.operations.special import RunSQL

PAPER = """
CREATE FUNCTION lending_check_renewal_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM contracts_contract
                    WHERE id = NEW.contract_id AND state = 'in_force' AND paper = 'renewal') THEN
        RAISE EXCEPTION 'renewal % has no agreement in force', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM accounts_loanextension
                    WHERE key = 'renewal:' || NEW.id AND loan_id = NEW.loan_id
                      AND new_matures_on = NEW.new_matures_on) THEN
        RAISE EXCEPTION 'renewal % has not moved the maturity', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION lending_check_extension() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lending_renewal AS renewal JOIN contracts_contract AS paper
                       ON paper.id = renewal.contract_id
                    WHERE 'renewal:' || renewal.id = NEW.key AND renewal.loan_id = NEW.loan_id
                      AND paper.state = 'in_force') THEN
        RAISE EXCEPTION 'the maturity of loan % moves only under an agreement in force', NEW.loan_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lending_renewal_done BEFORE INSERT OR UPDATE ON lending_renewal FOR EACH ROW
    WHEN (NEW.state = 'done') EXECUTE FUNCTION lending_check_renewal_done();
CREATE TRIGGER lending_extension_by_paper BEFORE INSERT ON accounts_loanextension FOR EACH ROW
    EXECUTE FUNCTION lending_check_extension();
"""
NO_PAPER = """
DROP TRIGGER lending_renewal_done ON lending_renewal;
DROP TRIGGER lending_extension_by_paper ON accounts_loanextension;
DROP FUNCTION lending_check_renewal_done();
DROP FUNCTION lending_check_extension();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("lending", "0001_initial"),
        ("accounts", "0005_carried_interest"),
        ("contracts", "0003_renewals"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='renewal',
            name='lending_one_live_renewal',
        ),
        migrations.AddField(
            model_name='renewal',
            name='carried_minor',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='renewal',
            name='client_signed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='renewal',
            name='contract_id',
            field=models.BigIntegerField(null=True, unique=True),
        ),
        migrations.AddField(
            model_name='renewal',
            name='countersigned_by',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='renewal',
            name='end_reason',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='renewal',
            name='fee_minor',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='renewal',
            name='quote_id',
            field=models.BigIntegerField(null=True, unique=True),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='state',
            field=models.CharField(choices=[('offered', 'offered'), ('accepted', 'accepted'), ('signed', 'signed'), ('done', 'done'), ('declined', 'declined'), ('withdrawn', 'withdrawn'), ('expired', 'expired')], default='offered', max_length=10),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='valid_until',
            field=models.DateTimeField(),
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['accepted', 'offered', 'signed'])), fields=('loan',), name='lending_one_live_renewal'),
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'offered'), ('contract_id__isnull', False), ('ended_at__isnull', False), _connector='OR'), name='lending_renewal_accepted_by_paper'),
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.CheckConstraint(condition=models.Q(('countersigned_by', ''), models.Q(('countersigned_by', models.F('offered_by')), _negated=True), _connector='OR'), name='lending_renewal_second_person'),
        ),
        RunSQL(PAPER, NO_PAPER),
    ]
