"""What follows for schemes from events of others."""

from typing import cast

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.products.services import (
    PUBLISH_KIND,
    TIER_KIND,
    WITHDRAW_KIND,
    change_scheme_tier,
    publish_scheme_version,
    withdraw_scheme_version,
)


def publish_approved_version(stored: StoredEvent) -> None:
    """A second person approved a scheme version: publish it."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind == PUBLISH_KIND:
        publish_scheme_version(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)


def change_approved_scheme(stored: StoredEvent) -> None:
    """A second person approved that a version is offered no longer, or that a scheme has another tier."""
    event = cast(ApprovalGranted, stored.event)
    change = {WITHDRAW_KIND: withdraw_scheme_version, TIER_KIND: change_scheme_tier}.get(event.kind)
    if change is not None:
        change(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)
