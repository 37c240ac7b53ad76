"""Days and sales tell their live topics."""

from django.db import migrations

from reefpoint.platform.database.live import tells_live


class Migration(migrations.Migration):
    dependencies = [("web", "0001_live"), ("operations", "0001_initial"), ("execution", "0001_initial")]
    operations = [
        tells_live("operations_deskclock", "day"),
        tells_live("operations_dayrun", "day"),
        tells_live("operations_dayrunstep", "day"),
        tells_live("execution_order", "sales"),
    ]
