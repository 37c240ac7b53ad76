"""Why a profile was changed can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure


class Migration(migrations.Migration):
    dependencies = [("parties", "0005_closed_on")]

    operations = [
        append_only_but_erasure(
            "parties_profile", ("key_id", "blob", "erased_at"), ["reason"], "NEW.reason = ''", was="fixed_columns"
        ),
    ]
