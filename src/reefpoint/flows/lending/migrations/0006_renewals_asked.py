"""A renewal may be asked for by its client, before it has a price."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_decision'),
        ('lending', '0005_defaults'),
        ('parties', '0008_portal_invitation'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='renewal',
            name='lending_one_live_renewal',
        ),
        migrations.RemoveConstraint(
            model_name='renewal',
            name='lending_renewal_accepted_by_paper',
        ),
        migrations.AddField(
            model_name='renewal',
            name='asked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='renewal',
            name='asked_by',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='offered_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='offered_by',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='rate_bp',
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='state',
            field=models.CharField(choices=[('asked', 'asked'), ('offered', 'offered'), ('accepted', 'accepted'), ('signed', 'signed'), ('done', 'done'), ('declined', 'declined'), ('withdrawn', 'withdrawn'), ('expired', 'expired')], default='offered', max_length=10),
        ),
        migrations.AlterField(
            model_name='renewal',
            name='valid_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['accepted', 'asked', 'offered', 'signed'])), fields=('loan',), name='lending_one_live_renewal'),
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'offered']), ('contract_id__isnull', False), ('ended_at__isnull', False), _connector='OR'), name='lending_renewal_accepted_by_paper'),
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('asked_at__isnull', False), ('state', 'asked')), models.Q(('offered_at__isnull', False), ('rate_bp__isnull', False), ('valid_until__isnull', False)), ('ended_at__isnull', False), _connector='OR'), name='lending_renewal_offered_with_its_price'),
        ),
    ]
