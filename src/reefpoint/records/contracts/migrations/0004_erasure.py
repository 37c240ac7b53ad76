"""Names, addresses and certificates of a contract's signing can be erased, and never be put otherwise."""

from django.db import migrations

from reefpoint.platform.database.guards import append_only_but_erasure

SIGNER = ["signer_name", "authentication", "certificate"]
NO_SIGNER = "NEW.signer_name = '' AND NEW.authentication = '{}'::jsonb AND NEW.certificate = ''::bytea"


class Migration(migrations.Migration):
    dependencies = [("contracts", "0003_renewals")]

    operations = [
        append_only_but_erasure("contracts_move", (), ["reason"], "NEW.reason = ''"),
        append_only_but_erasure(
            "contracts_acknowledgement",
            (),
            ["address", "session_hash"],
            "NEW.address = '' AND NEW.session_hash = ''",
        ),
        append_only_but_erasure("contracts_signature", (), SIGNER, NO_SIGNER),
    ]
