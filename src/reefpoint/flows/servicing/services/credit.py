"""Lending on an open account, and taking repayment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.credit.types import Act
from reefpoint.decisions.margin.selectors.calls import has_open_call
from reefpoint.decisions.margin.selectors.standing import (
    get_price_coverage_bp,
    is_enforced,
    load_sheet,
    measure_on,
)
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.decisions.relations.services import require_group_limit
from reefpoint.flows.servicing import rules
from reefpoint.flows.servicing.rules import Allocation
from reefpoint.flows.servicing.services.collateral import check_new_credit
from reefpoint.flows.servicing.services.conditions import check_conditions
from reefpoint.flows.servicing.services.fees import charge_fees
from reefpoint.flows.servicing.services.opening import LENDING
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.facilities import get_facility
from reefpoint.records.accounts.selectors.loans import find_loan, list_loans
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.ledger.selectors import available_minor, find_journal
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import (
    INCOME_FEES,
    Line,
    client_cash,
    fees_due,
    interest_due,
    loan_principal,
)
from reefpoint.records.parties.selectors.clients import require_client, require_open_for_business
from reefpoint.records.parties.services import require_licence
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import Due, FeeMoment, SchemeTerms
from reefpoint.records.treasury.services import pools as treasury


@transaction.atomic
def draw_down(
    *,
    actor: Actor,
    account_id: int,
    amount_minor: int,
    key: str,
    on: date,
    at: datetime,
    rate_bp: int | None = None,
    tenor_days: int | None = None,
) -> int:
    """Lend to the account: the money arrives as cash in it. Returns the loan's id; the same key is one loan.

    `rate_bp` and `tenor_days` are what a contract agreed; without them the scheme's own hold.

    Refused without a licence or a client who is open for business, above the facility, the pool or the limit of the
    client's group, where a condition of the credit decision is not met, or if the account would end under its initial
    line, lent beyond its lendable value, or could not be valued. Raises `IdempotencyConflict` for a key of
    another loan.
    """
    require(actor, "servicing.draw_down")
    rules.check_amount(amount_minor)
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    terms = get_terms(account.scheme_version_id)
    fees = [fee.charge_minor(amount_minor) for fee in terms.fees_at(FeeMoment.DRAWDOWN)]
    if (known := find_loan(key)) is not None:
        _post_drawdown(actor, account, known, amount_minor, fees, key, on, at)
        return known
    pool_code = get_facility(account_id).pool_code
    require_open_for_business(account.client_id)
    require_licence(jurisdiction=terms.rule_pack, activity=LENDING, on=on, at=at)
    sheet = load_sheet([account.scheme_version_id], at=at)
    after = replace(
        account,
        cash_minor=account.cash_minor + amount_minor - sum(fees),
        principal_minor=account.principal_minor + amount_minor,
    )
    (standing,) = measure_on(sheet, [after])
    rules.check_credit(
        status=account.status,
        is_enforced=is_enforced(account_id),
        after=standing,
        required_bp=terms.initial_bp,
        coverage_bp=get_price_coverage_bp(sheet),
        min_equity_minor=terms.min_equity_minor,
        what=Sentence("this drawdown"),
        currency=account.currency,
    )
    check_new_credit(sheet, after, at=at)
    check_conditions(sheet, after, standing, act=Act.DRAWDOWN, on=on)
    require_group_limit(client_id=account.client_id, currency=account.currency, amount_minor=amount_minor)
    loan_id = accounts.add_loan(
        account_id=account_id,
        pool_code=pool_code,
        amount_minor=amount_minor,
        rate_bp=terms.rate_bp if rate_bp is None else rate_bp,
        day_count=terms.day_count.value,
        tenor_days=tenor_days or terms.tenor_days,
        key=key,
        on=on,
    )
    treasury.allocate(
        actor=actor,
        pool_code=pool_code,
        account_id=account_id,
        jurisdiction=terms.rule_pack,
        amount_minor=amount_minor,
        key=key,
        at=at,
    )
    _post_drawdown(actor, account, loan_id, amount_minor, fees, key, on, at)
    record(
        actor=actor,
        action="servicing.draw_down",
        subject=f"account:{account_id}",
        inputs={
            "amount_minor": amount_minor,
            "fee_minor": sum(fees),
            "loan": loan_id,
            "rate_bp": terms.rate_bp if rate_bp is None else rate_bp,
        },
        at=at,
    )
    accounts.announce_change(account_id=account_id, cause="drawdown", at=at)
    _note(ActivityKind.DRAWDOWN, account, amount_minor, f"drawdown:{key}", at)
    return loan_id


def _note(kind: ActivityKind, account: AccountFacts, amount_minor: int, key: str, at: datetime) -> None:
    note_activities(
        [
            ActivityDraft(
                kind=kind,
                key=key,
                client_id=account.client_id,
                account_id=account.id,
                at=at,
                amount_minor=amount_minor,
            )
        ]
    )


def _post_drawdown(
    actor: Actor,
    account: AccountFacts,
    loan_id: int,
    amount_minor: int,
    fees: Sequence[int],
    key: str,
    on: date,
    at: datetime,
) -> None:
    """Book a loan's money and fees, once; a key that stands for another loan is refused."""
    lines = [Line(loan_principal(account.number), client_cash(account.number), amount_minor)]
    lines += [Line(client_cash(account.number), INCOME_FEES, fee) for fee in fees if fee]
    post_journal(
        actor=actor,
        kind="drawdown",
        lines=lines,
        effective_on=on,
        at=at,
        key=f"drawdown:{key}",
        source=f"loan:{loan_id}",
    )


@transaction.atomic
def repay(*, actor: Actor, account_id: int, amount_minor: int, key: str, on: date, at: datetime) -> Allocation:
    """Pay debt from the account's own cash, in the contract's order. What is not owed stays the client's cash.

    Principal that comes back before its maturity bears the fees of early repayment, taken from what cash is left and
    due for the rest; a repayment while a call is open answers the call and is never early. The same key is one
    repayment; said again, it pays nothing more. Raises `EarlyRepaymentRefused` where the terms do not allow it.
    """
    require(actor, "servicing.repay")
    rules.check_amount(amount_minor)
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    if find_journal(f"repayment:{key}") is not None:
        return Allocation({}, amount_minor)
    free_minor = available_minor(client_cash(account.number))
    offered_minor = min(amount_minor, free_minor)
    terms = get_terms(account.scheme_version_id)
    early_minor = _early_minor(account, terms, offered_minor, on)
    if early_minor and not terms.is_early_repayment_allowed:
        raise rules.EarlyRepaymentRefused(
            "These terms take principal back at its maturity, or to answer a call. Interest and fees can be paid now.",
            early_minor=early_minor,
        )
    allocation = settle_debt(actor=actor, account=account, amount_minor=offered_minor, key=key, on=on, at=at)
    if early_minor:
        _charge_early(actor, account, early_minor, key, on, at)
    if allocation.paid:
        _note(ActivityKind.REPAYMENT, account, sum(allocation.paid.values()), f"repayment:{key}", at)
    return allocation


def _early_minor(account: AccountFacts, terms: SchemeTerms, amount_minor: int, on: date) -> int:
    """How much of a repayment is principal before its maturity, where the terms make a difference of it."""
    if terms.is_early_repayment_allowed and not terms.fees_at(FeeMoment.EARLY_REPAYMENT):
        return 0
    principal = rules.allocate_payment(amount_minor, _dues(account), terms.payment_order).paid.get(Due.PRINCIPAL, 0)
    if not principal or has_open_call(account.id):
        return 0
    return rules.early_principal_minor(principal, list_loans(account.id), on)


def _charge_early(actor: Actor, account: AccountFacts, early_minor: int, key: str, on: date, at: datetime) -> None:
    """Charge the fees of an early repayment, and take them from the cash that is left."""
    fee_minor = charge_fees(
        actor=actor,
        account=account,
        moment=FeeMoment.EARLY_REPAYMENT,
        base_minor=early_minor,
        key=f"early:{account.id}:{key}",
        on=on,
        at=at,
    )
    left_minor = min(fee_minor, available_minor(client_cash(account.number)))
    if left_minor:
        now = get_account(account.id)
        settle_debt(
            actor=actor, account=now, amount_minor=left_minor, principal_minor=0, key=f"{key}:early", on=on, at=at
        )
    else:
        accounts.announce_change(account_id=account.id, cause="fees", at=at)


def _dues(account: AccountFacts) -> dict[Due, int]:
    return {
        Due.FEES: account.fees_minor,
        Due.INTEREST: account.interest_minor,
        Due.PRINCIPAL: account.principal_minor,
    }


def settle_debt(
    *,
    actor: Actor,
    account: AccountFacts,
    amount_minor: int,
    key: str,
    on: date,
    at: datetime,
    principal_minor: int | None = None,
    first_loan: int | None = None,
) -> Allocation:
    """Set cash of a locked account against its debt. For flows that already hold the lock and the right.

    `principal_minor` is the most principal that it may repay, so that what is collected for interest, or for a loan
    that is due, never repays another one; `first_loan` is the loan whose principal is repaid first.
    """
    terms = get_terms(account.scheme_version_id)
    dues = _dues(account)
    if principal_minor is not None:
        dues[Due.PRINCIPAL] = min(dues[Due.PRINCIPAL], principal_minor)
    allocation = rules.allocate_payment(amount_minor, dues, terms.payment_order)
    if not allocation.paid:
        return allocation
    cash = client_cash(account.number)
    against = {
        Due.FEES: fees_due(account.number),
        Due.INTEREST: interest_due(account.number),
        Due.PRINCIPAL: loan_principal(account.number),
    }
    post_journal(
        actor=actor,
        kind="repayment",
        lines=[Line(cash, against[due], paid) for due, paid in allocation.paid.items()],
        effective_on=on,
        at=at,
        key=f"repayment:{key}",
        source=f"account:{account.id}",
    )
    if principal := allocation.paid.get(Due.PRINCIPAL, 0):
        returned = accounts.reduce_loans(account_id=account.id, amount_minor=principal, first=first_loan)
        for pool_code, part in returned.items():
            treasury.release(actor=actor, pool_code=pool_code, account_id=account.id, amount_minor=part, key=key, at=at)
    record(
        actor=actor,
        action="servicing.repay",
        subject=f"account:{account.id}",
        inputs={due.value: paid for due, paid in allocation.paid.items()},
        at=at,
    )
    accounts.announce_change(account_id=account.id, cause="repayment", at=at)
    return allocation
