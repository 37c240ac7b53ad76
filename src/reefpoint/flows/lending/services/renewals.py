"""Renewing a loan: the client's ask, a priced offer, their yes, an agreement that both sign, and the maturity moved.

Whether the loan can be renewed is asked again at each of these steps, under the lock of its account.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from reefpoint.decisions.pricing.selectors.quotes import require_quote
from reefpoint.decisions.pricing.services import quote
from reefpoint.decisions.pricing.types import QuoteView
from reefpoint.decisions.scoring.selectors import latest_score
from reefpoint.decisions.suitability.selectors import find_segment
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import Renewal
from reefpoint.flows.lending.selectors.loans import find_visible_loan
from reefpoint.flows.lending.selectors.renewals import RenewalNotFound, check_renewal, get_renewal
from reefpoint.flows.lending.selectors.requests import find_contract_of
from reefpoint.flows.lending.selectors.terms import build_renewal_terms
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.maturities import tell_of_loan
from reefpoint.flows.lending.services.steps import LENDER
from reefpoint.flows.lending.types import RenewalBar, RenewalEligibility, RenewalState
from reefpoint.flows.servicing.services.credit import settle_debt
from reefpoint.flows.servicing.services.fees import charge_fees
from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.facilities import get_facility
from reefpoint.records.accounts.selectors.loans import find_loans, get_loan
from reefpoint.records.accounts.types import AccountFacts, LoanFacts
from reefpoint.records.contracts.selectors import find_in_force, list_amendments
from reefpoint.records.contracts.services import offer_contract, prepare_contract, withdraw_contract
from reefpoint.records.contracts.types import ContractTerms, Language, RenewalTerms
from reefpoint.records.parties.selectors.clients import get_client, require_client, require_own_or
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import FeeMoment

REASON_CHARS_MAX = 300


class CannotRenew(Refusal):
    """Something stands against renewing this loan; `bars` says what."""

    code = "cannot_renew"

    def __init__(self, bars: tuple[RenewalBar, ...]) -> None:
        super().__init__("This loan cannot be renewed now: {bars}. Nothing was changed.", bars=list(bars))
        self.bars = bars


class RenewalOver(Refusal):
    """The renewal ended before, or is not what was shown."""

    code = "renewal_over"


class RenewalTermRefused(Refusal):
    """A further term that the scheme does not lend for."""

    code = "renewal_term_refused"


@transaction.atomic
def offer_renewal(*, actor: Actor, loan_id: int, tenor_days: int, on: date, at: datetime) -> int:
    """Price a further term for a loan, from its maturity on, and offer it: one that its client asked for, or at once.

    Returns the renewal's id; that of one which is offered already.

    The price is the grid's for the principal, the client's grade of today and the account's live portfolio; another one
    takes an exception of the quote. Raises `CannotRenew` with all that stands against it, `RenewalTermRefused`, and
    what `quote` raises.
    """
    require(actor, "lending.offer")
    loan = _loan(loan_id)
    account = accounts.lock_account(loan.account_id)
    require_client(actor, account.client_id)
    live = _find_live(loan_id, on, at)
    if live is not None and live.state != RenewalState.ASKED:
        return live.pk
    found = _require_eligible(loan_id, on, at, tenor_days)
    key = f"asked:{live.pk}" if live else str(Renewal.objects.filter(loan_id=loan_id).count())
    priced = _price(actor, account, loan, tenor_days, key, on, at)
    row = live or _new(loan, account, found)
    row.new_matures_on = loan.matures_on + timedelta(days=tenor_days)
    row.rate_bp, row.quote_id, row.valid_until = priced.rate_bp, priced.id, priced.valid_until
    row.ratio_bp, row.offered_at, row.offered_by = found.ratio_bp, at, actor.ref
    if live is not None:
        rules.RENEWAL_STATES.check(RenewalState.ASKED, RenewalState.OFFERED)
    row.state = RenewalState.OFFERED.value
    row.save()
    record(
        actor=actor,
        action="lending.offer_renewal",
        subject=f"loan:{loan_id}",
        inputs={
            "renewal": row.pk,
            "until": row.new_matures_on.isoformat(),
            "quote": priced.id,
            "rate_bp": priced.rate_bp,
        },
        at=at,
    )
    until = letters.until_words(get_client(LENDER, row.client_id).language, f"{priced.valid_until:%Y-%m-%d %H:%M}")
    _tell(row, "renewal_offered", until, at)
    return row.pk


@transaction.atomic
def ask_renewal(*, actor: Actor, loan_id: int, tenor_days: int, on: date, at: datetime) -> int:
    """The client, or staff for them, asks for a further term of a loan: the desk prices it next. Returns its id.

    Nothing is promised by it. Again, or while a renewal is under way, it is that one. Raises `RenewalNotFound`,
    `CannotRenew` with all that stands against it, `RenewalTermRefused`; nothing is kept then.
    """
    owned = find_visible_loan(actor, loan_id)
    if owned is None:
        raise RenewalNotFound("There is no such loan, or it is not yours to see.")
    require_own_or(actor, "lending.request", owned.owner.client_id)
    account = accounts.lock_account(owned.loan.account_id)
    live = _find_live(loan_id, on, at)
    if live is not None:
        return live.pk
    found = _require_eligible(loan_id, on, at, tenor_days)
    loan = get_loan(loan_id)
    row = _new(loan, account, found)
    row.new_matures_on = loan.matures_on + timedelta(days=tenor_days)
    row.state, row.asked_at, row.asked_by = RenewalState.ASKED.value, at, actor.ref
    row.save()
    record(
        actor=actor,
        action="lending.ask_renewal",
        subject=f"loan:{loan_id}",
        inputs={"renewal": row.pk, "until": row.new_matures_on.isoformat(), "ratio_bp": found.ratio_bp},
        at=at,
    )
    _tell(row, "renewal_asked", loan.matures_on.isoformat(), at)
    return row.pk


def _find_live(loan_id: int, on: date, at: datetime) -> Renewal | None:
    """The renewal of a loan that is under way, locked; one whose time has passed is ended."""
    live = Renewal.objects.select_for_update().filter(loan_id=loan_id, state__in=rules.LIVE_RENEWALS).first()
    if live is not None and _is_over(live, on, at):
        _end(live, RenewalState.EXPIRED, actor=LENDER, reason=str(Sentence("not signed in time")), at=at)
        return None
    return live


def _new(loan: LoanFacts, account: AccountFacts, found: RenewalEligibility) -> Renewal:
    return Renewal(
        loan_id=loan.id,
        client_id=account.client_id,
        number=found.renewals_used + 1,
        old_matures_on=loan.matures_on,
        ratio_bp=found.ratio_bp,
    )


def _price(
    actor: Actor, account: AccountFacts, loan: LoanFacts, tenor_days: int, key: str, on: date, at: datetime
) -> QuoteView:
    version = get_version(account.scheme_version_id)
    score = latest_score(account.client_id, on)
    segment = find_segment(account.client_id, version.terms.rule_pack, on)
    return quote(
        actor=actor,
        client_id=account.client_id,
        scheme_version_id=version.id,
        amount_minor=loan.principal_minor,
        tenor_days=tenor_days,
        grade=(score.grade or None) if score else None,
        segment=segment.segment.value if segment else None,
        portfolio=[(one.instrument_id, one.quantity) for one in account.holdings],
        on=on,
        at=at,
        key=f"renewal:{loan.id}:{key}",
    )


@transaction.atomic
def accept_renewal(*, actor: Actor, renewal_id: int, quote_id: int, rate_bp: int, on: date, at: datetime) -> int:
    """The client says yes to exactly the price that was shown: the agreement is prepared and offered for signature.

    Nothing has moved yet. Returns the contract's id; again, the same one. Raises `RenewalNotFound`, `RenewalOver`,
    `QuoteExpired`, `SchemeWithdrawn`, `CannotRenew`, and what `prepare_contract` raises; nothing is kept then.
    """
    row = _lock_own(actor, renewal_id)
    if row.quote_id != quote_id or row.state not in rules.LIVE_RENEWALS:
        raise RenewalOver("This is not the renewal that is offered now. Nothing was accepted; look again.")
    if row.contract_id is not None:
        return row.contract_id
    priced = require_quote(quote_id, at)
    if priced.rate_bp != rate_bp:
        raise RenewalOver("The price has changed since you looked. Nothing was accepted; look again.")
    _require_eligible(row.loan_id, on, at)
    client = get_client(LENDER, row.client_id)
    row.contract_id = prepare_contract(
        actor=LENDER,
        client_id=row.client_id,
        terms=_agreement(row, priced, on, at),
        language=Language.ZH if client.language == "zh-hans" else Language.EN,
        on=on,
        at=at,
        key=f"renewal:{row.pk}:{quote_id}",
    )
    offer_contract(actor=LENDER, contract_id=row.contract_id, at=at)
    row.rate_bp, row.accepted_at, row.accepted_by = priced.rate_bp, at, actor.ref
    _move(row, RenewalState.ACCEPTED, actor=actor, at=at)
    return row.contract_id


def _agreement(row: Renewal, priced: QuoteView, on: date, at: datetime) -> ContractTerms:
    loan, account = get_loan(row.loan_id), get_account(row.loan.account_id)
    version = get_version(account.scheme_version_id)
    contract_id = find_contract_of(loan)
    contract = None if contract_id is None else find_in_force(contract_id)
    amended = [] if contract is None else [contract, *list_amendments(contract.id)]
    renewal = RenewalTerms(
        amends_id=contract.id if contract else None,
        amends=tuple(one.number for one in amended),
        loan_number=loan.number,
        number=row.number,
        principal_minor=loan.principal_minor,
        old_rate_bp=loan.rate_bp,
        fee_minor=version.terms.charges_minor(FeeMoment.RENEWAL, loan.principal_minor),
        carried_minor=account.interest_minor if version.terms.roll_over_allowed else None,
    )
    return build_renewal_terms(
        renewal,
        account=account,
        limit_minor=get_facility(account.id).commitment_minor,
        version=version,
        priced=priced,
        begins_on=row.old_matures_on,
        on=on,
        at=at,
    )


@transaction.atomic
def decline_renewal(*, actor: Actor, renewal_id: int, at: datetime) -> None:
    """The client turns a renewal down, signed or not, or takes their ask back: the loan is repaid at its maturity.

    Again, it does nothing.
    """
    row = _lock_own(actor, renewal_id)
    if row.state != RenewalState.DECLINED:
        _end(row, RenewalState.DECLINED, actor=actor, reason=str(Sentence("turned down by the client")), at=at)


@transaction.atomic
def withdraw_renewal(*, actor: Actor, renewal_id: int, reason: str, at: datetime) -> None:
    """Turn down what a client asked for, or take an offer or an agreement back before both have signed, with a reason.

    Again, it does nothing.
    """
    require(actor, "lending.offer")
    row = _lock(renewal_id)
    require_client(actor, row.client_id)
    if row.state == RenewalState.WITHDRAWN:
        return
    if not reason.strip():
        raise ReasonNeeded("Say why the renewal is withdrawn: it goes into the audit log.")
    _end(row, RenewalState.WITHDRAWN, actor=actor, reason=reason.strip(), at=at)
    _tell(row, "renewal_over", "", at)


@transaction.atomic
def drop_renewal(*, contract_id: int, state: str, at: datetime) -> None:
    """The agreement was taken back, turned down or not signed in time: so ends its renewal. Once."""
    renewal_id = Renewal.objects.filter(contract_id=contract_id).values_list("id", flat=True).first()
    if renewal_id is None:
        return
    row = _lock(renewal_id)
    if row.state in rules.LIVE_RENEWALS:
        ended = RenewalState.EXPIRED if state == "lapsed" else RenewalState.DECLINED
        _end(
            row,
            ended,
            actor=LENDER,
            reason=str(Sentence("its agreement is {state}", {"state": state})),
            at=at,
            has_paper=False,
        )


def lapse_renewals(*, on: date, at: datetime) -> int:
    """End the renewals whose time has passed: offers and agreements that the client has not signed while the price
    held, and whatever is not in force at the maturity. Returns how many.
    """
    late = Q(valid_until__lt=at) & ~Q(state=RenewalState.SIGNED) | Q(old_matures_on__lt=on)
    due = Renewal.objects.filter(late, state__in=rules.LIVE_RENEWALS).order_by("id").values_list("id", flat=True)
    return sum(_lapse(renewal_id, on, at) for renewal_id in list(due))


@transaction.atomic
def _lapse(renewal_id: int, on: date, at: datetime) -> bool:
    row = _lock(renewal_id)
    if row.state not in rules.LIVE_RENEWALS or not _is_over(row, on, at):
        return False
    _end(row, RenewalState.EXPIRED, actor=LENDER, reason=str(Sentence("not signed in time")), at=at)
    _tell(row, "renewal_over", "", at)
    return True


def _is_over(row: Renewal, on: date, at: datetime) -> bool:
    is_unsigned = row.state in {RenewalState.OFFERED, RenewalState.ACCEPTED}
    return on > row.old_matures_on or (is_unsigned and row.valid_until is not None and at > row.valid_until)


# The agreement's signatures, each in the transaction of the signature itself


def lock_of_contract(contract_id: int) -> Renewal | None:
    """The renewal whose agreement this is, locked after its account; None for another contract."""
    renewal_id = Renewal.objects.filter(contract_id=contract_id).values_list("id", flat=True).first()
    return None if renewal_id is None else _lock(renewal_id)


def require_still_possible(row: Renewal, *, on: date, at: datetime) -> None:
    """Refuse a signature on a renewal that ended, whose price ran out before its client signed, or that something
    stands against by now. Raises `RenewalOver`, `QuoteExpired`, `SchemeWithdrawn`, `CannotRenew`.
    """
    if row.state not in rules.LIVE_RENEWALS:
        raise RenewalOver("This renewal has ended. Nothing was signed.")
    assert row.quote_id is not None
    if row.state == RenewalState.ACCEPTED:
        require_quote(row.quote_id, at)
    _require_eligible(row.loan_id, on, at)


def note_client_signature(row: Renewal, *, actor: Actor, at: datetime) -> None:
    """The client has signed; the desk signs next. For the transaction of the signature, again it does nothing."""
    if row.state == RenewalState.ACCEPTED:
        row.client_signed_at = at
        _move(row, RenewalState.SIGNED, actor=actor, at=at)


def bring_into_force(row: Renewal, *, actor: Actor, on: date, at: datetime) -> None:
    """Both have signed: the maturity moves, interest is paid or carried over, the fee is charged, each once.

    For the transaction of the desk's signature, under the account's lock.
    """
    account = get_account(row.loan.account_id)
    terms = get_version(account.scheme_version_id).terms
    key = f"renewal:{row.pk}"
    if account.interest_minor and not terms.roll_over_allowed:
        unpaid_minor = account.interest_minor + account.fees_minor
        settle_debt(actor=LENDER, account=account, amount_minor=unpaid_minor, principal_minor=0, key=key, on=on, at=at)
        account = get_account(account.id)
    row.carried_minor = account.interest_minor
    assert row.rate_bp is not None, "what is signed has its price"
    accounts.extend_loan(
        actor=actor,
        loan_id=row.loan_id,
        new_matures_on=row.new_matures_on,
        new_rate_bp=row.rate_bp,
        carried_minor=row.carried_minor,
        key=key,
        at=at,
    )
    row.fee_minor = charge_fees(
        actor=LENDER,
        account=account,
        moment=FeeMoment.RENEWAL,
        base_minor=get_loan(row.loan_id).principal_minor,
        key=key,
        on=on,
        at=at,
    )
    row.countersigned_by, row.ended_at = actor.ref, at
    _move(row, RenewalState.DONE, actor=actor, at=at)
    accounts.announce_change(account_id=account.id, cause="renewed", at=at)
    _tell(row, "renewed", row.new_matures_on.isoformat(), at)


# Shared


def _loan(loan_id: int) -> LoanFacts:
    found = find_loans([loan_id])
    if not found:
        raise RenewalNotFound("There is no such loan, or it is not yours to see.")
    return found[0]


def _require_eligible(loan_id: int, on: date, at: datetime, tenor_days: int = 1) -> RenewalEligibility:
    found = check_renewal(LENDER, loan_id, on=on, at=at)
    if not found.is_eligible:
        raise CannotRenew(found.bars)
    if not 0 < tenor_days <= found.tenor_days_max:
        raise RenewalTermRefused(
            "The further term must be 1 to {tenor_days_max} days.", field="tenor", tenor_days_max=found.tenor_days_max
        )
    return found


def _lock(renewal_id: int) -> Renewal:
    """A renewal, locked after its account. Raises `RenewalNotFound`."""
    account_id = Renewal.objects.filter(id=renewal_id).values_list("loan__account_id", flat=True).first()
    if account_id is None:
        raise RenewalNotFound("There is no such renewal, or it is not yours to see.")
    accounts.lock_account(account_id)
    return Renewal.objects.select_for_update(of=("self",)).select_related("loan").get(id=renewal_id)


def _lock_own(actor: Actor, renewal_id: int) -> Renewal:
    """The same for its client, or for staff who help. Raises `RenewalNotFound` for anybody else (I66)."""
    get_renewal(actor, renewal_id)
    row = _lock(renewal_id)
    require_own_or(actor, "lending.request", row.client_id)
    return row


def _move(row: Renewal, state: RenewalState, *, actor: Actor, at: datetime, reason: str = "") -> None:
    rules.RENEWAL_STATES.check(RenewalState(row.state), state)
    row.state = state.value
    row.save()
    record(
        actor=actor,
        action=f"lending.renewal_{state.value}",
        subject=f"loan:{row.loan_id}",
        reason=reason,
        inputs={"renewal": row.pk, "contract": row.contract_id},
        at=at,
    )


def _end(row: Renewal, state: RenewalState, *, actor: Actor, reason: str, at: datetime, has_paper: bool = True) -> None:
    """End a locked renewal before it is in force, and its agreement with it."""
    row.ended_at, row.end_reason = at, reason[:REASON_CHARS_MAX]
    _move(row, state, actor=actor, at=at, reason=row.end_reason)
    if has_paper and row.contract_id is not None:
        withdraw_contract(actor=LENDER, contract_id=row.contract_id, reason=row.end_reason, at=at)


def _tell(row: Renewal, letter: str, words: str, at: datetime) -> None:
    tell_of_loan(row.client_id, get_loan(row.loan_id), letter, key=str(row.pk), words=words, at=at)
