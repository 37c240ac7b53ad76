"""One loan under one scheme, session by session, by the rules of the living desk.

A session runs as the desk's does: the client's payment in the morning; the closes, and what follows from where the
account stands; sales that were decided on an earlier session, at this close; deadlines that end; interest and fees. The
ratio, bands, calls, plans of sale, fills, interest and the order of payment are the functions that the desk itself
calls; nothing here decides anything of its own. What does not depend on the account is charted before (`course`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from reefpoint.decisions.margin.types import Band
from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Marks, build_book
from reefpoint.engine.columns import Int64s
from reefpoint.engine.interest import accrue, posted_minor
from reefpoint.engine.valuation import value_book
from reefpoint.flows.servicing.rules import is_interest_payment_day
from reefpoint.insight.simulation.rules.calls import answer_call, expire_call, repay, settle
from reefpoint.insight.simulation.rules.checks import check_play
from reefpoint.insight.simulation.rules.course import chart_course
from reefpoint.insight.simulation.rules.drawing import most_minor_of
from reefpoint.insight.simulation.rules.sales import carry_out_sale
from reefpoint.insight.simulation.rules.standing import Desk, Loan, market_units
from reefpoint.insight.simulation.types import Conduct, Happenings, History, Policy, SimDay, SimulationRun
from reefpoint.platform.basics.daycount import interest_days, year_days
from reefpoint.platform.basics.money import held_minor, owed_minor, price_units_per_minor
from reefpoint.records.execution.rules import PaperBrokerTerms
from reefpoint.records.market.types import SessionCalendar
from reefpoint.records.products.types import FeeMoment, SchemeTerms


def play(
    terms: SchemeTerms,
    history: History,
    calendar: SessionCalendar,
    *,
    holdings: Mapping[str, int],
    loan_minor: int,
    conduct: Conduct = Conduct.SILENT,
    happenings: Happenings | None = None,
    policy: Policy | None = None,
) -> SimulationRun:
    """Draw a loan at the first close and play it to the last. Raises `SimulationRefused`.

    The money leaves the account at once, its fees off, as with a client who borrows to spend. The facility is the loan.
    Every name's own capacity bounds what is sold of it in a session; nobody else sells beside. Whether the desk would
    have lent that much is told (`most_minor`), and refuses nothing.
    """
    happenings = happenings or Happenings()
    check_play(terms, history, holdings, loan_minor, happenings)
    course = chart_course(terms, history, calendar, happenings, policy or Policy())
    desk = Desk(
        terms=terms,
        instruments=history.instruments,
        calendar=calendar,
        course=course,
        lines=Lines.of(
            warning_bp=terms.warning_bp,
            call_bp=terms.call_bp,
            close_out_bp=terms.close_out_bp,
            cure_bp=terms.cure_bp,
            hysteresis_bp=terms.hysteresis_bp,
        ),
        scale=price_units_per_minor(terms.currency),
        broker=PaperBrokerTerms(),
        matures_on=history.days[0] + timedelta(days=terms.tenor_days),
        maintenance_bp=tuple(terms.maintenance_bp(one.symbol) for one in history.instruments),
    )
    loan = Loan([holdings.get(one.symbol, 0) for one in history.instruments])
    start_units = market_units(loan, course.price_units[0].tolist())
    most_minor = most_minor_of(desk, loan, loan_minor)
    fee = terms.charges_minor(FeeMoment.DRAWDOWN, loan_minor)
    loan.principal, loan.taken_out, loan.fees_charged = loan_minor, loan_minor - fee, fee
    stood: list[tuple[list[int], int, int, Band]] = []
    before = course.price_units[0].tolist()
    for number, on in enumerate(history.days):
        prices = course.price_units[number].tolist()
        is_known = all(now for now, held in zip(course.is_priced[number].tolist(), loan.held, strict=True) if held)
        if number and conduct is Conduct.PAYS:
            answer_call(desk, loan, course.morning_units[number].tolist(), on)
        loan.price_change_units += sum(
            held * (now - last) for held, now, last in zip(loan.held, prices, before, strict=True)
        )
        settle(desk, loan, prices, on, is_known=is_known)
        carry_out_sale(desk, loan, number, on, is_known=is_known)
        expire_call(desk, loan, prices, on, is_known=is_known)
        _end_day(desk, loan, number, on, is_known=is_known)
        stood.append((list(loan.held), loan.cash, loan.debt, loan.band))
        before = prices
    return _told(desk, loan, before, _days(desk, history, stood), loan_minor, most_minor, start_units)


def _end_day(desk: Desk, loan: Loan, number: int, on: date, *, is_known: bool) -> None:
    """Interest to the next session, the fees of the day, and at a month's end what cash there is against both."""
    terms, until = desk.terms, desk.calendar.shift(on, 1)
    if loan.principal:
        late = on > desk.late_after
        column = [loan.principal, terms.penalty_rate_bp if late else desk.course.rate_bp[number]]
        column += [interest_days(terms.day_count, on, until), year_days(terms.day_count), loan.carry]
        micro, carry = accrue(*(np.array([value], dtype=np.int64) for value in column))
        total = loan.accrued_micro + int(micro[0])
        posted = int(posted_minor(np.array([loan.accrued_micro], dtype=np.int64), np.array([total], dtype=np.int64))[0])
        loan.accrued_micro, loan.carry = total, int(carry[0])
        loan.interest += posted
        loan.interest_charged += posted
        if late and not loan.is_late_charged:
            loan.is_late_charged = True
            _charge(loan, terms.charges_minor(FeeMoment.LATE, loan.principal))
    if is_interest_payment_day(on, until):
        _charge(loan, terms.charges_minor(FeeMoment.MONTH_END, loan.principal))
        repay(desk, loan, min(loan.cash, loan.interest + loan.fees))
    settle(desk, loan, desk.course.price_units[number].tolist(), on, is_known=is_known, is_day_end=True)


def _charge(loan: Loan, amount: int) -> None:
    loan.fees += amount
    loan.fees_charged += amount


def _days(desk: Desk, history: History, stood: Sequence[tuple[list[int], int, int, Band]]) -> tuple[SimDay, ...]:
    """Every close as the engine values it: all of them are one book, in which each day's names are names of their own.

    A name that has no close and is not suspended leaves its day unknown, as a name without any price does.
    """
    course, names = desk.course, len(desk.instruments)
    marks = Marks(
        price_units=np.where(course.is_priced, course.price_units, 0).ravel(),
        haircut_bp=course.haircut_bp.reshape(1, -1),
        maintenance_bp=np.array([desk.maintenance_bp * len(stood)], dtype=np.int64),
        is_stale=np.zeros(len(stood) * names, dtype=np.bool_),
        is_suspended=course.is_suspended.ravel(),
        lot=np.array([one.lot_size for one in desk.instruments] * len(stood), dtype=np.int64),
    )
    positions = [
        (number, number * names + column, quantity)
        for number, (held, *_) in enumerate(stood)
        for column, quantity in enumerate(held)
        if quantity
    ]
    book = build_book(
        cash_units=[cash * desk.scale for _, cash, _, _ in stood],
        debt_units=[debt * desk.scale for _, _, debt, _ in stood],
        terms=[0] * len(stood),
        account=[number for number, _, _ in positions],
        instrument=[column for _, column, _ in positions],
        quantity=[quantity for _, _, quantity in positions],
    )
    valued = value_book(book, marks, desk.lines)
    at_limit = course.price_units <= course.limit_down_units
    stuck = course.is_suspended | at_limit
    return tuple(
        SimDay(
            on=history.days[number],
            market_minor=held_minor(_worth(held, course.price_units[number]), desk.terms.currency),
            cash_minor=cash,
            debt_minor=debt,
            lendable_minor=held_minor(int(valued.lendable_units[number]), desk.terms.currency),
            ratio_bp=ratio if debt and ratio >= 0 else None,
            band=band,
            rate_bp=course.rate_bp[number],
            held_back=tuple(
                one.symbol
                for one, quantity, is_stuck in zip(desk.instruments, held, stuck[number], strict=True)
                if quantity and is_stuck
            ),
        )
        for number, ((held, cash, debt, band), ratio) in enumerate(zip(stood, valued.ratio_bp.tolist(), strict=True))
    )


def _worth(held: Sequence[int], price_units: Int64s) -> int:
    return sum(quantity * price for quantity, price in zip(held, price_units.tolist(), strict=True))


def _told(
    desk: Desk,
    loan: Loan,
    prices: Sequence[int],
    days: tuple[SimDay, ...],
    loan_minor: int,
    most_minor: int,
    start_units: int,
) -> SimulationRun:
    assets = market_units(loan, prices) + loan.cash * desk.scale
    debt = loan.debt * desk.scale
    covered = min(assets, debt)
    drawdown_fee = loan_minor - loan.taken_out
    calls = [*loan.calls, *([loan.call] if loan.call else [])]
    return SimulationRun(
        currency=desk.terms.currency,
        days=days,
        calls=tuple(calls),
        sales=tuple(loan.sales),
        payments=tuple(loan.payments),
        rates=desk.course.rates,
        haircuts=desk.course.haircuts,
        loan_minor=loan_minor,
        most_minor=most_minor,
        start_units=start_units,
        price_change_units=loan.price_change_units,
        client_end_units=assets - covered + (loan.taken_out - loan.paid_in) * desk.scale,
        lender_end_units=covered + (loan.repaid + drawdown_fee - loan_minor) * desk.scale,
        sale_cost_units=loan.sale_cost_units,
        interest_minor=loan.interest_charged,
        fees_minor=loan.fees_charged,
        shortfall_minor=owed_minor(debt - covered, desk.terms.currency),
    )
