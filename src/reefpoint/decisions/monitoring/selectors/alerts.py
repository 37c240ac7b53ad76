"""Alerts: what waits for a person, and what became of each."""

from datetime import datetime

from django.db.models import Q, QuerySet

from reefpoint.decisions.monitoring.models import Alert
from reefpoint.decisions.monitoring.types import AlertRow, AlertState, Consequence, RuleMode
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.parties.selectors.clients import client_texts

ORDERS = {
    "at": "at",
    "raised_at": "raised_at",
    "rule_code": "rule__code",
    "client_name": "client__name",
    "client_number": "client__number",
    "state": "state",
    "id": "id",
}


class AlertNotFound(Refusal):
    """No alert has this id."""

    code = "not_found"


def list_open_alerts(actor: Actor, *, at: datetime, client_id: int | None = None, limit: int = 500) -> list[AlertRow]:
    """Live alerts that wait for a person at `at`, oldest first; a snooze that has run out waits again."""
    require(actor, "monitoring.view")
    rows = _rows().filter(_waiting(at))
    if client_id is not None:
        rows = rows.filter(client_id=client_id)
    return [_view(row) for row in rows.order_by("at", "id")[:limit]]


def count_open_alerts(actor: Actor, *, at: datetime) -> int:
    """How many live alerts wait for a person at `at`."""
    require(actor, "monitoring.view")
    return Alert.objects.filter(_waiting(at)).count()


def get_alert(actor: Actor, alert_id: int) -> AlertRow:
    """One alert. Raises `AlertNotFound`."""
    require(actor, "monitoring.view")
    row = _rows().filter(id=alert_id).first()
    if row is None:
        raise AlertNotFound("There is no alert {alert_id}.", alert_id=alert_id)
    return _view(row)


def list_alerts_of_case(actor: Actor, case_id: int) -> list[AlertRow]:
    """The alerts that were taken into a case, oldest first."""
    require(actor, "monitoring.view")
    return [_view(row) for row in _rows().filter(case_id=case_id).order_by("at", "id")]


def find_alerts(
    actor: Actor,
    *,
    text: str = "",
    state: str = "",
    mode: str = "live",
    rule: str = "",
    order: str = "-at",
    offset: int = 0,
    limit: int = 50,
) -> Listing[AlertRow]:
    """One page of the alerts that match, in a given order (`-at` is descending). Two queries.

    `text` is looked for in the client's number and names and in the rule's code and title. Raises `ValueError` for an
    order that alerts do not have.
    """
    require(actor, "monitoring.view")
    key = order.lstrip("-")
    if key not in ORDERS:
        raise ValueError(f"alerts have no order {order!r}")
    rows = _rows()
    exact = {"state": state, "mode": mode, "rule__code": rule}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    rows = rows.filter(holding(text, *client_texts(), "rule__code", "rule__title"))
    sign = "-" if order.startswith("-") else ""
    page = rows.order_by(sign + ORDERS[key], f"{sign}id")
    return cut(page, offset=offset, limit=limit, view=each(_view))


def _waiting(at: datetime) -> Q:
    is_awake = Q(state=AlertState.OPEN) | Q(state=AlertState.SNOOZED, snoozed_until__lte=at)
    return Q(mode=RuleMode.LIVE) & is_awake


def _rows() -> QuerySet[Alert]:
    return Alert.objects.select_related("rule", "rule_version", "client")


def _view(row: Alert) -> AlertRow:
    return AlertRow(
        id=row.pk,
        rule_code=row.rule.code,
        rule_title=row.rule.title,
        rule_title_zh=row.rule.title_zh,
        rule_version=row.rule_version.version,
        rule_version_id=row.rule_version_id,
        client_id=row.client_id,
        client_number=row.client.number,
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        account_id=row.account_id,
        pivot=row.pivot,
        at=row.at,
        raised_at=row.raised_at,
        mode=RuleMode(row.mode),
        consequence=Consequence(row.consequence),
        state=AlertState(row.state),
        snoozed_until=row.snoozed_until,
        reason=row.reason,
        case_id=row.case_id,
        activity_id=row.activity_id,
        inputs=row.inputs,
    )
