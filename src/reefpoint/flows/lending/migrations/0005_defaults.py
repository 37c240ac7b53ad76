"""Late loans on the way to a sale: none is opened, and none planned, before the day that its client was told."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.special import RunSQL

TOLD = """
CREATE FUNCTION lending_check_default_sale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lending_default
                    WHERE loan_id = NEW.loan_id AND state = 'announced' AND deadline_at <= NEW.opened_at) THEN
        RAISE EXCEPTION 'no sale for loan % before its client was told and the deadline has passed', NEW.loan_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION lending_check_default_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM liquidation_liquidation AS sale
                WHERE sale.id = NEW.liquidation_id AND sale.loan_id IS NOT NULL AND NOT EXISTS (
                    SELECT FROM lending_default WHERE liquidation_id = sale.id AND sale_from <= NEW.session_on)) THEN
        RAISE EXCEPTION 'liquidation % sells for a late loan before the day that was told', NEW.liquidation_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lending_default_sale_told BEFORE INSERT ON liquidation_liquidation FOR EACH ROW
    WHEN (NEW.loan_id IS NOT NULL) EXECUTE FUNCTION lending_check_default_sale();
CREATE TRIGGER lending_default_plan_told BEFORE INSERT ON liquidation_liquidationplan FOR EACH ROW
    EXECUTE FUNCTION lending_check_default_plan();
"""
NOT_TOLD = """
DROP TRIGGER lending_default_sale_told ON liquidation_liquidation;
DROP TRIGGER lending_default_plan_told ON liquidation_liquidationplan;
DROP FUNCTION lending_check_default_sale();
DROP FUNCTION lending_check_default_plan();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_decision'),
        ('lending', '0004_lapse'),
        ('liquidation', '0003_defaults'),
        ('parties', '0007_legal_holds'),
    ]

    operations = [
        migrations.CreateModel(
            name='LoanDefault',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('proposed', 'proposed'), ('announced', 'announced'), ('selling', 'selling'), ('paid', 'paid'), ('withdrawn', 'withdrawn'), ('exhausted', 'exhausted')], max_length=10)),
                ('matured_on', models.DateField()),
                ('due_minor', models.BigIntegerField()),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('proposed_at', models.DateTimeField()),
                ('proposed_by', models.CharField(max_length=80)),
                ('approval_id', models.BigIntegerField(null=True, unique=True)),
                ('announced_at', models.DateTimeField(null=True)),
                ('deadline_at', models.DateTimeField(null=True)),
                ('sale_from', models.DateField(null=True)),
                ('notice_id', models.BigIntegerField(null=True)),
                ('waits_for', models.CharField(blank=True, max_length=24)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.CharField(blank=True, max_length=300)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='parties.client')),
                ('liquidation', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='liquidation.liquidation')),
                ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.loan')),
            ],
            options={
                'db_table': 'lending_default',
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['announced', 'proposed', 'selling'])), fields=('loan',), name='lending_one_live_default'), models.CheckConstraint(condition=models.Q(('due_minor__gt', 0)), name='lending_default_owes'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['announced', 'selling', 'exhausted']), _negated=True), models.Q(('announced_at__isnull', False), ('deadline_at__gt', models.F('announced_at')), ('notice_id__isnull', False), ('sale_from__isnull', False)), _connector='OR'), name='lending_default_told_the_day'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['selling', 'exhausted']), _negated=True), ('liquidation__isnull', False), _connector='OR'), name='lending_default_has_its_sale'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state__in', ['announced', 'proposed', 'selling'])), models.Q(models.Q(('state__in', ['announced', 'proposed', 'selling']), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='lending_default_ends_once')],
            },
        ),
        RunSQL(TOLD, NOT_TOLD),
    ]
