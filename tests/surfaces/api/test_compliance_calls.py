"""Cases, ratings and rules of monitoring by call: done by those who may, and unknown to all others."""

import json
from typing import Any

import pytest
from tests.decisions.cases.test_cases import raise_alerts
from tests.surfaces.api.conftest import Program, Programs
from tests.surfaces.conftest import Desk, person

from reefpoint.decisions.cases.models import Case, Entry
from reefpoint.decisions.kyc.models import KycAssessment
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.types import RoleName

pytestmark = pytest.mark.django_db
COMPLIANCE = RoleName.COMPLIANCE
OTHERS = [role for role in RoleName if role not in {COMPLIANCE, RoleName.AUDITOR}]


def read(program: Program, path: str, **query: Any) -> Any:
    answer = program.get(path, **query)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def opened(program: Program, client_id: int) -> int:
    made = program.post("cases", {"title": "Cash in and out", "alert_ids": raise_alerts(client_id)})
    assert made.status_code == 201, made.content
    return int(json.loads(made.content)["id"])


def test_a_case_goes_from_alerts_to_the_proposal_of_its_closing(program: Programs, desk: Desk) -> None:
    officer = program(COMPLIANCE)
    case_id = opened(officer, desk.own_client_id)
    more = raise_alerts(desk.other_client_id)
    assert officer.post(f"cases/{case_id}/alerts", {"alert_ids": more}).status_code == 204
    assert officer.post(f"cases/{case_id}/notes", {"text": "She sold a house."}).status_code == 204
    listed = read(officer, "cases", state="open")
    assert [(one["id"], one["title"], one["alerts"]) for one in listed["items"]] == [(case_id, "Cash in and out", 2)]
    assert read(officer, "cases", client_id=desk.other_client_id)["count"] == 1
    proposed = officer.post(f"cases/{case_id}/closing", {"disposition": "no_suspicion", "reason": "all explained"})
    approval = get_approval(json.loads(proposed.content)["id"])
    assert (proposed.status_code, approval.kind, approval.subject) == (201, "cases.close", f"case:{case_id}")
    whole = read(officer, f"cases/{case_id}")
    assert (whole["row"]["state"], len(whole["alerts"]), len(whole["clients"])) == ("proposed", 2, 2)
    assert [entry["kind"] for entry in reversed(whole["entries"])] == [
        "opened", "alert_added", "alert_added", "note", "proposed",
    ]  # fmt: skip
    late = officer.post(f"cases/{case_id}/notes", {"text": "One thing more."})
    assert (late.status_code, json.loads(late.content)["code"]) == (409, "case_not_open")


@pytest.mark.parametrize("role", OTHERS)
def test_who_may_not_know_of_cases_is_told_the_same_of_one_that_exists_and_of_none(
    program: Programs, desk: Desk, role: RoleName
) -> None:
    case_id = opened(program(COMPLIANCE), desk.own_client_id)
    other = program(role)
    entries = Entry.objects.count()
    alerts = raise_alerts(desk.own_client_id)
    calls: list[tuple[str, Any]] = [
        ("cases/{}", None),
        ("cases/{}/notes", {"text": "x"}),
        ("cases/{}/alerts", {"alert_ids": alerts}),
        ("cases/{}/closing", {"disposition": "no_suspicion", "reason": "x"}),
    ]
    for path, body in calls:
        said = [
            other.get(path.format(number)) if body is None else other.post(path.format(number), body)
            for number in (case_id, 999_999)
        ]
        assert said[0].status_code in {403, 404}, path
        assert (said[0].status_code, said[0].content) == (said[1].status_code, said[1].content), path
    for answer in (other.get("cases"), other.post("cases", {"title": "x", "alert_ids": alerts})):
        assert answer.status_code in {403, 404}
    assert (Case.objects.count(), Entry.objects.count()) == (1, entries)


def test_an_auditor_reads_cases_and_changes_none(program: Programs, desk: Desk) -> None:
    case_id = opened(program(COMPLIANCE), desk.own_client_id)
    auditor = program(RoleName.AUDITOR)
    entries = Entry.objects.count()
    assert read(auditor, f"cases/{case_id}")["row"]["number"] == f"K-{case_id:06d}"
    assert auditor.post(f"cases/{case_id}/notes", {"text": "x"}).status_code == 403
    assert Entry.objects.count() == entries


def test_a_client_is_rated_by_call_and_comes_up_for_review(program: Programs, desk: Desk) -> None:
    officer = program(COMPLIANCE)
    path = f"kyc/clients/{desk.own_client_id}"
    assert read(officer, path)["state"] == "never"
    made = officer.post(f"{path}/assessments", {})
    rating = json.loads(made.content)
    assert (made.status_code, rating["rating"]) == (201, None)
    assert "occupation" in rating["missing"] or rating["missing"]
    standing = read(officer, path)
    assert (standing["state"], standing["assessment_id"]) == ("referred", rating["id"])
    due = read(officer, "kyc/reviews", due="yes", rating="referred")
    assert [one["client_id"] for one in due["items"]] == [desk.own_client_id]
    assert read(officer, "kyc/reviews", due="no")["count"] == 0


def test_i66_a_manager_sees_the_standing_of_own_clients_alone_and_rates_nobody(program: Programs, desk: Desk) -> None:
    manager = program(RoleName.RELATIONSHIP_MANAGER)
    assert person(RoleName.RELATIONSHIP_MANAGER) == desk.manager_id
    program(COMPLIANCE).post(f"kyc/clients/{desk.other_client_id}/assessments", {})
    assert manager.get(f"kyc/clients/{desk.own_client_id}").status_code == 200
    assert manager.get(f"kyc/clients/{desk.other_client_id}").status_code == 404
    assert read(manager, "kyc/reviews")["count"] == 0
    assert manager.post(f"kyc/clients/{desk.own_client_id}/assessments", {}).status_code == 403
    assert KycAssessment.objects.filter(client_id=desk.own_client_id).count() == 0


def test_rules_of_monitoring_are_read_with_their_versions(program: Programs, desk: Desk) -> None:
    raise_alerts(desk.own_client_id)
    officer = program(COMPLIANCE)
    assert "rapid" in [one["code"] for one in read(officer, "monitoring/rules")]
    [version] = read(officer, "monitoring/rules/rapid/versions")
    assert (version["version"], version["draft"]["cooldown_days"], version["made_by"]) == (1, 7, "t")
    assert officer.get("monitoring/rules/nowhere/versions").status_code == 404
    for path in ("monitoring/rules", "monitoring/rules/rapid/versions", "monitoring/rules/nowhere/versions"):
        assert program(RoleName.RISK_OFFICER).get(path).status_code == 403
