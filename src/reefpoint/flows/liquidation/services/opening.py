"""Opening a liquidation, and the second person's word where the scheme asks for it."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from reefpoint.decisions.margin.selectors.calls import call_cause
from reefpoint.decisions.margin.selectors.standing import Sheet, is_enforced, list_enforced, load_sheet, measure_on
from reefpoint.decisions.margin.services.calls import begin_enforcement, end_enforcement
from reefpoint.decisions.margin.types import CallCause
from reefpoint.flows.liquidation.events import LiquidationEnded, LiquidationOpened
from reefpoint.flows.liquidation.models import LIVE, Liquidation
from reefpoint.flows.liquidation.rules import LIQUIDATION_STATES, target_of
from reefpoint.flows.liquidation.types import Cause, LiquidationState
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import price_units_per_minor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.services import publish
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.loans import get_loan
from reefpoint.records.accounts.types import AccountFacts, AccountStatus
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import LiquidationRule

APPROVAL_KIND = "liquidation.start"


@transaction.atomic
def open_liquidation(*, actor: Actor, account_id: int, cause: Cause, call_id: int | None, at: datetime) -> int | None:
    """Open the liquidation of an account, or find the one that runs. Returns its id.

    The same trigger (account, cause, call, instant) is one liquidation, also when it is told again after the end.
    None if the account was let go since: then there is nothing to sell for, and it is judged anew.

    By policy it is carried out in the next session; a scheme may ask for a second person's approval first.
    """
    account = accounts.lock_account(account_id)
    of_account = Liquidation.objects.filter(account_id=account_id)
    same_trigger = Q(cause=cause, call_id=call_id, opened_at=at)
    known = of_account.filter(Q(state__in=LIVE) | same_trigger).first()
    if known is not None:
        return known.id
    if not is_enforced(account_id):
        return None
    terms = get_terms(account.scheme_version_id)
    sheet = load_sheet([account.scheme_version_id], at=at)
    (standing,) = measure_on(sheet, [account])
    target_bp = _target_bp(account, sheet, call_cause(call_id) if call_id else CallCause.LINE)
    on = current_book_day() or at.date()
    needs_approval = terms.liquidation_rule is LiquidationRule.APPROVAL
    liquidation = Liquidation.objects.create(
        number=f"L-{account.number.removeprefix('M-')}-{on:%y%m%d}",
        account_id=account_id,
        call_id=call_id,
        cause=cause,
        state=LiquidationState.AWAITING_APPROVAL if needs_approval else LiquidationState.PLANNED,
        target_bp=target_bp,
        opened_on=on,
        opened_at=at,
    )
    figures = {
        "account": account.number,
        "cause": cause.value,
        "assets_minor": standing.assets_minor,
        "debt_minor": standing.debt_minor,
        "ratio_bp": standing.ratio_bp,
        "target_bp": target_bp,
    }
    if call_id and target_bp != terms.target_bp:
        figures["requirement_minor"] = standing.requirement_minor
    if needs_approval:
        liquidation.approval_id = request_approval(
            actor=actor,
            kind=APPROVAL_KIND,
            subject=f"liquidation:{liquidation.id}",
            payload=figures,
            reason=str(Sentence("{number}: {cause}", {"number": account.number, "cause": cause})),
            at=at,
        )
        liquidation.save(update_fields=["approval_id"])
    record(actor=actor, action="liquidation.open", subject=f"liquidation:{liquidation.id}", inputs=figures, at=at)
    publish(LiquidationOpened(at=at, liquidation_id=liquidation.id, account_id=account_id))
    return liquidation.id


def _target_bp(account: AccountFacts, sheet: Sheet, cause: CallCause) -> int:
    marks, row = sheet.marks, sheet.row[account.scheme_version_id]
    columns = [(sheet.column_of(one.instrument_id, account.currency), one.quantity) for one in account.holdings]
    held = [(quantity * int(marks.price_units[one]), int(marks.maintenance_bp[row, one])) for one, quantity in columns]
    owed_minor = max(account.debt_minor - account.cash_minor, 0)
    return target_of(
        sheet.terms[account.scheme_version_id], cause, held, owed_minor * price_units_per_minor(account.currency)
    )


@transaction.atomic
def open_default_sale(*, actor: Actor, loan_id: int, on: date, at: datetime) -> int | None:
    """Open the sale for a late loan, until it is paid; the caller holds who approved it and what its client was told.

    Returns its id, that of the one that runs for the loan; None while another sale or an open call has the account.
    """
    loan = get_loan(loan_id)
    account = accounts.lock_account(loan.account_id)
    live = Liquidation.objects.filter(account_id=account.id, state__in=LIVE).first()
    if live is not None:
        return live.pk if live.loan_id == loan_id else None
    late_minor = loan.principal_minor + account.interest_minor + account.fees_minor
    if not begin_enforcement(
        actor=actor, account_id=account.id, reason=str(Sentence("{loan} is late", {"loan": loan.number})), at=at
    ):
        return None
    liquidation = Liquidation.objects.create(
        number=f"L-{loan.number.replace('-', '')}-{on:%y%m%d}",
        account_id=account.id,
        loan_id=loan_id,
        cause=Cause.DEFAULT,
        state=LiquidationState.PLANNED,
        late_minor=late_minor,
        opened_on=on,
        opened_at=at,
    )
    record(
        actor=actor,
        action="liquidation.open",
        subject=f"liquidation:{liquidation.id}",
        inputs={
            "account": account.number,
            "cause": Cause.DEFAULT.value,
            "loan": loan.number,
            "debt_minor": account.debt_minor,
            "late_minor": late_minor,
        },
        at=at,
    )
    publish(LiquidationOpened(at=at, liquidation_id=liquidation.id, account_id=account.id))
    return liquidation.id


@transaction.atomic
def approve_liquidation(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Let an approved liquidation be carried out in the next session."""
    liquidation = Liquidation.objects.select_for_update().get(approval_id=approval_id)
    if liquidation.state != LiquidationState.AWAITING_APPROVAL:
        return
    move(actor=actor, liquidation=liquidation, state=LiquidationState.PLANNED, reason="approved", at=at)


@transaction.atomic
def refuse_liquidation(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Drop a liquidation that the second person refused. The account stays enforced until the next business day."""
    liquidation = Liquidation.objects.select_for_update().get(approval_id=approval_id)
    if liquidation.state != LiquidationState.AWAITING_APPROVAL:
        return
    move(actor=actor, liquidation=liquidation, state=LiquidationState.CANCELLED, reason="refused", at=at)


def finish(*, actor: Actor, liquidation: Liquidation, state: LiquidationState, reason: str, at: datetime) -> None:
    """End a liquidation under its account's lock: state, enforcement and news in one transaction (I27)."""
    move(actor=actor, liquidation=liquidation, state=state, reason=reason, at=at)
    if state is LiquidationState.EXHAUSTED:
        accounts.set_status(
            actor=actor,
            account_id=liquidation.account_id,
            status=AccountStatus.FROZEN,
            reason=str(Sentence("nothing is left to sell and debt remains")),
            at=at,
        )
        return
    end_enforcement(actor=actor, account_id=liquidation.account_id, reason=reason, at=at)
    accounts.announce_change(account_id=liquidation.account_id, cause=f"liquidation {state.value}", at=at)


def move(*, actor: Actor, liquidation: Liquidation, state: LiquidationState, reason: str, at: datetime) -> None:
    """Change a liquidation's state by its table, with audit; tell of its end."""
    LIQUIDATION_STATES.check(LiquidationState(liquidation.state), state)
    liquidation.state = state
    is_final = LIQUIDATION_STATES.is_final(state)
    if is_final:
        liquidation.closed_at, liquidation.close_reason = at, reason
    liquidation.save(update_fields=["state", "closed_at", "close_reason"])
    record(
        actor=actor,
        action=f"liquidation.{state.value}",
        subject=f"liquidation:{liquidation.id}",
        reason=reason,
        at=at,
    )
    if is_final:
        publish(
            LiquidationEnded(at=at, liquidation_id=liquidation.id, account_id=liquidation.account_id, state=state.value)
        )


@transaction.atomic
def release_idle_enforcement(*, actor: Actor, on: date, at: datetime) -> int:
    """On a new day, let go of accounts that are enforced while nothing runs, so that they are judged anew.

    That is so after a second person refused a sale, and after an account that was sold out has paid what it owed. An
    account that has nothing left to sell and still owes stays as it is. Returns how many were let go.
    """
    require(actor, "liquidation.start")
    locked = accounts.lock_accounts(list_enforced(without=_accounts_being_sold()))
    being_sold = _accounts_being_sold()  # anew: a sale may have been opened until the locks were taken
    released = 0
    for account in locked:
        if account.id not in being_sold and (account.holdings or not account.debt_minor):
            end_enforcement(
                actor=actor, account_id=account.id, reason=str(Sentence("a new day, {on}", {"on": on})), at=at
            )
            accounts.announce_change(account_id=account.id, cause="enforcement ended", at=at)
            released += 1
    return released


def _accounts_being_sold() -> set[int]:
    return set(Liquidation.objects.filter(state__in=LIVE).values_list("account_id", flat=True))
