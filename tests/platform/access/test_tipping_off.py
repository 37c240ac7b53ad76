"""Whoever may read the log of actions still does not learn that somebody is suspected."""

from datetime import UTC, datetime

import pytest
from tests.surfaces.conftest import SYSTEM, person

from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import find_approval, list_audit, list_decided, list_pending
from reefpoint.platform.access.services import actor_for, request_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor

AT = datetime(2020, 3, 16, 16, tzinfo=UTC)


def someone(role: RoleName) -> Actor:
    return actor_for(User.objects.get(pk=person(role)))


@pytest.fixture
def approval_id(db: None) -> int:
    """The closing of a case waits for a second person, and the log says what was done on it."""
    record(actor=SYSTEM, action="cases.open", subject="case:1", at=AT)
    record(actor=SYSTEM, action="prices.record", subject="batch:1", at=AT)
    return request_approval(
        actor=someone(RoleName.COMPLIANCE), kind="cases.close", subject="case:1", payload={"case": 1}, at=AT
    )


@pytest.mark.parametrize("role", [RoleName.COMPLIANCE, RoleName.AUDITOR])
def test_whoever_may_see_cases_reads_them_in_the_log_and_among_approvals(approval_id: int, role: RoleName) -> None:
    reader = someone(role)
    actions = {entry.action for entry in list_audit(reader, limit=1_000)}
    assert {"cases.open", "approvals.request", "prices.record"} <= actions
    assert find_approval(reader, approval_id) is not None


@pytest.mark.parametrize("role", [one for one in RoleName if one not in {RoleName.COMPLIANCE, RoleName.AUDITOR}])
def test_nobody_else_learns_from_the_log_or_from_approvals_that_there_is_a_case(
    approval_id: int, role: RoleName
) -> None:
    reader = someone(role)
    assert find_approval(reader, approval_id) is None
    assert list_pending(reader) == []
    assert list_decided(reader) == []
    if "audit.view" in reader.permissions:
        entries = list_audit(reader, limit=1_000)
        assert "prices.record" in {entry.action for entry in entries}
        assert [entry for entry in entries if "case" in f"{entry.action} {entry.subject} {entry.inputs}"] == []
        assert list_audit(reader, subject="case:1") == []
