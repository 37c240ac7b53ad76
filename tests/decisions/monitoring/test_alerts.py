"""What becomes of an alert."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.monitoring.models import Activity, Alert, Rule, RuleVersion
from reefpoint.decisions.monitoring.selectors import (
    AlertNotFound,
    count_open_alerts,
    find_alerts,
    get_alert,
    list_alerts_of_case,
    list_open_alerts,
)
from reefpoint.decisions.monitoring.services import (
    AlertReasonNeeded,
    SnoozeRefused,
    dismiss_alert,
    snooze_alert,
    take_alert_into_case,
)
from reefpoint.decisions.monitoring.types import AlertState
from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.errors import InvalidTransition

AT = noon(MONDAY)


@pytest.fixture
def alert(desk: Desk) -> Alert:
    """A live alert for the near client."""
    rule = Rule.objects.create(code="test", number=99, title="Test", title_zh="测试", what="-", what_zh="-")
    version = RuleVersion.objects.create(
        rule=rule, version=1, expression="amount_minor > 0", triggers=["deposit"], parameters=[], pivot="client",
        cooldown_days=0, mode="live", consequence="alert", sources=[], effective_from=MONDAY, made_by="t", made_at=AT,
    )  # fmt: skip
    activity = Activity.objects.create(kind="deposit", key="k", client_id=desk.near_client, at=AT, amount_minor=5)
    return Alert.objects.create(
        rule=rule, rule_version=version, client_id=desk.near_client, activity=activity, pivot="client", at=AT,
        raised_at=AT, inputs={"amount_minor": 5}, mode="live", consequence="alert",
    )  # fmt: skip


def test_an_open_alert_waits_until_it_is_taken_into_a_case(alert: Alert) -> None:
    assert [row.id for row in list_open_alerts(SYSTEM, at=AT)] == [alert.pk]
    take_alert_into_case(actor=SYSTEM, alert_ids=[alert.pk], case_id=7, at=AT)
    take_alert_into_case(actor=SYSTEM, alert_ids=[alert.pk], case_id=7, at=AT)
    assert list_open_alerts(SYSTEM, at=AT) == []
    assert [row.id for row in list_alerts_of_case(SYSTEM, 7)] == [alert.pk]
    with pytest.raises(InvalidTransition):
        take_alert_into_case(actor=SYSTEM, alert_ids=[alert.pk], case_id=8, at=AT)
    assert get_alert(SYSTEM, alert.pk).case_id == 7


def test_a_snoozed_alert_waits_again_when_its_time_is_over(alert: Alert) -> None:
    until = AT + timedelta(days=30)
    snooze_alert(actor=SYSTEM, alert_id=alert.pk, until=until, reason="Papers were asked for.", at=AT)
    assert count_open_alerts(SYSTEM, at=until - timedelta(seconds=1)) == 0
    assert count_open_alerts(SYSTEM, at=until) == 1


def test_a_snooze_without_an_end_ahead_or_a_reason_is_refused_and_leaves_nothing(alert: Alert) -> None:
    for until in (AT, AT + timedelta(days=91)):
        with pytest.raises(SnoozeRefused):
            snooze_alert(actor=SYSTEM, alert_id=alert.pk, until=until, reason="later", at=AT)
    with pytest.raises(AlertReasonNeeded):
        snooze_alert(actor=SYSTEM, alert_id=alert.pk, until=AT + timedelta(days=1), reason=" ", at=AT)
    assert get_alert(SYSTEM, alert.pk).state is AlertState.OPEN


def test_a_dismissed_alert_stays_so(alert: Alert) -> None:
    dismiss_alert(actor=SYSTEM, alert_id=alert.pk, reason="Salary of the spouse, shown.", at=AT)
    with pytest.raises(InvalidTransition):
        take_alert_into_case(actor=SYSTEM, alert_ids=[alert.pk], case_id=1, at=AT)
    assert find_alerts(SYSTEM, state="dismissed").count == 1


def test_an_unknown_alert_is_refused(alert: Alert) -> None:
    with pytest.raises(AlertNotFound):
        take_alert_into_case(actor=SYSTEM, alert_ids=[alert.pk, 10**9], case_id=1, at=AT)
    assert get_alert(SYSTEM, alert.pk).state is AlertState.OPEN


def test_sales_neither_see_nor_touch_alerts(desk: Desk, alert: Alert) -> None:
    with pytest.raises(PermissionRefused):
        list_open_alerts(desk.manager, at=AT)
    with pytest.raises(PermissionRefused):
        dismiss_alert(actor=desk.manager, alert_id=alert.pk, reason="mine", at=AT)


def test_what_an_alert_was_raised_from_cannot_be_changed(alert: Alert) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(id=alert.pk).update(inputs={"amount_minor": 6})
    with pytest.raises(IntegrityError), transaction.atomic():
        Activity.objects.update(amount_minor=6)
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleVersion.objects.update(expression="amount_minor > 1")
