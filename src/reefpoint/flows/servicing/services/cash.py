"""Client money in and out."""

from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.credit.types import Act
from reefpoint.decisions.margin.selectors.standing import get_price_coverage_bp, is_enforced, load_sheet, measure_on
from reefpoint.decisions.monitoring.selectors.restrictions import require_withdrawals_open
from reefpoint.decisions.monitoring.services.activities import note_activities, with_counterparty
from reefpoint.decisions.monitoring.services.sweeping import judge_now
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind, Counterparty
from reefpoint.flows.servicing import rules
from reefpoint.flows.servicing.events import DepositBooked
from reefpoint.flows.servicing.services.collateral import check_new_credit
from reefpoint.flows.servicing.services.conditions import check_conditions
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.services import publish
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.ledger.selectors import find_journal
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import BANK_SETTLEMENT, Line, client_cash
from reefpoint.records.parties.selectors.clients import require_client, require_open_for_business
from reefpoint.records.treasury.services import pay_out


class NotEnoughCash(Refusal):
    """More was asked for than the account has in cash."""

    code = "not_enough_cash"


@transaction.atomic
def receive_deposit(
    *,
    actor: Actor,
    account_id: int,
    amount_minor: int,
    bank_reference: str,
    on: date,
    at: datetime,
    confirmed_at: datetime | None = None,
    payer: Counterparty | None = None,
) -> int:
    """Book money that the bank credited for a client. The bank's reference is booked once. Returns the journal id.

    `confirmed_at` is when the bank had the money, by default `at`: a forced sale that was sent after it may have been
    wrongful, and is looked at again. With a `payer` the monitoring rules that hold or block judge it at once: the cash
    of a third party, or of a payer who cannot be compared with the client, is booked, and held until a person releases
    it.
    Raises `IdempotencyConflict` for a reference that was booked with another amount.
    """
    require(actor, "servicing.deposit")
    rules.check_amount(amount_minor)
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    key = f"deposit:{bank_reference}"
    known = find_journal(key)
    journal_id = post_journal(
        actor=actor,
        kind="deposit",
        lines=[Line(BANK_SETTLEMENT, client_cash(account.number), amount_minor)],
        effective_on=on,
        at=at,
        key=key,
        source=bank_reference,
    )
    if known is not None:
        return journal_id
    record(
        actor=actor,
        action="servicing.deposit",
        subject=f"account:{account_id}",
        inputs={"amount_minor": amount_minor, "bank_reference": bank_reference, "journal": journal_id},
        at=at,
    )
    accounts.announce_change(account_id=account_id, cause="deposit", at=at)
    publish(
        DepositBooked(
            at=at,
            account_id=account_id,
            journal_id=journal_id,
            amount_minor=amount_minor,
            confirmed_at=confirmed_at or at,
        )
    )
    note_activities([_cash_activity(ActivityKind.DEPOSIT, account, amount_minor, key, payer, at)])
    if payer is not None:
        judge_now(client_id=account.client_id, since=at, at=at)
    return journal_id


def withdraw_cash(
    *,
    actor: Actor,
    account_id: int,
    amount_minor: int,
    key: str,
    on: date,
    at: datetime,
    payee: Counterparty | None = None,
) -> int:
    """Pay cash out to the client's own bank account. Returns the journal id; the same key is one payment.

    Refused for a client who is not open for business or whose payments are blocked, beyond the cash, or if the account
    would end under its withdrawal line. Raises `IdempotencyConflict` for a key that named another payment.

    With a `payee` the monitoring rules that block judge the payment before it is made. What they find is committed
    before the refusal, unless the caller has a transaction open, which then carries it.
    """
    if payee is not None:
        _judge_payment(actor, account_id, amount_minor, key, payee, at)
    return _pay_out(actor, account_id, amount_minor, key, on, at, payee)


@transaction.atomic
def _judge_payment(
    actor: Actor, account_id: int, amount_minor: int, key: str, payee: Counterparty, at: datetime
) -> None:
    """Note a payment that is asked for, and let the rules that block look at it. Once for each key."""
    require(actor, "servicing.withdraw")
    rules.check_amount(amount_minor)
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    asked = _cash_activity(ActivityKind.PAYMENT_REQUEST, account, amount_minor, f"payment_request:{key}", payee, at)
    if note_activities([asked]):
        judge_now(client_id=account.client_id, since=at, at=at)


def _cash_activity(
    kind: ActivityKind, account: AccountFacts, amount_minor: int, key: str, other: Counterparty | None, at: datetime
) -> ActivityDraft:
    draft = ActivityDraft(
        kind=kind, key=key, client_id=account.client_id, account_id=account.id, at=at, amount_minor=amount_minor
    )
    return with_counterparty(draft, other)


@transaction.atomic
def _pay_out(
    actor: Actor, account_id: int, amount_minor: int, key: str, on: date, at: datetime, payee: Counterparty | None
) -> int:
    require(actor, "servicing.withdraw")
    rules.check_amount(amount_minor)
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    known = find_journal(f"withdrawal:{key}")
    if known is None:
        require_open_for_business(account.client_id)
        require_withdrawals_open(account.client_id)
        _check_withdrawal(account, amount_minor, on, at)
    reference = f"OUT-{key}"
    journal_id = post_journal(
        actor=actor,
        kind="withdrawal",
        lines=[Line(client_cash(account.number), BANK_SETTLEMENT, amount_minor)],
        effective_on=on,
        at=at,
        key=f"withdrawal:{key}",
        source=reference,
    )
    if known is not None:
        return journal_id
    pay_out(reference=reference, amount_minor=amount_minor, on=on, text=f"Withdrawal {account.number}")
    record(
        actor=actor,
        action="servicing.withdraw",
        subject=f"account:{account_id}",
        inputs={"amount_minor": amount_minor, "reference": reference, "journal": journal_id},
        at=at,
    )
    accounts.announce_change(account_id=account_id, cause="withdrawal", at=at)
    note_activities([_cash_activity(ActivityKind.WITHDRAWAL, account, amount_minor, f"withdrawal:{key}", payee, at)])
    return journal_id


def _check_withdrawal(account: AccountFacts, amount_minor: int, on: date, at: datetime) -> None:
    if amount_minor > account.cash_minor:
        raise NotEnoughCash("The account does not have that much cash.", cash_minor=account.cash_minor)
    sheet = load_sheet([account.scheme_version_id], at=at)
    after = replace(account, cash_minor=account.cash_minor - amount_minor)
    (standing,) = measure_on(sheet, [after])
    rules.check_credit(
        status=account.status,
        is_enforced=is_enforced(account.id),
        after=standing,
        required_bp=sheet.terms[account.scheme_version_id].withdrawal_bp,
        coverage_bp=get_price_coverage_bp(sheet),
        what=Sentence("this withdrawal"),
        currency=account.currency,
    )
    check_new_credit(sheet, after, at=at)
    check_conditions(sheet, after, standing, act=Act.WITHDRAWAL, on=on)
