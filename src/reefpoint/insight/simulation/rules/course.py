"""All that does not depend on the account: what each name is worth, lends and may be sold for, and what a loan bears.

Valuation of suspended names, limits, ramps of haircuts and the days of new rates are the functions that the desk calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from reefpoint.decisions.collateral.rules import apply_cuts, plan_steps, ramp_days, suspension_cut_bp
from reefpoint.decisions.collateral.types import Ramp, Step
from reefpoint.decisions.pricing.rules import effective_day, moves, within
from reefpoint.engine.columns import Bools, Int64s
from reefpoint.insight.simulation.types import (
    HaircutChange,
    Happenings,
    History,
    Policy,
    SimHaircut,
    SimRate,
    Suspension,
)
from reefpoint.records.market.rules import limit_down_units
from reefpoint.records.market.types import SessionCalendar
from reefpoint.records.products.types import SchemeTerms


@dataclass(frozen=True, eq=False)
class Course:
    """What holds on each session, by column of the history.

    - `morning_units`, `price_units` int64[D, S]: what each name is worth before the close and at it, a suspended one
      by the desk's policy; 0 before its first close
    - `is_priced` bool[D, S]: it has a close of the day, or is suspended and keeps its last one
    - `is_suspended` bool[D, S]
    - `haircut_bp` int64[D, S]: the greater of the scheme's and the desk's
    - `limit_down_units` int64[D, S]: the lowest price of the day, 0 without a limit
    - `rate_bp`: what the loan bears from each session on
    """

    morning_units: Int64s
    price_units: Int64s
    is_priced: Bools
    is_suspended: Bools
    haircut_bp: Int64s
    limit_down_units: Int64s
    rate_bp: tuple[int, ...]
    rates: tuple[SimRate, ...]
    haircuts: tuple[SimHaircut, ...]


def chart_course(
    terms: SchemeTerms, history: History, calendar: SessionCalendar, happenings: Happenings, policy: Policy
) -> Course:
    """What happens over the days of a history under these terms. The first day is the day of the drawdown."""
    closes = np.array(history.closes, dtype=np.int64)
    known = _carried(closes)
    before = np.vstack([known[:1], known[:-1]])
    halts = (*history.suspensions, *happenings.suspensions)
    is_suspended, cut_bp = _suspensions(history, calendar, halts, policy)
    haircut_bp, haircuts = _haircuts(terms, history, calendar, happenings, policy)
    rate_bp, rates = _rates(terms, history.days, happenings, policy)
    return Course(
        morning_units=_cut(before, cut_bp),
        price_units=_cut(known, cut_bp),
        is_priced=(closes > 0) | (is_suspended & (known > 0)),
        is_suspended=is_suspended,
        haircut_bp=haircut_bp,
        limit_down_units=_limits(history, before),
        rate_bp=rate_bp,
        rates=rates,
        haircuts=haircuts,
    )


def _carried(closes: Int64s) -> Int64s:
    """Each close, or the last one known before it."""
    known = closes.copy()
    for number in range(1, len(known)):
        known[number] = np.where(known[number] > 0, known[number], known[number - 1])
    return known


def _suspensions(
    history: History, calendar: SessionCalendar, halts: Sequence[Suspension], policy: Policy
) -> tuple[Bools, Int64s]:
    """Which names are suspended on which day, and how much (bp) their last price is cut."""
    shape = (len(history.days), len(history.instruments))
    is_suspended, cut_bp = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    columns = {one.symbol: column for column, one in enumerate(history.instruments)}
    for halt in halts:
        if halt.symbol not in columns:
            continue
        for number, on in enumerate(history.days):
            if not halt.holds(on):
                continue
            is_suspended[number, columns[halt.symbol]] = True
            if policy.house is not None:
                cut_bp[number, columns[halt.symbol]] = suspension_cut_bp(policy.house, calendar, halt.since, on)
    return is_suspended, cut_bp


def _cut(prices: Int64s, cut_bp: Int64s) -> Int64s:
    """Prices with those of suspended names cut, day by day where anything is cut at all."""
    worth = prices.copy()
    for number in np.flatnonzero(cut_bp.any(axis=1)).tolist():
        cuts = {column: int(bp) for column, bp in enumerate(cut_bp[number]) if bp}
        worth[number] = apply_cuts(prices[number], range(prices.shape[1]), cuts)
    return worth


def _limits(history: History, before: Int64s) -> Int64s:
    limits = np.zeros_like(before)
    for column, limit_bp in enumerate(history.limits_bp):
        if limit_bp is not None:
            limits[:, column] = [limit_down_units(int(units), limit_bp) for units in before[:, column]]
    limits[0] = 0  # of the session before it nothing is known
    return limits


def _haircuts(
    terms: SchemeTerms, history: History, calendar: SessionCalendar, happenings: Happenings, policy: Policy
) -> tuple[Int64s, tuple[SimHaircut, ...]]:
    """The haircut of each day, and every change that was asked for with the steps in which it came."""
    ramp = Ramp(max(policy.ramp.notice_sessions, terms.haircut_notice_sessions), policy.ramp.step_bp)
    steps = {symbol: list(of_name) for symbol, of_name in happenings.steps.items()}
    told = []
    for change in sorted(happenings.haircuts, key=lambda one: (one.on, one.symbol)):
        planned = _planned(terms, change, steps.get(change.symbol, []), calendar, ramp)
        told.append(SimHaircut(change.on, change.symbol, change.haircut_bp, planned))
        if planned:
            kept = [one for one in steps.get(change.symbol, []) if one.effective_on < planned[0].effective_on]
            steps[change.symbol] = [*kept, *planned]
    table = np.array(
        [[terms.haircut_bp(one.symbol) for one in history.instruments]] * len(history.days), dtype=np.int64
    )
    for column, one in enumerate(history.instruments):
        for step in steps.get(one.symbol, []):
            later = np.array([on >= step.effective_on for on in history.days])
            table[later, column] = max(terms.haircut_bp(one.symbol), step.haircut_bp)
    return table, tuple(told)


def _planned(
    terms: SchemeTerms, change: HaircutChange, steps: Sequence[Step], calendar: SessionCalendar, ramp: Ramp
) -> tuple[Step, ...]:
    """The steps of one change; a name that the desk never put in force starts from the scheme's own haircut."""
    begun = [one for one in steps if one.effective_on <= change.on]
    return plan_steps(
        now_bp=begun[-1].haircut_bp if begun else terms.haircut_bp(change.symbol),
        pending=[one for one in steps if one.effective_on > change.on],
        target_bp=change.haircut_bp,
        days=ramp_days(calendar, change.on, ramp),
        ramp=ramp,
    )


def _rates(
    terms: SchemeTerms, days: Sequence[date], happenings: Happenings, policy: Policy
) -> tuple[tuple[int, ...], tuple[SimRate, ...]]:
    """What the loan bears from each session on, and every new rate with the day from which its terms let it hold."""
    drawn_on = days[0]
    matures_on = drawn_on + timedelta(days=terms.tenor_days)
    cap_bp = min(terms.rate_cap_bp, terms.rate_cap_bp if policy.rate_cap_bp is None else policy.rate_cap_bp)
    since: Mapping[date, int] = {drawn_on: terms.rate_bp}
    told = []
    for change in sorted(happenings.rates, key=lambda one: one.on):
        last_on, old_bp = max(since.items())
        new_bp = within(change.rate_bp, terms.rate_floor_bp, cap_bp)
        effective = effective_day(
            terms.rate_kind.value, drawn_on, terms.rate_reset_days, terms.rate_notice_days, change.on
        )
        waits = last_on > change.on
        if waits or effective is None or effective >= matures_on or not moves(old_bp, new_bp, policy.rate_step_bp):
            told.append(SimRate(change.on, None, new_bp))
            continue
        since = {**since, effective: new_bp}
        told.append(SimRate(change.on, effective, new_bp))
    starts = sorted(since)
    return tuple(since[max(one for one in starts if one <= on)] for on in days), tuple(told)
