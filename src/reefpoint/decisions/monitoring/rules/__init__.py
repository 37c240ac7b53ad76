"""Monitoring's tables: the ways of alerts, versions and backtests."""

from reefpoint.decisions.monitoring.types import AlertState, RuleVersionState
from reefpoint.platform.basics.states import StateTable

ALERT_STATES = StateTable(
    subject="alert",
    initial=AlertState.OPEN,
    moves={
        AlertState.OPEN: frozenset({AlertState.SNOOZED, AlertState.IN_CASE, AlertState.DISMISSED}),
        AlertState.SNOOZED: frozenset({AlertState.SNOOZED, AlertState.IN_CASE, AlertState.DISMISSED}),
    },
)

VERSION_STATES = StateTable(
    subject="rule version",
    initial=RuleVersionState.DRAFT,
    moves={
        RuleVersionState.DRAFT: frozenset({RuleVersionState.REQUESTED}),
        RuleVersionState.REQUESTED: frozenset({RuleVersionState.APPROVED, RuleVersionState.REJECTED}),
    },
)
