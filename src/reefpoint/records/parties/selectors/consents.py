"""What clients consented to."""

from collections.abc import Collection

from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.models import Consent
from reefpoint.records.parties.selectors.clients import require_own_or
from reefpoint.records.parties.types import ConsentChannel, ConsentPurpose, ConsentView


def list_consents(actor: Actor, client_id: int) -> list[ConsentView]:
    """The consents of a client, oldest first, withdrawn ones among them. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "clients.view", client_id)
    return [_consent_view(row) for row in Consent.objects.filter(client_id=client_id).order_by("id")]


def has_consent(client_id: int, purpose: ConsentPurpose) -> bool:
    """Whether a consent to this use is in force."""
    return Consent.objects.filter(client_id=client_id, purpose=purpose, withdrawn_at=None).exists()


def _consent_view(row: Consent) -> ConsentView:
    return ConsentView(
        id=row.pk,
        client_id=row.client_id,
        purpose=ConsentPurpose(row.purpose),
        text_version=row.text_version,
        channel=ConsentChannel(row.channel),
        given_at=row.given_at,
        recorded_by=row.recorded_by,
        withdrawn_at=row.withdrawn_at,
        withdrawal_reason=row.withdrawal_reason,
    )


def load_consenting(client_ids: Collection[int], purpose: ConsentPurpose) -> set[int]:
    """Those of these clients whose consent to a use of their data is in force."""
    rows = Consent.objects.filter(client_id__in=client_ids, purpose=purpose, withdrawn_at=None)
    return set(rows.values_list("client_id", flat=True))
