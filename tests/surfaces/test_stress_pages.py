"""Stress on the pages and by call: asked for, answered as a run, handed out as CSV."""

import json
from html import unescape

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from tests.desk import MONDAY, Desk, make_desk, noon
from tests.surfaces.conftest import signed_in_as

from reefpoint.flows.operations.models import DeskClock
from reefpoint.platform.runs.models import Run


@pytest.fixture
def desk(db: None, settings: Settings) -> Desk:
    settings.REQUIRE_SECOND_FACTOR = False
    made = make_desk()
    DeskClock.objects.update_or_create(id=1, defaults={"at": noon(MONDAY)})
    return made


def ask(client: Client, **form: str) -> str:
    response = client.post("/stress/", form)
    assert response.status_code == 302, unescape(response.content.decode())[:2000]
    return response["Location"]


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return unescape(response.content.decode())


def test_each_question_is_answered_by_a_run_with_its_rows_as_a_file(desk: Desk) -> None:
    client = signed_in_as(desk.risk)
    assert "Reverse stress" in text(client, "/stress/")
    own = "scenario,target,shock\nbad day,AAPL,-70"
    address = ask(client, question="scenarios", falls="10, 70%", own=own, currency="USD")
    page = text(client, address)
    for words in ("all -70.00%", "bad day", "Worst accounts", desk.account(desk.near).number):
        assert words in page
    lines = text(client, f"{address}rows/").splitlines()
    assert lines[0].endswith(
        "scenario,safe,warning,call,close_out,unknown,close_out_debt_minor,shortfall_minor,proxies"
    )
    assert [line.split(",")[0] for line in lines[1:]] == ["today", "all -10.00%", "all -70.00%", "bad day"]
    near = desk.account(desk.near)
    assert int(lines[3].split(",")[7]) == near.debt_minor - near.cash_minor - 30_000_00
    assert "Passed at a fall of" in text(client, ask(client, question="reverse", limit="5k"))
    assert "The market, each name by its beta" in text(
        client, ask(client, question="reverse", limit="5k", falling="market")
    )
    assert "AAPL" in text(client, ask(client, question="sensitivities"))
    gap = ask(client, question="gap", paths="1000", days="5", grace_days="0", seed="3")
    assert "VaR 99%" in text(client, gap)
    assert (Run.objects.latest("id").inputs["days"], Run.objects.latest("id").inputs["seed"]) == (5, 3)


def test_what_cannot_be_asked_is_said_beside_its_field_and_asks_for_nothing(desk: Desk) -> None:
    client = signed_in_as(desk.risk)
    for form, words in (
        ({"question": "scenarios", "falls": "120"}, "'120' is not a fall between"),
        ({"question": "scenarios", "own": "nonsense"}, "Line 1 must be the heading"),
        ({"question": "reverse", "limit": "-5"}, "An amount is needed"),
        ({"question": "gap", "days": "0", "grace_days": "0", "seed": "1"}, "A whole number from 1 to 60 is needed."),
        ({"question": "gap", "days": "3", "grace_days": "3", "seed": "1"}, "No day would be left to sell on."),
        ({"question": "gap", "days": "3", "grace_days": "1", "seed": "９"}, "A whole number from 0 to 2147483648"),
    ):
        response = client.post("/stress/", form)
        assert response.status_code == 422
        assert words in unescape(response.content.decode())
    assert not Run.objects.exists()
    lost = text(client, ask(client, question="reverse", limit="1k", falling="NOPE"))
    assert "NOPE is no symbol, no sector and no currency of the book" in lost
    refused = text(client, ask(client, question="reverse", limit="1k", currency="JPY"))
    assert "no rate from USD to JPY" in refused


def test_the_same_by_call(desk: Desk) -> None:
    client = signed_in_as(desk.risk)

    def post(path: str, body: dict[str, object]) -> dict[str, object]:
        response = client.post(f"/api/v1/runs/{path}", json.dumps(body), content_type="application/json")
        assert response.status_code == 202, response.content
        return response.json()

    made = post("stress", {"rows": [{"scenario": "x", "target": "fx:HKD", "shock_pct": "-10"}], "falls_bp": [7_000]})
    assert (made["state"], made["rows_count"]) == ("done", 3)
    reverse = post("reverse-stress", {"limit_minor": 5_000_00})
    assert isinstance(reverse["summary"], dict)
    assert reverse["summary"]["loss_before_minor"] <= 5_000_00 < reverse["summary"]["loss_minor"]
    assert post("sensitivities", {})["state"] == "done"
    assert post("gap-losses", {"paths": 1_000})["state"] == "done"
    wrong = client.post("/api/v1/runs/stress", json.dumps({"falls_bp": [0]}), content_type="application/json")
    assert wrong.status_code == 422


def test_one_account_under_stress_is_told_line_by_line_on_its_page_and_by_call(desk: Desk) -> None:
    client = signed_in_as(desk.risk)
    near = desk.account(desk.near)
    assert f'href="/margin-accounts/{desk.near}/stress/"' in text(client, f"/margin-accounts/{desk.near}/")
    page = text(client, f"/margin-accounts/{desk.near}/stress/")
    for words in (near.number, "all -40.00%", "the worst", "Price then", "AAPL"):
        assert words in page
    assert "Proceeds on them" not in page
    assert "Proceeds on them" in text(client, f"/margin-accounts/{desk.near}/stress/?gap=1")
    told = client.get(f"/api/v1/stress/accounts/{desk.near}").json()
    assert (told["number"], told["scenarios"][0]["name"]) == (near.number, "today")
    assert (
        told["cash_minor"] + sum(one["moved_value_minor"] for one in told["positions"]) == told["worst"]["assets_minor"]
    )
    gap = client.get(f"/api/v1/stress/accounts/{desk.near}/gap-loss?paths=500").json()
    assert (gap["paths"], [one["symbol"] for one in gap["positions"]]) == (500, ["AAPL"])
    assert client.get("/api/v1/stress/accounts/999999").status_code == 404
    assert client.get("/margin-accounts/999999/stress/").status_code == 404
