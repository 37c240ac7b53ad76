"""Changes of accounts. Callers are flows: they hold the right, the account's lock and one transaction around it all."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Exists, F, OuterRef, TextField, Value
from django.db.models.functions import Cast, Concat

from reefpoint.platform.audit.services import record, record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.database.bulk import insert_columns, update_columns
from reefpoint.platform.events.services import publish_all
from reefpoint.records.accounts.events import AccountChanged
from reefpoint.records.accounts.models import (
    Facility,
    Loan,
    LoanExtension,
    LoanRate,
    MarginAccount,
    Position,
    SecurityMovement,
)
from reefpoint.records.accounts.rules import in_order_of_repayment
from reefpoint.records.accounts.selectors.accounts import get_account, load_accounts
from reefpoint.records.accounts.selectors.loans import loan_facts
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, LoanFacts, LoanState, MovementKind
from reefpoint.records.ledger.services import open_ledger_accounts, require_books_currency
from reefpoint.records.ledger.types import client_accounts


class FacilityExceeded(Refusal):
    """A drawdown above what the facility still allows."""

    code = "facility_exceeded"


class LoanNotOpen(Refusal):
    """A loan that is repaid or undone, or whose new maturity is no later one."""

    code = "loan_not_open"


class PositionTooSmall(Refusal):
    """More shares were to leave than the account holds."""

    code = "position_too_small"


def lock_accounts(account_ids: Collection[int]) -> list[AccountFacts]:
    """Take the locks of several accounts, always in id order, and read their facts under them."""
    hold_locks(account_ids)
    return load_accounts(account_ids)


def lock_account(account_id: int) -> AccountFacts:
    """Take the account's lock until the transaction ends, and read its facts under it. Raises `NoSuchAccount`."""
    hold_lock(account_id)
    return get_account(account_id)


def hold_lock(account_id: int) -> None:
    """Take the account's lock until the transaction ends, for what needs no facts."""
    hold_locks([account_id])


def hold_locks(account_ids: Collection[int]) -> None:
    """Take the locks of several accounts until the transaction ends, always in id order, so that no two deadlock.

    The lock leaves foreign keys free: the monitor may write a state or a call of an account that is locked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM accounts_marginaccount WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(account_ids)]
        )


def open_account(
    *,
    actor: Actor,
    client_id: int,
    scheme_version_id: int,
    currency: str,
    pool_code: str,
    commitment_minor: int,
    on: date,
    at: datetime,
    decision_id: int | None = None,
) -> int:
    """Open a margin account with its facility and its four ledger accounts. Returns the account's id.

    `decision_id` is the credit decision that it is opened on. Raises `OtherCurrency` outside the books' currency.
    """
    require_books_currency(currency)
    account_id = _next_id(MarginAccount._meta.db_table)
    number = f"M-{account_id:06d}"
    MarginAccount.objects.create(
        id=account_id,
        number=number,
        client_id=client_id,
        scheme_version_id=scheme_version_id,
        currency=currency,
        opened_on=on,
        decision_id=decision_id,
    )
    Facility.objects.create(
        account_id=account_id,
        number=f"F-{account_id:06d}",
        pool_code=pool_code,
        commitment_minor=commitment_minor,
    )
    open_ledger_accounts(client_accounts(number, currency))
    record(
        actor=actor,
        action="accounts.open",
        subject=f"account:{account_id}",
        inputs={"client": client_id, "scheme_version": scheme_version_id, "commitment_minor": commitment_minor},
        at=at,
    )
    announce_change(account_id=account_id, cause="opened", at=at)
    return account_id


def announce_change(*, account_id: int, cause: str, at: datetime) -> None:
    """Tell whoever values accounts that this one changed."""
    announce_changes(account_ids=[account_id], cause=cause, at=at)


def announce_changes(*, account_ids: Collection[int], cause: str, at: datetime) -> None:
    """Tell whoever values accounts that these changed, in one statement for their change numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_marginaccount SET change_no = change_no + 1 WHERE id = ANY(%s) RETURNING id, change_no",
            [list(account_ids)],
        )
        changed = sorted(cursor.fetchall())
    publish_all(
        [
            AccountChanged(at=at, account_id=account_id, change_no=change_no, cause=cause)
            for account_id, change_no in changed
        ]
    )


def set_status(*, actor: Actor, account_id: int, status: AccountStatus, reason: str, at: datetime) -> None:
    """Freeze, reopen or close an account."""
    MarginAccount.objects.filter(id=account_id).update(status=status)
    record(
        actor=actor,
        action="accounts.set_status",
        subject=f"account:{account_id}",
        reason=reason,
        inputs={"status": status},
        at=at,
    )
    announce_change(account_id=account_id, cause=f"status {status}", at=at)


def add_loan(
    *,
    account_id: int,
    pool_code: str,
    amount_minor: int,
    rate_bp: int,
    day_count: str,
    tenor_days: int,
    key: str,
    on: date,
) -> int:
    """Record a drawdown on the facility. Raises `FacilityExceeded`. Returns the loan's id."""
    _draw_on_facility(account_id, amount_minor)
    loan_id = _next_id(Loan._meta.db_table)
    Loan.objects.create(
        id=loan_id,
        account_id=account_id,
        number=f"N-{loan_id:06d}",
        key=key,
        pool_code=pool_code,
        drawn_minor=amount_minor,
        principal_minor=amount_minor,
        rate_bp=rate_bp,
        day_count=day_count,
        drawn_on=on,
        matures_on=on + timedelta(days=tenor_days),
    )
    return loan_id


def change_loan_rates(*, actor: Actor, changes: Sequence[tuple[int, int, str]], since: date, at: datetime) -> list[int]:
    """Give loans a new rate from a day on: (loan id, basis points, source). Returns their accounts.

    The rate that a loan was drawn with is kept beside it, so that each day bears the rate of that day.
    """
    if not changes:
        return []
    loans = {loan.id: loan for loan in Loan.objects.filter(id__in=[loan_id for loan_id, _, _ in changes])}
    known = set(LoanRate.objects.filter(loan_id__in=loans).values_list("loan_id", flat=True).distinct())
    columns = {"loan_id": "bigint", "rate_bp": "integer", "since": "date", "source": "text", "at": "timestamptz"}
    first = [(loan.id, loan.rate_bp, loan.drawn_on, "drawdown", at) for loan in loans.values() if loan.id not in known]
    insert_columns(
        LoanRate._meta.db_table,
        columns,
        [*first, *((loan_id, rate_bp, since, source, at) for loan_id, rate_bp, source in changes)],
    )
    update_columns(
        Loan._meta.db_table,
        {"id": "bigint", "rate_bp": "integer"},
        [(loan_id, rate_bp) for loan_id, rate_bp, _ in changes],
        key="id",
    )
    record_all(
        actor=actor,
        action="accounts.change_rate",
        entries=[
            EntryDraft(
                subject=f"account:{loans[loan_id].account_id}",
                inputs={
                    "loan": loan_id,
                    "old_bp": loans[loan_id].rate_bp,
                    "new_bp": rate_bp,
                    "since": since,
                    "source": source,
                },
            )
            for loan_id, rate_bp, source in changes
        ],
        at=at,
    )
    return sorted({loan.account_id for loan in loans.values()})


def _draw_on_facility(account_id: int, amount_minor: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE accounts_facility SET drawn_minor = drawn_minor + %(amount)s
             WHERE account_id = %(account)s AND commitment_minor - drawn_minor - held_minor >= %(amount)s
            """,
            {"account": account_id, "amount": amount_minor},
        )
        if cursor.rowcount == 1:
            return
    facility = Facility.objects.get(account_id=account_id)
    raise FacilityExceeded(
        "The facility does not have that much left. Draw less, or ask for a higher limit.",
        asked_minor=amount_minor,
        available_minor=facility.commitment_minor - facility.drawn_minor - facility.held_minor,
    )


def reduce_loans(*, account_id: int, amount_minor: int, first: int | None = None) -> dict[str, int]:
    """Take repaid principal off the loans, in the order of `rules.in_order_of_repayment`.

    Returns what each funding pool gets back, in minor units.
    """
    left = amount_minor
    by_pool: dict[str, int] = {}
    rows = {row.id: row for row in Loan.objects.filter(account_id=account_id, state=LoanState.OPEN)}
    for loan in in_order_of_repayment(map(loan_facts, rows.values()), first=first):
        part = min(left, loan.principal_minor)
        if part == 0:
            break
        row = rows[loan.id]
        row.principal_minor -= part
        row.state = LoanState.OPEN if row.principal_minor else LoanState.REPAID
        row.save(update_fields=["principal_minor", "state"])
        by_pool[loan.pool_code] = by_pool.get(loan.pool_code, 0) + part
        left -= part
    if left:
        raise AssertionError(f"account {account_id}: {left} of principal repaid that no loan owes")
    Facility.objects.filter(account_id=account_id).update(drawn_minor=F("drawn_minor") - amount_minor)
    return by_pool


def undo_loan(*, loan_id: int) -> LoanFacts:
    """End a loan whose money never reached the client. Returns it as it stood; one that is not open stays as it is."""
    loan = Loan.objects.get(id=loan_id)
    facts = loan_facts(loan)
    if loan.state == LoanState.OPEN:
        Facility.objects.filter(account_id=loan.account_id).update(drawn_minor=F("drawn_minor") - loan.principal_minor)
        loan.state, loan.principal_minor = LoanState.UNDONE, 0
        loan.save(update_fields=["principal_minor", "state"])
    return facts


def extend_loan(
    *,
    actor: Actor,
    loan_id: int,
    new_matures_on: date,
    new_rate_bp: int,
    carried_minor: int,
    key: str,
    at: datetime,
) -> None:
    """Move an open loan's maturity, with the record of it. The same key again does nothing.

    The rate agreed anew holds from the old maturity on (`begin_further_terms`). `carried_minor` is the interest unpaid
    now that goes over into the further term: it stays due, and is on record here. Raises `LoanNotOpen`.
    """
    if LoanExtension.objects.filter(key=key).exists():
        return
    loan = Loan.objects.select_for_update().get(id=loan_id)
    if loan.state != LoanState.OPEN or new_matures_on <= loan.matures_on:
        raise LoanNotOpen("This loan is not open, or would not end later than it does.", loan_id=loan_id)
    LoanExtension.objects.create(
        loan=loan,
        number=loan.extensions.count() + 1,
        old_matures_on=loan.matures_on,
        new_matures_on=new_matures_on,
        old_rate_bp=loan.rate_bp,
        new_rate_bp=new_rate_bp,
        carried_minor=carried_minor,
        key=key,
        extended_by=actor.ref,
        at=at,
    )
    loan.matures_on = new_matures_on
    loan.save(update_fields=["matures_on"])
    record(
        actor=actor,
        action="accounts.extend_loan",
        subject=f"loan:{loan_id}",
        inputs={
            "matures_on": new_matures_on.isoformat(),
            "rate_bp": new_rate_bp,
            "carried_minor": carried_minor,
        },
        at=at,
    )


def begin_further_terms(*, actor: Actor, on: date, at: datetime) -> int:
    """Put the rates of extensions in force whose further term has begun. Returns how many; one query for none."""
    source = Concat(Value("extension:"), Cast("id", TextField()))
    begun = LoanRate.objects.filter(loan_id=OuterRef("loan_id"), source=OuterRef("source"))
    due = LoanExtension.objects.annotate(source=source).filter(~Exists(begun), old_matures_on__lte=on)
    rows = list(due.order_by("old_matures_on", "id").values_list("id", "loan_id", "new_rate_bp", "old_matures_on"))
    for extension_id, loan_id, rate_bp, since in rows:
        change = (loan_id, rate_bp, f"extension:{extension_id}")
        change_loan_rates(actor=actor, changes=[change], since=since, at=at)
    return len(rows)


def move_security(
    *,
    account_id: int,
    instrument_id: int,
    quantity: int,
    kind: MovementKind,
    key: str,
    source: str,
    on: date,
    at: datetime,
) -> bool:
    """Change a position by a signed quantity, once for each key. Returns False if the key was booked before.

    Raises `PositionTooSmall` if it would go below zero.
    """
    if SecurityMovement.objects.filter(key=key).exists():
        return False
    held = Position.objects.filter(account_id=account_id, instrument_id=instrument_id).first()
    if (held.quantity if held else 0) + quantity < 0:
        raise PositionTooSmall("The account does not hold that many shares.", held=held.quantity if held else 0)
    if held is None:
        Position.objects.create(account_id=account_id, instrument_id=instrument_id, quantity=quantity)
    else:
        Position.objects.filter(id=held.id).update(quantity=F("quantity") + quantity)
    SecurityMovement.objects.create(
        account_id=account_id,
        instrument_id=instrument_id,
        kind=kind,
        quantity=quantity,
        key=key,
        source=source,
        effective_on=on,
        at=at,
    )
    return True


def receive_securities(
    *, account_id: int, lots: Sequence[tuple[int, int]], reference: str, on: date, at: datetime
) -> None:
    """Book a free-of-payment receipt of several (instrument id, quantity), once for each reference."""
    keys = {instrument_id: f"{reference}:{instrument_id}" for instrument_id, _ in lots}
    booked = set(SecurityMovement.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    fresh = [(instrument_id, quantity) for instrument_id, quantity in lots if keys[instrument_id] not in booked]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_position (account_id, instrument_id, quantity)
            SELECT %s, lot.* FROM unnest(%s::bigint[], %s::bigint[]) AS lot(instrument_id, quantity)
            ON CONFLICT (account_id, instrument_id)
            DO UPDATE SET quantity = accounts_position.quantity + excluded.quantity
            """,
            [account_id, [instrument_id for instrument_id, _ in fresh], [quantity for _, quantity in fresh]],
        )
    SecurityMovement.objects.bulk_create(
        SecurityMovement(
            account_id=account_id,
            instrument_id=instrument_id,
            kind=MovementKind.RECEIPT,
            quantity=quantity,
            key=keys[instrument_id],
            source=reference,
            effective_on=on,
            at=at,
        )
        for instrument_id, quantity in fresh
    )


def _next_id(table: str) -> int:
    """The next value of a table's identity, so that a row can carry its id in its number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return int(cursor.fetchone()[0])
