"""What a decision rests on and what it came to never change; what people make of it moves on."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but

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


class Migration(migrations.Migration):
    dependencies = [("credit", "0001_initial")]

    operations = [append_only_but("credit_creditdecision", MOVING)]
