"""Funding: a second person, then pool, account, collateral, loan and bank; whatever the bank does, no half state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from tests.desk import MONDAY, POOL, SYSTEM, TUESDAY, noon, verify_desk, withdraw_scheme
from tests.flows.lending.conftest import ASKED, AT, CreditDesk

from reefpoint.decisions.margin.models import MarginState
from reefpoint.flows.lending.models import CreditLot, CreditRequest
from reefpoint.flows.lending.selectors.requests import list_steps, verify_lending
from reefpoint.flows.lending.services.funding import (
    AwaitsSecondPerson,
    FundingChanged,
    finish_funding,
    request_funding,
    retry_funding,
)
from reefpoint.flows.lending.services.steps import SchemeGone
from reefpoint.flows.lending.types import CreditState
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import approve
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.accounts.models import Loan, MarginAccount
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.ledger.selectors import available_minor, balance_minor
from reefpoint.records.ledger.types import client_cash, loan_principal
from reefpoint.records.parties.models import Licence
from reefpoint.records.parties.services import LicenceRefused, end_licence
from reefpoint.records.treasury.models import PaperBankEntry, Payment
from reefpoint.records.treasury.selectors import get_pool, verify_treasury
from reefpoint.records.treasury.services import set_paper_manner, work_payments
from reefpoint.records.treasury.types import PaperBehaviour

FEE = 50_00


def lent() -> int:
    return get_pool(POOL).lent_minor


def manner(desk: CreditDesk, behaviour: PaperBehaviour) -> None:
    set_paper_manner(actor=desk.treasurer, behaviour=behaviour, at=AT)


def letters(desk: CreditDesk) -> list[str]:
    return [
        key.rpartition(":")[2] for key in Notice.objects.order_by("id").values_list("key", flat=True) if "credit" in key
    ]


def actions(desk: CreditDesk) -> list[str]:
    return [step.action for step in list_steps(desk.desk.operations, desk.request_id)]


def bank_entries() -> int:
    return PaperBankEntry.objects.filter(reference__startswith="P-").count()


def assert_sound() -> None:
    assert [*verify_lending(), *verify_treasury(), *verify_desk(AT)] == []


def test_from_a_signed_contract_to_money_in_a_watched_account(credit_desk: CreditDesk) -> None:
    before = lent()
    credit_desk.approve(credit_desk.ask_for_funding())
    credit_desk.desk.drain()
    row = credit_desk.row
    assert row.state == CreditState.FUNDING
    number = row.account.number
    assert balance_minor(loan_principal(number)) == ASKED
    assert lent() == before + ASKED
    assert available_minor(client_cash(number)) == 0
    with pytest.raises(Refusal):
        withdraw_cash(
            actor=credit_desk.desk.operations,
            account_id=row.account_id,
            amount_minor=1_00,
            key="early",
            on=MONDAY,
            at=AT,
        )
    work_payments(on=MONDAY, at=AT)
    credit_desk.desk.drain()
    row = credit_desk.row
    assert row.state == CreditState.FUNDED
    assert available_minor(client_cash(number)) == row.held_minor
    assert (row.loan.rate_bp, row.loan.matures_on) == (612, MONDAY + timedelta(days=90))
    assert get_account(row.account_id).holdings[0].quantity == 1_500
    assert MarginState.objects.get(account_id=row.account_id).debt_minor == ASKED
    assert letters(credit_desk) == ["requested", "funded"]
    assert_sound()


def test_a_bank_that_rejects_leaves_nothing_owed_and_it_can_be_tried_again(credit_desk: CreditDesk) -> None:
    before = lent()
    manner(credit_desk, PaperBehaviour.REJECT)
    credit_desk.approve(credit_desk.ask_for_funding())
    credit_desk.desk.drain()
    work_payments(on=MONDAY, at=AT)
    credit_desk.desk.drain()
    row = credit_desk.row
    assert (row.state, row.problem) == (CreditState.FAILED, "The bank did not pay: The receiving account is closed.")
    account = get_account(row.account_id)
    assert (account.cash_minor, account.principal_minor, account.debt_minor) == (0, 0, 0)
    assert account.holdings[0].quantity == 1_500
    assert lent() == before
    assert (row.loan_id, row.payment_id, row.approval_id) == (None, None, None)
    assert Loan.objects.filter(account_id=row.account_id, state="undone").count() == 1
    assert letters(credit_desk) == ["requested", "failed"]
    assert_sound()
    manner(credit_desk, PaperBehaviour.CONFIRM)
    retry_funding(actor=credit_desk.desk.operations, request_id=row.pk, on=MONDAY, at=AT)
    credit_desk.approve(credit_desk.ask_for_funding())
    credit_desk.desk.drain()
    work_payments(on=MONDAY, at=AT)
    credit_desk.desk.drain()
    assert credit_desk.state is CreditState.FUNDED
    assert MarginAccount.objects.filter(client_id=credit_desk.client_id).count() == 1
    assert get_account(row.account_id).holdings[0].quantity == 1_500
    assert lent() == before + ASKED
    assert_sound()


def test_interest_that_ran_on_a_loan_the_bank_never_paid_is_not_owed(credit_desk: CreditDesk) -> None:
    manner(credit_desk, PaperBehaviour.REJECT)
    credit_desk.approve(credit_desk.ask_for_funding())
    credit_desk.desk.drain()
    credit_desk.desk.accrue(MONDAY, TUESDAY)
    row = credit_desk.row
    assert get_account(row.account_id).interest_minor > 0
    credit_desk.desk.begin(TUESDAY)
    work_payments(on=TUESDAY, at=noon(TUESDAY))
    credit_desk.desk.drain()
    account = get_account(row.account_id)
    assert (account.debt_minor, account.cash_minor) == (0, 0)
    assert_sound()


def test_a_bank_that_does_not_answer_leaves_the_money_held_and_a_late_answer_ends_it(credit_desk: CreditDesk) -> None:
    manner(credit_desk, PaperBehaviour.LATE)
    credit_desk.approve(credit_desk.ask_for_funding())
    credit_desk.desk.drain()
    work_payments(on=MONDAY, at=AT + timedelta(hours=2))
    credit_desk.desk.drain()
    assert credit_desk.state is CreditState.FUNDING
    number = credit_desk.row.account.number
    assert available_minor(client_cash(number)) == 0
    assert Payment.objects.get().state == "unknown"
    work_payments(on=MONDAY, at=AT + timedelta(hours=5))
    credit_desk.desk.drain()
    assert credit_desk.state is CreditState.FUNDED
    assert bank_entries() == 2
    assert_sound()


def test_the_bank_answering_twice_is_one_effect(credit_desk: CreditDesk) -> None:
    manner(credit_desk, PaperBehaviour.TWICE)
    credit_desk.approve(credit_desk.ask_for_funding())
    credit_desk.desk.drain()
    work_payments(on=MONDAY, at=AT)
    work_payments(on=MONDAY, at=AT)
    credit_desk.desk.drain()
    row = credit_desk.row
    finish_funding(request_id=row.pk, payment_id=row.payment_id, at=AT)
    assert actions(credit_desk).count("fund") == 1
    assert letters(credit_desk) == ["requested", "funded"]


def test_i63_whoever_asks_for_funding_cannot_approve_it_and_two_who_approve_are_one_effect(
    credit_desk: CreditDesk,
) -> None:
    approval_id = credit_desk.ask_for_funding()
    shown = Approval.objects.get(id=approval_id).payload_hash
    with pytest.raises(Refusal):
        approve(actor=credit_desk.desk.operations, approval_id=approval_id, payload_hash=shown, at=AT)
    approve(actor=credit_desk.treasurer, approval_id=approval_id, payload_hash=shown, at=AT)
    with pytest.raises(InvalidTransition):
        approve(actor=credit_desk.credit, approval_id=approval_id, payload_hash=shown, at=AT)
    credit_desk.desk.drain()
    assert Payment.objects.count() == 1


def test_i63_an_approval_covers_exactly_what_was_shown(credit_desk: CreditDesk) -> None:
    with pytest.raises(FundingChanged):
        request_funding(
            actor=credit_desk.desk.operations,
            request_id=credit_desk.request_id,
            pool_code=POOL,
            shown="0" * 64,
            on=MONDAY,
            at=AT,
        )
    approval_id = credit_desk.ask_for_funding()
    with pytest.raises(AwaitsSecondPerson):
        credit_desk.ask_for_funding()
    CreditRequest.objects.filter(id=credit_desk.request_id).update(amount_minor=ASKED + 1)
    credit_desk.approve(approval_id)
    credit_desk.desk.drain()
    assert credit_desk.state is CreditState.SIGNED
    assert actions(credit_desk)[-1] == "approval_stale"
    assert not Payment.objects.exists()


def test_i68_a_licence_that_ends_between_approval_and_payment_stops_it_at_once(credit_desk: CreditDesk) -> None:
    approval_id = credit_desk.ask_for_funding()
    licence = Licence.objects.get()
    credit_desk.approve(approval_id)
    end_licence(actor=SYSTEM, licence_id=licence.pk, valid_to=date(2019, 11, 1), reason="revoked", at=AT)
    credit_desk.desk.drain()
    row = credit_desk.row
    assert row.state == CreditState.FAILED
    assert "licence" in row.problem.lower()
    assert not MarginAccount.objects.filter(client_id=credit_desk.client_id).exists()
    assert not Payment.objects.exists()
    with pytest.raises(LicenceRefused):
        retry_funding(actor=credit_desk.desk.operations, request_id=row.pk, on=MONDAY, at=AT)
    assert_sound()


def test_a_scheme_withdrawn_before_the_money_moves_stops_it_with_a_clear_message(credit_desk: CreditDesk) -> None:
    approval_id = credit_desk.ask_for_funding()
    credit_desk.approve(approval_id)
    version_id = credit_desk.row.scheme_version_id
    assert version_id is not None
    withdraw_scheme(maker=credit_desk.credit, checker=credit_desk.desk.approver, version_id=version_id, at=AT)
    credit_desk.desk.drain()
    assert credit_desk.state is CreditState.FAILED
    assert credit_desk.row.problem.startswith("Scheme STANDARD, version 1, has been withdrawn.")
    with pytest.raises(SchemeGone):
        retry_funding(actor=credit_desk.desk.operations, request_id=credit_desk.request_id, on=MONDAY, at=AT)


def test_prices_that_fell_under_the_initial_line_stop_the_drawdown_and_leave_no_account(
    credit_desk: CreditDesk,
) -> None:
    before = lent()
    CreditLot.objects.filter(request_id=credit_desk.request_id).update(quantity=400)
    approval_id = credit_desk.ask_for_funding()
    credit_desk.desk.prices(MONDAY, AAPL="60")
    credit_desk.approve(approval_id)
    credit_desk.desk.drain()
    assert credit_desk.state is CreditState.FAILED
    assert not MarginAccount.objects.filter(client_id=credit_desk.client_id).exists()
    assert lent() == before
    assert_sound()


# Killed anywhere


class Killed(BaseException):
    """The process is gone; what was not committed is gone with it."""


@contextmanager
def killed_at(statement: int) -> Iterator[list[int]]:
    """End the process before its n-th writing statement; yields how many there were."""
    seen = [0]

    def look(execute: Callable[..., object], sql: object, params: object, many: bool, context: object) -> object:
        words = sql if isinstance(sql, str) else sql.as_string(connection.connection)  # type: ignore[attr-defined] # psycopg's
        if words.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "WITH")):
            seen[0] += 1
            if seen[0] == statement:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield seen


@pytest.mark.parametrize(
    ("behaviour", "ended"),
    [(PaperBehaviour.CONFIRM, CreditState.FUNDED), (PaperBehaviour.REJECT, CreditState.FAILED)],
)
def test_i25_killed_at_any_persist_point_of_a_funding_nothing_is_lost_and_nothing_paid_twice(
    credit_desk: CreditDesk, behaviour: PaperBehaviour, ended: CreditState
) -> None:
    manner(credit_desk, behaviour)
    before = lent()
    credit_desk.approve(credit_desk.ask_for_funding())
    point, is_through = 0, False
    while not is_through:
        point += 1
        with transaction.atomic():
            try:
                with killed_at(point) as seen:
                    run_on(credit_desk)
            except Killed:
                pass
            is_through = seen[0] < point
            run_on(credit_desk)
            assert credit_desk.state is ended
            assert bank_entries() == (2 if ended is CreditState.FUNDED else 0)
            assert lent() == before + (ASKED if ended is CreditState.FUNDED else 0)
            assert Loan.objects.filter(account__client_id=credit_desk.client_id).count() == 1
            transaction.set_rollback(True)
    assert point > 40


def run_on(credit_desk: CreditDesk) -> None:
    """What the worker does until nothing waits, and the rail's turn."""
    while dispatch_once("worker"):
        pass
    work_payments(on=MONDAY, at=AT)
    while dispatch_once("worker"):
        pass
