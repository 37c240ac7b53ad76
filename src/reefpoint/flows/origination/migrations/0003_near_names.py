"""Names that are a letter or a word apart, found by an index whose lookups stay short however many leads there are.

A trigram index reads every name that shares a few trigrams, which is a part of all names: a file of 100,000 leads
would read more of them with each row.
"""

from django.db import migrations, models

NEAR = """
CREATE FUNCTION origination_near_keys(name text, is_asked boolean) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text[] := string_to_array(name, ' ');
    keys integer[] := ARRAY[hashtext(name)];
    shorter text;
BEGIN
    FOR place IN 1 .. length(name) LOOP
        keys := keys || hashtext(left(name, place - 1) || substr(name, place + 1));
    END LOOP;
    IF is_asked THEN
        keys := keys || hashtext('-' || name);
    END IF;
    IF cardinality(words) > 1 THEN
        FOR place IN 1 .. cardinality(words) LOOP
            shorter := array_to_string(words[:place - 1] || words[place + 1:], ' ');
            keys := keys || hashtext(CASE WHEN is_asked THEN shorter ELSE '-' || shorter END);
        END LOOP;
    END IF;
    RETURN keys;
END $$;
COMMENT ON FUNCTION origination_near_keys IS
    'Hashes of a name, of it without each letter, and of it without each word. A name that is kept and one that is '
    'asked for share a hash if they are equal, a letter apart, two neighbouring letters are swapped, or one is the '
    'other without a word.';
CREATE INDEX origination_lead_near_names ON origination_lead USING gin (origination_near_keys(name_key, false))
  WITH (fastupdate = off);
"""
NOT_NEAR = "DROP INDEX origination_lead_near_names; DROP FUNCTION origination_near_keys(text, boolean);"


class Migration(migrations.Migration):
    dependencies = [("origination", "0002_erasure")]

    operations = [
        *(
            migrations.RemoveIndex(model_name="lead", name=f"origination_lead_{name}")
            for name in ("trigrams", "email", "phone", "name")
        ),
        *(
            migrations.AddIndex(
                model_name="lead", index=models.Index(fields=[field, "id"], name=f"origination_lead_by_{name}")
            )
            for name, field in (("email", "email_digest"), ("phone", "phone_digest"), ("name", "name_key"))
        ),
        migrations.RunSQL(NEAR, NOT_NEAR),
    ]
