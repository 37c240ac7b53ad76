"""The desk's book, closes and assumptions put before the engine: the lender's gap loss. Nothing is written."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil

import numpy as np

from reefpoint.decisions.collateral.selectors import assumptions
from reefpoint.decisions.collateral.selectors.assumptions import RunRefused
from reefpoint.decisions.collateral.selectors.model import fit_market, gap_model
from reefpoint.decisions.margin.selectors.book import load_book
from reefpoint.decisions.margin.selectors.standing import Sheet
from reefpoint.engine.book import Book, take_accounts
from reefpoint.engine.columns import BookError, Float64s, Int32s, Int64s
from reefpoint.engine.gap import gap_loss
from reefpoint.engine.sale_prices import HistoricalFactor, Horizon
from reefpoint.engine.tails import Tails
from reefpoint.insight.collateral.types import GapReport, TailFigures
from reefpoint.platform.basics.money import owed_minor
from reefpoint.records.accounts.selectors import account_numbers, currencies_kept, pool_codes
from reefpoint.records.products.selectors import get_version

LEVELS = (0.95, 0.99)
WORST_ACCOUNTS = 10


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


def find_gap_loss(
    *,
    at: datetime,
    paths: int = assumptions.PATHS,
    days: int = assumptions.DAYS,
    grace_days: int = assumptions.GRACE_DAYS,
    seed: int = 1,
    threads: int = 1,
) -> GapReport:
    """The lender's loss, by simulation, if all collateral had to be sold from `at` on.

    Raises `NotEnoughHistory` when no name has a year of closes, `RunRefused` for a run that cannot be and for a book in
    several currencies.
    """
    desk = _load(at)
    fit = fit_market(desk.sheet.instruments, at=at)
    try:
        run = partial(
            gap_loss,
            marks=desk.sheet.marks,
            model=gap_model(desk.sheet.instruments, fit, on=at.date()),
            factor=HistoricalFactor(fit.factor),
            horizon=Horizon(days, grace_days, seed),
            paths=paths,
            levels=LEVELS,
            threads=threads,
        )
        result = run(desk.book, groups=desk.group)
        worst = np.argsort(-result.expected_units, kind="stable")[:WORST_ACCOUNTS]
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
        levels=LEVELS,
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
            for instrument, is_fitted in zip(desk.sheet.instruments, fit.is_fitted, strict=True)
            if not is_fitted
        ),
        assumptions=assumptions.ASSUMPTIONS,
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
