"""Of a version only the state moves on, once."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but

PUBLISHED_ONCE = """
CREATE TRIGGER publications_publication_published_once BEFORE UPDATE ON publications_publication
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION reefpoint_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("publications", "0001_initial")]

    operations = [
        append_only_but("publications_publication", ["state", "checker", "published_at"]),
        migrations.RunSQL(
            PUBLISHED_ONCE, "DROP TRIGGER publications_publication_published_once ON publications_publication"
        ),
    ]
