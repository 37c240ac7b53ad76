"""Every page of the console: who may open it, in both languages, and what it never shows."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.decisions.cases.test_cases import raise_alerts
from tests.decisions.relations.kin import share
from tests.surfaces.conftest import CLOSE, NOON, SYSTEM, Book, Desk, SignIn, open_borrower

from reefpoint.decisions.cases.services import open_case
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.pages import list_calls
from reefpoint.decisions.monitoring.models import Activity
from reefpoint.decisions.monitoring.selectors.rules import list_versions
from reefpoint.decisions.monitoring.services.backtests import request_backtest, run_backtest
from reefpoint.decisions.monitoring.services.rules import install_typologies
from reefpoint.decisions.relations.selectors import get_group
from reefpoint.flows.liquidation.services.opening import open_liquidation
from reefpoint.flows.liquidation.types import Cause
from reefpoint.platform.access.rules import PERMISSIONS
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import find_actor, request_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.contracts.rules.sample import SAMPLE_TERMS
from reefpoint.records.contracts.services import prepare_contract
from reefpoint.records.contracts.types import Language
from reefpoint.records.market.selectors import list_held
from reefpoint.records.parties.selectors.licences import list_licences
from reefpoint.records.parties.services import record_licence
from reefpoint.records.products.selectors import list_schemes

PAGES: dict[str, tuple[str, Callable[[Book], list[int | str]]]] = {
    "pipeline": ("lending.view", lambda book: []),
    "credit_requests": ("lending.view", lambda book: []),
    "payments": ("treasury.view", lambda book: []),
    "today": ("operations.view", lambda book: []),
    "board": ("margin.view", lambda book: []),
    "accounts": ("account.view", lambda book: []),
    "account": ("account.view", lambda book: [book.own_account_id]),
    "account_stress": ("margin.view", lambda book: [book.own_account_id]),
    "calls": ("margin.view", lambda book: []),
    "call": ("margin.view", lambda book: [list_calls(SYSTEM).rows[0].id]),
    "liquidations": ("liquidation.view", lambda book: []),
    "liquidation": ("liquidation.view", lambda book: [open_sale(book)]),
    "runs": ("operations.view", lambda book: []),
    "day_runs": ("operations.view", lambda book: []),
    "clients": ("clients.view", lambda book: []),
    "client": ("clients.view", lambda book: [book.desk.own_client_id]),
    "kyc": ("kyc.view", lambda book: [book.desk.own_client_id]),
    "client_score": ("scoring.view", lambda book: [book.desk.own_client_id]),
    "models": ("models.view", lambda book: []),
    "data_sources": ("models.view", lambda book: []),
    "model": ("models.view", lambda book: ["margin_expert"]),
    "suitability": ("suitability.view", lambda book: [book.desk.own_client_id]),
    "questionnaire_answer": ("suitability.assess", lambda book: [book.desk.own_client_id]),
    "kyc_reviews": ("kyc.view", lambda book: []),
    "rating_table": ("kyc.view", lambda book: []),
    "risk_classes": ("suitability.view", lambda book: []),
    "questionnaire": ("suitability.view", lambda book: []),
    "offers": ("suitability.view", lambda book: []),
    "alerts": ("monitoring.view", lambda book: []),
    "alert": ("monitoring.view", lambda book: raise_alerts(book.desk.own_client_id)),
    "cases": ("cases.view", lambda book: []),
    "case": ("cases.view", lambda book: [case_of(book)]),
    "groups": ("relations.view", lambda book: []),
    "group": ("relations.view", lambda book: [related(book)]),
    "exclusions": ("relations.view", lambda book: []),
    "client_profile": ("clients.view", lambda book: [book.desk.own_client_id]),
    "client_unmask": ("clients.unmask", lambda book: [book.desk.own_client_id]),
    "client_documents": ("documents.view", lambda book: [book.desk.own_client_id]),
    "client_data": ("clients.view", lambda book: [book.desk.own_client_id]),
    "licences": ("licences.view", lambda book: []),
    "data_keys": ("vault.turn_keys", lambda book: []),
    "rules": ("monitoring.view", lambda book: []),
    "rule": ("monitoring.view", lambda book: [watched()]),
    "backtest": ("monitoring.view", lambda book: [with_backtest()]),
    "restrictions": ("monitoring.view", lambda book: []),
    "schemes": ("schemes.view", lambda book: []),
    "scheme": ("schemes.view", lambda book: [list_schemes()[0].id]),
    "scheme_design": ("schemes.draft", lambda book: []),
    "scheme_compare": ("schemes.view", lambda book: []),
    "scheme_simulation": ("schemes.view", lambda book: []),
    "contracts": ("contracts.view", lambda book: []),
    "contract": ("contracts.view", lambda book: [contract_of(book)]),
    "contract_template": ("contracts.view", lambda book: ["HK"]),
    "disclosures": ("contracts.view", lambda book: ["US"]),
    "verify_contract": ("contracts.view", lambda book: []),
    "collateral": ("collateral.view", lambda book: []),
    "collateral_name": ("collateral.view", lambda book: [book.desk.instruments["AAPL"]]),
    "assessment": ("collateral.view", lambda book: [assessed()]),
    "collateral_lists": ("collateral.view", lambda book: []),
    "pools": ("treasury.view", lambda book: []),
    "collateral_lists_compare": ("collateral.view", lambda book: []),
    "house_rules": ("collateral.view", lambda book: []),
    "prices": ("prices.view", lambda book: []),
    "instrument": ("prices.view", lambda book: [book.desk.instruments["AAPL"]]),
    "batch": ("prices.view", lambda book: [list_held()[0].batch_id]),
    "listings": ("prices.view", lambda book: []),
    "listing": ("prices.view", lambda book: [book.desk.instruments["AAPL"]]),
    "rates": ("prices.view", lambda book: []),
    "approvals": ("approvals.view", lambda book: []),
    "audit": ("audit.view", lambda book: []),
}


def assessed() -> int:
    """An assessment of every name."""
    return assess_names(actor=SYSTEM, on=NOON.date(), at=NOON, paths=1_000)


def watched() -> str:
    """A rule of those that come with the program."""
    install_typologies(actor=SYSTEM, at=NOON)
    return "structuring"


def with_backtest() -> int:
    """A backtest that has ended."""
    version = list_versions(SYSTEM, watched())[0]
    since = until = NOON.date()
    backtest_id = request_backtest(actor=SYSTEM, version_id=version.id, since=since, until=until, at=NOON)
    run_backtest(backtest_id=backtest_id)
    return backtest_id


def related(book: Book) -> int:
    """The group of the two clients, who share a phone."""
    share("phone", "13800000000", [book.desk.own_client_id, book.desk.other_client_id], CLOSE)
    group_id = get_group(book.desk.own_client_id)
    assert group_id is not None
    return group_id


def case_of(book: Book) -> int:
    """A case about the manager's client."""
    return open_case(actor=SYSTEM, alert_ids=raise_alerts(book.desk.own_client_id), title="Cash", at=CLOSE)


def contract_of(book: Book) -> int:
    """A contract of the manager's client, under a licence."""
    if not list_licences():
        record_licence(
            actor=SYSTEM, jurisdiction="US", activity="margin_lending", permit="us.bank", number="1", holder="A Bank",
            valid_from=date(2019, 1, 1), valid_to=None, evidence="seen", at=NOON,
        )  # fmt: skip
    return prepare_contract(
        actor=SYSTEM, client_id=book.desk.own_client_id, terms=SAMPLE_TERMS, language=Language.EN,
        on=SAMPLE_TERMS.sign_by, at=NOON,
    )  # fmt: skip


def open_sale(book: Book) -> int:
    """The sale of the manager's client, opened when first asked for."""
    MarginState.objects.filter(account_id=book.own_account_id).update(is_enforced=True)
    sale_id = open_liquidation(
        actor=SYSTEM, account_id=book.own_account_id, cause=Cause.CLOSE_OUT, call_id=None, at=CLOSE
    )
    assert sale_id is not None
    return sale_id


@pytest.mark.parametrize("role", list(RoleName))
def test_a_page_opens_for_the_roles_that_hold_its_right_and_for_nobody_else(
    signed_in: SignIn, book: Book, role: RoleName
) -> None:
    reader = signed_in(role)
    answers = {name: reader.get(reverse(f"console:{name}", args=ids(book))) for name, (_, ids) in PAGES.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        name: 200 if role in PERMISSIONS[right] else 302 if is_door(name, role) else 403
        for name, (right, _) in PAGES.items()
    }


def is_door(name: str, role: RoleName) -> bool:
    """The first page leads a client to the portal."""
    return name == "today" and role is RoleName.CLIENT


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_answers_in_both_languages(signed_in: SignIn, book: Book, language: str) -> None:
    reader = signed_in(RoleName.RISK_OFFICER, RoleName.AUDITOR, RoleName.COMPLIANCE, RoleName.ADMINISTRATOR)
    reader.cookies["django_language"] = language
    for name, (_, ids) in PAGES.items():
        text = reader.get(reverse(f"console:{name}", args=ids(book))).content.decode()
        assert f'<html lang="{language}"' in text, name
        assert " style=" not in text, name


def test_the_left_side_shows_only_what_the_reader_may_open(signed_in: SignIn, desk: Desk) -> None:
    administrator = signed_in(RoleName.ADMINISTRATOR).get("/").content.decode()
    assert 'href="/audit/"' in administrator
    assert 'href="/prices/"' not in administrator


def test_i66_a_client_outside_the_scope_is_not_found_and_not_listed(signed_in: SignIn, desk: Desk) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    assert manager.get(f"/clients/{desk.own_client_id}/").status_code == 200
    assert manager.get(f"/clients/{desk.other_client_id}/").status_code == 404
    assert manager.get("/clients/999999/").status_code == 404
    assert "Holdings" not in manager.get("/clients/").content.decode()


def test_i66_accounts_and_calls_outside_the_scope_are_not_found_and_not_listed(signed_in: SignIn, book: Book) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    assert manager.get(f"/margin-accounts/{book.own_account_id}/").status_code == 200
    assert manager.get(f"/margin-accounts/{book.other_account_id}/").status_code == 404
    assert f"/margin-accounts/{book.other_account_id}/" not in manager.get("/margin-accounts/").content.decode()
    assert f"/margin-accounts/{book.other_account_id}/" not in manager.get("/board/").content.decode()


def test_the_list_of_accounts_as_csv_is_the_filtered_list(signed_in: SignIn, book: Book) -> None:
    text = signed_in(RoleName.RISK_OFFICER).get("/margin-accounts/?band=2&format=csv").content.decode("utf-8-sig")
    assert len(text.strip().splitlines()) == 2
    assert "151.37" in text


def test_a_figure_opens_its_terms(signed_in: SignIn, book: Book) -> None:
    text = signed_in(RoleName.RISK_OFFICER).get(f"/margin-accounts/{book.own_account_id}/").content.decode()
    assert "= 1,000 × 60.55" in text
    assert "= (60,550.00 + 0.00) / 40,000.00" in text


def test_a_hostile_name_is_shown_as_text(signed_in: SignIn, desk: Desk) -> None:
    text = signed_in(RoleName.RISK_OFFICER).get("/clients/").content.decode()
    assert "Reef &amp; Sons &lt;Holdings&gt;" in text


def test_a_held_price_is_decided_by_a_person_with_a_reason(signed_in: SignIn, desk: Desk) -> None:
    officer = signed_in(RoleName.RISK_OFFICER)
    [held] = list_held()
    address = reverse("console:decide_held", args=[held.id])
    officer.post(address, {"decision": "discard", "reason": " "})
    assert len(list_held()) == 1
    officer.post(address, {"decision": "discard", "reason": "a slipped decimal point"})
    assert list_held() == []


def test_a_held_price_is_out_of_reach_without_the_right(signed_in: SignIn, desk: Desk) -> None:
    [held] = list_held()
    answer = signed_in(RoleName.AUDITOR).post(
        reverse("console:decide_held", args=[held.id]), {"decision": "discard", "reason": "no"}
    )
    assert answer.status_code == 403
    assert len(list_held()) == 1


def test_a_decision_is_never_taken_by_following_a_link(signed_in: SignIn, desk: Desk) -> None:
    [held] = list_held()
    assert signed_in(RoleName.RISK_OFFICER).get(reverse("console:decide_held", args=[held.id])).status_code == 405


def test_an_address_that_is_nowhere_is_answered_in_words(signed_in: SignIn) -> None:
    answer = signed_in(RoleName.RISK_OFFICER).get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here for you" in answer.content.decode()


def test_search_opens_a_single_match_and_lists_several(signed_in: SignIn, book: Book) -> None:
    officer = signed_in(RoleName.RISK_OFFICER)
    assert officer.get("/search/?q=AAPL").headers["Location"] == f"/prices/{book.desk.instruments['AAPL']}/"
    assert officer.get("/search/?q=m-0").status_code == 200
    assert "Nothing was found" in officer.get("/search/?q=zzz").content.decode()


def test_i66_search_finds_nothing_outside_the_scope(signed_in: SignIn, book: Book) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    assert "Nothing was found" in manager.get("/search/?q=Holdings").content.decode()


def test_today_names_the_call_with_its_deadline_and_the_held_price(signed_in: SignIn, book: Book) -> None:
    text = signed_in(RoleName.RISK_OFFICER).get("/").content.decode()
    [call] = list_calls(SYSTEM).rows
    assert f'href="/calls/{call.id}/"' in text
    assert "#held-" in text


def test_a_deposit_carries_the_payers_country_from_the_list_and_no_other(signed_in: SignIn, book: Book) -> None:
    operations = signed_in(RoleName.OPERATIONS)
    address = f"/margin-accounts/{book.own_account_id}/actions/deposit/"
    form = {"amount": "10k", "reference": "BANK-9", "other_country": "KP"}
    shown = operations.get(address, form).content.decode()
    assert '<option value="KP" selected>' in shown
    assert 'name="other_country" value="KP"' in shown
    assert "Choose a country" in operations.post(address, {**form, "other_country": "XX"}).content.decode()
    operations.post(address, form)
    [noted] = Activity.objects.filter(key="deposit:BANK-9")
    assert (noted.country, noted.counterparty_name, noted.is_third_party) == ("KP", "", -1)


def test_an_action_shows_the_account_after_it_and_books_once_however_often_it_is_sent(
    signed_in: SignIn, book: Book
) -> None:
    operations = signed_in(RoleName.OPERATIONS)
    address = f"/margin-accounts/{book.own_account_id}/actions/deposit/"
    shown = operations.get(address, {"amount": "10k", "reference": "BANK-1"}).content.decode()
    assert "10,000.00" in shown
    assert "176.37%" in shown
    for _ in range(2):
        operations.post(address, {"amount": "10k", "reference": "BANK-1", "key": "no-uuid"})
    assert get_account(book.own_account_id).cash_minor == 10_000_00


@pytest.mark.parametrize("amount", ["", "-5", "1e9", "ten", "0", "0.001", "5%", "9" * 40])
def test_what_is_no_amount_is_said_beside_the_field_and_nothing_is_booked(
    signed_in: SignIn, book: Book, amount: str
) -> None:
    address = f"/margin-accounts/{book.own_account_id}/actions/deposit/"
    answer = signed_in(RoleName.OPERATIONS).post(address, {"amount": amount, "reference": "BANK-1"})
    assert "This is not an amount" in answer.content.decode()
    assert get_account(book.own_account_id).cash_minor == 0


def test_a_refused_action_says_why_and_changes_nothing(signed_in: SignIn, book: Book) -> None:
    address = f"/margin-accounts/{book.other_account_id}/actions/withdraw/"
    answer = signed_in(RoleName.OPERATIONS).post(address, {"amount": "1", "key": ""})
    assert answer.status_code == 409
    assert "does not have that much cash" in answer.content.decode()


def test_i66_an_action_on_an_account_outside_the_scope_is_not_found(signed_in: SignIn, book: Book) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    address = f"/margin-accounts/{book.other_account_id}/actions/deposit/"
    form = {"amount": "5", "reference": "BANK-2"}
    assert manager.get(address, form).status_code == 404
    assert manager.post(address, form).status_code == 404
    assert signed_in(RoleName.RISK_OFFICER).get(address).status_code == 403


def test_no_page_asks_the_database_more_when_there_are_more_accounts(signed_in: SignIn, book: Book) -> None:
    officer = signed_in(RoleName.RISK_OFFICER, RoleName.OPERATIONS)
    paths = ["/", "/board/", "/margin-accounts/", f"/margin-accounts/{book.own_account_id}/", "/calls/", "/clients/"]

    def counted() -> dict[str, int]:
        found = {}
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                assert officer.get(path).status_code == 200
            found[path] = len(queries)
        return found

    officer.get("/")
    before = counted()
    for debt in range(30_000_00, 44_000_00, 2_000_00):
        open_borrower(book.desk, book.desk.other_client_id, shares=1_000, debt_minor=debt)
    assert counted() == before


def test_a_second_person_approves_exactly_what_was_shown(signed_in: SignIn) -> None:
    officer, credit = signed_in(RoleName.RISK_OFFICER), signed_in(RoleName.CREDIT_OFFICER)
    approval_id = request_approval(
        actor=find_actor("credit_officer@reefpoint.test"),
        kind="scheme.publish",
        subject="scheme_version:1",
        payload={"terms": {"close_out_bp": 13_500}},
        at=NOON,
    )
    shown = officer.get(f"/approvals/{approval_id}/").content.decode()
    fingerprint = get_approval(approval_id).payload_hash
    assert fingerprint in shown
    assert "<dt>close_out_bp</dt><dd>13500</dd>" in shown
    address = f"/approvals/{approval_id}/decision/"
    assert officer.post(address, {"decision": "approve", "payload_hash": "0" * 64}).status_code == 409
    assert credit.post(address, {"decision": "approve", "payload_hash": fingerprint}).status_code == 409
    assert officer.post(address, {"decision": "reject", "payload_hash": fingerprint}).status_code == 409
    assert get_approval(approval_id).state == "pending"
    assert officer.post(address, {"decision": "approve", "payload_hash": fingerprint}).status_code == 302
    assert get_approval(approval_id).state == "approved"
