"""Words and names in the steps of a request can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure


class Migration(migrations.Migration):
    dependencies = [("lending", "0002_renewal_papers")]

    operations = [
        append_only_but_erasure(
            "lending_step", (), ["words", "actor_name"], "NEW.words = '' AND NEW.actor_name = ''"
        ),
    ]
