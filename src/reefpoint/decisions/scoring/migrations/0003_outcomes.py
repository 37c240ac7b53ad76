"""What came of scored clients, under a dated definition of default."""

import django.db.models.deletion
from django.db import migrations, models

from reefpoint.platform.database.guards import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0002_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScoreOutcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('definition', models.PositiveSmallIntegerField()),
                ('cause', models.CharField(choices=[('none', 'none'), ('past_due', 'past_due'), ('deficit', 'deficit')], max_length=10)),
                ('on', models.DateField()),
                ('recorded_at', models.DateTimeField()),
                ('score', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outcomes', to='scoring.score')),
            ],
            options={
                'db_table': 'scoring_score_outcome',
                'ordering': ('id',),
                'constraints': [models.UniqueConstraint(fields=('score', 'definition'), name='scoring_outcome_once')],
            },
        ),
        append_only("scoring_score_outcome"),
    ]
