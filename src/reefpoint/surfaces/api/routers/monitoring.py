"""Alerts of transaction monitoring, and the rules that raise them."""

from datetime import date, datetime
from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.monitoring.selectors.alerts import find_alerts, get_alert
from reefpoint.decisions.monitoring.selectors.rules import list_rules as read_rules
from reefpoint.decisions.monitoring.selectors.rules import list_versions as read_versions
from reefpoint.decisions.monitoring.services.alerts import dismiss_alert, snooze_alert
from reefpoint.decisions.monitoring.types import AlertRow, AlertState, RuleDraft, RuleMode, RuleRow
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Listed, Offset, SafeText, answers, now, router, today

monitoring = router("monitoring")


class Snooze(In):
    """Until when an alert rests, and why."""

    until: datetime
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Dismissal(In):
    """Why an alert is nothing."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class RuleVersionOut(Schema):
    """One version of a rule, in words that the engine reads. `decided_by` is empty while nobody has decided."""

    id: int
    version: int
    state: str
    effective_from: date
    draft: RuleDraft
    made_by: str
    made_at: datetime
    approval_id: int | None
    decided_by: str


@monitoring.get("/rules", response=answers(list[RuleRow]))
def list_rules(request: Caller) -> list[RuleRow]:
    """All rules by number, with the version in force today and what they raised of late."""
    return read_rules(request.auth, on=today(), at=now())


@monitoring.get("/rules/{code}/versions", response=answers(list[RuleVersionOut]))
def list_versions(request: Caller, code: SafeText) -> list[RuleVersionOut]:
    """The versions of a rule, the newest first."""
    return [RuleVersionOut.from_orm(one) for one in read_versions(request.auth, code)]


@monitoring.get("/alerts", response=answers(Listed[AlertRow]))
def list_alerts(
    request: Caller,
    text: SafeText = "",
    state: AlertState | None = None,
    mode: RuleMode = RuleMode.LIVE,
    rule: SafeText = "",
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[AlertRow]:
    """Alerts, the newest first."""
    found = find_alerts(request.auth, text=text, state=state or "", mode=mode, rule=rule, offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@monitoring.get("/alerts/{alert_id}", response=answers(AlertRow))
def read_alert(request: Caller, alert_id: Id) -> AlertRow:
    """One alert with the facts it rests on."""
    return get_alert(request.auth, alert_id)


@monitoring.post("/alerts/{alert_id}/snooze", response=answers(None, 204))
def snooze(request: Caller, alert_id: Id, snooze: Snooze) -> Status[None]:
    """Let an alert rest."""
    snooze_alert(actor=request.auth, alert_id=alert_id, until=snooze.until, reason=snooze.reason, at=now())
    return Status(204, None)


@monitoring.post("/alerts/{alert_id}/dismissal", response=answers(None, 204))
def dismiss(request: Caller, alert_id: Id, dismissal: Dismissal) -> Status[None]:
    """Put an alert away."""
    dismiss_alert(actor=request.auth, alert_id=alert_id, reason=dismissal.reason, at=now())
    return Status(204, None)
