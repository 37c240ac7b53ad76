"""Funding pools: opened, funded, lent and repaid."""

import re
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import F

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.ledger.services import open_ledger_accounts, post_journal, require_books_currency
from reefpoint.records.ledger.types import (
    BANK_SETTLEMENT,
    AccountKind,
    LedgerAccountSpec,
    Line,
    pool_capital,
    pool_cost_due,
)
from reefpoint.records.treasury.adapters import settlement_bank
from reefpoint.records.treasury.models import FundingPool, PoolMovement
from reefpoint.records.treasury.selectors import PoolNotFound
from reefpoint.records.treasury.types import PoolMovementKind, PoolOrigin

COMMITTED_MINOR_MAX = 10**15
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{1,31}")


class PoolExhausted(Refusal):
    """More was asked of a pool than it can still lend."""

    code = "pool_exhausted"


class PoolRefused(Refusal):
    """A pool or a movement of it that cannot be as asked."""

    code = "pool_refused"


class ThirdPartyMoney(Refusal):
    """In mainland China a loan is financed from the lender's own or lawfully raised money alone (条例 Art. 51)."""

    code = "cn.refuse.r04"


class ConflictingMovement(Refusal):
    """A key that already named another movement."""

    code = "conflicting_movement"


@transaction.atomic
def open_pool(
    *,
    actor: Actor,
    code: str,
    name: str,
    currency: str,
    committed_minor: int,
    cost_bp: int,
    at: datetime,
    origin: PoolOrigin = PoolOrigin.UNSPECIFIED,
) -> int:
    """Open a pool with its ledger accounts. Returns its id; an equal pool already open is left as it is.

    `committed_minor` is what may be lent, `cost_bp` what funders are owed a year, `origin` whose money it is.
    Raises `PoolRefused`, `OtherCurrency` outside the books' currency.
    """
    require(actor, "treasury.open_pool")
    if not _CODE.fullmatch(code):
        raise PoolRefused("A pool's code is 2 to 32 letters, digits, hyphens or underscores.", code=code, field="code")
    require_books_currency(currency)
    _check_terms(code, name, committed_minor, cost_bp)
    wanted = {"name": name, "currency": currency, "committed_minor": committed_minor, "cost_bp": cost_bp}
    wanted |= {"origin": origin.value} if origin is not PoolOrigin.UNSPECIFIED else {}
    pool, is_new = FundingPool.objects.get_or_create(code=code, defaults=wanted)
    if not is_new:
        if any(getattr(pool, field) != value for field, value in wanted.items()):
            raise PoolRefused("Pool {code} is already open with other terms.", code=code, field="code")
        return pool.id
    open_ledger_accounts(
        [
            LedgerAccountSpec(code=pool_capital(code), kind=AccountKind.LIABILITY, currency=currency, floor_minor=0),
            LedgerAccountSpec(code=pool_cost_due(code), kind=AccountKind.LIABILITY, currency=currency, floor_minor=0),
        ]
    )
    record(actor=actor, action="treasury.open_pool", subject=f"pool:{code}", inputs=wanted, at=at)
    return pool.id


def _check_terms(code: str, name: str, committed_minor: int, cost_bp: int) -> None:
    if not 0 < len(name.strip()) <= 120 or find_unsafe(name):
        raise PoolRefused("A pool has a name of at most 120 characters.", code=code, field="name")
    if not 0 < committed_minor <= COMMITTED_MINOR_MAX:
        raise PoolRefused("A pool needs a positive commitment.", code=code, field="committed_minor")
    if not 0 <= cost_bp <= 10_000:
        raise PoolRefused("What funders are owed a year is from 0 to 100%.", code=code, field="cost_bp")


@transaction.atomic
def change_pool(
    *, actor: Actor, pool_code: str, name: str, committed_minor: int, cost_bp: int, reason: str, at: datetime
) -> None:
    """Change a pool's name, what may be lent of it, and what its funders are owed a year from the next accrual on.

    Raises `PoolNotFound`, `PoolRefused` for a limit under what is lent.
    """
    require(actor, "treasury.open_pool")
    _check_terms(pool_code, name, committed_minor, cost_bp)
    if not reason.strip():
        raise PoolRefused("Say why the terms change.", code=pool_code, field="reason")
    pool = FundingPool.objects.select_for_update().filter(code=pool_code).first()
    if pool is None:
        raise PoolNotFound("There is no pool {code}.", code=pool_code)
    if committed_minor < pool.lent_minor:
        raise PoolRefused("More than that is lent of it already.", code=pool_code, field="committed_minor")
    after = {"name": name.strip(), "committed_minor": committed_minor, "cost_bp": cost_bp}
    before = {field: getattr(pool, field) for field in after}
    if before == after:
        return
    for field, value in after.items():
        setattr(pool, field, value)
    pool.save(update_fields=list(after))
    record(
        actor=actor,
        action="treasury.change_pool",
        subject=f"pool:{pool_code}",
        reason=reason.strip()[:500],
        inputs={"before": before, "after": after},
        at=at,
    )


@transaction.atomic
def fund_pool(*, actor: Actor, pool_code: str, amount_minor: int, reference: str, on: date, at: datetime) -> int:
    """Book the funders' money that arrived at the settlement bank under `reference`. Returns the journal's id.

    On paper, this is also where it arrives.
    """
    require(actor, "treasury.open_pool")
    settlement_bank().credit(reference=reference, amount_minor=amount_minor, on=on, text=f"FUNDING {pool_code}")
    record(
        actor=actor,
        action="treasury.fund_pool",
        subject=f"pool:{pool_code}",
        inputs={"amount_minor": amount_minor, "reference": reference},
        at=at,
    )
    return post_journal(
        actor=actor,
        kind="pool_funding",
        lines=(Line(debit=BANK_SETTLEMENT, credit=pool_capital(pool_code), amount_minor=amount_minor),),
        effective_on=on,
        at=at,
        key=f"fund-pool:{reference}",
        source=reference,
    )


@transaction.atomic
def name_pool_origin(*, actor: Actor, pool_code: str, origin: PoolOrigin, evidence: str, at: datetime) -> None:
    """Say whose money a pool is and by what evidence: a resolution, a prospectus. Raises `PoolRefused`."""
    require(actor, "treasury.open_pool")
    if not evidence.strip():
        raise PoolRefused("Say what shows whose money this is.", code=pool_code, field="evidence")
    if not FundingPool.objects.filter(code=pool_code).update(origin=origin):
        raise PoolNotFound("There is no pool {code}.", code=pool_code)
    record(
        actor=actor,
        action="treasury.name_pool_origin",
        subject=f"pool:{pool_code}",
        reason=evidence.strip()[:500],
        inputs={"origin": origin.value},
        at=at,
    )


@transaction.atomic
def allocate(
    *, actor: Actor, pool_code: str, account_id: int, jurisdiction: str, amount_minor: int, key: str, at: datetime
) -> None:
    """Lend from a pool to an account that stands under a jurisdiction's rules. The same key again does nothing.

    Raises `ThirdPartyMoney` in mainland China unless the pool is the lender's own or lawfully raised money, which a
    trigger holds too, `PoolExhausted` if the pool cannot lend as much, `ConflictingMovement` for a key used for
    something else.
    """
    own = FundingPool.objects.filter(code=pool_code, origin__in=[PoolOrigin.OWN, PoolOrigin.RAISED])
    if jurisdiction == "CN" and not own.exists():
        raise ThirdPartyMoney(
            "In mainland China a loan is financed from the lender's own or lawfully raised money alone, and pool "
            "{pool_code} is not on record as such. Nothing was lent.",
            pool_code=pool_code,
        )
    if not _write_movement(
        kind=PoolMovementKind.ALLOCATE,
        pool_code=pool_code,
        account_id=account_id,
        amount_minor=amount_minor,
        key=key,
        actor=actor,
        at=at,
    ):
        return
    pool = FundingPool.objects.filter(code=pool_code, lent_minor__lte=F("committed_minor") - amount_minor)
    if not pool.update(lent_minor=F("lent_minor") + amount_minor):
        raise PoolExhausted("Pool {pool_code} cannot lend as much now.", pool_code=pool_code)


@transaction.atomic
def release(*, actor: Actor, pool_code: str, account_id: int, amount_minor: int, key: str, at: datetime) -> None:
    """Give money that an account repaid back to its pool. The same key again does nothing.

    Raises `PoolRefused` for more than the pool has lent, `ConflictingMovement` for a key used for something else.
    """
    if not _write_movement(
        kind=PoolMovementKind.RELEASE,
        pool_code=pool_code,
        account_id=account_id,
        amount_minor=amount_minor,
        key=key,
        actor=actor,
        at=at,
    ):
        return
    pool = FundingPool.objects.filter(code=pool_code, lent_minor__gte=amount_minor)
    if not pool.update(lent_minor=F("lent_minor") - amount_minor):
        raise PoolRefused("Pool {pool_code} has lent less than is to be released.", pool_code=pool_code)


def _write_movement(
    *,
    actor: Actor,
    kind: PoolMovementKind,
    pool_code: str,
    account_id: int,
    amount_minor: int,
    key: str,
    at: datetime,
) -> bool:
    """Write a movement; false if the key already wrote the same one."""
    if amount_minor <= 0:
        raise PoolRefused("A movement of a pool needs a positive amount.", amount_minor=amount_minor)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO treasury_poolmovement (pool_id, account_id, kind, amount_minor, key, moved_by, at)
            SELECT id, %s, %s, %s, %s, %s, %s FROM treasury_fundingpool WHERE code = %s
            ON CONFLICT (pool_id, kind, key) DO NOTHING
            """,
            [account_id, kind.value, amount_minor, key, actor.ref, at, pool_code],
        )
        if cursor.rowcount == 1:
            return True
    first = PoolMovement.objects.filter(pool__code=pool_code, kind=kind, key=key).first()
    if first is None:
        raise PoolRefused("There is no pool {pool_code}.", pool_code=pool_code)
    if (first.account_id, first.amount_minor) != (account_id, amount_minor):
        raise ConflictingMovement(
            "Key {key} already named another movement of pool {pool_code}.", key=key, pool_code=pool_code
        )
    return False
