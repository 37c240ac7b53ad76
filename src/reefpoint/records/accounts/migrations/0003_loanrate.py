import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_extensions'),
    ]

    operations = [
        migrations.CreateModel(
            name='LoanRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rate_bp', models.PositiveIntegerField()),
                ('since', models.DateField()),
                ('source', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='accounts.loan')),
            ],
            options={
                'indexes': [models.Index(fields=['loan', '-since', '-id'], name='loan_rate_newest')],
            },
        ),
    ]
