"""A contract in force on which nothing was ever paid may lapse or be withdrawn."""

from django.db import migrations, models
from django.db.migrations.operations.special import RunSQL

MOVES = """
CREATE OR REPLACE FUNCTION contracts_check_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    required jsonb;
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('draft', 'offered'), ('draft', 'lapsed'), ('draft', 'withdrawn'),
        ('offered', 'signed_by_client'), ('offered', 'lapsed'), ('offered', 'withdrawn'),
        ('signed_by_client', 'in_force'), ('signed_by_client', 'lapsed'), ('signed_by_client', 'withdrawn'),
        ('in_force', 'lapsed'), ('in_force', 'withdrawn')
    ) THEN
        RAISE EXCEPTION 'a contract that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'signed_by_client' THEN
        SELECT content -> 'disclosures' INTO required
          FROM publications_publication
         WHERE kind = 'contracts.disclosures.' || NEW.jurisdiction AND state = 'published'
           AND effective_from <= NEW.signed_on
         ORDER BY effective_from DESC, version DESC LIMIT 1;
        IF required IS NULL OR jsonb_array_length(required) = 0 OR EXISTS (
            SELECT FROM jsonb_array_elements(required) AS said
             WHERE NOT EXISTS (
                SELECT FROM contracts_acknowledgement AS given
                 WHERE given.contract_id = NEW.id AND given.disclosure = said ->> 'id'
                   AND given.text_hash = encode(sha256(convert_to(concat_ws(E'\\n', said ->> 'id',
                       said #>> '{title,en}', said #>> '{title,zh}', said #>> '{text,en}', said #>> '{text,zh}'
                   ), 'UTF8')), 'hex'))
        ) THEN
            RAISE EXCEPTION 'contract % cannot be signed: a disclosure in force was not acknowledged', NEW.id
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM contracts_signature WHERE contract_id = NEW.id AND role = 'client') THEN
            RAISE EXCEPTION 'contract % has no signature of its client', NEW.id
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF NEW.state = 'in_force'
       AND NOT EXISTS (SELECT FROM contracts_signature WHERE contract_id = NEW.id AND role = 'desk') THEN
        RAISE EXCEPTION 'contract % has no signature of the desk', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""
NEVER_DRAWN = """,
        ('in_force', 'lapsed'), ('in_force', 'withdrawn')"""
MOVES_BEFORE = MOVES.replace(NEVER_DRAWN, "")


class Migration(migrations.Migration):
    dependencies = [("contracts", "0004_erasure")]

    operations = [
        migrations.RemoveConstraint(model_name="contract", name="contracts_in_force_is_countersigned"),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("state", "in_force"), models.Q(("countersigned_by", ""), _negated=True), ("signed_on__isnull", False)
                    ),
                    ("state__in", ["lapsed", "withdrawn"]),
                    models.Q(models.Q(("state", "in_force"), _negated=True), ("countersigned_by", "")),
                    _connector="OR",
                ),
                name="contracts_in_force_is_countersigned",
            ),
        ),
        RunSQL(MOVES, MOVES_BEFORE),
    ]
