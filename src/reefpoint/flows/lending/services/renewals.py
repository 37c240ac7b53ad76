"""Maturities: clients are reminded in time, and a loan that is safe enough can be renewed, once both have agreed."""

from datetime import date, datetime, timedelta

from django.db import transaction

from reefpoint.decisions.margin.selectors.calls import has_open_call
from reefpoint.decisions.margin.selectors.standing import load_sheet, measure_on
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import MaturityReminder, Renewal
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.funding import LENDER
from reefpoint.flows.lending.types import RenewalBar, RenewalEligibility, RenewalState, RenewalView
from reefpoint.flows.servicing.services.opening import LENDING
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.notifications.services import queue_notice
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors import (
    count_extensions,
    find_loans,
    get_account,
    get_loan,
    load_owners,
    loans_maturing,
)
from reefpoint.records.accounts.types import AccountStatus, LoanFacts, LoanState
from reefpoint.records.parties.selectors import (
    ClientNotOpen,
    get_client,
    require_client,
    require_open_for_business,
    require_own_or,
)
from reefpoint.records.parties.services import LicenceRefused, require_licence
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import VersionState

OFFER_DAYS = 7
"""How long a client may take to accept a renewal, though never longer than the loan runs."""


class RenewalNotFound(NotFound):
    """No renewal has this id, or it is not this person's to see."""


class CannotRenew(Refusal):
    """Something stands against renewing this loan; `bars` says what."""

    code = "cannot_renew"

    def __init__(self, bars: tuple[RenewalBar, ...]) -> None:
        words = ", ".join(bar.value.replace("_", " ") for bar in bars)
        super().__init__(f"This loan cannot be renewed now: {words}.", bars=list(bars))
        self.bars = bars


class RenewalOver(Refusal):
    """The time to accept has passed, or it was accepted or turned down before."""

    code = "renewal_over"


def remind_of_maturities(*, on: date, at: datetime) -> int:
    """Remind the clients of loans that mature soon, once for each of `REMINDER_DAYS`. Returns how many were written to.

    After days without the job only the nearest reminder is sent, and the earlier ones count as given.
    """
    loans = loans_maturing(on + timedelta(days=max(rules.REMINDER_DAYS)))
    given = set(
        MaturityReminder.objects.filter(loan_id__in=[loan.id for loan in loans]).values_list(
            "loan_id", "matures_on", "days_before"
        )
    )
    due = {
        loan.id: (loan, missing)
        for loan in loans
        if (
            missing := [
                days
                for days in rules.reminders_due(loan.matures_on, on)
                if (loan.id, loan.matures_on, days) not in given
            ]
        )
    }
    owners = load_owners([loan.account_id for loan, _ in due.values()])
    for loan, missing in due.values():
        _remind(loan, owners[loan.account_id].client_id, missing, at)
    return len(due)


@transaction.atomic
def _remind(loan: LoanFacts, client_id: int, missing: list[int], at: datetime) -> None:
    notice_id = _tell(client_id, loan, "matures", f"{loan.matures_on}:{min(missing)}", loan.matures_on.isoformat(), at)
    MaturityReminder.objects.bulk_create(
        [
            MaturityReminder(
                loan_id=loan.id, matures_on=loan.matures_on, days_before=days, queued_at=at, notice_id=notice_id
            )
            for days in missing
        ],
        ignore_conflicts=True,
    )


def check_renewal(*, actor: Actor, loan_id: int, on: date, at: datetime) -> RenewalEligibility:
    """Whether a loan can be renewed now, from the account's live ratio and the scheme's terms."""
    require(actor, "lending.view")
    loan = _loan(loan_id)
    account = get_account(loan.account_id)
    require_client(actor, account.client_id)
    version = get_version(account.scheme_version_id)
    terms = version.terms
    used = count_extensions([loan_id]).get(loan_id, 0)
    standing = measure_on(load_sheet([version.id], at=at), [account])[0]
    ratio_bp = None if standing.is_unknown else standing.ratio_bp
    bars = {
        RenewalBar.MATURED: loan.state is not LoanState.OPEN or on > loan.matures_on,
        RenewalBar.ACCOUNT_NOT_ACTIVE: account.status is not AccountStatus.ACTIVE,
        RenewalBar.CLIENT_NOT_OPEN: not _holds_open(account.client_id),
        RenewalBar.NO_LICENCE: not _holds_licence(terms.rule_pack, on, at),
        RenewalBar.SCHEME_WITHDRAWN: version.state is not VersionState.PUBLISHED,
        RenewalBar.NO_RENEWALS_LEFT: used >= terms.renewals_max,
        RenewalBar.NOT_VALUED: standing.is_unknown,
        RenewalBar.RATIO_TOO_LOW: ratio_bp is not None and ratio_bp < terms.renewal_min_ratio_bp,
        RenewalBar.OPEN_CALL: has_open_call(account.id),
        RenewalBar.INTEREST_DUE: account.interest_minor > 0 and not terms.roll_over_allowed,
    }
    return RenewalEligibility(
        loan_id=loan_id,
        bars=tuple(bar for bar, stands in bars.items() if stands),
        ratio_bp=ratio_bp,
        required_ratio_bp=terms.renewal_min_ratio_bp,
        renewals_used=used,
        renewals_max=terms.renewals_max,
    )


def _loan(loan_id: int) -> LoanFacts:
    found = find_loans([loan_id])
    if not found:
        raise RenewalNotFound("There is no such loan.")
    return found[0]


def _holds_open(client_id: int) -> bool:
    try:
        require_open_for_business(client_id)
    except ClientNotOpen:
        return False
    return True


def _holds_licence(jurisdiction: str, on: date, at: datetime) -> bool:
    try:
        require_licence(jurisdiction=jurisdiction, activity=LENDING, on=on, at=at)
    except LicenceRefused:
        return False
    return True


@transaction.atomic
def offer_renewal(*, actor: Actor, loan_id: int, tenor_days: int, rate_bp: int, on: date, at: datetime) -> int:
    """Offer a client a further term for a loan, from its maturity on. Returns the renewal's id; a live one is returned.

    The term and the rate are within the scheme's. Raises `CannotRenew` with all that stands against it.
    """
    require(actor, "lending.offer")
    loan = _loan(loan_id)
    account = accounts.lock_account(loan.account_id)
    require_client(actor, account.client_id)
    live = Renewal.objects.filter(loan_id=loan_id, state=RenewalState.OFFERED).first()
    if live is not None and live.valid_until >= on:
        return live.pk
    if live is not None:
        _end(live, RenewalState.EXPIRED, at)
    found = check_renewal(actor=LENDER, loan_id=loan_id, on=on, at=at)
    if not found.is_eligible:
        raise CannotRenew(found.bars)
    terms = get_version(account.scheme_version_id).terms
    if not 0 < tenor_days <= terms.tenor_days or not terms.rate_floor_bp <= rate_bp <= terms.rate_cap_bp:
        raise RenewalOver("The term and the rate must be within those of the scheme.")
    row = Renewal.objects.create(
        loan_id=loan_id,
        client_id=account.client_id,
        number=found.renewals_used + 1,
        old_matures_on=loan.matures_on,
        new_matures_on=loan.matures_on + timedelta(days=tenor_days),
        rate_bp=rate_bp,
        ratio_bp=found.ratio_bp,
        offered_at=at,
        offered_by=actor.ref,
        valid_until=min(on + timedelta(days=OFFER_DAYS), loan.matures_on),
    )
    record(
        actor=actor,
        action="lending.offer_renewal",
        subject=f"loan:{loan_id}",
        inputs={"renewal": row.pk, "until": row.new_matures_on.isoformat(), "rate_bp": rate_bp},
        at=at,
    )
    words = letters.day_words(get_client(LENDER, account.client_id).language, row.valid_until)
    _tell(account.client_id, loan, "renewal_offered", str(row.pk), words, at)
    return row.pk


@transaction.atomic
def accept_renewal(*, actor: Actor, renewal_id: int, rate_bp: int, on: date, at: datetime) -> None:
    """The client agrees to exactly the term and rate that were offered: the maturity moves. Again, it does nothing.

    Looked at once more as when it was offered. Raises `RenewalNotFound`, `RenewalOver`, `CannotRenew`.
    """
    row = _own(actor, renewal_id)
    if row.state == RenewalState.DONE:
        return
    if row.state != RenewalState.OFFERED or on > row.valid_until or rate_bp != row.rate_bp:
        raise RenewalOver("This renewal cannot be accepted any more, or is not what was offered. Nothing was changed.")
    found = check_renewal(actor=LENDER, loan_id=row.loan_id, on=on, at=at)
    if not found.is_eligible:
        raise CannotRenew(found.bars)
    row.accepted_at, row.accepted_by = at, actor.ref
    rules.RENEWAL_STATES.check(RenewalState.OFFERED, RenewalState.ACCEPTED)
    row.state = RenewalState.ACCEPTED.value
    accounts.extend_loan(
        actor=actor,
        loan_id=row.loan_id,
        new_matures_on=row.new_matures_on,
        new_rate_bp=row.rate_bp,
        key=f"renewal:{row.pk}",
        at=at,
    )
    _end(row, RenewalState.DONE, at)
    loan = get_loan(row.loan_id)
    accounts.announce_change(account_id=loan.account_id, cause="renewed", at=at)
    _tell(row.client_id, loan, "renewed", str(row.pk), row.new_matures_on.isoformat(), at)


@transaction.atomic
def decline_renewal(*, actor: Actor, renewal_id: int, at: datetime) -> None:
    """The client turns a renewal down: the loan is repaid at its maturity."""
    row = _own(actor, renewal_id)
    _end(row, RenewalState.DECLINED, at)


def get_renewal(actor: Actor, renewal_id: int) -> RenewalView:
    """One renewal, for its client or for staff in scope. Raises `RenewalNotFound`."""
    row = Renewal.objects.select_related("loan").filter(id=renewal_id).first()
    if row is None:
        raise RenewalNotFound("There is no such renewal.")
    require_own_or(actor, "lending.view", row.client_id)
    return RenewalView(
        id=row.pk,
        loan_id=row.loan_id,
        loan_number=row.loan.number,
        account_id=row.loan.account_id,
        client_id=row.client_id,
        state=RenewalState(row.state),
        old_matures_on=row.old_matures_on,
        new_matures_on=row.new_matures_on,
        rate_bp=row.rate_bp,
        offered_at=row.offered_at,
        valid_until=row.valid_until,
        accepted_at=row.accepted_at,
    )


def _own(actor: Actor, renewal_id: int) -> Renewal:
    row = Renewal.objects.select_for_update().filter(id=renewal_id).first()
    if row is None:
        raise RenewalNotFound("There is no such renewal.")
    require_own_or(actor, "lending.request", row.client_id)
    return row


def _end(row: Renewal, state: RenewalState, at: datetime) -> None:
    rules.RENEWAL_STATES.check(RenewalState(row.state), state)
    row.state, row.ended_at = state.value, at
    row.save()
    record(actor=LENDER, action=f"lending.renewal_{state.value}", subject=f"loan:{row.loan_id}", at=at)


def _tell(client_id: int, loan: LoanFacts, letter: str, key: str, words: str, at: datetime) -> int:
    client = get_client(LENDER, client_id)
    subject, body = letters.write(
        letter,
        language=client.language,
        name=client.name,
        name_zh=client.name_zh,
        number=loan.number,
        amount_minor=loan.principal_minor,
        currency=get_account(loan.account_id).currency,
        words=words,
    )
    return queue_notice(
        actor=LENDER,
        key=f"loan:{loan.id}:{letter}:{key}",
        client_id=client_id,
        to=client.email,
        subject=subject,
        body=body,
        about=f"loan:{loan.id}",
        at=at,
    )
