"""The table of the shared cache: it holds counts of attempts and used one-time codes, for every process of the desk."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0002_approvals")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE access_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX access_cache_expires ON access_cache (expires);
            """,
            "DROP TABLE access_cache;",
        ),
    ]
