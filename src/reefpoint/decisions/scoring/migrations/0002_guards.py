"""Reports, sets and scores are never changed: what is sealed may move to another key, and can be erased."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but, append_only_but_erasure

SEALED = ("key_id", "blob", "erased_at")


class Migration(migrations.Migration):
    dependencies = [("scoring", "0001_initial")]

    operations = [
        append_only_but("scoring_bureau_report", SEALED),
        append_only_but("scoring_feature_set", SEALED),
        append_only("scoring_score"),
        append_only_but_erasure("scoring_score", (), ["reasons", "missing"], "NEW.reasons = '[]' AND NEW.missing = '[]'"),
        append_only("scoring_shadowscore"),
        append_only_but_erasure("scoring_shadowscore", (), ["contributions"], "NEW.contributions = '[]'"),
    ]
