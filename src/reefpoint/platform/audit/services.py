"""Writing to the audit log."""

from collections.abc import Mapping
from datetime import datetime

from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor


def record(
    *,
    actor: Actor,
    action: str,
    subject: str,
    at: datetime,
    reason: str = "",
    inputs: Mapping[str, object] | None = None,
) -> int:
    """Write one entry, in the caller's transaction. Returns its id.

    `action` is the permission's or service's name (`margin.open_call`), `subject` the thing (`account:17`); `inputs`
    hold what the decision was made from, as JSON values, dates and decimals.
    """
    return Entry.objects.create(
        at=at, actor=actor.ref, action=action, subject=subject, reason=reason, inputs=dict(inputs or {})
    ).id
