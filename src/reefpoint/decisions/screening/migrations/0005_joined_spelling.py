"""A name is spelt in one run of letters, each word's first one twice: fewer trigrams, and none that a third of all names have.

Trigrams of separate words begin with two that say little more than a first letter; they are what a search took longest to read.
"""

from django.db import migrations, models

TRIGRAM_INDEXES = """
CREATE INDEX screening_key_trigrams ON screening_namekey USING gin (spelling gin_trgm_ops);
CREATE INDEX screening_key_other_trigrams ON screening_namekey USING gin (spelling gin_trgm_ops) WHERE sound = '';
CREATE INDEX screening_subject_trigrams ON screening_subjectname USING gin (spelling gin_trgm_ops);
"""
SPELLING = r"""
CREATE OR REPLACE FUNCTION screening_spelling(key text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT regexp_replace(coalesce(nullif(btrim(regexp_replace(
        ' ' || replace(key, ' ', '  ') || ' ',
        ' (al|el|ul|bin|ibn|ben|bint|abu|abd|van|von|der|den|de|del|della|da|dos|das|di|la|le|du|e|y|i|of|the|and) ',
        ' ', 'g')), ''), key), '(\m.)(\w*) *', '\1\1\2', 'g')
$$;
"""


def _spelling() -> models.GeneratedField:
    return models.GeneratedField(
        expression=models.Func("key", function="screening_spelling"), output_field=models.TextField(), db_persist=True
    )


class Migration(migrations.Migration):
    dependencies = [("screening", "0004_search_without_particles")]

    operations = [
        migrations.RemoveField("namekey", "spelling"),
        migrations.RemoveField("subjectname", "spelling"),
        migrations.RunSQL(SPELLING, migrations.RunSQL.noop),
        migrations.AddField("namekey", "spelling", _spelling()),
        migrations.AddField("subjectname", "spelling", _spelling()),
        migrations.RunSQL(TRIGRAM_INDEXES, migrations.RunSQL.noop),
    ]
