"""Credit and prices on the pages: a decision by two people, a table that shows its gaps, a quote with its parts."""

import re
from html import unescape

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from tests.decisions.credit.conftest import AT, CreditDesk, make_credit_desk, person
from tests.decisions.pricing.test_pricing import ask_price
from tests.desk import Desk, make_desk
from tests.surfaces.conftest import signed_in_as

from reefpoint.decisions.credit.adapters.shipped import read_shipped_policy
from reefpoint.decisions.credit.selectors import get_decision
from reefpoint.decisions.credit.types import DecisionState
from reefpoint.decisions.pricing.adapters.shipped import read_shipped_grid
from reefpoint.decisions.pricing.models import Quote
from reefpoint.flows.operations.models import DeskClock
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.publications.models import Publication
from reefpoint.records.accounts.selectors.accounts import get_account


@pytest.fixture
def desk(db: None, settings: Settings) -> Desk:
    settings.REQUIRE_SECOND_FACTOR = False
    return make_desk()


@pytest.fixture
def credit(desk: Desk) -> CreditDesk:
    made = make_credit_desk(desk)
    DeskClock.objects.update_or_create(id=1, defaults={"at": AT})
    return made


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return unescape(response.content.decode())


def fields(table: dict[str, object], **changes: str) -> dict[str, str]:
    """The editor's form as a browser sends it, but for what is changed."""
    rows = table["rows"]
    assert isinstance(rows, list)
    form = {"rows": str(len(rows))}
    for index, row in enumerate(rows):
        form |= {f"id-{index}": row["id"], f"group-{index}": row.get("group", "")}
        form |= {f"w-{name}-{index}": value for name, value in row["when"].items()}
        form |= {f"t-{name}-{index}": str(value) for name, value in row["then"].items()}
    return {**form, **changes}


def test_a_decision_is_read_and_approved_by_the_second_person_alone(credit: CreditDesk) -> None:
    made = credit.decide("C")
    address = f"/credit/{made.id}/"
    maker, second = signed_in_as(credit.officer), signed_in_as(credit.senior)
    shown = text(maker, address)
    assert "600,000.00 × 70.00%" in shown
    assert 'value="approve"' not in shown
    assert 'value="approve"' in text(second, address)
    assert second.post(f"{address}act/", {"step": "approve"}).status_code == 302
    assert get_decision(made.id).state is DecisionState.APPROVED
    again = second.post(f"{address}act/", {"step": "approve"})
    assert again.status_code == 409
    assert "somebody else was quicker" in again.content.decode()
    assert str(made.id) in text(maker, "/credit/?state=approved")


def test_a_referred_decision_is_proposed_with_an_amount_in_words(credit: CreditDesk) -> None:
    made = credit.decide("D")
    maker = signed_in_as(credit.officer)
    wrong = maker.post(f"/credit/{made.id}/act/", {"step": "propose", "limit": "much", "reason": "r"})
    assert wrong.status_code == 422
    assert get_decision(made.id).state is DecisionState.OPEN
    maker.post(f"/credit/{made.id}/act/", {"step": "propose", "limit": "50k", "reason": "a guarantee"})
    assert (get_decision(made.id).limit_minor, get_decision(made.id).state) == (50_000_00, DecisionState.PROPOSED)


def test_i62_the_editor_names_the_gap_and_marks_the_overlap(credit: CreditDesk) -> None:
    maker = signed_in_as(credit.officer)
    address = "/credit/policy/authority/"
    assert "Every possible input has exactly one answer." in text(maker, address)
    table = read_shipped_policy()["authority"]
    gap = maker.post(address, fields(table, **{"w-limit_units-1": "(600, 10000]"}), headers={"HX-Request": "true"})
    assert "No row answers: Grade A, Limit, units [501, 601)" in gap.content.decode()
    both = maker.post(address, fields(table, **{"w-limit_units-1": "(400, 10000]"}), headers={"HX-Request": "true"})
    said = both.content.decode()
    assert "Rows good_large and good_small both answer: Grade A, Limit, units [401, 501)" in said
    assert said.count("both answer") == 3, "said once and marked at both rows"
    cell = maker.post(address, fields(table, **{"w-limit_units-1": "many"}), headers={"HX-Request": "true"})
    assert '<span class="errors" id="e-w-limit_units-1" hx-swap-oob="true">Row good_large: “many” is not a range' in (
        unescape(cell.content.decode())
    )
    worse = maker.post(address, fields(table, **{"t-level-3": "nobody", "t-level-4": "officer"}))
    assert "gets higher" in worse.content.decode()
    maker.cookies["django_language"] = "zh-hans"
    said = maker.post(address, fields(table, **{"w-limit_units-1": "many"})).content.decode()
    assert "第 good_large 行：“many”不是数字区间" in unescape(said)
    assert Publication.objects.filter(kind="credit.policy", state="draft").count() == 0


def test_rows_are_added_and_taken_away_without_javascript_and_a_draft_asks_for_a_second_person(
    credit: CreditDesk,
) -> None:
    credit.decide("C")
    maker = signed_in_as(credit.officer)
    table = read_shipped_policy()["authority"]
    address = "/credit/policy/authority/"
    assert 'value="preview"' in text(maker, address)
    added = maker.post(address, fields(table, step="add-0")).content.decode()
    assert 'name="id-8"' in added
    assert "both answer" in added
    assert 'name="id-7"' not in maker.post(address, fields(table, step="drop-0")).content.decode()
    lower = fields(table, **{"w-limit_units-0": "<= 250", "w-limit_units-1": "(250, 10000]"})
    preview = unescape(maker.post(address, {**lower, "step": "preview"}).content.decode())
    assert "1 past decision looked at" in preview
    asked = re.search(r'href="(/runs/\d+/)"', preview)
    assert asked is not None, "the result is kept, and its rows go along as CSV"
    assert "1 past decision looked at" in text(maker, asked[1])
    assert asked[1] in text(maker, "/runs/")
    rows = maker.get(f"{asked[1]}rows/").content.decode("utf-8-sig")
    assert rows.splitlines()[0].startswith("decision_id,client_number,currency,old_outcome,new_outcome")
    missing = maker.post(address, {**lower, "step": "publish"})
    assert missing.status_code == 422
    assert not Publication.objects.filter(kind="credit.policy", state="draft").exists()
    asked = maker.post(
        address, {**lower, "step": "publish", "effective_from": "2019-12-02", "reason": "closer to home"}
    )
    assert asked.status_code == 302
    draft = Publication.objects.get(kind="credit.policy", state="draft")
    assert draft.content["authority"]["rows"][0]["when"]["limit_units"] == "<= 250"


@pytest.mark.parametrize(
    "address",
    [
        "/credit/policy/",
        "/credit/policy/checks/",
        "/pricing/grid/",
        "/pricing/grid/grid/",
        "/kyc/rating/scorecard/",
        "/suitability/offers/offers/",
        "/pricing/calculator/?amount=100k&grade=B&segment=retail",
        "/pricing/new-rates/",
    ],
)
def test_every_page_of_policy_and_prices_opens_in_both_languages(credit: CreditDesk, address: str) -> None:
    client = signed_in_as(credit.officer)
    text(client, address)
    client.cookies["django_language"] = "zh-hans"
    text(client, address)


def test_a_grid_is_tried_on_the_book_before_it_is_published(credit: CreditDesk) -> None:
    credit.decide("A")
    maker = signed_in_as(credit.officer)
    form = fields(read_shipped_grid()["grid"], **{"t-bp-0": "190"}, step="preview")
    shown = unescape(maker.post("/pricing/grid/grid/", form).content.decode())
    assert "+80.00" in shown


def test_a_price_is_worked_out_told_once_and_another_one_asked_for(credit: CreditDesk) -> None:
    maker = signed_in_as(credit.officer)
    number = get_account(credit.desk.healthy).number
    asked = {"amount": "100k", "tenor": "180", "grade": "B", "segment": "retail", "account": number}
    shown = unescape(maker.get("/pricing/calculator/", asked).content.decode())
    assert "Cost of the money" in shown
    assert not Quote.objects.exists()
    assert maker.post("/pricing/calculator/", asked).status_code == 302
    told = Quote.objects.get()
    page = text(maker, f"/pricing/quotes/{told.pk}/")
    assert "+2.00%" in page
    wrong = maker.post(f"/pricing/quotes/{told.pk}/", {"rate": "1", "reason": "a friend"})
    assert wrong.status_code == 422
    right = f"{(told.rate_bp - 20) / 100:.2f}"
    assert maker.post(f"/pricing/quotes/{told.pk}/", {"rate": right, "reason": "large"}).status_code == 302
    assert "Asked for" in text(maker, "/pricing/")


def test_i66_who_may_not_see_a_client_sees_neither_decision_nor_quote(credit: CreditDesk) -> None:
    made = credit.decide("A", client=credit.desk.near_client)
    told = ask_price(credit, client_id=credit.desk.near_client)
    manager = signed_in_as(credit.desk.manager)
    assert manager.get(f"/credit/{made.id}/").status_code == 404
    assert manager.get(f"/pricing/quotes/{told.id}/").status_code == 404
    outsider = signed_in_as(person("till", RoleName.TREASURY))
    assert outsider.get("/credit/").status_code == 403
