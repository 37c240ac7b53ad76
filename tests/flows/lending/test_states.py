"""Any order of what client, desk, second person, bank and time do keeps a request on its table, whole at each step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.desk import MONDAY, POOL, SYSTEM
from tests.flows.lending.conftest import AT, CreditDesk, person

from reefpoint.flows.lending.models import CreditRequest, CreditStep
from reefpoint.flows.lending.rules import CREDIT_STATES, LAPSING, fingerprint_of
from reefpoint.flows.lending.selectors.requests import gather_facts, verify_lending
from reefpoint.flows.lending.services.funding import (
    LENDER,
    begin_funding,
    finish_funding,
    request_funding,
    retry_funding,
    take_approval,
    undo_funding,
)
from reefpoint.flows.lending.services.lapsing import lapse_requests
from reefpoint.flows.lending.services.requests import begin_request, submit_request, withdraw_request
from reefpoint.flows.lending.services.steps import lock_request, move
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import approve, reject
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.records.parties.models import Client
from reefpoint.records.products.selectors import published_version

C = CreditState
DECIDED = {"decision_id": 1, "grade": "A", "limit_minor": 50_000_00}


class Requests(RuleBasedStateMachine):
    """One request of one client. What decides, prices and writes is stood in for by the move it ends with."""

    cast: CreditDesk
    client: Actor

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.at: datetime = AT
        self.request_id = begin_request(
            actor=self.client,
            client_id=self.cast.client_id,
            scheme_code="CAUTIOUS",
            amount_minor=20_000_00,
            tenor_days=30,
            lots=[(self.cast.desk.instruments["AAPL"], 1_500)],
            on=MONDAY,
            at=self.at,
        )

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @property
    def row(self) -> CreditRequest:
        return CreditRequest.objects.select_related("client").get(id=self.request_id)

    def attempt(self, act: Callable[[], Any]) -> None:
        """Do it, or be refused with nothing written."""
        before = (CreditRequest.objects.filter(id=self.request_id).values().get(), CreditStep.objects.count())
        try:
            with transaction.atomic():
                act()
        except Refusal:
            after = (CreditRequest.objects.filter(id=self.request_id).values().get(), CreditStep.objects.count())
            assert after == before

    def step(self, new: CreditState, action: str, **fields: Any) -> None:
        def act() -> None:
            row = lock_request(self.request_id)
            for name, value in fields.items():
                setattr(row, name, value)
            move(actor=LENDER, row=row, new=new, action=action, at=self.at)

        self.attempt(act)

    @initialize(stage=st.integers(0, 4))
    def come_to(self, stage: int) -> None:
        """Begin anywhere on the way: a walk at random seldom gets as far as the bank."""
        ways: list[Callable[[], None]] = [
            self.hand_in,
            lambda: self.decide(outcome=C.APPROVED),
            lambda: self.offer(is_signed=True),
            lambda: self.fund(is_yes=True),
        ]
        for way in ways[:stage]:
            way()

    @rule()
    def hand_in(self) -> None:
        self.attempt(lambda: submit_request(actor=self.client, request_id=self.request_id, on=MONDAY, at=self.at))

    @rule(outcome=st.sampled_from([C.REFERRED, C.APPROVED, C.APPROVED, C.DECLINED]))
    def decide(self, outcome: CreditState) -> None:
        self.step(C.DECIDING, "decide")
        self.step(outcome, "approve", **DECIDED)

    @rule(is_signed=st.booleans())
    def offer(self, is_signed: bool) -> None:
        version = published_version("CAUTIOUS", MONDAY).id
        until = self.at + timedelta(hours=48)
        self.step(C.OFFERED, "offer", scheme_version_id=version, rate_bp=612, quote_id=1, offer_until=until)
        if is_signed:
            self.step(C.SIGNED, "sign")

    @rule(is_yes=st.booleans())
    def fund(self, is_yes: bool) -> None:
        def ask() -> None:
            shown = fingerprint_of(gather_facts(self.row, POOL))
            request_funding(
                actor=self.cast.desk.operations,
                request_id=self.request_id,
                pool_code=POOL,
                shown=shown,
                on=MONDAY,
                at=self.at,
            )

        self.attempt(ask)
        approval = Approval.objects.filter(id=self.row.approval_id, state="pending").first()
        if approval is None:
            return
        if is_yes:
            approve(actor=self.cast.treasurer, approval_id=approval.pk, payload_hash=approval.payload_hash, at=self.at)
        else:
            reject(
                actor=self.cast.treasurer,
                approval_id=approval.pk,
                payload_hash=approval.payload_hash,
                reason="no",
                at=self.at,
            )
        take_approval(approval=get_approval(approval.pk), at=self.at)
        begin_funding(request_id=self.request_id, on=MONDAY, at=self.at)

    @rule(is_paid=st.booleans())
    def bank(self, is_paid: bool) -> None:
        payment_id = self.row.payment_id or 0
        if is_paid:
            self.attempt(lambda: finish_funding(request_id=self.request_id, payment_id=payment_id, at=self.at))
        else:
            self.attempt(
                lambda: undo_funding(
                    request_id=self.request_id, payment_id=payment_id, reason="no", on=MONDAY, at=self.at
                )
            )

    @rule()
    def try_again(self) -> None:
        operations = self.cast.desk.operations
        self.attempt(lambda: retry_funding(actor=operations, request_id=self.request_id, on=MONDAY, at=self.at))

    @rule(is_client=st.booleans())
    def withdraw(self, is_client: bool) -> None:
        actor = self.client if is_client else self.cast.credit
        self.attempt(lambda: withdraw_request(actor=actor, request_id=self.request_id, reason="no", at=self.at))

    @rule(days=st.sampled_from([0, 1, 31]))
    def wait(self, days: int) -> None:
        self.at += timedelta(days=days)
        last = self.row.lapses_on
        is_due = last is not None and last < self.at.date()
        assert (self.request_id in lapse_requests(actor=SYSTEM, at=self.at)) == is_due
        assert (self.row.state == C.LAPSED) >= is_due

    @rule(new=st.sampled_from(list(C)))
    def force(self, new: CreditState) -> None:
        """Nobody brings it to a state beside the table."""
        if new in CREDIT_STATES.moves.get(C(self.row.state), frozenset()):
            return
        try:
            with transaction.atomic():
                move(actor=LENDER, row=lock_request(self.request_id), new=new, action="force", at=self.at)
        except InvalidTransition:
            return
        raise AssertionError(f"{self.row.state} became {new}")

    @invariant()
    def stands_on_its_table(self) -> None:
        row = self.row
        states = [C(state) for state in row.steps.order_by("id").values_list("state", flat=True)]
        moves = [state for place, state in enumerate(states) if place == 0 or state != states[place - 1]]
        assert moves[0] is C.DRAFT
        assert CREDIT_STATES.is_walk(moves)
        assert moves[-1] == row.state
        assert (row.lapses_on is not None) == (row.state in LAPSING)
        assert (row.loan_id is not None) == (row.state in {C.FUNDING, C.FUNDED})
        assert (row.payment_id is not None) == (row.state in {C.FUNDING, C.FUNDED})
        assert [one for one in verify_lending() if one.check == "lending.request"] == []


def test_no_order_of_events_leaves_the_table_or_half_a_state(credit_desk: CreditDesk) -> None:
    client = person("borrower", RoleName.CLIENT)
    Client.objects.filter(id=credit_desk.client_id).update(portal_user_id=client.user_id)
    Requests.cast, Requests.client = credit_desk, client
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Requests,
        settings=settings(
            max_examples=25,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
