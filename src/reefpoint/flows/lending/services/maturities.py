"""Maturities: clients are reminded in time, and told what follows when a loan is not repaid."""

from datetime import date, datetime, timedelta

from django.db import transaction

from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import MaturityReminder
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.steps import LENDER
from reefpoint.flows.lending.types import MaturityStage
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.money import percent
from reefpoint.platform.notifications.services import send_letter
from reefpoint.records.accounts.selectors.accounts import get_account, load_accounts
from reefpoint.records.accounts.selectors.loans import loans_maturing
from reefpoint.records.accounts.selectors.owners import load_owners
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.products.selectors import get_terms


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
    notice_id = tell_of_loan(
        client_id, loan, "matures", key=f"{loan.matures_on}:{min(missing)}", words=loan.matures_on.isoformat(), at=at
    )
    MaturityReminder.objects.bulk_create(
        [
            MaturityReminder(
                loan_id=loan.id, matures_on=loan.matures_on, days_before=days, queued_at=at, notice_id=notice_id
            )
            for days in missing
        ],
        ignore_conflicts=True,
    )


def tell_of_unpaid(*, on: date, at: datetime) -> int:
    """Write to the clients of loans that were not repaid: once after the maturity, once when the grace is over.

    Returns how many were written to. After days without the job the letter is the one that holds now.
    """
    loans = loans_maturing(on - timedelta(days=1))
    given = set(
        MaturityReminder.objects.filter(loan_id__in=[loan.id for loan in loans], days_before__lt=0).values_list(
            "loan_id", "matures_on", "days_before"
        )
    )
    ids = sorted({loan.account_id for loan in loans})
    owners, versions = load_owners(ids), {one.id: one.scheme_version_id for one in load_accounts(ids)}
    told = 0
    for loan in loans:
        terms = get_terms(versions[loan.account_id])
        is_late = rules.maturity_stage(loan.matures_on, terms.grace_days, on) is MaturityStage.LATE
        days_before = -(terms.grace_days + 1) if is_late else -1
        if (loan.id, loan.matures_on, days_before) in given:
            continue
        last_day = (loan.matures_on + timedelta(days=terms.grace_days)).isoformat()
        words = percent(terms.penalty_rate_bp) if is_late else last_day
        _tell_unpaid(loan, owners[loan.account_id].client_id, "late" if is_late else "due", days_before, words, at)
        told += 1
    return told


@transaction.atomic
def _tell_unpaid(loan: LoanFacts, client_id: int, letter: str, days_before: int, words: str, at: datetime) -> None:
    notice_id = tell_of_loan(client_id, loan, letter, key=loan.matures_on.isoformat(), words=words, at=at)
    MaturityReminder.objects.create(
        loan_id=loan.id, matures_on=loan.matures_on, days_before=days_before, queued_at=at, notice_id=notice_id
    )
    record(
        actor=LENDER,
        action=f"lending.loan_{letter}",
        subject=f"loan:{loan.id}",
        inputs={"principal_minor": loan.principal_minor, "matured_on": loan.matures_on.isoformat()},
        at=at,
    )


def tell_of_loan(
    client_id: int,
    loan: LoanFacts,
    letter: str,
    *,
    key: str,
    words: str,
    at: datetime,
    amount_minor: int | None = None,
    day: date | None = None,
    about: str = "",
) -> int:
    """Queue a letter about a loan in its client's language, once for a key. Returns the notice's id.

    It names the principal, or another amount, and a day where the letter has one.
    """
    owed_minor = loan.principal_minor if amount_minor is None else amount_minor
    given = {
        "number": loan.number,
        "amount": letters.amount(owed_minor, get_account(loan.account_id).currency),
        "words": words,
        "day": "" if day is None else day.isoformat(),
    }
    return send_letter(
        actor=LENDER,
        to=get_client(LENDER, client_id),
        texts=letters.LETTERS[letter],
        words=given,
        key=f"loan:{loan.id}:{letter}:{key}",
        about=about or f"loan:{loan.id}",
        at=at,
    )
