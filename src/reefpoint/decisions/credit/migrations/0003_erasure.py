"""What a decision was made from can be erased once no law keeps it, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure

MOVING = [
    "state",
    "limit_minor",
    "authority",
    "is_override",
    "proposed_by",
    "proposal",
    "approval_id",
    "closed_by",
    "closed_at",
    "closing_note",
]
ERASED = "NEW.inputs = '{}'::jsonb AND NEW.answer = ''"


class Migration(migrations.Migration):
    dependencies = [("credit", "0002_guards")]

    operations = [
        append_only_but_erasure(
            "credit_creditdecision", MOVING, ["inputs", "answer"], ERASED, was="fixed_columns"
        ),
    ]
