"""A client whom the desk put on record is invited to the portal."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('parties', '0007_legal_holds'),
    ]

    operations = [
        migrations.CreateModel(
            name='PortalInvitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invited_at', models.DateTimeField()),
                ('invited_by', models.CharField(max_length=80)),
                ('until', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='parties.client')),
            ],
            options={
                'db_table': 'parties_portal_invitation',
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('ended_at', None)), fields=('client',), name='parties_one_open_invitation'), models.CheckConstraint(condition=models.Q(('accepted_at', None), ('ended_at', None), _connector='OR'), name='parties_invitation_accepted_or_ended'), models.CheckConstraint(condition=models.Q(('until__gt', models.F('invited_at'))), name='parties_invitation_lasts')],
            },
        ),
    ]
