"""What follows from where the account of a play stands: calls, their answers, their ends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from reefpoint.decisions.margin.rules import answers_call, consequence, maintenance_call_minor
from reefpoint.decisions.margin.types import CallCause, Standing
from reefpoint.engine.cures import repayment_to_reach
from reefpoint.flows.liquidation.rules import target_of
from reefpoint.flows.servicing.rules import allocate_payment
from reefpoint.insight.simulation.rules.standing import Desk, Loan, standing_of
from reefpoint.insight.simulation.types import CallEnd, SaleCause, SimCall, SimPayment
from reefpoint.records.products.types import Due


def settle(
    desk: Desk, loan: Loan, prices: Sequence[int], on: date, *, is_known: bool, is_day_end: bool = False
) -> None:
    """Measure, and do what follows: cure or open a call, or decide a sale."""
    standing = standing_of(desk, loan, prices, is_known=is_known)
    loan.band = standing.band
    follows = consequence(
        standing,
        cure_bp=desk.terms.cure_bp,
        open_call=loan.call.cause if loan.call else None,
        is_enforced=loan.is_enforced,
        is_day_end=is_day_end,
    )
    if follows.cures_call:
        end_call(loan, CallEnd.CURED, on)
    if follows.opens_call is not None:
        amount = _asked_minor(desk, standing, follows.opens_call)
        deadline = desk.calendar.shift(on, desk.terms.call_deadline_sessions)
        loan.call = SimCall(on, follows.opens_call, standing.ratio_bp or 0, amount, deadline, CallEnd.OPEN, None)
    if follows.breaches_close_out:
        end_call(loan, CallEnd.SUPERSEDED, on)
        loan.selling, loan.selling_since, loan.has_sold = SaleCause.CLOSE_OUT, on, False
        loan.expired_for, loan.target_bp = None, desk.terms.target_bp


def _asked_minor(desk: Desk, standing: Standing, cause: CallCause) -> int:
    """What a call of this cause asks to be repaid."""
    if cause is CallCause.MAINTENANCE:
        return max(maintenance_call_minor(standing), 0)
    return repayment_to_reach(standing.assets_minor, standing.debt_minor, desk.terms.cure_bp)


def end_call(loan: Loan, end: CallEnd, on: date) -> None:
    if loan.call is not None:
        loan.calls.append(replace(loan.call, end=end, ended_on=on))
        loan.call = None


def answer_call(desk: Desk, loan: Loan, prices: Sequence[int], on: date) -> None:
    """The client pays in the morning what cures its call; the account is looked at on the last known prices."""
    if loan.call is None:
        return
    amount = _asked_minor(desk, standing_of(desk, loan, prices, is_known=True), loan.call.cause)
    loan.cash += amount
    loan.paid_in += amount
    loan.payments.append(SimPayment(on, amount))
    repay(desk, loan, amount)
    settle(desk, loan, prices, on, is_known=True)


def repay(desk: Desk, loan: Loan, amount: int) -> None:
    dues = {Due.FEES: loan.fees, Due.INTEREST: loan.interest, Due.PRINCIPAL: loan.principal}
    paid = allocate_payment(min(amount, loan.cash), dues, desk.terms.payment_order).paid
    loan.fees -= paid.get(Due.FEES, 0)
    loan.interest -= paid.get(Due.INTEREST, 0)
    loan.principal -= paid.get(Due.PRINCIPAL, 0)
    loan.cash -= sum(paid.values())
    loan.repaid += sum(paid.values())


def expire_call(desk: Desk, loan: Loan, prices: Sequence[int], on: date, *, is_known: bool) -> None:
    """End a call whose deadline is this close; the sale begins on the next session."""
    if loan.call is None or loan.call.deadline_on > on or not is_known:
        return
    cause = loan.call.cause
    if answers_call(standing_of(desk, loan, prices, is_known=True), cause, desk.terms.cure_bp):
        return
    end_call(loan, CallEnd.EXPIRED, on)
    loan.selling, loan.selling_since, loan.has_sold = SaleCause.CALL_EXPIRED, on, False
    loan.expired_for, loan.target_bp = cause, _target_bp(desk, loan, prices, cause)


def _target_bp(desk: Desk, loan: Loan, prices: Sequence[int], cause: CallCause) -> int:
    """Until which ratio the sale that follows goes."""
    held = [(n * price, rate) for n, price, rate in zip(loan.held, prices, desk.maintenance_bp, strict=True) if n]
    return target_of(desk.terms, cause, held, max(loan.debt - loan.cash, 0) * desk.scale)
