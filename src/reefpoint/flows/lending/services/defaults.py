"""Late loans: proposed, approved by a second person, told to their clients with the day from which is sold, sold for.

Where the scheme leaves forced sales to the desk's policy, the program proposes and nobody approves; else a person
proposes and another one approves. Either way the client is told first: as many sessions ahead as a call leaves.
"""

import logging
from datetime import date, datetime, timedelta

from django.db import transaction

from reefpoint.decisions.margin.selectors.calls import has_open_call
from reefpoint.decisions.margin.selectors.standing import is_enforced
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import LoanDefault
from reefpoint.flows.lending.selectors.defaults import DefaultNotFound
from reefpoint.flows.lending.services.maturities import tell_of_loan
from reefpoint.flows.lending.services.steps import LENDER
from reefpoint.flows.lending.types import DefaultHold, DefaultState
from reefpoint.flows.liquidation.services.opening import open_default_sale
from reefpoint.flows.liquidation.types import LiquidationState
from reefpoint.flows.servicing.rules import is_late
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import ReasonNeeded, request_approval, require, withdraw
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.notifications.selectors import has_delivered_notice
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import get_account, load_accounts
from reefpoint.records.accounts.selectors.loans import find_loans, get_loan, loans_maturing
from reefpoint.records.accounts.types import AccountFacts, LoanFacts, LoanState
from reefpoint.records.market.selectors.calendar import deadline_at, next_session
from reefpoint.records.market.types import VENUE
from reefpoint.records.parties.selectors.clients import get_client, require_client
from reefpoint.records.parties.selectors.data_rights import list_holds
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import LiquidationRule, SchemeTerms

APPROVAL_KIND = "lending.default"
SUBJECT_PREFIX = "loan_default:"
REASON_CHARS_MAX = 300
LOG = logging.getLogger("reefpoint.lending")


class LoanNotLate(Refusal):
    """A loan that is repaid, or whose days of grace are not over."""

    code = "loan_not_late"


class DefaultOver(Refusal):
    """The default has ended, or its sale runs and ends by itself."""

    code = "default_over"


@transaction.atomic
def propose_default(*, actor: Actor, loan_id: int, reason: str, on: date, at: datetime) -> int:
    """Ask a second person to let collateral be sold for a late loan. Returns the default's id; a live one's.

    Raises `LoanNotLate`, `ReasonNeeded`, `DefaultNotFound`.
    """
    require(actor, "lending.default")
    loan, account, terms = _lock_loan(loan_id)
    require_client(actor, account.client_id)
    live = LoanDefault.objects.select_for_update().filter(loan_id=loan_id, state__in=rules.LIVE_DEFAULTS).first()
    if live is not None:
        return live.pk
    _require_late(loan, terms, on)
    if not reason.strip():
        raise ReasonNeeded("Say why collateral is to be sold for this loan: the second person reads it.")
    row = _new(loan, account, reason.strip()[:REASON_CHARS_MAX], actor, at)
    row.approval_id = request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{SUBJECT_PREFIX}{row.pk}",
        payload={
            "loan": loan.number,
            "account": account.number,
            "client": get_client(LENDER, account.client_id).number,
            "matured_on": loan.matures_on.isoformat(),
            "grace_days": terms.grace_days,
            "principal_minor": loan.principal_minor,
            "interest_minor": account.interest_minor,
            "fees_minor": account.fees_minor,
            "due_minor": row.due_minor,
            "currency": account.currency,
            "notice_sessions": rules.notice_sessions(terms.call_deadline_sessions),
        },
        reason=row.reason,
        at=at,
    )
    row.save(update_fields=["approval_id"])
    return row.pk


@transaction.atomic
def take_default_approval(*, approval_id: int, on: date, at: datetime) -> None:
    """A second person said yes or no to a default, or it was taken back. Yes: the client is told the day."""
    approval = get_approval(approval_id)
    if approval.kind != APPROVAL_KIND:
        return
    row = _lock(int(approval.subject.removeprefix(SUBJECT_PREFIX)))
    if row.approval_id != approval_id or row.state != DefaultState.PROPOSED:
        return
    decider = Actor(approval.decided_by or approval.requested_by, approval.decided_by_name or "", frozenset())
    loan = get_loan(row.loan_id)
    if approval.state is not ApprovalState.APPROVED:
        _end(
            row,
            DefaultState.WITHDRAWN,
            actor=decider,
            reason=approval.decision_reason or str(Sentence("taken back")),
            at=at,
        )
    elif loan.state is not LoanState.OPEN:
        _end(row, DefaultState.PAID, actor=LENDER, reason=str(Sentence("repaid")), at=at)
    else:
        _announce(row, loan, actor=decider, on=on, at=at)


@transaction.atomic
def withdraw_default(*, actor: Actor, default_id: int, reason: str, at: datetime) -> None:
    """Take a default back before its sale is opened, with a reason. Again, it does nothing.

    A client who was told is told of this, too. Raises `DefaultOver` once the sale runs or it has ended otherwise.
    """
    require(actor, "lending.default")
    row = _lock(default_id)
    require_client(actor, row.client_id)
    if row.state == DefaultState.WITHDRAWN:
        return
    if row.state not in {DefaultState.PROPOSED, DefaultState.ANNOUNCED}:
        raise DefaultOver("The sale for this loan runs, or has ended. It ends by itself once the loan is paid.")
    if not reason.strip():
        raise ReasonNeeded("Say why the default is taken back: it goes into the audit log.")
    was_told = row.state == DefaultState.ANNOUNCED
    _take_back_approval(row, reason.strip(), at)
    _end(row, DefaultState.WITHDRAWN, actor=actor, reason=reason.strip(), at=at)
    if was_told:
        _tell(row, "default_withdrawn", str(row.pk), at=at)


def act_on_defaults(*, on: date, at: datetime) -> int:
    """End defaults whose loans are paid, announce those that the scheme leaves to policy, and open the sales whose day
    has come. Returns how many moved. Each in a transaction of its own; one query each when there is nothing to do.
    """
    moved = sum(_announce_by_policy(loan.id, on, at) for loan in _late_by_policy(on))
    waiting = LoanDefault.objects.filter(state__in=[DefaultState.PROPOSED, DefaultState.ANNOUNCED]).order_by("id")
    for default_id in list(waiting.values_list("id", flat=True)):
        try:
            moved += _go_on(default_id, on, at)
        except Refusal as refusal:
            LOG.error("default %s is not gone on with: %s", default_id, refusal.message)
    return moved


def _late_by_policy(on: date) -> list[LoanFacts]:
    """Late loans under schemes that need no second person, of which no default was begun since that maturity."""
    loans = loans_maturing(on - timedelta(days=1))
    known = set(
        LoanDefault.objects.filter(loan_id__in=[loan.id for loan in loans]).values_list("loan_id", "matured_on")
    )
    loans = [loan for loan in loans if (loan.id, loan.matures_on) not in known]
    versions = {one.id: one.scheme_version_id for one in load_accounts(sorted({loan.account_id for loan in loans}))}
    found = [(loan, get_terms(versions[loan.account_id])) for loan in loans]
    return [
        loan
        for loan, terms in found
        if terms.liquidation_rule is LiquidationRule.AUTO and is_late(loan, terms.grace_days, on)
    ]


@transaction.atomic
def _announce_by_policy(loan_id: int, on: date, at: datetime) -> bool:
    """Look again under the lock: who paid meanwhile was quicker."""
    loan, account, terms = _lock_loan(loan_id)
    known = LoanDefault.objects.filter(loan_id=loan_id, matured_on=loan.matures_on)
    if known.exists() or loan.state is not LoanState.OPEN or not is_late(loan, terms.grace_days, on):
        return False
    _announce(_new(loan, account, "", LENDER, at), loan, actor=LENDER, on=on, at=at)
    return True


@transaction.atomic
def _go_on(default_id: int, on: date, at: datetime) -> bool:
    row = _lock(default_id)
    if row.state not in {DefaultState.PROPOSED, DefaultState.ANNOUNCED}:
        return False
    loan = get_loan(row.loan_id)
    if loan.state is not LoanState.OPEN:
        was_told = row.state == DefaultState.ANNOUNCED
        _take_back_approval(row, str(Sentence("repaid")), at)
        _end(row, DefaultState.PAID, actor=LENDER, reason=str(Sentence("repaid")), at=at)
        if was_told:
            _tell(row, "default_paid", str(row.pk), at=at)
        return True
    if row.deadline_at is None or at < row.deadline_at:
        return False
    hold = _find_hold(row, loan.account_id)
    if hold is DefaultHold.NOTICE_NOT_DELIVERED:
        _announce(row, loan, actor=LENDER, on=on, at=at)
    elif hold is None:
        day = max(on, row.deadline_at.date())
        sale_id = open_default_sale(actor=LENDER, loan_id=loan.id, on=day, at=at)
        if sale_id is None:
            return False
        row.liquidation_id, row.waits_for = sale_id, ""
        _move(row, DefaultState.SELLING, actor=LENDER, at=at)
        return True
    if hold is not None and row.waits_for != hold:
        row.waits_for = hold.value
        row.save(update_fields=["waits_for"])
        record(actor=LENDER, action="lending.default_held", subject=_subject(row), reason=hold.value, at=at)
    return False


def _find_hold(row: LoanDefault, account_id: int) -> DefaultHold | None:
    if has_open_call(account_id):
        return DefaultHold.OPEN_CALL
    if is_enforced(account_id):
        return DefaultHold.BEING_SOLD
    if list_holds(LENDER, row.client_id, only_standing=True):
        return DefaultHold.LEGAL_HOLD
    if not has_delivered_notice(_about(row)):
        return DefaultHold.NOTICE_NOT_DELIVERED
    return None


@transaction.atomic
def follow_default_sale(*, liquidation_id: int, state: str, at: datetime) -> None:
    """The sale for a late loan is over: the loan is paid, or nothing is left to sell. Again, it does nothing."""
    default_id = LoanDefault.objects.filter(liquidation_id=liquidation_id).values_list("id", flat=True).first()
    if default_id is None:
        return
    row = _lock(default_id)
    if row.state != DefaultState.SELLING:
        return
    is_paid = state != LiquidationState.EXHAUSTED
    _end(
        row,
        DefaultState.PAID if is_paid else DefaultState.EXHAUSTED,
        actor=LENDER,
        reason=str(Sentence("repaid") if is_paid else Sentence("nothing is left to sell")),
        at=at,
    )
    _tell(row, "default_paid" if is_paid else "default_exhausted", str(row.pk), at=at)


def _announce(row: LoanDefault, loan: LoanFacts, *, actor: Actor, on: date, at: datetime) -> None:
    """Tell the client until when to pay, and from which day on is sold. Also anew, where no letter arrived in time."""
    account = get_account(loan.account_id)
    terms = get_terms(account.scheme_version_id)
    is_new = row.state != DefaultState.ANNOUNCED or row.announced_at is None
    row.due_minor = _due_minor(loan, account)
    row.announced_at = at
    row.deadline_at = deadline_at(VENUE, on, rules.notice_sessions(terms.call_deadline_sessions))
    row.sale_from = next_session(VENUE, row.deadline_at.date())
    words = f"{row.deadline_at:%Y-%m-%d %H:%M}"
    row.notice_id = _tell(row, "default", f"{row.pk}:{row.sale_from}", at=at, words=words, about=_about(row))
    if is_new:
        _move(row, DefaultState.ANNOUNCED, actor=actor, at=at)
    else:
        row.save()


def _about(row: LoanDefault) -> str:
    return f"{_subject(row)}:{row.sale_from}"


def _subject(row: LoanDefault) -> str:
    return f"{SUBJECT_PREFIX}{row.pk}"


def _tell(row: LoanDefault, letter: str, key: str, *, at: datetime, words: str = "", about: str = "") -> int:
    return tell_of_loan(
        row.client_id,
        get_loan(row.loan_id),
        letter,
        key=key,
        words=words,
        at=at,
        amount_minor=row.due_minor,
        day=row.sale_from,
        about=about,
    )


def _new(loan: LoanFacts, account: AccountFacts, reason: str, actor: Actor, at: datetime) -> LoanDefault:
    row = LoanDefault(
        loan_id=loan.id,
        client_id=account.client_id,
        state=DefaultState.PROPOSED,
        matured_on=loan.matures_on,
        due_minor=_due_minor(loan, account),
        reason=reason,
        proposed_at=at,
        proposed_by=actor.ref,
    )
    row.save()
    _note(row, actor, at, reason)
    return row


def _take_back_approval(row: LoanDefault, reason: str, at: datetime) -> None:
    if row.state == DefaultState.PROPOSED and row.approval_id is not None:
        withdraw(actor=LENDER, approval_id=row.approval_id, at=at, reason=reason)


def _due_minor(loan: LoanFacts, account: AccountFacts) -> int:
    return loan.principal_minor + account.interest_minor + account.fees_minor


def _lock_loan(loan_id: int) -> tuple[LoanFacts, AccountFacts, SchemeTerms]:
    """A loan under its account's lock. Raises `DefaultNotFound`."""
    found = find_loans([loan_id])
    if not found:
        raise DefaultNotFound("There is no such loan, or it is not yours to see.")
    account = accounts.lock_account(found[0].account_id)
    return get_loan(loan_id), account, get_terms(account.scheme_version_id)


def _require_late(loan: LoanFacts, terms: SchemeTerms, on: date) -> None:
    if loan.state is not LoanState.OPEN or not is_late(loan, terms.grace_days, on):
        raise LoanNotLate(
            "This loan is not late: it is repaid, or its grace lasts until {grace_until}. Nothing was asked.",
            grace_until=loan.matures_on + timedelta(days=terms.grace_days),
        )


def _lock(default_id: int) -> LoanDefault:
    """A default, locked after its account. Raises `DefaultNotFound`."""
    account_id = LoanDefault.objects.filter(id=default_id).values_list("loan__account_id", flat=True).first()
    if account_id is None:
        raise DefaultNotFound("There is no such default, or it is not yours to see.")
    accounts.hold_lock(account_id)
    return LoanDefault.objects.select_for_update(of=("self",)).get(id=default_id)


def _end(row: LoanDefault, state: DefaultState, *, actor: Actor, reason: str, at: datetime) -> None:
    row.ended_at, row.end_reason, row.waits_for = at, reason[:REASON_CHARS_MAX], ""
    _move(row, state, actor=actor, at=at, reason=row.end_reason)


def _move(row: LoanDefault, state: DefaultState, *, actor: Actor, at: datetime, reason: str = "") -> None:
    rules.DEFAULT_STATES.check(DefaultState(row.state), state)
    row.state = state.value
    row.save()
    _note(row, actor, at, reason)


def _note(row: LoanDefault, actor: Actor, at: datetime, reason: str) -> None:
    record(
        actor=actor,
        action=f"lending.default_{row.state}",
        subject=_subject(row),
        reason=reason,
        inputs={
            "loan": row.loan_id,
            "due_minor": row.due_minor,
            "sale_from": None if row.sale_from is None else row.sale_from.isoformat(),
            "liquidation": row.liquidation_id,
        },
        at=at,
    )
