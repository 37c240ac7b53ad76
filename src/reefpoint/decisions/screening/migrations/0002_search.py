"""Trigram search over names, and guards: entries, files and causes of hits are never changed."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but

SEARCH = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX screening_key_trigrams ON screening_namekey USING gin (key gin_trgm_ops);
CREATE INDEX screening_key_other_trigrams ON screening_namekey USING gin (key gin_trgm_ops) WHERE sound = '';
CREATE INDEX screening_subject_trigrams ON screening_subjectname USING gin (key gin_trgm_ops);
CREATE FUNCTION screening_candidates(keys text[], sounds text[], above real, above_sino real, at_most integer)
RETURNS TABLE (entry_id bigint, name_no smallint, key text, hanzi text) LANGUAGE plpgsql AS $$
DECLARE wanted text;
BEGIN
    IF cardinality(sounds) > 0 THEN
        RETURN QUERY SELECT k.entry_id, k.name_no, k.key, k.hanzi FROM screening_namekey k
                      WHERE k.sound <> '' AND k.sound = ANY (sounds);
        PERFORM set_limit(above_sino);
    ELSE
        PERFORM set_limit(above);
    END IF;
    FOREACH wanted IN ARRAY keys LOOP
        IF cardinality(sounds) > 0 THEN
            RETURN QUERY SELECT k.entry_id, k.name_no, k.key, k.hanzi FROM screening_namekey k
                          WHERE k.key % wanted AND k.sound = ''
                          ORDER BY similarity(k.key, wanted) DESC, k.id LIMIT at_most;
        ELSE
            RETURN QUERY SELECT k.entry_id, k.name_no, k.key, k.hanzi FROM screening_namekey k
                          WHERE k.key % wanted
                          ORDER BY similarity(k.key, wanted) DESC, k.id LIMIT at_most;
        END IF;
    END LOOP;
END $$;
"""
NO_SEARCH = """
DROP FUNCTION screening_candidates(text[], text[], real, real, integer);
DROP INDEX screening_key_trigrams;
DROP INDEX screening_key_other_trigrams;
DROP INDEX screening_subject_trigrams;
"""
DECIDED_ONCE = """
CREATE TRIGGER screening_hit_decided_once BEFORE UPDATE ON screening_hit
    FOR EACH ROW WHEN (OLD.state IN ('cleared', 'confirmed', 'lapsed')) EXECUTE FUNCTION reefpoint_refuse_change();
"""
RESOLUTION = [
    "state", "outcome", "proposed_by", "proposed_at", "proposal", "approval_id", "decided_by", "decided_at", "decision",
]
READING = [
    "state", "problem", "published_on", "entries", "added", "changed", "removed", "missed_names", "done", "total",
    "finished_at",
]


class Migration(migrations.Migration):
    dependencies = [("screening", "0001_initial")]

    operations = [
        migrations.RunSQL(SEARCH, NO_SEARCH),
        append_only("screening_listfile"),
        append_only_but("screening_listversion", READING),
        append_only_but("screening_entry", ["until_version_id"]),
        append_only_but("screening_hit", RESOLUTION),
        migrations.RunSQL(DECIDED_ONCE, "DROP TRIGGER screening_hit_decided_once ON screening_hit"),
    ]
