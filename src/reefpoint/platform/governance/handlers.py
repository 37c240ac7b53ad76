"""What follows for the register from events of others."""

from typing import cast

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.governance.services import RELEASE, release_approved


def release_approved_model(stored: StoredEvent) -> None:
    """A second person approved a release: do it."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind == RELEASE:
        release_approved(approval_id=event.approval_id, at=event.at)
