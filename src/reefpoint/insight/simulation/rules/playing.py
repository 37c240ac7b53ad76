"""One loan under one scheme, session by session, by the rules of the living desk.

A session runs as the desk's does: the client's payment in the morning; the closes, and what follows from where the
account stands; sales that were decided on an earlier session, at this close; deadlines that end; interest and fees. The
ratio, bands, calls, plans of sale, fills, interest and the order of payment are the functions that the desk itself
calls; nothing here decides anything of its own. What does not depend on the account is charted before (`course`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from reefpoint.decisions.margin.rules import answers_call, consequence, maintenance_call_minor
from reefpoint.decisions.margin.types import Band, CallCause, Standing
from reefpoint.engine.bands import Lines, step_bands
from reefpoint.engine.book import Marks, build_book
from reefpoint.engine.columns import BP, Int64s
from reefpoint.engine.cures import ratio_bp, repayment_to_reach
from reefpoint.engine.interest import accrue, posted_minor
from reefpoint.engine.liquidation import SalePlan, plan_sale
from reefpoint.engine.valuation import value_book
from reefpoint.flows.liquidation.rules import SALE_COST_BP, is_cured, sale_preference, target_of
from reefpoint.flows.servicing.rules import CreditRefused, allocate_payment, check_credit, is_interest_payment_day
from reefpoint.insight.simulation.rules.checks import check_play
from reefpoint.insight.simulation.rules.course import Course, chart_course
from reefpoint.insight.simulation.types import (
    CallEnd,
    Conduct,
    Happenings,
    History,
    Policy,
    SaleCause,
    SimCall,
    SimDay,
    SimPayment,
    SimSale,
    SimulationRun,
)
from reefpoint.platform.basics.daycount import interest_days, year_days
from reefpoint.platform.basics.money import ceil_div, held_minor, owed_minor, price_units_per_minor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, Holding
from reefpoint.records.execution.rules import (
    PaperBrokerTerms,
    fill_amounts,
    fillable_quantity,
    session_capacity,
)
from reefpoint.records.execution.types import Side
from reefpoint.records.market.types import InstrumentView, LatestPrice, SessionCalendar
from reefpoint.records.products.types import Due, FeeMoment, SchemeTerms

UNKNOWN_RATIO = -1


@dataclass
class _Loan:
    """The account as it stands: money in minor units, shares by column of the history."""

    held: list[int]
    cash: int = 0
    principal: int = 0
    interest: int = 0
    fees: int = 0
    band: Band = Band.UNKNOWN
    call: SimCall | None = None
    selling: SaleCause | None = None
    selling_since: date | None = None
    expired_for: CallCause | None = None
    target_bp: int = 0
    has_sold: bool = False
    is_sold_out: bool = False
    is_late_charged: bool = False
    accrued_micro: int = 0
    carry: int = 0
    paid_in: int = 0
    taken_out: int = 0
    repaid: int = 0
    interest_charged: int = 0
    fees_charged: int = 0
    sale_cost_units: int = 0
    price_change_units: int = 0
    calls: list[SimCall] = field(default_factory=list)
    sales: list[SimSale] = field(default_factory=list)
    payments: list[SimPayment] = field(default_factory=list)

    @property
    def debt(self) -> int:
        return self.principal + self.interest + self.fees

    @property
    def is_enforced(self) -> bool:
        return self.selling is not None or self.is_sold_out


@dataclass(frozen=True)
class _Desk:
    """What does not change while the days run."""

    terms: SchemeTerms
    instruments: tuple[InstrumentView, ...]
    calendar: SessionCalendar
    course: Course
    lines: Lines
    scale: int
    broker: PaperBrokerTerms
    matures_on: date
    maintenance_bp: tuple[int, ...]

    def marks(self, number: int) -> Marks:
        """What the engine needs to know of each name at the close of a session."""
        course = self.course
        return Marks(
            price_units=course.price_units[number],
            haircut_bp=course.haircut_bp[number][None, :],
            maintenance_bp=np.array([self.maintenance_bp], dtype=np.int64),
            is_stale=np.zeros(len(self.instruments), dtype=np.bool_),
            is_suspended=course.is_suspended[number],
            lot=np.array([one.lot_size for one in self.instruments], dtype=np.int64),
            limit_down_units=course.limit_down_units[number],
        )

    @property
    def late_after(self) -> date:
        return self.matures_on + timedelta(days=self.terms.grace_days)


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
    desk = _Desk(
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
    loan = _Loan([holdings.get(one.symbol, 0) for one in history.instruments])
    start_units = _market(loan, course.price_units[0].tolist())
    most_minor = _most_minor(desk, loan, loan_minor)
    fee = terms.charges_minor(FeeMoment.DRAWDOWN, loan_minor)
    loan.principal, loan.taken_out, loan.fees_charged = loan_minor, loan_minor - fee, fee
    stood: list[tuple[list[int], int, int, Band]] = []
    before = course.price_units[0].tolist()
    for number, on in enumerate(history.days):
        prices = course.price_units[number].tolist()
        is_known = all(now for now, held in zip(course.is_priced[number].tolist(), loan.held, strict=True) if held)
        if number and conduct is Conduct.PAYS:
            _answer(desk, loan, course.morning_units[number].tolist(), on)
        loan.price_change_units += sum(
            held * (now - last) for held, now, last in zip(loan.held, prices, before, strict=True)
        )
        _settle(desk, loan, prices, on, is_known=is_known)
        _sell(desk, loan, number, on, is_known=is_known)
        _expire(desk, loan, prices, on, is_known=is_known)
        _end_day(desk, loan, number, on, is_known=is_known)
        stood.append((list(loan.held), loan.cash, loan.debt, loan.band))
        before = prices
    return _told(desk, loan, before, _days(desk, history, stood), loan_minor, most_minor, start_units)


def _market(loan: _Loan, prices: Sequence[int]) -> int:
    return sum(held * price for held, price in zip(loan.held, prices, strict=True))


def _ratio(desk: _Desk, loan: _Loan, prices: Sequence[int]) -> int | None:
    return ratio_bp(_market(loan, prices) + loan.cash * desk.scale, loan.debt * desk.scale)


def _standing(desk: _Desk, loan: _Loan, prices: Sequence[int], *, is_known: bool) -> Standing:
    """Where the account stands, its band after hysteresis; unknown while a price of it is missing."""
    market = _market(loan, prices)
    ratio = ratio_bp(market + loan.cash * desk.scale, loan.debt * desk.scale)
    engine = UNKNOWN_RATIO if not is_known else np.iinfo(np.int64).max if ratio is None else ratio
    before = np.array([loan.band.value], dtype=np.int8)
    band = step_bands(np.array([engine], dtype=np.int64), np.zeros(1, dtype=np.uint16), desk.lines, before)
    return Standing(
        account_id=0,
        market_minor=held_minor(market, desk.terms.currency),
        assets_minor=held_minor(market, desk.terms.currency) + loan.cash,
        lendable_minor=0,
        requirement_minor=_requirement_minor(desk, loan, prices),
        debt_minor=loan.debt,
        ratio_bp=ratio if is_known else None,
        band=Band(int(band[0])),
    )


def _requirement_minor(desk: _Desk, loan: _Loan, prices: Sequence[int]) -> int:
    """What the names ask of equity, rounded up as the engine does."""
    asked = sum(held * price * rate for held, price, rate in zip(loan.held, prices, desk.maintenance_bp, strict=True))
    return owed_minor(ceil_div(asked, BP), desk.terms.currency)


def _settle(
    desk: _Desk, loan: _Loan, prices: Sequence[int], on: date, *, is_known: bool, is_day_end: bool = False
) -> None:
    """Measure, and do what follows: cure or open a call, or decide a sale."""
    standing = _standing(desk, loan, prices, is_known=is_known)
    loan.band = standing.band
    follows = consequence(
        standing,
        cure_bp=desk.terms.cure_bp,
        open_call=loan.call.cause if loan.call else None,
        is_enforced=loan.is_enforced,
        is_day_end=is_day_end,
    )
    if follows.cures_call:
        _end_call(loan, CallEnd.CURED, on)
    if follows.opens_call is not None:
        amount = _asked_minor(desk, standing, follows.opens_call)
        deadline = desk.calendar.shift(on, desk.terms.call_deadline_sessions)
        loan.call = SimCall(on, follows.opens_call, standing.ratio_bp or 0, amount, deadline, CallEnd.OPEN, None)
    if follows.breaches_close_out:
        _end_call(loan, CallEnd.SUPERSEDED, on)
        loan.selling, loan.selling_since, loan.has_sold = SaleCause.CLOSE_OUT, on, False
        loan.expired_for, loan.target_bp = None, desk.terms.target_bp


def _asked_minor(desk: _Desk, standing: Standing, cause: CallCause) -> int:
    """What a call of this cause asks to be repaid."""
    if cause is CallCause.MAINTENANCE:
        return max(maintenance_call_minor(standing), 0)
    return repayment_to_reach(standing.assets_minor, standing.debt_minor, desk.terms.cure_bp)


def _end_call(loan: _Loan, end: CallEnd, on: date) -> None:
    if loan.call is not None:
        loan.calls.append(replace(loan.call, end=end, ended_on=on))
        loan.call = None


def _answer(desk: _Desk, loan: _Loan, prices: Sequence[int], on: date) -> None:
    """The client pays in the morning what cures its call; the account is looked at on the last known prices."""
    if loan.call is None:
        return
    amount = _asked_minor(desk, _standing(desk, loan, prices, is_known=True), loan.call.cause)
    loan.cash += amount
    loan.paid_in += amount
    loan.payments.append(SimPayment(on, amount))
    _repay(desk, loan, amount)
    _settle(desk, loan, prices, on, is_known=True)


def _repay(desk: _Desk, loan: _Loan, amount: int) -> None:
    dues = {Due.FEES: loan.fees, Due.INTEREST: loan.interest, Due.PRINCIPAL: loan.principal}
    paid = allocate_payment(min(amount, loan.cash), dues, desk.terms.payment_order).paid
    loan.fees -= paid.get(Due.FEES, 0)
    loan.interest -= paid.get(Due.INTEREST, 0)
    loan.principal -= paid.get(Due.PRINCIPAL, 0)
    loan.cash -= sum(paid.values())
    loan.repaid += sum(paid.values())


def _sell(desk: _Desk, loan: _Loan, number: int, on: date, *, is_known: bool) -> None:
    """Carry out a sale that was decided on an earlier session, as far as volume, suspensions and limits go."""
    prices = desk.course.price_units[number].tolist()
    if loan.selling is None or loan.selling_since is None or loan.selling_since >= on or not is_known:
        return
    if _ends_sale(desk, loan, prices, on):
        return
    plan = _plan(desk, loan, number)
    ratio_before = _ratio(desk, loan, prices) or 0
    cause = loan.selling
    _repay(desk, loan, held_minor(plan.cash_applied_units, desk.terms.currency))
    for line in plan.lines:
        one = desk.instruments[line.instrument]
        capacity = session_capacity(one.assumed_daily_volume, desk.broker.participation_bp)
        quantity = fillable_quantity(line.quantity, capacity, one.lot_size)
        if not quantity:
            continue
        mark = prices[line.instrument]
        fill = fill_amounts(Side.SELL, quantity, mark, desk.broker)
        cost_units = quantity * mark - (fill.gross_minor - fill.fee_minor) * desk.scale
        loan.held[line.instrument] -= quantity
        loan.cash += fill.gross_minor - fill.fee_minor
        loan.sale_cost_units += cost_units
        loan.has_sold = True
        _repay(desk, loan, loan.cash)
        loan.sales.append(
            SimSale(
                on=on,
                cause=cause,
                symbol=one.symbol,
                quantity=quantity,
                price_units=fill.price_units,
                value_minor=held_minor(quantity * mark, desk.terms.currency),
                cost_minor=owed_minor(cost_units, desk.terms.currency),
                ratio_before_bp=ratio_before,
                ratio_after_bp=_ratio(desk, loan, prices),
            )
        )
    _ends_sale(desk, loan, prices, on)


def _ends_sale(desk: _Desk, loan: _Loan, prices: Sequence[int], on: date) -> bool:
    """Whether the sale is over: the account holds what is wanted of it, or has nothing left to sell."""
    wanted_bp = loan.target_bp if loan.has_sold else desk.terms.cure_bp
    standing = _standing(desk, loan, prices, is_known=True)
    waits_for_maintenance = loan.expired_for is CallCause.MAINTENANCE and not loan.has_sold
    if not standing.is_short_of_maintenance if waits_for_maintenance else is_cured(standing, wanted_bp):
        loan.selling = loan.selling_since = None
        _settle(desk, loan, prices, on, is_known=True)
        return True
    if not any(loan.held):
        loan.selling = loan.selling_since = None
        loan.is_sold_out = True
        return True
    return False


def _plan(desk: _Desk, loan: _Loan, number: int) -> SalePlan:
    columns = [column for column, held in enumerate(loan.held) if held]
    names = [desk.instruments[column] for column in columns]
    capacity = [session_capacity(one.assumed_daily_volume, desk.broker.participation_bp) for one in names]
    account = _facts(desk, loan)
    ids = {one.id: column for column, one in enumerate(desk.instruments)}
    terms, prices = desk.terms, desk.course.price_units[number].tolist()
    return plan_sale(
        build_book(
            cash_units=[loan.cash * desk.scale],
            debt_units=[loan.debt * desk.scale],
            terms=[0],
            account=[0] * len(columns),
            instrument=columns,
            quantity=[loan.held[column] for column in columns],
        ),
        desk.marks(number),
        sellable=np.array(
            [min(cap, loan.held[column]) for cap, column in zip(capacity, columns, strict=True)], dtype=np.int64
        ),
        cost_bp=np.full(len(columns), SALE_COST_BP, dtype=np.int64),
        target_bp=loan.target_bp,
        preference=sale_preference(
            terms.liquidation_order, account, desk.instruments, _latest(desk, prices, ids), terms
        ),
        grain_units=desk.scale,
    )


def _facts(desk: _Desk, loan: _Loan) -> AccountFacts:
    return AccountFacts(
        id=0,
        number="",
        client_id=0,
        scheme_version_id=0,
        currency=desk.terms.currency,
        status=AccountStatus.ACTIVE,
        change_no=0,
        cash_minor=loan.cash,
        principal_minor=loan.principal,
        interest_minor=loan.interest,
        fees_minor=loan.fees,
        holdings=tuple(Holding(one.id, held) for one, held in zip(desk.instruments, loan.held, strict=True) if held),
    )


def _latest(desk: _Desk, prices: Sequence[int], ids: Mapping[int, int]) -> dict[int, LatestPrice]:
    close = desk.calendar.close
    day = desk.calendar.days[0]
    return {
        one.id: LatestPrice(one.id, one.symbol, prices[ids[one.id]], close(day), day, 0, 0) for one in desk.instruments
    }


def _expire(desk: _Desk, loan: _Loan, prices: Sequence[int], on: date, *, is_known: bool) -> None:
    """End a call whose deadline is this close; the sale begins on the next session."""
    if loan.call is None or loan.call.deadline_on > on or not is_known:
        return
    cause = loan.call.cause
    if answers_call(_standing(desk, loan, prices, is_known=True), cause, desk.terms.cure_bp):
        return
    _end_call(loan, CallEnd.EXPIRED, on)
    loan.selling, loan.selling_since, loan.has_sold = SaleCause.CALL_EXPIRED, on, False
    loan.expired_for, loan.target_bp = cause, _target_bp(desk, loan, prices, cause)


def _target_bp(desk: _Desk, loan: _Loan, prices: Sequence[int], cause: CallCause) -> int:
    """Until which ratio the sale that follows goes."""
    held = [(n * price, rate) for n, price, rate in zip(loan.held, prices, desk.maintenance_bp, strict=True) if n]
    return target_of(desk.terms, cause, held, max(loan.debt - loan.cash, 0) * desk.scale)


def _end_day(desk: _Desk, loan: _Loan, number: int, on: date, *, is_known: bool) -> None:
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
        _repay(desk, loan, min(loan.cash, loan.interest + loan.fees))
    _settle(desk, loan, desk.course.price_units[number].tolist(), on, is_known=is_known, is_day_end=True)


def _charge(loan: _Loan, amount: int) -> None:
    loan.fees += amount
    loan.fees_charged += amount


def _days(desk: _Desk, history: History, stood: Sequence[tuple[list[int], int, int, Band]]) -> tuple[SimDay, ...]:
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


def _most_minor(desk: _Desk, loan: _Loan, asked_minor: int) -> int:
    """The most that could be drawn and taken out at the first close by the rules of both, and by the scheme's limit.

    All that was asked for if that is allowed; else found by halving what is left.
    """
    most = min(asked_minor, desk.terms.limit_minor)
    if most <= 0 or _is_lent(desk, loan, most):
        return max(most, 0)
    low, high = 0, most
    while high - low > 1:
        amount = (low + high) // 2
        if _is_lent(desk, loan, amount):
            low = amount
        else:
            high = amount
    return low


def _is_lent(desk: _Desk, loan: _Loan, amount: int) -> bool:
    """Whether the desk draws this down for the account, and pays all of it out."""
    terms, fee = desk.terms, desk.terms.charges_minor(FeeMoment.DRAWDOWN, amount)
    steps = (
        (amount - fee, terms.initial_bp, terms.min_equity_minor, Sentence("this drawdown")),
        (0, terms.withdrawal_bp, 0, Sentence("this withdrawal")),
    )
    try:
        for cash, required_bp, min_equity_minor, what in steps:
            check_credit(
                status=AccountStatus.ACTIVE,
                is_enforced=False,
                after=_measured(desk, loan, cash, amount),
                required_bp=required_bp,
                coverage_bp=10_000,
                min_equity_minor=min_equity_minor,
                what=what,
                currency=terms.currency,
            )
    except CreditRefused:
        return False
    return True


def _measured(desk: _Desk, loan: _Loan, cash_minor: int, debt_minor: int) -> Standing:
    """The account at the first close with this cash and debt, by the engine."""
    columns = [column for column, held in enumerate(loan.held) if held]
    book = build_book(
        cash_units=[max(cash_minor, 0) * desk.scale],
        debt_units=[debt_minor * desk.scale],
        terms=[0],
        account=[0] * len(columns),
        instrument=columns,
        quantity=[loan.held[column] for column in columns],
    )
    valued = value_book(book, desk.marks(0), desk.lines)
    ratio, currency = int(valued.ratio_bp[0]), desk.terms.currency
    return Standing(
        account_id=0,
        market_minor=held_minor(int(valued.market_units[0]), currency),
        assets_minor=held_minor(int(valued.assets_units[0]), currency),
        lendable_minor=held_minor(int(valued.lendable_units[0]), currency),
        requirement_minor=owed_minor(int(valued.requirement_units[0]), currency),
        debt_minor=debt_minor,
        ratio_bp=ratio,
        band=Band(int(valued.band[0])),
    )


def _told(
    desk: _Desk,
    loan: _Loan,
    prices: Sequence[int],
    days: tuple[SimDay, ...],
    loan_minor: int,
    most_minor: int,
    start_units: int,
) -> SimulationRun:
    assets = _market(loan, prices) + loan.cash * desk.scale
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
