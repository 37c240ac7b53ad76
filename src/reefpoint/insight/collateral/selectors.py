"""The desk's book, closes and assumptions put before the engine: the lender's gap loss. Nothing is written."""

from datetime import datetime
from math import ceil

import numpy as np

from reefpoint.decisions.collateral.selectors import assumptions
from reefpoint.decisions.collateral.selectors.assumptions import RunRefused
from reefpoint.decisions.collateral.selectors.model import fit_market, gap_model
from reefpoint.decisions.margin.selectors.parts import load_account_book, load_desk_book
from reefpoint.engine.columns import BookError, Float64s
from reefpoint.engine.explain_gap import explain_gap
from reefpoint.engine.reporting import gap_parts, take_home
from reefpoint.engine.sale_prices import HistoricalFactor, Horizon
from reefpoint.engine.tails import Tails
from reefpoint.insight.collateral.types import AccountGap, GapReport, SoldPosition, TailFigures
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import held_minor, owed_minor
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.accounts.selectors.owners import get_owner

LEVELS = (0.95, 0.99)
WORST_ACCOUNTS = 10


def find_gap_loss(
    *,
    at: datetime,
    currency: str | None = None,
    paths: int = assumptions.PATHS,
    days: int = assumptions.DAYS,
    grace_days: int = assumptions.GRACE_DAYS,
    seed: int = 1,
    threads: int = 1,
) -> GapReport:
    """The lender's loss, by simulation, if all collateral had to be sold from `at` on; sums in `currency`.

    Raises `NotEnoughHistory` when no name has a year of closes, `RunRefused` for a run that cannot be and
    `NoReportingRate` as `load_desk_book` does.
    """
    desk = load_desk_book(at=at, currency=currency)
    fit = fit_market(desk.instruments, at=at)
    codes = {
        "scheme": sorted({key.scheme for key in desk.keys}),
        "pool": sorted({key.pool for key in desk.keys}),
    }
    groups = {
        name: np.array([column.index(getattr(key, name)) for key in desk.keys], dtype=np.int32)
        for name, column in codes.items()
    }
    try:
        result = gap_parts(
            desk.book,
            desk.sheet.marks,
            gap_model(desk.instruments, fit, on=at.date()),
            HistoricalFactor(fit.factor),
            Horizon(days, grace_days, seed),
            desk.parts,
            desk.fx,
            paths=paths,
            levels=LEVELS,
            groups=groups,
            worst=WORST_ACCOUNTS,
            threads=threads,
        )
    except BookError as error:
        raise RunRefused("{error}.", error=error) from error
    numbers = account_numbers(desk.account_id[result.account].tolist())

    def parts(name: str) -> tuple[TailFigures, ...]:
        return tuple(
            _figures(
                code,
                sum(desk.debt_of_part(part) for part in np.flatnonzero(groups[name] == row).tolist()),
                result.by_group[name],
                row,
                desk.currency,
            )
            for row, code in enumerate(codes[name])
        )

    return GapReport(
        at=at,
        currency=desk.currency,
        fx_name=desk.fx_name,
        paths=paths,
        days=days,
        grace_days=grace_days,
        seed=seed,
        levels=LEVELS,
        accounts=desk.book.account_count,
        unknown_accounts=int(result.is_unknown.sum()),
        total=_figures("", desk.total_debt_minor, result.total, 0, desk.currency),
        by_scheme=parts("scheme"),
        by_pool=parts("pool"),
        worst_accounts=tuple(
            _figures(numbers[int(desk.account_id[row])], int(desk.debt_minor[row]), tails, 0, desk.home_of(row))
            for row, tails in zip(result.account.tolist(), result.by_account, strict=True)
        ),
        proxies=tuple(
            instrument.symbol
            for instrument, is_fitted in zip(desk.instruments, fit.is_fitted, strict=True)
            if not is_fitted
        ),
        assumptions=assumptions.ASSUMPTIONS,
    )


def explain_account_gap(
    actor: Actor, account_id: int, *, at: datetime, paths: int = assumptions.PATHS, seed: int = 1
) -> AccountGap:
    """The same loss of one account, name by name: the paths and prices of a run over the whole book with this seed.

    Raises `NotFound` outside the actor's scope (I66), and as `find_gap_loss` does.
    """
    require(actor, "margin.view")
    owner = get_owner(actor, account_id)
    desk = load_account_book(account_id, at=at)
    fit = fit_market(desk.instruments, at=at)
    model, home = gap_model(desk.instruments, fit, on=at.date()), desk.parts.reporting
    horizon = Horizon(assumptions.DAYS, assumptions.GRACE_DAYS, seed)
    try:
        told = explain_gap(
            *take_home(desk.book, desk.sheet.marks, model, desk.parts, home, np.zeros(1, dtype=np.int64)),
            HistoricalFactor(fit.factor),
            horizon,
            paths=paths,
        )
    except BookError as error:
        raise RunRefused("{error}.", error=error) from error
    names = [desk.sheet.instruments[column] for column in np.flatnonzero(desk.parts.columns.home == home).tolist()]
    return AccountGap(
        account_id=account_id,
        number=owner.number,
        currency=desk.currency,
        paths=paths,
        days=horizon.days,
        grace_days=horizon.grace_days,
        seed=seed,
        losing_paths=told.losing_paths,
        debt_minor=owed_minor(told.debt_units, desk.currency),
        cash_minor=held_minor(told.cash_units, desk.currency),
        positions=tuple(
            SoldPosition(
                instrument_id=names[term.instrument].id,
                symbol=names[term.instrument].symbol,
                quantity=term.quantity,
                price_units=term.price_units,
                mean_units=int(term.mean_units),
                losing_mean_units=int(term.losing_mean_units),
                proceeds_minor=held_minor(int(term.proceeds_units), desk.currency),
            )
            for term in sorted(told.terms, key=lambda term: -term.quantity * term.price_units)
        ),
        losing_mean_minor=owed_minor(ceil(told.losing_mean_units), desk.currency),
        expected_minor=owed_minor(ceil(told.expected_units), desk.currency),
        worst_loss_minor=owed_minor(told.worst_loss_units, desk.currency),
        is_unknown=told.is_unknown,
    )


def _figures(code: str, debt_minor: int, tails: Tails, row: int, currency: str) -> TailFigures:
    def minor(units: float) -> int:
        return owed_minor(ceil(units), currency)

    def each(column: Float64s) -> tuple[int, ...]:
        return tuple(minor(units) for units in column[row].tolist())

    return TailFigures(
        code=code,
        currency=currency,
        debt_minor=debt_minor,
        expected_minor=minor(float(tails.expected[row])),
        expected_error_minor=minor(float(tails.expected_error[row])),
        value_at_risk_minor=each(tails.value_at_risk),
        value_at_risk_error_minor=each(tails.value_at_risk_error),
        expected_shortfall_minor=each(tails.expected_shortfall),
        expected_shortfall_error_minor=each(tails.expected_shortfall_error),
    )
