"""Pools of funds by page and by REST: opened, changed, and whose money they are."""

import json

from django.urls import reverse
from tests.surfaces.conftest import SignIn

from reefpoint.platform.access.types import RoleName
from reefpoint.records.treasury.selectors import get_pool, list_pools
from reefpoint.records.treasury.types import PoolOrigin


def test_treasury_opens_a_pool_says_whose_money_it_is_and_changes_its_terms(signed_in: SignIn) -> None:
    treasurer = signed_in(RoleName.TREASURY)
    given = {"code": "main", "currency": "USD", "name": "Main", "committed": "5m", "cost": "3.5"}
    wrong = treasurer.post(reverse("console:pools"), {**given, "committed": "much", "cost": "-1", "code": "a b"})
    shown = wrong.content.decode()
    assert wrong.status_code == 422
    assert "An amount such as 500,000" in shown
    assert "A percentage from 0 to 100" in shown
    assert list_pools() == []
    assert treasurer.post(reverse("console:pools"), given).status_code == 302
    one = reverse("console:pool", args=["main"])
    origin = reverse("console:pool_origin", args=["main"])
    assert treasurer.post(origin, {"origin": "own", "evidence": ""}).status_code == 422
    assert treasurer.post(origin, {"origin": "own", "evidence": "audited accounts"}).status_code == 302
    assert treasurer.post(one, {**given, "committed": "6m", "reason": "a new tranche"}).status_code == 302
    found = get_pool("main")
    assert (found.committed_minor, found.cost_bp, found.origin) == (600_000_000, 350, PoolOrigin.OWN)
    assert "6,000,000.00" in treasurer.get(one).content.decode()
    viewer = signed_in(RoleName.AUDITOR)
    assert "Open a pool" not in viewer.get(reverse("console:pools")).content.decode()
    terms = {"name": "Main", "committed_minor": 700_000_000, "cost_bp": 300, "reason": "why"}
    address = "/api/v1/pools/main/terms"
    assert viewer.put(address, json.dumps(terms), content_type="application/json").status_code == 403
    changed = treasurer.put(address, json.dumps(terms), content_type="application/json").json()
    assert (changed["available_minor"], changed["origin"]) == (700_000_000, "own")
    assert treasurer.get("/api/v1/pools/none").status_code == 404
