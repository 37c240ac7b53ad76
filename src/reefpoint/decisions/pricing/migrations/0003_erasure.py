"""What a price was worked out from can be erased once no law keeps it, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure

WORKING = ["inputs", "answer"]
ERASED = "NEW.inputs = '{}'::jsonb AND NEW.answer = ''"


class Migration(migrations.Migration):
    dependencies = [("pricing", "0002_guards")]

    operations = [
        append_only_but_erasure("pricing_quote", (), WORKING, ERASED),
        append_only_but_erasure("pricing_rateproposal", ["state", "closed_at"], WORKING, ERASED, was="fixed_columns"),
        append_only_but_erasure(
            "pricing_priceexception",
            ["state", "decided_by", "decided_at"],
            ["reason"],
            "NEW.reason = 'Erased'",
            was="fixed_columns",
        ),
    ]
