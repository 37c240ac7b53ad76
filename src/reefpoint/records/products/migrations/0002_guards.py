"""Rule packs are never changed; of a scheme version only the state moves on."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but

PUBLISHED_ONCE = """
CREATE TRIGGER products_schemeversion_published_once BEFORE UPDATE ON products_schemeversion
    FOR EACH ROW
    WHEN (OLD.state <> 'draft' AND (
        (NEW.checker, NEW.published_at) IS DISTINCT FROM (OLD.checker, OLD.published_at)
        OR NEW.state NOT IN (OLD.state, 'withdrawn')))
    EXECUTE FUNCTION reefpoint_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]

    operations = [
        append_only("products_rulepack"),
        append_only_but("products_schemeversion", ["state", "checker", "published_at"]),
        migrations.RunSQL(
            PUBLISHED_ONCE, "DROP TRIGGER products_schemeversion_published_once ON products_schemeversion"
        ),
    ]
