"""Trigrams are taken of names without particles: al, bin and their like stand in every third name and tell nothing."""

from django.db import migrations, models

SPELLING = """
CREATE FUNCTION screening_spelling(key text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT coalesce(nullif(btrim(regexp_replace(
        ' ' || replace(key, ' ', '  ') || ' ',
        ' (al|el|ul|bin|ibn|ben|bint|abu|abd|van|von|der|den|de|del|della|da|dos|das|di|la|le|du|e|y|i|of|the|and) ',
        ' ', 'g')), ''), key)
$$;
"""
SEARCH = """
DROP INDEX screening_key_trigrams;
DROP INDEX screening_key_other_trigrams;
DROP INDEX screening_subject_trigrams;
CREATE INDEX screening_key_trigrams ON screening_namekey USING gin (spelling gin_trgm_ops);
CREATE INDEX screening_key_other_trigrams ON screening_namekey USING gin (spelling gin_trgm_ops) WHERE sound = '';
CREATE INDEX screening_subject_trigrams ON screening_subjectname USING gin (spelling gin_trgm_ops);
CREATE OR REPLACE FUNCTION screening_candidates(
    keys text[], sounds text[], above real, above_sino real, at_most integer
) RETURNS TABLE (entry_id bigint, name_no smallint, key text, hanzi text) LANGUAGE plpgsql AS $$
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
        wanted := screening_spelling(wanted);
        IF cardinality(sounds) > 0 THEN
            RETURN QUERY SELECT k.entry_id, k.name_no, k.key, k.hanzi FROM screening_namekey k
                          WHERE k.spelling % wanted AND k.sound = ''
                          ORDER BY similarity(k.spelling, wanted) DESC, k.id LIMIT at_most;
        ELSE
            RETURN QUERY SELECT k.entry_id, k.name_no, k.key, k.hanzi FROM screening_namekey k
                          WHERE k.spelling % wanted
                          ORDER BY similarity(k.spelling, wanted) DESC, k.id LIMIT at_most;
        END IF;
    END LOOP;
END $$;
"""


def _spelling() -> models.GeneratedField:
    return models.GeneratedField(
        expression=models.Func("key", function="screening_spelling"), output_field=models.TextField(), db_persist=True
    )


class Migration(migrations.Migration):
    dependencies = [("screening", "0003_erasure")]

    operations = [
        migrations.RunSQL(SPELLING, "DROP FUNCTION screening_spelling(text)"),
        migrations.AddField("namekey", "spelling", _spelling()),
        migrations.AddField("subjectname", "spelling", _spelling()),
        migrations.RunSQL(SEARCH, migrations.RunSQL.noop),
    ]
