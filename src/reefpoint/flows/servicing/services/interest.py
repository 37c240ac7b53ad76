"""Interest and funding cost at the end of a business day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.db.models import Q

from reefpoint.engine.interest import accrue, posted_minor
from reefpoint.flows.servicing import rules
from reefpoint.flows.servicing.models import FundingAccrual, InterestAccrual
from reefpoint.flows.servicing.services.credit import settle_debt
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.daycount import DayCount, interest_days, year_days
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import account_numbers, load_accounts
from reefpoint.records.accounts.selectors.loans import accounts_owing, list_open_loans, loans_maturing, rates_on
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.ledger.selectors import available_minor
from reefpoint.records.ledger.services import post_journals
from reefpoint.records.ledger.types import (
    COST_FUNDING,
    INCOME_INTEREST,
    JournalDraft,
    Line,
    client_cash,
    interest_due,
    pool_cost_due,
)
from reefpoint.records.market.selectors.calendar import sessions
from reefpoint.records.market.types import VENUE
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.treasury.selectors import list_pools

ACCRUAL_COLUMNS = {
    "loan_id": "bigint",
    "since": "date",
    "until": "date",
    "days": "integer",
    "principal_minor": "bigint",
    "rate_bp": "integer",
    "accrued_micro": "bigint",
    "total_micro": "bigint",
    "remainder": "bigint",
    "posted_minor": "bigint",
}


class _Carried(NamedTuple):
    """What a loan's last accrual hands on to the next."""

    since: date
    total_micro: int
    remainder: int


class _Accrual(NamedTuple):
    """A row of interest accruals; its fields are `ACCRUAL_COLUMNS`, in their order."""

    loan_id: int
    since: date
    until: date
    days: int
    principal_minor: int
    rate_bp: int
    accrued_micro: int
    total_micro: int
    remainder: int
    posted_minor: int


@dataclass(frozen=True)
class AccrualResult:
    """What one accrual run did: loans accrued now, and what was posted, in minor units."""

    loans: int
    posted_minor: int


@transaction.atomic
def accrue_interest(*, actor: Actor, on: date, until: date, at: datetime) -> AccrualResult:
    """Accrue every open loan over `[on, until)`, and over each session before it that no day run covered (I43)."""
    require(actor, "operations.run_day")
    covered = InterestAccrual.objects.order_by("-id").values_list("until", flat=True).first()
    results = [_accrue_period(actor=actor, on=since, until=end, at=at) for since, end in _uncovered(covered, on, until)]
    return AccrualResult(results[-1].loans, sum(result.posted_minor for result in results))


def _uncovered(covered: date | None, on: date, until: date) -> list[tuple[date, date]]:
    """Periods from session to session, from the end of the last accrual to `until`; `[on, until)` is always one."""
    begins = sessions(VENUE, covered, on) if covered is not None and covered < on else [on]
    return list(zip(begins, [*begins[1:], until], strict=True))


def _accrue_period(*, actor: Actor, on: date, until: date, at: datetime) -> AccrualResult:
    """Accrue every open loan over `[on, until)` on its principal at the end of `on`, and post it.

    Periods adjoin, so what went before ends on `on`. A loan that already has the period is left alone, so a run that
    was killed half-way, or runs twice, ends the same. The period reaches to the next business day, so that weekends
    and holidays are in the run before them.
    """
    owing = accounts_owing()
    accounts.hold_locks(owing)
    loans = list_open_loans(owing)
    near = InterestAccrual.objects.filter(Q(until=on) | Q(since=on)).order_by("loan_id", "since")
    latest = {loan_id: _Carried(*row) for loan_id, *row in near.values_list("loan_id", *_Carried._fields)}
    due = [loan for loan in loans if loan.id not in latest or latest[loan.id].since < on]
    fresh = _accrued(_at_penalty_if_late(_at_rate_of_day(due, on), on), latest, on, until)
    insert_columns(InterestAccrual._meta.db_table, ACCRUAL_COLUMNS, fresh)
    account_of = {loan.id: loan.account_id for loan in loans}
    by_account: dict[int, int] = defaultdict(int)
    for row in fresh:
        by_account[account_of[row.loan_id]] += row.posted_minor
    numbers = account_numbers(by_account.keys())
    post_journals(
        actor=actor,
        drafts=[
            JournalDraft(
                kind="interest",
                key=f"interest:{account_id}:{on}",
                lines=(Line(interest_due(numbers[account_id]), INCOME_INTEREST, amount),),
                source=f"account:{account_id}",
            )
            for account_id, amount in sorted(by_account.items())
            if amount
        ],
        effective_on=on,
        at=at,
    )
    accounts.announce_changes(account_ids=[a for a, amount in by_account.items() if amount], cause="interest", at=at)
    return AccrualResult(len(fresh), sum(by_account.values()))


def _at_rate_of_day(loans: Sequence[LoanFacts], on: date) -> list[LoanFacts]:
    """The same loans, each at the rate that it bore on the day: a rate that changed later does not reach back."""
    rates = rates_on([loan.id for loan in loans], on)
    if not rates:
        return list(loans)
    return [replace(loan, rate_bp=rates.get(loan.id, loan.rate_bp)) for loan in loans]


def _at_penalty_if_late(loans: Sequence[LoanFacts], on: date) -> list[LoanFacts]:
    """The same loans; those that are late bear the penalty rate of their account's terms in place of their own."""
    mature = {loan.account_id for loan in loans if loan.matures_on < on}
    if not mature:
        return list(loans)
    terms = {account.id: get_terms(account.scheme_version_id) for account in load_accounts(sorted(mature))}
    return [
        replace(loan, rate_bp=terms[loan.account_id].penalty_rate_bp)
        if loan.account_id in terms and rules.is_late(loan, terms[loan.account_id].grace_days, on)
        else loan
        for loan in loans
    ]


def _accrued(loans: Sequence[LoanFacts], latest: Mapping[int, _Carried], on: date, until: date) -> list[_Accrual]:
    """The next accrual of each loan, all of them in one pass of the engine."""
    days = [interest_days(DayCount(loan.day_count), on, until) for loan in loans]
    before = [latest[loan.id].total_micro if loan.id in latest else 0 for loan in loans]
    micro, remainder = accrue(
        _column([loan.principal_minor for loan in loans]),
        _column([loan.rate_bp for loan in loans]),
        _column(days),
        _column([year_days(DayCount(loan.day_count)) for loan in loans]),
        _column([latest[loan.id].remainder if loan.id in latest else 0 for loan in loans]),
    )
    total = _column(before) + micro
    posted = posted_minor(_column(before), total)
    return [
        _Accrual(
            loan_id=loan.id,
            since=on,
            until=until,
            days=days[row],
            principal_minor=loan.principal_minor,
            rate_bp=loan.rate_bp,
            accrued_micro=int(micro[row]),
            total_micro=int(total[row]),
            remainder=int(remainder[row]),
            posted_minor=int(posted[row]),
        )
        for row, loan in enumerate(loans)
    ]


def _column(values: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


@transaction.atomic
def accrue_funding_cost(*, actor: Actor, on: date, until: date, at: datetime) -> int:
    """Accrue what each pool's lent money costs over `[on, until)`, ACT/360, and over sessions that no day run covered.

    Returns the amount posted, minor units.
    """
    require(actor, "operations.run_day")
    covered = FundingAccrual.objects.order_by("-id").values_list("until", flat=True).first()
    return sum(_accrue_funding_period(actor, since, end, at) for since, end in _uncovered(covered, on, until))


def _accrue_funding_period(actor: Actor, on: date, until: date, at: datetime) -> int:
    posted = 0
    for pool in list_pools():
        before = FundingAccrual.objects.filter(pool_code=pool.code).order_by("-since").first()
        if before is not None and before.since >= on:
            continue
        micro, remainder = accrue(
            _column([pool.lent_minor]),
            _column([pool.cost_bp]),
            _column([interest_days(DayCount.ACT_360, on, until)]),
            _column([year_days(DayCount.ACT_360)]),
            _column([before.remainder if before else 0]),
        )
        total_before = _column([before.total_micro if before else 0])
        total = total_before + micro
        row = FundingAccrual.objects.create(
            pool_code=pool.code,
            since=on,
            until=until,
            lent_minor=pool.lent_minor,
            cost_bp=pool.cost_bp,
            total_micro=int(total[0]),
            remainder=int(remainder[0]),
            posted_minor=int(posted_minor(total_before, total)[0]),
        )
        if row.posted_minor:
            post_journals(
                actor=actor,
                drafts=[
                    JournalDraft(
                        kind="funding cost",
                        key=f"funding:{pool.code}:{on}",
                        lines=(Line(COST_FUNDING, pool_cost_due(pool.code), row.posted_minor),),
                        source=f"pool:{pool.code}",
                    )
                ],
                effective_on=on,
                at=at,
            )
        posted += row.posted_minor
    return posted


@transaction.atomic
def collect_matured(*, actor: Actor, on: date, at: datetime) -> int:
    """Take loans that are at or past their maturity, with interest and fees due, from the free cash of their accounts.

    No loan that is not due is repaid with it. Returns how many accounts paid. What the cash does not cover stays owed.
    A second run of a day takes nothing more.
    """
    require(actor, "operations.run_day")
    matured: dict[int, int] = defaultdict(int)
    for loan in loans_maturing(on):
        matured[loan.account_id] += loan.principal_minor
    if not matured:
        return 0
    paid = 0
    for account_id in [one.id for one in load_accounts(sorted(matured)) if one.cash_minor]:
        account = accounts.lock_account(account_id)
        due_minor = account.interest_minor + account.fees_minor + matured[account_id]
        amount = min(available_minor(client_cash(account.number)), due_minor)
        if amount:
            key = f"maturity:{account_id}:{on}"
            allocation = settle_debt(
                actor=actor,
                account=account,
                amount_minor=amount,
                principal_minor=matured[account_id],
                key=key,
                on=on,
                at=at,
            )
            paid += bool(allocation.paid)
    return paid


@transaction.atomic
def collect_interest(*, actor: Actor, on: date, at: datetime) -> int:
    """Take interest and fees due from the free cash of accounts. Returns how many accounts have cash and owe."""
    require(actor, "operations.run_day")
    paying = [a.id for a in load_accounts() if a.cash_minor and (a.interest_minor or a.fees_minor)]
    for account_id in paying:
        account = accounts.lock_account(account_id)
        amount = min(available_minor(client_cash(account.number)), account.interest_minor + account.fees_minor)
        if amount:
            key = f"interest:{account_id}:{on}"
            settle_debt(actor=actor, account=account, amount_minor=amount, principal_minor=0, key=key, on=on, at=at)
    return len(paying)
