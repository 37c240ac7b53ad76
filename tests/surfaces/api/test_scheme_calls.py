"""Schemes by call: drafted, checked, compared, published by two, withdrawn, and played."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.surfaces.api.conftest import Program, Programs
from tests.surfaces.conftest import Desk

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.records.products.models import SchemeVersion
from reefpoint.records.products.rules import terms_to_json
from reefpoint.records.products.selectors import load_demo_schemes

pytestmark = pytest.mark.django_db
PRIME = next(draft.terms for draft in load_demo_schemes() if draft.code == "PRIME")
CREDIT = RoleName.CREDIT_OFFICER


def scheme(**changes: Any) -> dict[str, Any]:
    terms = terms_to_json(replace(PRIME, **changes))
    return {"code": "PRIME", "name": "Prime", "effective_from": "2030-01-02", "terms": terms}


def answered(program: Program, path: str, body: Any) -> Any:
    answer = program.post(path, body)
    assert answer.status_code in {200, 201}, answer.content
    return json.loads(answer.content)


def test_a_scheme_is_drafted_compared_and_put_before_a_second_person(program: Programs, desk: Desk) -> None:
    credit = program(CREDIT)
    old = SchemeVersion.objects.get(scheme__code="PRIME").pk
    new = answered(credit, "schemes", scheme(rate_bp=600))["id"]
    read = json.loads(credit.get(f"schemes/versions/{new}").content)
    assert (read["version"], read["state"], read["terms"]["rate_bp"], read["tier"]) == (2, "draft", 600, 1)
    changes = json.loads(credit.get(f"schemes/versions/{old}/differences/{new}").content)
    assert changes == [{"field": "rate_bp", "before": 550, "after": 600}]
    approval = get_approval(answered(credit, f"schemes/versions/{new}/publication", {"reason": "rates rose"})["id"])
    assert (approval.kind, approval.subject) == ("scheme.publish", f"scheme_version:{new}")
    early = credit.post(f"schemes/versions/{new}/withdrawal", {"reason": "no"})
    assert (early.status_code, json.loads(early.content)["code"]) == (409, "invalid_transition")
    effect = json.loads(credit.get(f"schemes/versions/{old}/withdrawal").content)
    assert set(effect) == {"asks", "quotes", "offers", "signed", "loans", "next_version"}
    tier = get_approval(answered(credit, f"schemes/{read['scheme_id']}/tier", {"tier": 2, "reason": "more"})["id"])
    assert (tier.kind, tier.payload["tier_after"]) == ("scheme.change_tier", 2)
    assert [one["code"] for one in json.loads(credit.get("schemes").content)] == ["CAUTIOUS", "PRIME", "STANDARD"]


def test_terms_are_checked_without_being_kept_and_broken_ones_are_not_published(program: Programs, desk: Desk) -> None:
    credit = program(CREDIT)
    before = SchemeVersion.objects.count()
    (problem,) = answered(credit, "schemes/check", scheme(close_out_bp=13_000))
    assert (problem["field"], problem["rule"]) == ("close_out_bp", "us.finra.maint_long")
    assert answered(credit, "schemes/check", scheme()) == []
    assert SchemeVersion.objects.count() == before
    new = answered(credit, "schemes", scheme(close_out_bp=13_000))["id"]
    refused = credit.post(f"schemes/versions/{new}/publication", {"reason": "cheap"})
    assert (refused.status_code, json.loads(refused.content)["code"]) == (409, "terms_refused")
    bounds = json.loads(credit.get("schemes/bounds/US", on="2026-11-23").content)
    assert {"close_out_bp", "initial_bp"} <= {bound["field"] for bound in bounds}


def test_a_loan_is_played_under_a_version_or_under_terms_of_ones_own(program: Programs, desk: Desk) -> None:
    risk = program(RoleName.RISK_OFFICER)
    play = {"holdings": {"JPM": 1_000}, "loan_minor": 60_000_00, "since": "2020-01-02", "until": "2020-04-30"}
    version = SchemeVersion.objects.get(scheme__code="CAUTIOUS").pk
    run = answered(risk, "schemes/simulation", {**play, "version_id": version})
    assert run["calls"]
    assert run["client_end_minor"] - run["start_minor"] < 0
    assert run["cost_minor"] == run["interest_minor"] + run["fees_minor"] + run["sale_cost_minor"]
    mild = answered(risk, "schemes/simulation", {**play, "terms": terms_to_json(PRIME)})
    assert (mild["days"][0]["on"], mild["calls"][0]["opened_on"]) == ("2020-01-02", "2020-03-09")
    told = {"rates": [{"on": "2020-02-03", "rate_bp": 700}], "suspensions": [{"symbol": "JPM", "since": "2020-03-02"}]}
    stuck = answered(risk, "schemes/simulation", {**play, **told, "version_id": version})
    assert (stuck["sales"], stuck["rates"][0]["rate_bp"], stuck["days"][-1]["held_back"]) == ([], 700, ["JPM"])
    file = {"source": "file", "prices": "date,JPM\n2020-01-02,140\n2020-01-03,x"}
    bad = risk.post("schemes/simulation", {**play, **file, "version_id": version})
    assert (bad.status_code, json.loads(bad.content)["code"]) == (409, "price_file_refused")
    none = risk.post("schemes/simulation", {**play, "holdings": {"ZZZ": 1}, "version_id": version})
    assert (none.status_code, json.loads(none.content)["code"]) == (409, "simulation_refused")
    neither = risk.post("schemes/simulation", play)
    assert (neither.status_code, json.loads(neither.content)["code"]) == (409, "malformed_terms")


def test_who_may_not_draft_changes_nothing(program: Programs, desk: Desk) -> None:
    before = SchemeVersion.objects.count()
    auditor = program(RoleName.AUDITOR)
    version = SchemeVersion.objects.latest("id").pk
    for path, body in (
        ("schemes", scheme()),
        (f"schemes/versions/{version}/publication", {"reason": "x"}),
        (f"schemes/versions/{version}/withdrawal", {"reason": "x"}),
    ):
        assert auditor.post(path, body).status_code == 403
    assert SchemeVersion.objects.count() == before
