"""What was recorded of clients stays as it was recorded, but for its keys, its end and its erasure."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only, append_only_but

SEAL = ("key_id", "blob")


class Migration(migrations.Migration):
    dependencies = [("parties", "0003_client_data")]

    operations = [
        append_only_but("parties_profile", (*SEAL, "erased_at")),
        append_only_but(
            "parties_bank_account", (*SEAL, "erased_at", "removed_at", "verified_at", "verified_by")
        ),
        append_only_but("parties_document", (*SEAL, "erased_at", "file_name")),
        append_only_but("parties_consent", ("withdrawn_at", "withdrawn_by", "withdrawal_reason")),
        append_only_but("parties_licence_evidence", SEAL),
        append_only("parties_erasure"),
    ]
