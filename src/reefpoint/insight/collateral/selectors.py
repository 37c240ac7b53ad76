"""The desk's book, closes and assumptions put before the engine. Nothing is written."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from math import ceil

import numpy as np

from reefpoint.decisions.margin.selectors.book import load_book
from reefpoint.decisions.margin.selectors.standing import Sheet
from reefpoint.engine.book import Book, take_accounts
from reefpoint.engine.calibration import FactorFit, fit_factor
from reefpoint.engine.columns import BookError, Float64s, Int32s, Int64s
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
from reefpoint.records.accounts.selectors import account_numbers, currencies_kept, pool_codes
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.calendar import last_closed_session, sessions
from reefpoint.records.market.selectors.prices import closes_on
from reefpoint.records.products.selectors import get_version


@dataclass(frozen=True, eq=False)
class _Desk:
    """The book as columns: row i is the account `account_id[i]`; schemes and pools by code, and each account's."""

    book: Book
    sheet: Sheet
    currency: str
    account_id: Int64s
    debt_minor: Int64s
    codes: dict[str, list[str]]
    group: dict[str, Int32s]


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
    try:
        run = partial(
            gap_loss,
            marks=desk.sheet.marks,
            model=_model(desk.sheet, history.fit),
            factor=HistoricalFactor(history.fit.factor),
            horizon=Horizon(days, grace_days, seed),
            paths=paths,
            levels=rules.LEVELS,
            threads=threads,
        )
        result = run(desk.book, groups=desk.group)
        worst = np.argsort(-result.expected_units, kind="stable")[: rules.WORST_ACCOUNTS]
        worst = worst[result.expected_units[worst] > 0]
        # The same paths again: a path depends on the seed alone, so these are the losses that were counted above.
        alone = run(take_accounts(desk.book, worst), accounts=np.arange(len(worst)))
    except BookError as error:
        raise RunRefused(f"{error}.") from error
    numbers = account_numbers(desk.account_id[worst].tolist())

    def parts(name: str) -> tuple[TailFigures, ...]:
        return tuple(
            _figures(
                code, int(desk.debt_minor[desk.group[name] == row].sum()), result.by_group[name], row, desk.currency
            )
            for row, code in enumerate(desk.codes[name])
        )

    return GapReport(
        at=at,
        currency=desk.currency,
        paths=paths,
        days=days,
        grace_days=grace_days,
        seed=seed,
        levels=rules.LEVELS,
        accounts=desk.book.account_count,
        unknown_accounts=int(result.is_unknown.sum()),
        total=_figures("", int(desk.debt_minor.sum()), result.total, 0, desk.currency),
        by_scheme=parts("scheme"),
        by_pool=parts("pool"),
        worst_accounts=tuple(
            _figures(
                numbers[int(desk.account_id[row])], int(desk.debt_minor[row]), alone.by_account, index, desk.currency
            )
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
    currencies = currencies_kept() or ["USD"]
    if len(currencies) > 1:
        raise RunRefused(f"The book is in {' and '.join(currencies)}: there is no rate to add them up by.")
    loaded = load_book(at=at)
    ids = loaded.record.account_id
    schemes = {version: get_version(version).scheme_code for version in set(loaded.record.scheme_version_id.tolist())}
    pools = pool_codes(ids.tolist())
    members = {
        "scheme": [schemes[version] for version in loaded.record.scheme_version_id.tolist()],
        "pool": [pools.get(account_id, "") for account_id in ids.tolist()],
    }
    codes = {name: sorted(set(column)) for name, column in members.items()}
    place = {name: {code: row for row, code in enumerate(column)} for name, column in codes.items()}
    return _Desk(
        book=loaded.book,
        sheet=loaded.sheet,
        currency=currencies[0],
        account_id=ids,
        debt_minor=loaded.record.debt_minor,
        codes=codes,
        group={name: np.array([place[name][c] for c in column], dtype=np.int32) for name, column in members.items()},
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
    book, names = desk.book, desk.sheet.marks.instrument_count
    held = np.maximum(book.quantity, 0).astype(np.int64)
    shares = np.zeros(names, dtype=np.int64)
    np.add.at(shares, book.instrument, held)
    value = held * desk.sheet.marks.price_units[book.instrument].astype(np.float64)
    pool = desk.group["pool"][book.account_of_position].astype(np.int64)
    table = np.bincount(pool * names + book.instrument, value, len(desk.codes["pool"]) * names).reshape(-1, names)
    whole = table.sum(axis=1, keepdims=True)
    share: Float64s = np.divide(table, whole, out=np.zeros_like(table), where=whole > 0).max(axis=0, initial=0.0)
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
