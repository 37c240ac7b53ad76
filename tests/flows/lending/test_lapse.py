"""What nobody goes on with ends on the day that its client was told, whole: request, contract and second word."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.desk import MONDAY, POOL, SYSTEM
from tests.flows.lending.conftest import AT
from tests.flows.lending.test_credit import Flow, flow  # noqa: F401 - a fixture

from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.selectors.requests import verify_lending
from reefpoint.flows.lending.services.funding import request_funding
from reefpoint.flows.lending.services.lapsing import lapse_requests
from reefpoint.flows.lending.services.requests import begin_request, withdraw_request
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.models import Approval
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.contracts.models import Contract
from reefpoint.records.contracts.types import ContractState

LAST = MONDAY + timedelta(days=30)


def on_last_day() -> datetime:
    return AT + timedelta(days=30)


def lapse(at: datetime) -> list[int]:
    return lapse_requests(actor=SYSTEM, at=at)


def letter(flow: Flow, words: str) -> Notice:  # noqa: F811
    return Notice.objects.filter(about=f"credit_request:{flow.request_id}", subject__contains=words).get()


def test_an_offer_lapses_after_the_day_in_its_letter_with_its_contract(flow: Flow) -> None:  # noqa: F811
    flow.accepted()
    assert flow.row.lapses_on == LAST
    assert f"by {LAST}, the request ends by itself" in letter(flow, "An offer on").body
    assert lapse(on_last_day()) == []
    assert lapse(on_last_day() + timedelta(days=1)) == [flow.request_id]
    row = flow.row
    assert (row.state, row.lapses_on) == (CreditState.LAPSED, None)
    assert Contract.objects.get(id=row.contract_id).state == ContractState.LAPSED
    assert "has ended" in letter(flow, "has ended").subject
    flow.desk.drain()
    assert flow.state is CreditState.LAPSED
    assert lapse(on_last_day() + timedelta(days=2)) == []
    assert verify_lending() == []


def test_a_signed_contract_that_is_never_drawn_lapses_with_the_second_word_that_was_asked(flow: Flow) -> None:  # noqa: F811
    flow.sign(flow.accepted())
    flow.countersign()
    assert f"by {LAST}" in letter(flow, "is in force").body
    approval_id = request_funding(
        actor=flow.desk.operations, request_id=flow.request_id, pool_code=POOL, shown=flow.shown(), on=MONDAY, at=AT
    )
    assert lapse(on_last_day() + timedelta(days=1)) == [flow.request_id]
    assert Contract.objects.get().state == ContractState.LAPSED
    assert Approval.objects.get(id=approval_id).state == "withdrawn"
    flow.desk.drain()
    assert flow.state is CreditState.LAPSED


def test_what_the_client_signed_and_the_desk_did_not_is_left_to_the_contract(flow: Flow) -> None:  # noqa: F811
    flow.sign(flow.accepted())
    assert lapse(on_last_day() + timedelta(days=1)) == []
    assert flow.state is CreditState.OFFERED


def test_a_draft_lapses_and_what_waits_for_the_desk_does_not(flow: Flow) -> None:  # noqa: F811
    flow.ask()
    draft = begin_request(
        actor=flow.client,
        client_id=flow.client_id,
        scheme_code="CAUTIOUS",
        amount_minor=10_000_00,
        tenor_days=30,
        lots=[(flow.desk.instruments["AAPL"], 500)],
        on=MONDAY,
        at=AT,
    )
    assert lapse(on_last_day() + timedelta(days=400)) == [draft]
    assert flow.state is CreditState.REQUESTED


def test_a_withdrawal_by_staff_ends_the_contract_in_force_as_well(flow: Flow) -> None:  # noqa: F811
    flow.sign(flow.accepted())
    flow.countersign()
    withdraw_request(actor=flow.officer, request_id=flow.request_id, reason="changed their mind", at=AT)
    assert (flow.state, Contract.objects.get().state) == (CreditState.WITHDRAWN, ContractState.WITHDRAWN)


def test_the_database_keeps_a_last_day_on_what_lapses_and_on_nothing_else(flow: Flow) -> None:  # noqa: F811
    flow.offered()
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditRequest.objects.filter(id=flow.request_id).update(lapses_on=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditRequest.objects.filter(id=flow.request_id).update(state=CreditState.DECLINED)
