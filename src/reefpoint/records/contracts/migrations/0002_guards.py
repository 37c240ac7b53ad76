"""What a contract says is never changed, and it moves by its table: not signed before all was acknowledged (I67)."""

from django.db import migrations
from django.db.migrations.operations.special import RunSQL

from reefpoint.platform.database.guards import append_only, append_only_but, append_only_but_erasure

MOVES = """
CREATE FUNCTION contracts_check_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    required jsonb;
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('draft', 'offered'), ('draft', 'lapsed'), ('draft', 'withdrawn'),
        ('offered', 'signed_by_client'), ('offered', 'lapsed'), ('offered', 'withdrawn'),
        ('signed_by_client', 'in_force'), ('signed_by_client', 'lapsed'), ('signed_by_client', 'withdrawn')
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
CREATE FUNCTION contracts_check_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a contract begins as a draft' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER contracts_contract_moves BEFORE UPDATE ON contracts_contract FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION contracts_check_move();
CREATE TRIGGER contracts_contract_made BEFORE INSERT ON contracts_contract FOR EACH ROW
    WHEN (NEW.state <> 'draft') EXECUTE FUNCTION contracts_check_made();
"""
NO_MOVES = """
DROP TRIGGER contracts_contract_moves ON contracts_contract;
DROP TRIGGER contracts_contract_made ON contracts_contract;
DROP FUNCTION contracts_check_move();
DROP FUNCTION contracts_check_made();
"""
STATE = ("state", "signed_on", "countersigned_by", "ended_at")


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_initial")]

    operations = [
        append_only("contracts_contract"),
        append_only_but_erasure("contracts_contract", STATE, ["terms"], "NEW.terms = '{}'::jsonb"),
        append_only("contracts_move"),
        append_only("contracts_acknowledgement"),
        append_only("contracts_signature"),
        append_only_but("contracts_file", ["key_id", "blob"]),
        append_only_but("contracts_root", ["key_id", "blob"]),
        RunSQL(MOVES, NO_MOVES),
    ]
