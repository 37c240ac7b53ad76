"""The desk's book, closes and assumptions put before the engine. Nothing is written."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

import numpy as np
import numpy.typing as npt

from reefpoint.decisions.margin.selectors.standing import Sheet, book_of, load_sheet
from reefpoint.engine.calibration import FactorFit, fit_factor
from reefpoint.engine.columns import BookError
from reefpoint.engine.draws import name_keys
from reefpoint.engine.gap import gap_loss
from reefpoint.engine.haircuts import HISTORY_MIN, HaircutInputs, HaircutPolicy, find_haircuts, history_days
from reefpoint.engine.sale_prices import GapModel, HistoricalFactor, Horizon, sale_prices
from reefpoint.engine.tails import Tails
from reefpoint.insight.collateral import rules
from reefpoint.insight.collateral.rules import NotEnoughHistory, RunRefused
from reefpoint.insight.collateral.types import (
    GapReport,
    HaircutParts,
    HaircutProposal,
    HaircutReport,
    TailFigures,
)
from reefpoint.platform.basics.money import owed_minor, price_units
from reefpoint.records.accounts.selectors import load_accounts, pool_codes
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.calendar import last_closed_session, sessions
from reefpoint.records.market.selectors.prices import closes_on
from reefpoint.records.products.selectors import get_version

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Desk:
    accounts: list[AccountFacts]
    sheet: Sheet
    currency: str
    schemes: list[str]
    pools: list[str]


@dataclass(frozen=True)
class _History:
    """Closes int64[S, D] on the days of the window, oldest first, 0 where there is none; whose they are."""

    close_units: Int64s
    is_own: list[bool]
    fit: FactorFit


def propose_haircuts(
    *, at: datetime, policy: HaircutPolicy | None = None, paths: int = rules.PATHS, seed: int = 1
) -> HaircutReport:
    """A haircut for every name with history, from its closes up to `at` and what the desk holds of it.

    Raises `NotEnoughHistory` when no name has a year of closes, `RunRefused` for a run that cannot be.
    """
    policy = policy or HaircutPolicy()
    desk = _load(at)
    history = _history(desk.sheet, at)
    shares, pool_share = _holdings(desk)
    compact = _without_holes(history.close_units)
    known = np.flatnonzero(history_days(compact) >= HISTORY_MIN)
    known = known[np.ptp(np.where(compact == 0, compact.max(axis=1, keepdims=True), compact)[known], axis=1) > 0]
    try:
        horizon = Horizon(rules.DAYS, rules.GRACE_DAYS, seed)
        model = _model(desk.sheet, history.fit)
        level = 1.0 - policy.confidence
        sold = sale_prices(model, HistoricalFactor(history.fit.factor), horizon, paths=paths, levels=(level,))
        found = find_haircuts(
            HaircutInputs(
                close_units=np.ascontiguousarray(compact[known]),
                size=shares[known],
                daily_volume=np.array([desk.sheet.instruments[s].assumed_daily_volume for s in known], dtype=np.int64),
                spread=np.full(len(known), rules.SPREAD),
                issue_share=np.zeros(len(known)),
                pool_share=pool_share[known],
                gap_shortfall=np.clip(1.0 - sold.tail_mean[known, 0], 0.0, 1.0),
                legal_bp=np.zeros(len(known), dtype=np.int64),
            ),
            policy,
        )
    except BookError as error:
        raise RunRefused(f"{error}.") from error
    row_of = {int(column): row for row, column in enumerate(known)}
    haircuts = desk.sheet.marks.haircut_bp
    proposals = []
    for column, instrument in enumerate(desk.sheet.instruments):
        row = row_of.get(column)
        returns = int(history_days(compact[column : column + 1])[0])
        proposals.append(
            HaircutProposal(
                symbol=instrument.symbol,
                shares=int(shares[column]),
                assumed_daily_volume=instrument.assumed_daily_volume,
                current_bp=(int(haircuts[:, column].min()), int(haircuts[:, column].max())) if len(haircuts) else None,
                returns=returns,
                is_own_history=history.is_own[column],
                proposed_bp=None if row is None else int(found.haircut_bp[row]),
                parts=None
                if row is None
                else HaircutParts(
                    historical=float(found.historical[row]),
                    ewma=float(found.ewma[row]),
                    days=int(found.days[row]),
                    volatility=float(found.volatility[row]),
                    liquidity=float(found.liquidity[row]),
                    concentration=float(found.concentration[row]),
                    gap=float(found.gap[row]),
                    total=float(found.total[row]),
                ),
                why_not=""
                if row is not None
                else f"{returns} daily returns, {HISTORY_MIN} needed"
                if returns < HISTORY_MIN
                else "its closes never move",
            )
        )
    return HaircutReport(at, policy.confidence, paths, seed, tuple(proposals), rules.ASSUMPTIONS)


def find_gap_loss(
    *,
    at: datetime,
    paths: int = rules.PATHS,
    days: int = rules.DAYS,
    grace_days: int = rules.GRACE_DAYS,
    seed: int = 1,
    threads: int = 1,
) -> GapReport:
    """The lender's loss, by simulation, if all collateral had to be sold from `at` on.

    Raises `NotEnoughHistory` when no name has a year of closes, `RunRefused` for a run that cannot be and for a book in
    several currencies.
    """
    desk = _load(at)
    history = _history(desk.sheet, at)
    codes = {"scheme": sorted(set(desk.schemes)), "pool": sorted(set(desk.pools))}
    members = {"scheme": desk.schemes, "pool": desk.pools}
    groups = {
        name: np.array([codes[name].index(code) for code in column], dtype=np.int32) for name, column in members.items()
    }
    try:
        result = gap_loss(
            book_of(desk.accounts, desk.sheet),
            desk.sheet.marks,
            _model(desk.sheet, history.fit),
            HistoricalFactor(history.fit.factor),
            Horizon(days, grace_days, seed),
            paths=paths,
            levels=rules.LEVELS,
            groups=groups,
            threads=threads,
        )
        worst = np.argsort(-result.expected_units, kind="stable")[: rules.WORST_ACCOUNTS]
        worst = worst[result.expected_units[worst] > 0]
        in_detail = gap_loss(
            book_of([desk.accounts[row] for row in worst], desk.sheet),
            desk.sheet.marks,
            _model(desk.sheet, history.fit),
            HistoricalFactor(history.fit.factor),
            Horizon(days, grace_days, seed),
            paths=paths,
            levels=rules.LEVELS,
            accounts=np.arange(len(worst)),
            threads=threads,
        )
    except BookError as error:
        raise RunRefused(f"{error}.") from error
    debts = [account.debt_minor for account in desk.accounts]

    def parts(name: str) -> tuple[TailFigures, ...]:
        debt = dict.fromkeys(codes[name], 0)
        for code, minor in zip(members[name], debts, strict=True):
            debt[code] += minor
        return tuple(
            _figures(code, debt[code], result.by_group[name], row, desk.currency)
            for row, code in enumerate(codes[name])
        )

    return GapReport(
        at=at,
        currency=desk.currency,
        paths=paths,
        days=days,
        grace_days=grace_days,
        seed=seed,
        levels=rules.LEVELS,
        accounts=len(desk.accounts),
        unknown_accounts=int(result.is_unknown.sum()),
        total=_figures("", sum(debts), result.total, 0, desk.currency),
        by_scheme=parts("scheme"),
        by_pool=parts("pool"),
        worst_accounts=tuple(
            _figures(desk.accounts[row].number, debts[row], in_detail.by_account, index, desk.currency)
            for index, row in enumerate(worst.tolist())
        ),
        proxies=tuple(
            instrument.symbol
            for instrument, is_fitted in zip(desk.sheet.instruments, history.fit.is_fitted, strict=True)
            if not is_fitted
        ),
        assumptions=rules.ASSUMPTIONS,
    )


def _load(at: datetime) -> _Desk:
    accounts = load_accounts()
    versions = {version_id: get_version(version_id) for version_id in {one.scheme_version_id for one in accounts}}
    pools = pool_codes([account.id for account in accounts])
    currencies = sorted({account.currency for account in accounts}) or ["USD"]
    if len(currencies) > 1:
        raise RunRefused(f"The book is in {' and '.join(currencies)}: there is no rate to add them up by.")
    return _Desk(
        accounts=accounts,
        sheet=load_sheet(list(versions), at=at),
        currency=currencies[0],
        schemes=[versions[one.scheme_version_id].scheme_code for one in accounts],
        pools=[pools.get(one.id, "") for one in accounts],
    )


def fit_market(sheet: Sheet, *, at: datetime) -> FactorFit:
    """How each name of the sheet follows the market, from the closes up to `at`. Raises `NotEnoughHistory`."""
    return _history(sheet, at).fit


def _history(sheet: Sheet, at: datetime) -> _History:
    """The closes of sessions that had ended by `at`.

    A name's closes are the desk's own where it has a year of them, else those of the packaged history, which is in
    dollars and adjusted: only returns matter.
    """
    days = sorted({on for venue in {one.venue for one in sheet.instruments} for on in _window(venue, at)})
    stored: dict[int, int] = defaultdict(int)
    closes = closes_on(days)
    for instrument_id, _ in closes:
        stored[instrument_id] += 1
    packaged = dict(load_us20(days[0], days[-1])) if days else {}
    table = np.zeros((len(sheet.instruments), len(days)), dtype=np.int64)
    is_own = []
    for column, instrument in enumerate(sheet.instruments):
        has_package = instrument.currency == "USD" and any(instrument.symbol in one for one in packaged.values())
        is_own.append(stored[instrument.id] > HISTORY_MIN or not has_package)
        for index, on in enumerate(days):
            if is_own[-1]:
                table[column, index] = closes.get((instrument.id, on), 0)
            elif on in packaged:
                table[column, index] = price_units(packaged[on][instrument.symbol])
    try:
        fit = fit_factor(table)
    except BookError as error:
        raise RunRefused(f"{error}.") from error
    if not fit.is_fitted.any():
        raise NotEnoughHistory(
            f"No name has {HISTORY_MIN} daily returns in the {len(days)} sessions before {at:%Y-%m-%d}:"
            " import more closes first."
        )
    return _History(table, is_own, fit)


def _window(venue: str, at: datetime) -> list[date]:
    last = last_closed_session(venue, at)
    return sessions(venue, last - timedelta(days=2 * rules.WINDOW_SESSIONS), last)[-rules.WINDOW_SESSIONS :]


def _without_holes(close_units: Int64s) -> Int64s:
    """Each row's closes moved to the end: a session without one is left out, and the return spans it."""
    order = np.argsort(close_units > 0, axis=1, kind="stable")
    return np.take_along_axis(close_units, order, axis=1)


def _model(sheet: Sheet, fit: FactorFit) -> GapModel:
    """The gap model of the sheet's names; one without history moves like the wildest that has one."""
    names = len(sheet.instruments)
    is_suspended = sheet.marks.is_suspended
    return GapModel(
        key=name_keys([instrument.symbol for instrument in sheet.instruments]),
        beta=np.where(fit.is_fitted, fit.beta, np.nanmax(fit.beta)),
        volatility=np.where(fit.is_fitted, fit.volatility, np.nanmax(fit.volatility)),
        jump_chance=np.full(names, rules.JUMP_CHANCE),
        jump_size=np.full(names, rules.JUMP_SIZE),
        limit=np.full(names, np.inf),
        suspended_days=np.where(is_suspended, rules.SUSPENDED_DAYS, 0).astype(np.int64),
        resume_chance=np.full(names, rules.RESUME_CHANCE),
    )


def _holdings(desk: _Desk) -> tuple[Int64s, Float64s]:
    """Shares of each name that the book holds, and its greatest share by value of the collateral of any pool."""
    prices = desk.sheet.marks.price_units
    shares = np.zeros(len(prices), dtype=np.int64)
    value: dict[str, Float64s] = defaultdict(lambda: np.zeros(len(prices)))
    for account, pool in zip(desk.accounts, desk.pools, strict=True):
        for holding in account.holdings:
            column = desk.sheet.column[holding.instrument_id]
            shares[column] += holding.quantity
            value[pool][column] += float(holding.quantity) * float(prices[column])
    share = np.zeros(len(prices))
    for one in value.values():
        if one.sum() > 0:
            share = np.maximum(share, one / one.sum())
    return shares, share


def _figures(code: str, debt_minor: int, tails: Tails, row: int, currency: str) -> TailFigures:
    def minor(units: float) -> int:
        return owed_minor(ceil(units), currency)

    def each(column: Float64s) -> tuple[int, ...]:
        return tuple(minor(units) for units in column[row].tolist())

    return TailFigures(
        code=code,
        debt_minor=debt_minor,
        expected_minor=minor(float(tails.expected[row])),
        expected_error_minor=minor(float(tails.expected_error[row])),
        value_at_risk_minor=each(tails.value_at_risk),
        value_at_risk_error_minor=each(tails.value_at_risk_error),
        expected_shortfall_minor=each(tails.expected_shortfall),
        expected_shortfall_error_minor=each(tails.expected_shortfall_error),
    )
