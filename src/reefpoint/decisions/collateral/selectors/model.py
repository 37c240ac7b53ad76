"""Haircuts by the model: closes, holdings and assumptions put before the engine. Nothing is written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from reefpoint.decisions.collateral.selectors import assumptions
from reefpoint.decisions.collateral.selectors.assumptions import NotEnoughHistory, RunRefused
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.types import HaircutParts, HaircutProposal, HaircutReport
from reefpoint.engine.calibration import FactorFit, fit_factor
from reefpoint.engine.columns import BookError, Float64s, Int64s
from reefpoint.engine.draws import name_keys
from reefpoint.engine.haircuts import HISTORY_MIN, HaircutInputs, HaircutPolicy, find_haircuts, history_days
from reefpoint.engine.sale_prices import GapModel, HistoricalFactor, Horizon, sale_prices
from reefpoint.platform.basics.money import price_units
from reefpoint.records.accounts.selectors.accounts import scheme_versions_in_use
from reefpoint.records.accounts.selectors.positions import holdings_by_pool
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.calendar import last_closed_session, sessions
from reefpoint.records.market.selectors.instruments import list_instruments, list_listings
from reefpoint.records.market.selectors.prices import closes_on, latest_prices
from reefpoint.records.market.types import InstrumentView, ListingView
from reefpoint.records.products.selectors import get_terms

BP = 10_000


@dataclass(frozen=True)
class _History:
    """Closes int64[S, D] on the days of the window, oldest first, 0 where there is none; whose they are."""

    close_units: Int64s
    is_own: list[bool]
    fit: FactorFit


def propose_haircuts(
    *, at: datetime, policy: HaircutPolicy | None = None, paths: int = assumptions.PATHS, seed: int = 1
) -> HaircutReport:
    """A haircut for every name with history, from its closes up to `at` and what the desk holds of it.

    Raises `NotEnoughHistory` when no name has a year of closes, `RunRefused` for a run that cannot be.
    """
    policy = policy or HaircutPolicy()
    instruments = list_instruments()
    listings = list_listings(at.date())
    history = _load_history(instruments, at)
    shares, pool_share = _holdings(instruments, at)
    compact = _without_holes(history.close_units)
    known = np.flatnonzero(history_days(compact) >= HISTORY_MIN)
    known = known[np.ptp(np.where(compact == 0, compact.max(axis=1, keepdims=True), compact)[known], axis=1) > 0]
    issued = [listings[one.id].shares_issued for one in instruments]
    issue_share = np.array(
        [min(held / all_shares, 1.0) if all_shares else 0.0 for held, all_shares in zip(shares, issued, strict=True)]
    )
    try:
        horizon = Horizon(assumptions.DAYS, assumptions.GRACE_DAYS, seed)
        model = _model(instruments, listings, history.fit)
        level = 1.0 - policy.confidence
        sold = sale_prices(model, HistoricalFactor(history.fit.factor), horizon, paths=paths, levels=(level,))
        found = find_haircuts(
            HaircutInputs(
                close_units=np.ascontiguousarray(compact[known]),
                size=shares[known],
                daily_volume=np.array([listings[instruments[s].id].daily_volume for s in known], dtype=np.int64),
                spread=np.full(len(known), assumptions.SPREAD),
                issue_share=issue_share[known],
                pool_share=pool_share[known],
                gap_shortfall=np.clip(1.0 - sold.tail_mean[known, 0], 0.0, 1.0),
                legal_bp=np.zeros(len(known), dtype=np.int64),
            ),
            policy,
        )
    except BookError as error:
        raise RunRefused("{error}.", error=error) from error
    row_of = {int(column): row for row, column in enumerate(known)}
    current = own_haircuts(instruments, at.date())
    desk_bp = haircuts_in_force(at.date())
    proposals = []
    for column, instrument in enumerate(instruments):
        row = row_of.get(column)
        returns = int(history_days(compact[column : column + 1])[0])
        in_force = [max(own, desk_bp.get(instrument.id, 0)) for own in current.get(instrument.id, ())]
        proposals.append(
            HaircutProposal(
                instrument_id=instrument.id,
                symbol=instrument.symbol,
                shares=int(shares[column]),
                assumed_daily_volume=listings[instrument.id].daily_volume,
                current_bp=(min(in_force), max(in_force)) if in_force else None,
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
    return HaircutReport(at, policy.confidence, paths, seed, tuple(proposals), assumptions.ASSUMPTIONS)


def own_haircuts(instruments: Sequence[InstrumentView], on: date) -> dict[int, list[int]]:
    """What the scheme versions in use ask of each name themselves, by instrument id; nothing without any version."""
    terms = [get_terms(version_id) for version_id in scheme_versions_in_use()]
    return {one.id: [each.haircut_bp(one.symbol) for each in terms] for one in instruments} if terms else {}


def fit_market(instruments: Sequence[InstrumentView], *, at: datetime) -> FactorFit:
    """How each name follows the market, from the closes up to `at`. Raises `NotEnoughHistory`."""
    return _load_history(instruments, at).fit


def gap_model(instruments: Sequence[InstrumentView], fit: FactorFit, *, on: date) -> GapModel:
    """The gap model of these names; one without history moves like the wildest that has one."""
    return _model(instruments, list_listings(on), fit)


def _load_history(instruments: Sequence[InstrumentView], at: datetime) -> _History:
    """The closes of sessions that had ended by `at`.

    A name's closes are the desk's own where it has a year of them, else those of the packaged history, which is in
    dollars and adjusted: only returns matter.
    """
    days = sorted({on for venue in {one.venue for one in instruments} for on in _window(venue, at)})
    stored: dict[int, int] = defaultdict(int)
    closes = closes_on(days)
    for instrument_id, _ in closes:
        stored[instrument_id] += 1
    packaged = dict(load_us20(days[0], days[-1])) if days else {}
    table = np.zeros((len(instruments), len(days)), dtype=np.int64)
    is_own = []
    for column, instrument in enumerate(instruments):
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
        raise RunRefused("{error}.", error=error) from error
    if not fit.is_fitted.any():
        raise NotEnoughHistory(
            "No name has {history_min} daily returns in the {count} sessions before {at:%Y-%m-%d}:"
            " import more closes first.",
            history_min=HISTORY_MIN,
            count=len(days),
            at=at,
        )
    return _History(table, is_own, fit)


def _window(venue: str, at: datetime) -> list[date]:
    last = last_closed_session(venue, at)
    return sessions(venue, last - timedelta(days=2 * assumptions.WINDOW_SESSIONS), last)[-assumptions.WINDOW_SESSIONS :]


def _without_holes(close_units: Int64s) -> Int64s:
    """Each row's closes moved to the end: a session without one is left out, and the return spans it."""
    order = np.argsort(close_units > 0, axis=1, kind="stable")
    return np.take_along_axis(close_units, order, axis=1)


def _model(instruments: Sequence[InstrumentView], listings: Mapping[int, ListingView], fit: FactorFit) -> GapModel:
    names = len(instruments)
    is_suspended = np.array([one.is_suspended for one in instruments], dtype=np.bool_)
    limits = [listings[one.id].limit_bp for one in instruments]
    return GapModel(
        key=name_keys([instrument.symbol for instrument in instruments]),
        beta=np.where(fit.is_fitted, fit.beta, np.nanmax(fit.beta)),
        volatility=np.where(fit.is_fitted, fit.volatility, np.nanmax(fit.volatility)),
        jump_chance=np.full(names, assumptions.JUMP_CHANCE),
        jump_size=np.full(names, assumptions.JUMP_SIZE),
        limit=np.array([np.inf if limit_bp is None else limit_bp / BP for limit_bp in limits]),
        suspended_days=np.where(is_suspended, assumptions.SUSPENDED_DAYS, 0).astype(np.int64),
        resume_chance=np.full(names, assumptions.RESUME_CHANCE),
    )


def _holdings(instruments: Sequence[InstrumentView], at: datetime) -> tuple[Int64s, Float64s]:
    """Shares of each name that the book holds, and its greatest share by value of the collateral of any pool."""
    prices = latest_prices(as_of=at)
    place = {one.id: column for column, one in enumerate(instruments)}
    shares = np.zeros(len(instruments), dtype=np.int64)
    values: dict[str, Float64s] = {}
    for pool, instrument_id, quantity in holdings_by_pool():
        column = place[instrument_id]
        shares[column] += quantity
        value = values.setdefault(pool, np.zeros(len(instruments)))
        if instrument_id in prices:
            value[column] += float(quantity) * prices[instrument_id].price_units
    share = np.zeros(len(instruments))
    for value in values.values():
        if (whole := value.sum()) > 0:
            share = np.maximum(share, value / whole)
    return shares, share
