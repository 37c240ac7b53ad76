"""What becomes of an alert: a case, a snooze with an end, or nothing, with a reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from reefpoint.decisions.monitoring.models import Alert
from reefpoint.decisions.monitoring.rules import ALERT_STATES
from reefpoint.decisions.monitoring.selectors.alerts import AlertNotFound
from reefpoint.decisions.monitoring.types import AlertState
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal

SNOOZE_DAYS_MAX = 90


class AlertReasonNeeded(Refusal):
    """An alert was to be put aside without a reason."""

    code = "reason_needed"


class SnoozeRefused(Refusal):
    """A snooze that ends in the past, or too far ahead."""

    code = "snooze_refused"


@transaction.atomic
def take_alert_into_case(*, actor: Actor, alert_ids: Sequence[int], case_id: int, at: datetime) -> None:
    """Put alerts into a case. Raises `AlertNotFound`, and `InvalidTransition` for one that is in another."""
    require(actor, "cases.work")
    for alert in _lock(alert_ids):
        if (alert.state, alert.case_id) != (AlertState.IN_CASE, case_id):
            _move(actor, alert, AlertState.IN_CASE, at=at, case_id=case_id)


@transaction.atomic
def snooze_alert(*, actor: Actor, alert_id: int, until: datetime, reason: str, at: datetime) -> None:
    """Let an alert rest until an instant, at most 90 days ahead; then it waits again by itself.

    Raises `AlertReasonNeeded`, `SnoozeRefused`, `AlertNotFound`, and `InvalidTransition` for one that is in a case.
    """
    require(actor, "cases.work")
    _check_reason(reason)
    if not at < until <= at + timedelta(days=SNOOZE_DAYS_MAX):
        raise SnoozeRefused(
            "A snooze ends in the future, and at most {snooze_days_max} days from now.", snooze_days_max=SNOOZE_DAYS_MAX
        )
    _move(actor, _lock([alert_id])[0], AlertState.SNOOZED, at=at, snoozed_until=until, reason=reason)


@transaction.atomic
def dismiss_alert(*, actor: Actor, alert_id: int, reason: str, at: datetime) -> None:
    """Put an alert away as needing nothing more. Raises `AlertReasonNeeded`, `AlertNotFound`, `InvalidTransition`."""
    require(actor, "cases.work")
    _check_reason(reason)
    _move(actor, _lock([alert_id])[0], AlertState.DISMISSED, at=at, reason=reason)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise AlertReasonNeeded("Say why this alert can rest: whoever reviews it will read it.")


def _lock(alert_ids: Sequence[int]) -> list[Alert]:
    alerts = list(Alert.objects.select_for_update().filter(id__in=alert_ids).order_by("id"))
    if missing := set(alert_ids) - {alert.pk for alert in alerts}:
        raise AlertNotFound("There is no alert {alert_id}.", alert_id=min(missing))
    return alerts


def _move(
    actor: Actor,
    alert: Alert,
    state: AlertState,
    *,
    at: datetime,
    case_id: int | None = None,
    snoozed_until: datetime | None = None,
    reason: str = "",
) -> None:
    ALERT_STATES.check(AlertState(alert.state), state)
    alert.state, alert.case_id, alert.snoozed_until, alert.reason = state, case_id, snoozed_until, reason.strip()[:300]
    alert.save(update_fields=["state", "case_id", "snoozed_until", "reason"])
    record(
        actor=actor,
        action=f"monitoring.alert_{state.value}",
        subject=f"alert:{alert.pk}",
        reason=alert.reason,
        inputs={"case": case_id, "until": snoozed_until.isoformat() if snoozed_until else None},
        at=at,
    )
