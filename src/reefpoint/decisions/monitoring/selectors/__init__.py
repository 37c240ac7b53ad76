"""What monitoring tells others: alerts, and whether cash may leave."""

from reefpoint.decisions.monitoring.selectors.alerts import (
    AlertNotFound,
    count_open_alerts,
    find_alerts,
    get_alert,
    list_alerts_of_case,
    list_open_alerts,
)

__all__ = [
    "AlertNotFound",
    "count_open_alerts",
    "find_alerts",
    "get_alert",
    "list_alerts_of_case",
    "list_open_alerts",
]
