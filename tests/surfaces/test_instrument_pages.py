"""Instruments from pages and by REST, without a line of Python: put on record, changed, delisted, and looked up."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from tests.surfaces.conftest import CLOSE, Book, SignIn

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.types import RoleName
from reefpoint.records.market.selectors import get_instrument
from reefpoint.surfaces.api.base import in_words
from reefpoint.surfaces.api.routers import instruments as calls
from reefpoint.surfaces.console.payloads import payload_said
from reefpoint.surfaces.console.views import instruments as pages
from reefpoint.surfaces.console.views import listings

NEW = {
    "symbol": "0700.hk", "venue": "XHKG", "currency": "HKD", "name": "Tencent", "name_zh": "腾讯", "sector": "Media",
    "lot_size": "100", "price_band_bp": "25", "assumed_daily_volume": "20,000,000", "effective_on": "2020-03-16",
    "source": "HKEX list", "kind": "share", "board": "main", "reason": "a client asked",
}  # fmt: skip


@pytest.fixture
def clerk(book: Book, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Somebody of operations on the day of the test desk."""
    monkeypatch.setattr(pages, "desk_now", lambda: CLOSE)
    monkeypatch.setattr(listings, "desk_now", lambda: CLOSE)
    monkeypatch.setattr(calls, "now", lambda: CLOSE)
    return signed_in(RoleName.OPERATIONS)


def test_a_name_is_asked_for_from_a_form_that_says_beside_its_fields_what_is_wrong(clerk: Client) -> None:
    address = reverse("console:new_instrument")
    wrong = clerk.post(address, {**NEW, "symbol": "AAPL", "venue": "ZZZZ", "lot_size": "none", "step": "record"})
    assert wrong.status_code == 422
    shown = wrong.content.decode()
    assert 'id="e-venue">The desk has no trading calendar for this venue; it is a code such as XNYS.' in shown
    assert 'id="e-symbol">This symbol is on record already.' in shown
    assert 'id="e-lot_size">A whole number of shares from 1 to 1,000,000.' in shown
    assert not Approval.objects.exists()
    assert "In order: it can be asked for." in clerk.post(address, {**NEW, "step": "check"}).content.decode()
    assert clerk.post(address, {**NEW, "step": "record"}).status_code == 302
    [asked] = Approval.objects.get(kind="instruments.change").payload["instruments"]
    assert (asked["symbol"], asked["after"]["assumed_daily_volume"]) == ("0700.HK", 20_000_000)


def test_a_names_page_shows_who_holds_it_and_takes_changes_and_delisting(clerk: Client, book: Book) -> None:
    apple = book.desk.instruments["AAPL"]
    shown = clerk.get(reverse("console:listing", args=[apple]), {"on": "2020-03-16"}).content.decode()
    assert "All 2 accounts" in shown
    terms = {**NEW, "name": "Apple Inc.", "name_zh": "苹果", "sector": "Test", "lot_size": "1", "price_band_bp": "20"}
    change = reverse("console:change_instrument", args=[apple])
    assert clerk.post(change, {**terms, "assumed_daily_volume": "1000000", "reason": ""}).status_code == 422
    assert clerk.post(change, {**terms, "assumed_daily_volume": "1000000"}).status_code == 302
    assert get_instrument(apple).name == "Apple Inc."
    delist = reverse("console:delist_instrument", args=[apple])
    soon = clerk.post(delist, {"delisted_on": "2030-01-01", "reason": "merged"})
    assert (soon.status_code, "until then it is under risk warning" in soon.content.decode()) == (422, True)
    assert clerk.post(delist, {"delisted_on": "2020-03-16", "reason": "merged"}).status_code == 302
    assert Approval.objects.get().payload["instruments"][0]["what"] == "delist"


def test_the_same_by_rest(clerk: Client, book: Book) -> None:
    apple = book.desk.instruments["AAPL"]

    def send(address: str, body: dict[str, Any]) -> Any:
        return clerk.post(f"/api/v1/instruments{address}", json.dumps(body), content_type="application/json")

    terms = {"name": "Apple", "name_zh": "苹果", "sector": "Test", "lot_size": 2, "price_band_bp": 1_500,
             "assumed_daily_volume": 1_000_000}  # fmt: skip
    facts = {"effective_on": "2020-03-16", "source": "list", "kind": "etf", "board": "main", "has_risk_warning": False,
             "is_index_member": False, "is_pe_excluded": False, "limit_bp": None, "daily_volume": None,
             "shares_issued": None, "issuer": ""}  # fmt: skip
    new = {"symbol": "SPY", "currency": "USD", "venue": "XNYS", "terms": terms, "facts": facts, "reason": "why"}
    assert send("", {**new, "venue": "XXXX"}).json()["errors"][0]["at"] == ["body", "venue"]
    assert send("", new).status_code == 202
    outcome = send(f"/{apple}/changes", {"terms": terms, "reason": "why"}).json()
    assert None not in outcome.values()
    assert send(f"/{apple}/trading", {"is_suspended": True, "reason": "news"}).json()["is_suspended"] is True
    found = clerk.get(f"/api/v1/instruments/{apple}").json()
    assert (found["holders"], found["shares_held"], found["was_suspended"]) == (2, 2_000, True)
    assert (found["then"]["terms"]["lot_size"], found["then"]["terms"]["price_band_bp"]) == (2, 2_000)
    past = clerk.get(f"/api/v1/instruments/{apple}/history").json()
    assert [one["terms"]["lot_size"] for one in past["records"]] == [2, 1]
    assert past["without_trading"][0]["reason"] == "news"
    listed = clerk.get("/api/v1/instruments", {"q": "app", "is_suspended": "true"}).json()
    assert [one["symbol"] for one in listed["items"]] == ["AAPL"]
    assert send(f"/{apple}/delisting", {"delisted_on": "2020-03-16", "reason": "merged"}).status_code == 409


def test_a_recorded_sentence_is_told_in_the_callers_language_and_codes_stay() -> None:
    with translation.override("zh-hans"):
        told = in_words(
            {"items": [{"reason": "import 3, batch 0", "state": "import 3, batch 0"}, {"reason": "not_told"}]}
        )
    assert told == {"items": [{"reason": "导入 3，批次 0", "state": "import 3, batch 0"}, {"reason": "not_told"}]}


def test_what_is_asked_stands_in_words_with_no_figure_lost() -> None:
    change = {"loan": "L-1", "old_bp": 650, "new_bp": 0, "inputs": '{"base_bp": 310}'}
    effect = {"currency": "JPY", "principal_minor": 5_000_000, "loans": 1}
    shown = re.sub(r"<[^>]+>", " ", payload_said({"effect": [effect], "changes": [change], "is_final": False}))
    assert " ".join(shown.split()) == (
        "Effect Currency Loans Principal JPY 1 5,000,000 JPY "
        "Changes Loan Rate now New rate Inputs L-1 6.50% 0.00% Show Cost of funding 3.10% is_final no"
    )
