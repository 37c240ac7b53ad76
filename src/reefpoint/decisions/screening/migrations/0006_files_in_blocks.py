"""A file is kept in blocks, and its entries are staged in a table of their own before they are in force."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('screening', '0005_joined_spelling'),
    ]

    operations = [
        migrations.CreateModel(
            name='StagedEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=120)),
                ('kind', models.CharField(max_length=12)),
                ('names', models.JSONField()),
                ('births', models.JSONField()),
                ('countries', models.JSONField()),
                ('programmes', models.TextField()),
                ('note', models.TextField()),
                ('content_hash', models.CharField(max_length=32)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.AlterModelOptions(
            name='listfile',
            options={'ordering': ('version', 'part', 'number')},
        ),
        migrations.RemoveConstraint(
            model_name='listfile',
            name='screening_file_part_once',
        ),
        migrations.AddField(
            model_name='listfile',
            name='number',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name='listfile',
            constraint=models.UniqueConstraint(fields=('version', 'part', 'number'), name='screening_file_block_once'),
        ),
        migrations.AddField(
            model_name='stagedentry',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='screening.listversion'),
        ),
        migrations.AddIndex(
            model_name='stagedentry',
            index=models.Index(fields=['version', 'reference'], name='screening_staged_reference'),
        ),
        migrations.RunSQL("ALTER TABLE screening_stagedentry SET UNLOGGED", migrations.RunSQL.noop),
    ]
