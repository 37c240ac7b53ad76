"""Charging the fees that a contract's terms name, each at its moment. There is no other charge."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.servicing.rules import is_late
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.accounts.selectors.facilities import facility_of
from reefpoint.records.accounts.selectors.loans import list_mature_loans
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.ledger.selectors import find_journals
from reefpoint.records.ledger.services import post_journals
from reefpoint.records.ledger.types import INCOME_FEES, JournalDraft, Line, fees_due
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import FeeMoment


def charge_fees(
    *, actor: Actor, account: AccountFacts, moment: FeeMoment, base_minor: int, key: str, on: date, at: datetime
) -> int:
    """Book the fees of one moment on a locked account as due, once for a key. Returns what they come to, minor units.

    For flows that hold the account's lock and the right. The caller announces the account's change.
    """
    draft = _draft(account, [(moment, base_minor)], key)
    if draft is None:
        return 0
    if not find_journals([draft.key]):
        _post(actor, {account.id: draft}, on, at)
    return sum(line.amount_minor for line in draft.lines)


@transaction.atomic
def charge_month_fees(*, actor: Actor, on: date, at: datetime) -> int:
    """Charge each account's fees of the month's end, on what it owes and on what of its facility it has not drawn.

    Returns the amount booked, minor units. A second run of the same day books nothing.
    """
    require(actor, "operations.run_day")
    charged = [account for account in load_accounts() if _has_month_fees(account)]
    if not charged:
        return 0
    accounts.hold_locks([account.id for account in charged])
    charged = load_accounts([account.id for account in charged])
    facilities = facility_of([account.id for account in charged])
    drafts = {}
    for account in charged:
        unused_minor = facilities[account.id].available_minor
        moments = [(FeeMoment.MONTH_END, account.principal_minor), (FeeMoment.UNUSED_MONTH_END, unused_minor)]
        if draft := _draft(account, moments, f"month:{account.id}:{on:%Y-%m}"):
            drafts[account.id] = draft
    return _post_fresh(actor, drafts, on, at)


def _has_month_fees(account: AccountFacts) -> bool:
    terms = get_terms(account.scheme_version_id)
    return bool(terms.fees_at(FeeMoment.MONTH_END) or terms.fees_at(FeeMoment.UNUSED_MONTH_END))


@transaction.atomic
def charge_late_fees(*, actor: Actor, on: date, at: datetime) -> int:
    """Charge each loan that is late on `on` its late fees, once in its life. Returns the amount booked, minor units."""
    require(actor, "operations.run_day")
    mature = list_mature_loans(on)
    if not mature:
        return 0
    owing = {account.id: account for account in load_accounts(sorted({loan.account_id for loan in mature}))}
    drafts = {}
    for loan in mature:
        account = owing[loan.account_id]
        if is_late(loan, get_terms(account.scheme_version_id).grace_days, on):
            draft = _draft(account, [(FeeMoment.LATE, loan.principal_minor)], f"late:{loan.id}")
            if draft is not None:
                drafts[loan.id] = draft
    accounts.hold_locks(sorted({loan.account_id for loan in mature if loan.id in drafts}))
    return _post_fresh(actor, drafts, on, at, {loan.id: loan.account_id for loan in mature})


def _draft(account: AccountFacts, moments: Sequence[tuple[FeeMoment, int]], key: str) -> JournalDraft | None:
    """The journal of an account's fees, a line a fee in the terms' order; None where nothing is due."""
    terms = get_terms(account.scheme_version_id)
    charges = [fee.charge_minor(base) for moment, base in moments for fee in terms.fees_at(moment)]
    lines = tuple(Line(fees_due(account.number), INCOME_FEES, charge) for charge in charges if charge)
    if not lines:
        return None
    return JournalDraft(kind="fee", key=f"fee:{key}", lines=lines, source=f"account:{account.id}")


def _post_fresh(
    actor: Actor,
    drafts: dict[int, JournalDraft],
    on: date,
    at: datetime,
    account_of: dict[int, int] | None = None,
) -> int:
    """Post what was not posted before. Keys of `drafts` are accounts, or what `account_of` turns into accounts."""
    known = find_journals([draft.key for draft in drafts.values()])
    fresh = {subject: draft for subject, draft in drafts.items() if draft.key not in known}
    _post(actor, fresh, on, at)
    charged = sorted({account_of[subject] if account_of else subject for subject in fresh})
    accounts.announce_changes(account_ids=charged, cause="fees", at=at)
    return sum(line.amount_minor for draft in fresh.values() for line in draft.lines)


def _post(actor: Actor, drafts: dict[int, JournalDraft], on: date, at: datetime) -> None:
    if not drafts:
        return
    post_journals(actor=actor, drafts=list(drafts.values()), effective_on=on, at=at)
    for draft in drafts.values():
        record(
            actor=actor,
            action="servicing.charge_fees",
            subject=draft.source,
            inputs={"key": draft.key, "amounts_minor": [line.amount_minor for line in draft.lines]},
            at=at,
        )
