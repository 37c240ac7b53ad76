"""What follows for contracts from events of others."""

from typing import cast

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.publications.services import publish_approved
from reefpoint.records.contracts.selectors import DISCLOSURES, PUBLISH, TEMPLATES
from reefpoint.records.contracts.services import erase_contracts
from reefpoint.records.parties.events import ClientErased


def publish_approved_template(stored: StoredEvent) -> None:
    """A second person approved a template or disclosures: publish exactly that."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind != PUBLISH:
        return
    for kind in (*TEMPLATES.values(), *DISCLOSURES.values()):
        publish_approved(actor=system_actor("worker"), kind=kind, approval_id=event.approval_id, at=event.at)


def erase_client_contracts(stored: StoredEvent) -> None:
    """Erase what no law keeps of a client's contracts."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_contracts(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
