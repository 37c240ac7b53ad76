"""Changing a rule: a draft, a run over history, a second person, and force from a date on."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.monitoring.models import Alert, Backtest, RuleVersion
from reefpoint.decisions.monitoring.rules.expressions import RuleMalformed
from reefpoint.decisions.monitoring.selectors.rules import get_backtest, list_rules, list_versions
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.services.backtests import request_backtest, run_backtest
from reefpoint.decisions.monitoring.services.rules import (
    BacktestNeeded,
    EffectiveTooEarly,
    draft_rule_version,
    install_typologies,
    request_rule_change,
)
from reefpoint.decisions.monitoring.services.sweeping import judge_clients
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind, RuleDraft
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, SecondPersonNeeded, approve, reject
from reefpoint.platform.basics.errors import InvalidTransition

AT = noon(MONDAY)
TOMORROW = MONDAY + timedelta(days=1)


@pytest.fixture
def watched(desk: Desk) -> Desk:
    install_typologies(actor=SYSTEM, at=AT)
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.DEPOSIT,
                key=f"d{number}",
                client_id=client,
                at=AT - timedelta(days=60 - number),
                amount_minor=9_000_00,
            )
            for client, count, first in ((desk.near_client, 3, 0), (desk.healthy_client, 2, 10))
            for number in range(first, first + count)
        ]
    )
    return desk


def looser() -> RuleDraft:
    """Structuring from two deposits on, of 15,000 together."""
    base = list_versions(SYSTEM, "structuring")[0].draft
    parameters = tuple(replace(one, value=2) if one.name == "deposits_min" else one for one in base.parameters)
    return replace(base, parameters=parameters)


def drafted() -> int:
    return draft_rule_version(actor=SYSTEM, code="structuring", draft=looser(), effective_from=TOMORROW, at=AT)


def backtested(version_id: int) -> int:
    since, until = MONDAY - timedelta(days=90), MONDAY
    backtest_id = request_backtest(actor=SYSTEM, version_id=version_id, since=since, until=until, at=AT)
    run_backtest(backtest_id=backtest_id)
    return backtest_id


def test_a_backtest_says_what_a_version_would_have_raised_and_raises_nothing(watched: Desk) -> None:
    backtest, version = get_backtest(SYSTEM, backtested(drafted()))
    result = backtest.result
    assert (version.version, backtest.state, backtest.done, backtest.total) == (2, "done", 4, 4)
    assert (result["alerts"], result["alerts_before"], result["version_before"]) == (2, 1, 1)
    assert result["clients_added"] == [watched.healthy_client]
    assert result["clients_lost"] == []
    assert result["months"] == [["2019-09", 1, 1], ["2019-10", 1, 0]]
    assert Alert.objects.count() == 0


def test_a_backtest_that_is_run_again_after_a_kill_ends_the_same(watched: Desk) -> None:
    backtest_id = backtested(drafted())
    before = get_backtest(SYSTEM, backtest_id)[0].result
    Backtest.objects.filter(id=backtest_id).update(state="running", done=1, result={})
    run_backtest(backtest_id=backtest_id)
    assert get_backtest(SYSTEM, backtest_id)[0].result == before
    run_backtest(backtest_id=backtest_id)
    assert get_backtest(SYSTEM, backtest_id)[0].result == before


def test_a_change_without_a_backtest_is_refused_and_asks_nobody(watched: Desk) -> None:
    version_id = drafted()
    with pytest.raises(BacktestNeeded):
        request_rule_change(actor=SYSTEM, version_id=version_id, reason="too few", at=AT)
    assert RuleVersion.objects.get(id=version_id).state == "draft"


def test_i63_a_change_takes_force_by_a_second_person_from_its_date_on(watched: Desk) -> None:
    version_id = drafted()
    backtested(version_id)
    maker = replace(watched.risk, permissions=watched.risk.permissions | {"monitoring.change_rules"})
    approval_id = request_rule_change(actor=maker, version_id=version_id, reason="Pairs were missed.", at=AT)
    approval = get_approval(approval_id)
    assert approval.payload["backtest_alerts"] == 2
    with pytest.raises(SecondPersonNeeded):
        approve(actor=maker, approval_id=approval_id, payload_hash=approval.payload_hash, at=AT)
    assert RuleVersion.objects.get(id=version_id).state == "requested"
    approve(actor=watched.approver, approval_id=approval_id, payload_hash=approval.payload_hash, at=AT)
    watched.drain()
    assert RuleVersion.objects.get(id=version_id).state == "approved"
    pair(watched.near_client, AT - timedelta(hours=2), "today")
    pair(watched.healthy_client, AT + timedelta(days=1), "tomorrow")
    judge_clients(since={watched.near_client: AT - timedelta(days=1), watched.healthy_client: AT}, at=AT)
    found = {alert.client_id: alert.rule_version_id for alert in Alert.objects.filter(rule__code="structuring")}
    assert found == {watched.healthy_client: version_id}


def pair(client_id: int, at: datetime, word: str) -> None:
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.DEPOSIT, key=f"{word}{number}", client_id=client_id,
                at=at + timedelta(hours=number), amount_minor=9_000_00,
            )
            for number in range(2)
        ]
    )  # fmt: skip


def test_a_rejected_change_never_judges_and_cannot_be_asked_for_again(watched: Desk) -> None:
    version_id = drafted()
    backtested(version_id)
    approval_id = request_rule_change(actor=SYSTEM, version_id=version_id, reason="More.", at=AT)
    shown = get_approval(approval_id).payload_hash
    reject(actor=watched.approver, approval_id=approval_id, payload_hash=shown, reason="Too many.", at=AT)
    watched.drain()
    assert RuleVersion.objects.get(id=version_id).state == "rejected"
    with pytest.raises(InvalidTransition):
        request_rule_change(actor=SYSTEM, version_id=version_id, reason="again", at=AT)


def test_i62_a_malformed_rule_is_refused_and_leaves_no_version(watched: Desk) -> None:
    for expression in ("near_deposits_7d >= nothing", "near_deposits_7d / 2 > deposits_min", "amount_minor"):
        with pytest.raises(RuleMalformed):
            draft_rule_version(
                actor=SYSTEM, code="structuring", draft=replace(looser(), expression=expression),
                effective_from=TOMORROW, at=AT,
            )  # fmt: skip
    assert len(list_versions(SYSTEM, "structuring")) == 1


def test_a_change_cannot_take_force_in_the_past(watched: Desk) -> None:
    with pytest.raises(EffectiveTooEarly):
        draft_rule_version(
            actor=SYSTEM, code="structuring", draft=looser(), effective_from=MONDAY - timedelta(days=1), at=AT
        )
    assert len(list_versions(SYSTEM, "structuring")) == 1


def test_whoever_may_not_change_rules_changes_none(watched: Desk) -> None:
    with pytest.raises(PermissionRefused):
        draft_rule_version(actor=watched.operations, code="structuring", draft=looser(), effective_from=TOMORROW, at=AT)
    assert len(list_versions(SYSTEM, "structuring")) == 1


def test_typologies_are_installed_once(watched: Desk) -> None:
    assert install_typologies(actor=SYSTEM, at=AT) == 0
    rows = list_rules(SYSTEM, on=MONDAY, at=AT)
    assert len(rows) == 27
    assert {row.mode for row in rows} == {"live"}
    assert {row.code: row.consequence for row in rows if row.consequence != "alert"} == {
        "third_party_deposit": "hold",
        "takeover_cash_out": "block",
    }
