"""The names and words of a hit can be erased, decided or not; nothing else of its cause ever changes."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure

RESOLUTION = [
    "state", "outcome", "proposed_by", "proposed_at", "proposal", "approval_id", "decided_by", "decided_at", "decision",
]
CAUSE = ["ours", "names", "birth_year", "countries", "score"]
BLANK = """NEW.ours = '' AND NEW.names = '[]' AND NEW.birth_year IS NULL AND NEW.countries = '[]'
    AND NEW.score = jsonb_set(OLD.score, '{parts}', '[]')"""
DECIDED_ONCE = f"""
DROP TRIGGER screening_hit_decided_once ON screening_hit;
CREATE TRIGGER screening_hit_decided_once BEFORE UPDATE ON screening_hit FOR EACH ROW
    WHEN (OLD.state IN ('cleared', 'confirmed', 'lapsed') AND NOT (
        {BLANK} AND NEW.proposal = '' AND NEW.decision = ''
        AND (NEW.state, NEW.outcome, NEW.proposed_by, NEW.decided_by) = (OLD.state, OLD.outcome, OLD.proposed_by, OLD.decided_by)
        AND (NEW.proposed_at, NEW.approval_id, NEW.decided_at)
            IS NOT DISTINCT FROM (OLD.proposed_at, OLD.approval_id, OLD.decided_at)
    )) EXECUTE FUNCTION reefpoint_refuse_change();
"""

BEFORE = """
DROP TRIGGER screening_hit_decided_once ON screening_hit;
CREATE TRIGGER screening_hit_decided_once BEFORE UPDATE ON screening_hit
    FOR EACH ROW WHEN (OLD.state IN ('cleared', 'confirmed', 'lapsed')) EXECUTE FUNCTION reefpoint_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("screening", "0002_search")]

    operations = [
        append_only_but_erasure("screening_hit", RESOLUTION, CAUSE, BLANK, was="fixed_columns"),
        migrations.RunSQL(DECIDED_ONCE, BEFORE),
    ]
