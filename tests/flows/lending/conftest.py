"""A desk with a client who has signed: what the tests of funding begin with."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.desk import BOLD, MONDAY, POOL, SYSTEM, Desk, noon

from reefpoint.decisions.suitability.services import record_answers_of_all
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.rules import fingerprint_of
from reefpoint.flows.lending.selectors.requests import gather_facts
from reefpoint.flows.lending.services.funding import request_funding
from reefpoint.flows.lending.services.requests import begin_request, submit_request
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.models import Approval, User
from reefpoint.platform.access.services import actor_for, approve, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.services import register_clients
from reefpoint.records.parties.types import ClientDraft
from reefpoint.records.products.selectors import published_version

AT = noon(MONDAY)
ASKED = 50_000_00


@dataclass
class CreditDesk:
    """The desk, its treasurer, and a request of a client who has no account yet."""

    desk: Desk
    treasurer: Actor
    credit: Actor
    client_id: int
    request_id: int

    @property
    def row(self) -> CreditRequest:
        return CreditRequest.objects.select_related("client").get(id=self.request_id)

    @property
    def state(self) -> CreditState:
        return CreditState(self.row.state)

    def ask_for_funding(self, request_id: int | None = None) -> int:
        """Operations ask; returns the approval's id."""
        row = CreditRequest.objects.select_related("client").get(id=request_id or self.request_id)
        shown = fingerprint_of(gather_facts(row, POOL))
        return request_funding(
            actor=self.desk.operations, request_id=row.pk, pool_code=POOL, shown=shown, on=MONDAY, at=AT
        )

    def approve(self, approval_id: int) -> None:
        """The treasurer says yes."""
        shown = Approval.objects.get(id=approval_id).payload_hash
        approve(actor=self.treasurer, approval_id=approval_id, payload_hash=shown, at=AT)


def person(name: str, role: RoleName) -> Actor:
    """Somebody of the staff."""
    user_id = create_user(actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=AT)
    return actor_for(User.objects.get(id=user_id))


def make_request(desk: Desk, client_id: int, *, amount_minor: int = ASKED, scheme: str = "STANDARD") -> int:
    """A client's ask, handed in."""
    request_id = begin_request(
        actor=desk.manager,
        client_id=client_id,
        scheme_code=scheme,
        amount_minor=amount_minor,
        tenor_days=90,
        lots=[(desk.instruments["AAPL"], 1_500)],
        on=MONDAY,
        at=AT,
    )
    submit_request(actor=desk.manager, request_id=request_id, on=MONDAY, at=AT)
    return request_id


def make_signed(desk: Desk, client_id: int) -> int:
    """A request as it stands once both have signed, made without the parts that decide, price and write."""
    request_id = make_request(desk, client_id)
    CreditRequest.objects.filter(id=request_id).update(
        state=CreditState.SIGNED,
        scheme_version=published_version("STANDARD", MONDAY).id,
        rate_bp=612,
        limit_minor=ASKED,
        decision_id=1,
        quote_id=1,
        contract_id=None,
        lapses_on=MONDAY + timedelta(days=30),
    )
    row = CreditRequest.objects.get(id=request_id)
    row.steps.create(at=AT, actor="tests", actor_name="tests", action="sign", state=CreditState.SIGNED)
    return request_id


def make_credit_desk(desk: Desk) -> CreditDesk:
    """A client of the manager who has signed."""
    client_id = register_clients(
        actor=SYSTEM,
        drafts=[ClientDraft("Lind", "lind@clients.test", relationship_manager_id=desk.manager.user_id)],
        on=MONDAY,
        at=AT,
    )[0]
    record_answers_of_all(actor=SYSTEM, rows=[(client_id, BOLD)], at=AT)
    return CreditDesk(
        desk=desk,
        treasurer=person("treasurer", RoleName.TREASURY),
        credit=person("officer", RoleName.CREDIT_OFFICER),
        client_id=client_id,
        request_id=make_signed(desk, client_id),
    )


@pytest.fixture
def credit_desk(desk: Desk) -> CreditDesk:
    """The desk inside the test's own transaction."""
    return make_credit_desk(desk)
