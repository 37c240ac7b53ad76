"""Only indexes of waiting deliveries offer the order in which they are taken.

One delivery per event and consumer is held by an index over an expression, which no plan can mistake for that order.
"""

import django.db.models.deletion
import reefpoint.platform.events.types
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0002_guards'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='delivery',
            name='events_delivery_once',
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='events_delivery_waiting',
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='events_delivery_order',
        ),
        migrations.AlterField(
            model_name='delivery',
            name='event',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='events.event'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', reefpoint.platform.events.types.DeliveryState['PENDING'])), fields=['group', 'event', 'id'], name='events_delivery_waiting'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', reefpoint.platform.events.types.DeliveryState['PENDING'])), fields=['consumer', 'event'], name='events_delivery_batch'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', reefpoint.platform.events.types.DeliveryState['PENDING'])), fields=['consumer', 'stream', 'event'], name='events_delivery_order'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['stream', 'id'], name='events_delivery_stream'),
        ),
        migrations.RunSQL(
            "CREATE UNIQUE INDEX events_delivery_once ON events_delivery ((event_id::text || ':' || consumer))",
            "DROP INDEX events_delivery_once",
        ),
    ]
