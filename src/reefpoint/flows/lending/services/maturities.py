"""Maturities: clients are reminded in time, and told what follows when a loan is not repaid."""

from datetime import date, datetime, timedelta

from django.db import transaction

from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import MaturityReminder
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.funding import LENDER
from reefpoint.platform.notifications.services import queue_notice
from reefpoint.records.accounts.selectors import get_account, load_owners, loans_maturing
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.parties.selectors import get_client


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


def tell_of_loan(client_id: int, loan: LoanFacts, letter: str, *, key: str, words: str, at: datetime) -> int:
    """Queue a letter about a loan in its client's language, once for a key. Returns the notice's id."""
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
