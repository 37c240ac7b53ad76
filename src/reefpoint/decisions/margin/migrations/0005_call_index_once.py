"""A call is found by its account through `calls_of_account`; the key needs no index of its own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_decision'),
        ('margin', '0004_call_for_maintenance'),
    ]

    operations = [
        migrations.AlterField(
            model_name='margincall',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.marginaccount'),
        ),
    ]
