"""Those who come to the desk of the demo: one waits at every stage."""

import pytest
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.screening.models import Hit
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.operations.models import DeskClock
from reefpoint.flows.operations.services import demo_desk
from reefpoint.flows.operations.services.demo_cases import BORROWER, CASES, LEADS, open_cases
from reefpoint.flows.origination.models import Application, Lead
from reefpoint.platform.access.models import User
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.services import register_client
from reefpoint.records.parties.types import ClientDraft

pytestmark = pytest.mark.django_db


def test_somebody_waits_at_every_stage_and_nothing_is_lent(desk: Desk) -> None:
    DeskClock.objects.create(at=noon(MONDAY))
    demo_desk._hire(noon(MONDAY))
    register_client(actor=SYSTEM, draft=ClientDraft("Ines Gupta", BORROWER), on=MONDAY, at=noon(MONDAY))
    open_cases(settle=desk.drain)
    assert list(Application.objects.order_by("id").values_list("state", flat=True)) == [
        "draft", "submitted", "submitted", *["accepted"] * 5
    ]  # fmt: skip
    assert list(CreditRequest.objects.order_by("id").values_list("state", flat=True)) == [
        "requested", "deciding", "approved", "offered", "offered"
    ]  # fmt: skip
    assert CreditRequest.objects.latest("id").contract_id is not None
    assert Hit.objects.get().client.name == "Viktor Orlenko"
    assert Lead.objects.count() == len(LEADS)
    assert Client.objects.get(email=BORROWER).portal_user is not None
    assert {case.email for case in CASES} <= set(User.objects.values_list("email", flat=True))
