"""What monitoring does: alerts change their state; the rest is in the files beside this one."""

from reefpoint.decisions.monitoring.services.alerts import (
    AlertReasonNeeded,
    SnoozeRefused,
    dismiss_alert,
    snooze_alert,
    take_alert_into_case,
)

__all__ = ["AlertReasonNeeded", "SnoozeRefused", "dismiss_alert", "snooze_alert", "take_alert_into_case"]
