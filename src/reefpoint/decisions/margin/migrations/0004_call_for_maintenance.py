from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ('margin', '0003_price_alerts'),
    ]

    operations = [
        migrations.AddField(
            model_name='margincall',
            name='cause',
            field=models.CharField(db_default='line', default='line', max_length=12),
        ),
        migrations.AddField(
            model_name='margincall',
            name='requirement_minor',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name='margincall',
            constraint=models.CheckConstraint(
                condition=Q(cause='line', requirement_minor=None)
                | Q(
                    cause='maintenance',
                    requirement_minor=F('assets_minor') - F('debt_minor') + F('amount_minor'),
                ),
                name='call_names_what_its_cause_asks',
            ),
        ),
    ]
