"""The whole flow by its services: asked, decided by two, priced, accepted, signed by both, funded, watched."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from tests.desk import BOLD, MONDAY, POOL, SYSTEM, Desk, verify_desk, withdraw_scheme
from tests.flows.lending.conftest import AT, person

from reefpoint.decisions.credit.selectors.decisions import get_decision
from reefpoint.decisions.credit.services import approve_decision
from reefpoint.decisions.kyc.services import review_client
from reefpoint.decisions.kyc.types import Rating
from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.pricing.selectors.quotes import QuoteExpired, SchemeWithdrawn, get_quote
from reefpoint.decisions.screening.services import screen_client
from reefpoint.decisions.suitability.services import record_answers_of_all
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.rules import fingerprint_of
from reefpoint.flows.lending.selectors.affected import WithdrawalEffect, find_withdrawal_effect
from reefpoint.flows.lending.selectors.requests import (
    CreditRequestNotFound,
    gather_facts,
    get_request,
    list_steps,
    verify_lending,
)
from reefpoint.flows.lending.services.deciding import decide_request
from reefpoint.flows.lending.services.funding import request_funding
from reefpoint.flows.lending.services.offering import (
    OfferChanged,
    OfferStillHolds,
    accept_offer,
    make_offer,
    renew_offer,
    require_signable,
)
from reefpoint.flows.lending.services.requests import (
    AlreadyAsked,
    AskMalformed,
    begin_request,
    submit_request,
    withdraw_request,
)
from reefpoint.flows.lending.services.withdrawals import ask_scheme_withdrawal, follow_withdrawal
from reefpoint.flows.lending.types import CreditState, NextStep
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import SecondPersonNeeded, approve
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.contracts.models import Contract
from reefpoint.records.contracts.selectors import find_disclosures, get_contract
from reefpoint.records.contracts.services import MissingField, acknowledge, countersign, sign_as_client
from reefpoint.records.contracts.types import Authentication, ContractState
from reefpoint.records.parties.models import Client, Licence
from reefpoint.records.parties.services import (
    LicenceRefused,
    end_licence,
    record_profile,
    register_clients,
)
from reefpoint.records.parties.types import ClientDraft, ClientKind, ProfileDraft
from reefpoint.records.products.models import Scheme
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import VersionState
from reefpoint.records.treasury.selectors import verify_treasury
from reefpoint.records.treasury.services import work_payments

STRONG = Authentication(methods=("password", "totp"), at=AT, address="127.0.0.1", session_hash="a" * 32)
ASKED = 40_000_00


@dataclass
class Flow:
    """A client with a complete file who uses the portal, and the people of the desk."""

    desk: Desk
    client: Actor
    client_id: int
    officer: Actor
    second: Actor
    treasurer: Actor
    request_id: int = 0

    @property
    def row(self) -> CreditRequest:
        return CreditRequest.objects.select_related("client").get(id=self.request_id)

    @property
    def state(self) -> CreditState:
        return CreditState(self.row.state)

    @property
    def waits_for(self) -> NextStep:
        return get_request(self.client, self.request_id, at=AT).next_step

    def ask(self, **changes: object) -> int:
        asked = {
            "scheme_code": "STANDARD",
            "amount_minor": ASKED,
            "tenor_days": 90,
            "lots": [(self.desk.instruments["AAPL"], 1_000), (self.desk.instruments["JPM"], 1_000)],
        }
        self.request_id = begin_request(
            actor=self.client,
            client_id=self.client_id,
            on=MONDAY,
            at=AT,
            **{**asked, **changes},  # type: ignore[arg-type] # test cast
        )
        submit_request(actor=self.client, request_id=self.request_id, on=MONDAY, at=AT)
        return self.request_id

    def decided(self) -> None:
        """Decided, and approved by a second person."""
        self.ask()
        state = decide_request(actor=self.officer, request_id=self.request_id, on=MONDAY, at=AT)
        assert state is CreditState.DECIDING, get_decision(self.row.decision_id or 0).assessment
        approve_decision(actor=self.second, decision_id=self.row.decision_id or 0, at=AT)
        self.desk.drain()

    def offered(self) -> None:
        self.decided()
        make_offer(actor=self.officer, request_id=self.request_id, on=MONDAY, at=AT)

    def accept(self) -> int:
        row = self.row
        return accept_offer(
            actor=self.client,
            request_id=row.pk,
            quote_id=row.quote_id or 0,
            rate_bp=row.rate_bp or 0,
            on=MONDAY,
            at=AT,
        )

    def accepted(self) -> int:
        self.offered()
        return self.accept()

    def sign(self, contract_id: int) -> None:
        for one in find_disclosures("US", MONDAY):
            acknowledge(actor=self.client, contract_id=contract_id, disclosure=one.id, text_hash=one.text_hash, at=AT)
        require_signable(contract_id=contract_id, on=MONDAY, at=AT)
        sign_as_client(actor=self.client, contract_id=contract_id, authentication=STRONG, at=AT)
        self.desk.drain()

    def desk_request(self) -> int:
        """The one request there is."""
        return CreditRequest.objects.get().pk

    def approve_credit(self) -> None:
        approve_decision(actor=self.second, decision_id=self.row.decision_id or 0, at=AT)
        self.desk.drain()

    def countersign(self) -> None:
        countersign(actor=self.officer, contract_id=self.row.contract_id or 0, authentication=STRONG, at=AT)
        self.desk.drain()

    def shown(self) -> str:
        """The fingerprint of what a page of funding shows."""
        return fingerprint_of(gather_facts(self.row, POOL))

    def approve_funding(self) -> None:
        approval = Approval.objects.get(id=self.row.approval_id)
        approve(actor=self.treasurer, approval_id=approval.pk, payload_hash=approval.payload_hash, at=AT)
        self.desk.drain()


@pytest.fixture
def flow(desk: Desk) -> Flow:
    """The flow inside the test's own transaction."""
    return make_flow(desk)


def make_flow(desk: Desk) -> Flow:
    """A client with a complete file, and the people of the desk."""
    client = person("borrower", RoleName.CLIENT)
    client_id = register_clients(
        actor=SYSTEM,
        drafts=[ClientDraft("Lind", "lind@clients.test", relationship_manager_id=desk.manager.user_id)],
        on=MONDAY,
        at=AT,
    )[0]
    Client.objects.filter(id=client_id).update(portal_user_id=client.user_id)
    record_answers_of_all(actor=SYSTEM, rows=[(client_id, BOLD)], at=AT)
    profile = ProfileDraft(
        kind=ClientKind.INDIVIDUAL,
        name="Lind",
        trading_years=8,
        annual_income_minor=200_000_00,
        liquid_assets_minor=500_000_00,
        net_worth_minor=900_000_00,
        currency="USD",
    )
    record_profile(actor=SYSTEM, client_id=client_id, draft=profile, reason="a file", at=AT)
    screen_client(actor=SYSTEM, client_id=client_id, at=AT)
    review_client(actor=SYSTEM, client_id=client_id, rating=Rating.STANDARD, note="seen", on=MONDAY, at=AT)
    desk.drain()
    return Flow(
        desk,
        client,
        client_id,
        person("officer", RoleName.CREDIT_OFFICER),
        person("second", RoleName.CREDIT_OFFICER),
        person("treasurer", RoleName.TREASURY),
    )


def test_one_person_asks_and_with_a_second_person_it_ends_in_a_watched_account(flow: Flow) -> None:
    flow.offered()
    assert (flow.state, flow.waits_for) == (CreditState.OFFERED, NextStep.ACCEPT_OFFER)
    quote = get_quote(flow.row.quote_id or 0)
    assert sum(part.bp for part in quote.parts) == quote.rate_bp
    contract_id = flow.accept()
    assert flow.accept() == contract_id
    assert flow.waits_for is NextStep.SIGN
    terms = get_contract(flow.client, contract_id, at=AT).terms
    assert (terms.limit_minor, terms.rate.rate_bp) == (ASKED, quote.rate_bp)
    assert [one.quantity for one in terms.collateral] == [1_000, 1_000]
    assert terms.ends_on == MONDAY + timedelta(days=90)
    flow.sign(contract_id)
    assert flow.waits_for is NextStep.COUNTERSIGN
    countersign(actor=flow.officer, contract_id=contract_id, authentication=STRONG, at=AT)
    flow.desk.drain()
    assert (flow.state, flow.waits_for) == (CreditState.SIGNED, NextStep.REQUEST_FUNDING)
    shown = fingerprint_of(gather_facts(flow.row, POOL))
    approval_id = request_funding(
        actor=flow.desk.operations, request_id=flow.request_id, pool_code=POOL, shown=shown, on=MONDAY, at=AT
    )
    approve(
        actor=flow.treasurer,
        approval_id=approval_id,
        payload_hash=Approval.objects.get(id=approval_id).payload_hash,
        at=AT,
    )
    flow.desk.drain()
    work_payments(on=MONDAY, at=AT)
    flow.desk.drain()
    row = flow.row
    assert row.state == CreditState.FUNDED
    assert row.loan.rate_bp == quote.rate_bp
    assert MarginState.objects.get(account_id=row.account_id).debt_minor == ASKED
    assert [step.action for step in list_steps(flow.client, row.pk)] == [
        "begin",
        "submit",
        "decide",
        "approve",
        "offer",
        "accept_offer",
        "client_signed",
        "sign",
        "request_funding",
        "approve_funding",
        "begin_funding",
        "fund",
    ]
    assert [*verify_lending(), *verify_treasury(), *verify_desk(AT)] == []


def test_a_quote_that_expires_between_view_and_signature_stops_the_signature_and_can_be_renewed(flow: Flow) -> None:
    contract_id = flow.accepted()
    late = get_quote(flow.row.quote_id or 0).valid_until + timedelta(seconds=1)
    with pytest.raises(QuoteExpired):
        require_signable(contract_id=contract_id, on=late.date(), at=late)
    with pytest.raises(OfferStillHolds):
        renew_offer(actor=flow.client, request_id=flow.request_id, on=MONDAY, at=AT)
    renew_offer(actor=flow.client, request_id=flow.request_id, on=late.date(), at=late)
    row = flow.row
    assert (row.state, row.contract_id, row.accepted_at) == (CreditState.OFFERED, None, None)
    assert Contract.objects.get(id=contract_id).state == ContractState.WITHDRAWN
    assert row.offer_until > late
    flow.desk.drain()
    assert flow.state is CreditState.OFFERED


def test_a_scheme_withdrawn_between_offer_and_yes_is_said_and_nothing_is_kept(flow: Flow) -> None:
    flow.offered()
    withdraw_scheme(maker=flow.officer, checker=flow.second, version_id=flow.row.scheme_version_id or 0, at=AT)
    with pytest.raises(SchemeWithdrawn):
        flow.accept()
    assert not Contract.objects.exists()
    assert flow.row.accepted_at is None


def test_two_people_withdraw_a_scheme_knowing_whom_it_touches_and_the_client_in_between_is_told_once(
    flow: Flow,
) -> None:
    flow.offered()
    version_id = flow.row.scheme_version_id or 0
    effect = find_withdrawal_effect(version_id, on=MONDAY, at=AT)
    assert effect == WithdrawalEffect(asks=0, quotes=1, offers=1, signed=0, loans=2, next_version=None)
    asked = ask_scheme_withdrawal(actor=flow.officer, version_id=version_id, reason="too dear", on=MONDAY, at=AT)
    assert get_approval(asked).payload["affected"] == {**vars(effect), "next_version": 0}
    with pytest.raises(SecondPersonNeeded):
        approve(actor=flow.officer, approval_id=asked, payload_hash=get_approval(asked).payload_hash, at=AT)
    assert get_version(version_id).state is VersionState.PUBLISHED
    approve(actor=flow.second, approval_id=asked, payload_hash=get_approval(asked).payload_hash, at=AT)
    flow.desk.drain()
    assert get_version(version_id).state is VersionState.WITHDRAWN
    letters = Notice.objects.filter(about=f"credit_request:{flow.request_id}", subject__contains="offered no longer")
    (letter,) = letters
    assert "is not paid out. Nothing is owed. You can ask under another scheme" in letter.body
    assert flow.state is CreditState.WITHDRAWN, "nothing takes its place"
    assert follow_withdrawal(version_id=version_id, on=MONDAY, at=AT) == 0
    assert letters.count() == 1


def test_a_template_that_cannot_name_something_is_said_and_nothing_is_kept(flow: Flow) -> None:
    flow.offered()
    Scheme.objects.filter(code="STANDARD").update(name_zh="")
    with pytest.raises(MissingField) as refused:
        flow.accept()
    assert "scheme_name_zh" in str(refused.value.facts)
    assert not Contract.objects.exists()
    assert flow.waits_for is NextStep.ACCEPT_OFFER


def test_another_price_than_was_shown_is_not_accepted(flow: Flow) -> None:
    flow.offered()
    row = flow.row
    with pytest.raises(OfferChanged):
        accept_offer(
            actor=flow.client,
            request_id=row.pk,
            quote_id=row.quote_id or 0,
            rate_bp=(row.rate_bp or 0) - 1,
            on=MONDAY,
            at=AT,
        )
    assert not Contract.objects.exists()


def test_i68_without_a_licence_nothing_is_asked_offered_or_signed(flow: Flow) -> None:
    contract_id = flow.accepted()
    for licence in Licence.objects.all():
        end_licence(actor=SYSTEM, licence_id=licence.pk, valid_to=date(2019, 11, 1), reason="revoked", at=AT)
    with pytest.raises(LicenceRefused):
        require_signable(contract_id=contract_id, on=MONDAY, at=AT)
    withdraw_request(actor=flow.client, request_id=flow.request_id, reason="", at=AT)
    with pytest.raises(LicenceRefused):
        flow.ask()
    assert CreditRequest.objects.get(id=flow.request_id).state == CreditState.DRAFT


def test_i66_another_client_cannot_see_or_change_a_request(flow: Flow) -> None:
    flow.ask()
    other = person("other", RoleName.CLIENT)
    Client.objects.filter(id=flow.desk.near_client).update(portal_user_id=other.user_id)
    with pytest.raises(CreditRequestNotFound):
        get_request(other, flow.request_id, at=AT)
    with pytest.raises(CreditRequestNotFound):
        withdraw_request(actor=other, request_id=flow.request_id, reason="", at=AT)
    assert flow.state is CreditState.REQUESTED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": 10**14}, "amount"),
        ({"tenor_days": 0}, "tenor"),
        ({"tenor_days": 10_000}, "tenor"),
        ({"lots": []}, "holdings"),
        ({"lots": [(1, 1), (1, 2)]}, "holdings"),
        ({"lots": [(999_999, 1)]}, "holdings"),
    ],
)
def test_an_ask_that_makes_no_sense_is_refused_by_its_field(flow: Flow, changes: dict[str, object], field: str) -> None:
    with pytest.raises(AskMalformed) as refused:
        flow.ask(**changes)
    assert refused.value.field == field
    assert not CreditRequest.objects.exists()


def test_a_client_has_one_live_request_a_scheme_and_can_ask_again_after_taking_it_back(flow: Flow) -> None:
    first = flow.ask()
    with pytest.raises(AlreadyAsked):
        flow.ask()
    flow.request_id = first
    withdraw_request(actor=flow.client, request_id=first, reason="changed my mind", at=AT)
    assert flow.state is CreditState.WITHDRAWN
    with pytest.raises(InvalidTransition):
        withdraw_request(actor=flow.client, request_id=first, reason="", at=AT)
    assert flow.ask() != first
