"""What the desk publishes, by call: read, drafted whole, put before a second person, refused where it is broken."""

import json
from typing import Any

import pytest
from tests.surfaces.api.conftest import Program, Programs
from tests.surfaces.conftest import Desk

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.publications.models import Publication

pytestmark = pytest.mark.django_db
ALL = (RoleName.CREDIT_OFFICER, RoleName.COMPLIANCE, RoleName.RISK_OFFICER)
LATER = "2030-01-02"


def read(program: Program, path: str) -> Any:
    answer = program.get(path)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def newest(program: Program, kind: str) -> dict[str, Any]:
    version = read(program, f"publications/{kind}/versions")[0]["version"]
    found: dict[str, Any] = read(program, f"publications/{kind}/versions/{version}")
    return found


def test_what_is_in_force_can_be_sent_back_as_the_next_version_of_every_kind(program: Programs, desk: Desk) -> None:
    somebody = program(*ALL)
    kinds = read(somebody, "publications/")
    assert len(kinds) == 16
    assert all(one["may_draft"] for one in kinds)
    for kind in (one["name"] for one in kinds):
        before = newest(somebody, kind)
        body = {"content": before["content"], "effective_from": LATER, "reason": "as it was"}
        answer = somebody.post(f"publications/{kind}/versions", body)
        assert answer.status_code == 201, (kind, answer.content)
        approval = get_approval(json.loads(answer.content)["id"])
        assert approval.payload["kind"] == kind
        assert approval.payload["content"] == before["content"]
        after = newest(somebody, kind)
        assert (after["version"], after["state"], after["content"]) == (
            before["version"] + 1,
            "draft",
            before["content"],
        )


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"content": {}}, 409),
        ({"content": {"rate": 0.5}}, 422),
        ({"content": {"nested": [{"share": 1.0}]}}, 422),
        ({"effective_from": "2001-01-02"}, 409),
        ({"reason": " "}, 422),
    ],
)
def test_what_is_broken_is_refused_and_nothing_of_it_is_kept(
    program: Programs, desk: Desk, change: dict[str, Any], status: int
) -> None:
    somebody = program(*ALL)
    body = {"content": newest(somebody, "kyc.rating")["content"], "effective_from": LATER, "reason": "why", **change}
    before = Publication.objects.count()
    answer = somebody.post("publications/kyc.rating/versions", body)
    assert answer.status_code == status, answer.content
    assert Publication.objects.count() == before


def test_only_who_may_see_a_kind_reads_it_and_only_who_may_draft_it_drafts(program: Programs, desk: Desk) -> None:
    auditor, manager = program(RoleName.AUDITOR), program(RoleName.RELATIONSHIP_MANAGER)
    assert not any(one["may_draft"] for one in read(auditor, "publications/"))
    body = {"content": newest(auditor, "kyc.rating")["content"], "effective_from": LATER, "reason": "why"}
    assert auditor.post("publications/kyc.rating/versions", body).status_code == 403
    assert "kyc.rating" not in {one["name"] for one in read(program(RoleName.ADMINISTRATOR), "publications/")}
    assert manager.get("publications/nothing/versions").status_code == 404
    assert auditor.get("publications/kyc.rating/versions/999").status_code == 404
