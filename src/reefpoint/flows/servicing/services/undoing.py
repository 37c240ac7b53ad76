"""Undoing a drawdown whose money never reached the client: nothing is owed, and nothing was."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from reefpoint.flows.servicing.models import InterestAccrual
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.loans import get_loan
from reefpoint.records.accounts.types import LoanState
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import (
    INCOME_FEES,
    INCOME_INTEREST,
    Line,
    client_cash,
    interest_due,
    loan_principal,
)
from reefpoint.records.treasury.services import pools as treasury


@transaction.atomic
def undo_drawdown(*, actor: Actor, loan_id: int, fee_minor: int, reason: str, on: date, at: datetime) -> None:
    """Take a loan back that was drawn and never paid: principal, fee and interest are as if it had not been.

    The pool has its money again. `fee_minor` is what was charged at the drawdown. What the client repaid meanwhile
    stays theirs, as cash. A loan that is undone already stays as it is.
    """
    require(actor, "servicing.draw_down")
    account = accounts.lock_account(get_loan(loan_id).account_id)
    loan = accounts.undo_loan(loan_id=loan_id)
    if loan.state is LoanState.UNDONE:
        return
    cash = client_cash(account.number)
    ran = InterestAccrual.objects.filter(loan_id=loan_id).aggregate(minor=Sum("posted_minor", default=0))["minor"]
    still_due = min(ran, account.interest_minor)
    lines = [
        Line(INCOME_FEES, cash, fee_minor),
        Line(INCOME_INTEREST, interest_due(account.number), still_due),
        Line(INCOME_INTEREST, cash, ran - still_due),
        Line(cash, loan_principal(account.number), loan.principal_minor),
    ]
    post_journal(
        actor=actor,
        kind="drawdown.undone",
        lines=[line for line in lines if line.amount_minor],
        effective_on=on,
        at=at,
        key=f"drawdown-undone:{loan_id}",
        memo=reason[:300],
        source=f"loan:{loan_id}",
    )
    if loan.principal_minor:
        treasury.release(
            actor=actor,
            pool_code=loan.pool_code,
            account_id=account.id,
            amount_minor=loan.principal_minor,
            key=f"undone:{loan_id}",
            at=at,
        )
    record(
        actor=actor,
        action="servicing.undo_drawdown",
        subject=f"account:{account.id}",
        reason=reason,
        inputs={
            "loan": loan_id,
            "principal_minor": loan.principal_minor,
            "fee_minor": fee_minor,
            "interest_minor": ran,
        },
        at=at,
    )
    accounts.announce_change(account_id=account.id, cause="drawdown undone", at=at)
