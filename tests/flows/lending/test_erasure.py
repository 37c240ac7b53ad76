"""What credit holds of a client goes once no law keeps it, and the proofs go on holding and say what was erased."""

from datetime import date

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from tests.desk import SYSTEM, Desk
from tests.flows.lending.conftest import AT
from tests.flows.lending.test_credit import Flow, make_flow

from reefpoint.decisions.credit.models import CreditDecision
from reefpoint.decisions.credit.selectors import DecisionErased, list_decisions, read_decision, replay_decision
from reefpoint.decisions.pricing.models import Quote
from reefpoint.decisions.pricing.selectors import QuoteErased, find_quotes, get_quote
from reefpoint.flows.lending.models import CreditStep
from reefpoint.flows.operations.selectors.verify import CHECKS, count_erased
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.personal_data import INVENTORY, DataCategory, is_kept
from reefpoint.records.contracts.models import Acknowledgement, File, Signature
from reefpoint.records.contracts.selectors import ContractErased, get_contract
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.services import erase_client
from reefpoint.records.parties.types import ClientStatus

pytestmark = pytest.mark.django_db
DAY = date(2040, 1, 1)


@pytest.fixture
def signed(desk: Desk) -> Flow:
    """A client who was decided on, quoted a price, and signed; then the relationship ended."""
    flow = make_flow(desk)
    flow.sign(flow.accepted())
    Client.objects.filter(id=flow.client_id).update(status=ClientStatus.CLOSED, closed_on=AT.date())
    return flow


def erase(flow: Flow, *kept: DataCategory, approval_id: int) -> None:
    erase_client(
        actor=SYSTEM,
        client_id=flow.client_id,
        keep=dict.fromkeys(kept, DAY),
        asked_by="user:1",
        approval_id=approval_id,
        at=AT,
    )
    flow.desk.drain()


def proved() -> list[Finding]:
    return [finding for check in CHECKS.values() for finding in check(AT)]


def left(client_id: int, *kept: DataCategory) -> set[str]:
    """Tables of the inventory that nothing keeps, in which a row of the client is not blank."""
    found = set()
    for label, held in INVENTORY.items():
        if is_kept(label, kept):
            continue
        rows = apps.get_model(label)._base_manager.filter(**{held.via: client_id})
        if held.is_deleted and rows.exists():
            found.add(label)
        for row in rows:
            values = {name: getattr(row, name) for name in held.blank}
            plain = {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}
            # a text that must not be empty says that it was erased; one that was empty stays empty
            found |= {f"{label}.{name}" for name, value in plain.items() if value not in (held.blank[name], "")}
    return found


def test_credit_goes_by_its_class_and_every_proof_still_holds(signed: Flow) -> None:
    row, decision_id, quote_id = signed.row, signed.row.decision_id or 0, signed.row.quote_id or 0
    before = proved()
    erase(signed, DataCategory.ACCOUNT, approval_id=1)
    assert replay_decision(decision_id)
    assert get_quote(quote_id).parts
    assert left(signed.client_id, DataCategory.ACCOUNT) == set()
    assert count_erased() == {}
    erase(signed, approval_id=2)
    assert left(signed.client_id) == set()
    assert proved() == before
    assert count_erased() == {"clients": 1, "contracts": 1, "credit": 1, "pricing": 1, "scoring": 1}
    with pytest.raises(DecisionErased, match="was erased"):
        read_decision(signed.officer, decision_id)
    with pytest.raises(QuoteErased, match="was erased"):
        get_quote(quote_id)
    (decision,) = list_decisions(signed.officer, signed.client_id)
    assert (decision.limit_minor, decision.state) == (row.limit_minor, "approved")
    assert [one.rate_bp for one in find_quotes(signed.officer, at=AT).rows] == [row.rate_bp]
    with pytest.raises(ContractErased, match="was erased"):
        get_contract(signed.officer, row.contract_id or 0, at=AT)


def test_the_database_lets_words_become_empty_and_nothing_else(signed: Flow) -> None:
    said = (
        CreditDecision.objects.filter(client_id=signed.client_id).update,
        Quote.objects.filter(client_id=signed.client_id).update,
    )
    for change in said:
        with pytest.raises(IntegrityError), transaction.atomic():
            change(inputs={}, answer="other")
    for model, other in (
        (CreditStep, {"words": "other", "actor_name": ""}),
        (Signature, {"signer_name": "Other"}),
        (Acknowledgement, {"address": "10.0.0.1"}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            model._base_manager.update(**other)
    assert File.objects.filter(blob=None).count() == 0
