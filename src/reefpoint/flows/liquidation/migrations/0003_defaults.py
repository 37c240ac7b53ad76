"""A sale for a late loan aims at the loan and not at a ratio."""

import django.db.models.deletion
import reefpoint.flows.liquidation.types
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_decision'),
        ('liquidation', '0002_plan_proofs'),
        ('margin', '0003_price_alerts'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='liquidation',
            name='liquidation_cause_names_its_call',
        ),
        migrations.AddField(
            model_name='liquidation',
            name='late_minor',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='liquidation',
            name='loan',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.loan'),
        ),
        migrations.AlterField(
            model_name='liquidation',
            name='target_bp',
            field=models.IntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name='liquidation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('call__isnull', False), ('cause', reefpoint.flows.liquidation.types.Cause['CALL_EXPIRED'])), models.Q(('call', None), ('cause__in', (reefpoint.flows.liquidation.types.Cause['CLOSE_OUT'], reefpoint.flows.liquidation.types.Cause['DEFAULT']))), _connector='OR'), name='liquidation_cause_names_its_call'),
        ),
        migrations.AddConstraint(
            model_name='liquidation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cause', reefpoint.flows.liquidation.types.Cause['DEFAULT']), ('late_minor__gt', 0), ('loan__isnull', False), ('target_bp', None)), models.Q(models.Q(('cause', reefpoint.flows.liquidation.types.Cause['DEFAULT']), _negated=True), ('late_minor', None), ('loan', None), ('target_bp__isnull', False)), _connector='OR'), name='liquidation_aims_at_a_ratio_or_a_loan'),
        ),
    ]
