"""Gathering what a price is made from: the cost of money, and how the shares swing and cluster."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.types import Portfolio, PriceInputs
from reefpoint.platform.basics.money import ceil_div
from reefpoint.platform.basics.tables.cells import Value
from reefpoint.records.market.selectors.prices import closes_between, latest_prices
from reefpoint.records.products.types import SchemeTerms
from reefpoint.records.treasury.selectors import list_pools
from reefpoint.records.treasury.types import PoolView


def base_cost(currency: str, pools: Sequence[PoolView] | None = None) -> tuple[int, str]:
    """What money in a currency costs the desk: its pools by what is committed, rounded up, and which they are.

    Raises `NoPrice` for a currency without a pool.
    """
    found = [pool for pool in (list_pools() if pools is None else pools) if pool.currency == currency]
    if not found:
        raise rules.NoPrice("No pool lends {currency}, so there is no cost of money to start from.", currency=currency)
    committed = sum(pool.committed_minor for pool in found)
    cost = ceil_div(sum(pool.committed_minor * pool.cost_bp for pool in found), committed)
    return cost, "pools:" + ",".join(pool.code for pool in found)


def gather_inputs(
    *,
    terms: SchemeTerms,
    tenor_days: int,
    grade: str | None,
    segment: str | None,
    portfolio: Portfolio,
    on: date,
    at: datetime,
) -> PriceInputs:
    """Everything that the grid may ask for; what is not known stays None."""
    base_bp, source = base_cost(terms.currency)
    facts: dict[str, Value | None] = {"grade": grade, "tenor_days": tenor_days, "segment": segment}
    return PriceInputs(
        base_bp=base_bp,
        base_source=source,
        floor_bp=terms.rate_floor_bp,
        scheme_cap_bp=terms.rate_cap_bp,
        jurisdiction=terms.rule_pack,
        facts={**facts, **measure_portfolio(portfolio, on=on, at=at)},
    )


def measure_portfolio(portfolio: Portfolio, *, on: date, at: datetime) -> dict[str, Value | None]:
    """How these shares swing together and how much of them is one name, in basis points; None where prices miss."""
    unknown: Mapping[str, Value | None] = {"volatility_bp": None, "concentration_bp": None}
    prices = latest_prices(as_of=at)
    held = [(one, many) for one, many in sorted(portfolio) if many > 0]
    if not held or any(one not in prices or prices[one].is_stale for one, _ in held):
        return dict(unknown)
    values = np.array([prices[one].price_units * many for one, many in held], dtype=np.int64)
    total = int(values.sum())
    closes = _closes([one for one, _ in held], on)
    return {
        "volatility_bp": rules.portfolio_volatility_bp(closes, values),
        "concentration_bp": min(10_000, ceil_div(int(values.max()) * 10_000, total)),
    }


def _closes(instrument_ids: Sequence[int], on: date) -> rules.Int64s:
    """Closes int64[S, D] of the year before a day, 0 where there is none; the day itself is not over."""
    rows = closes_between(instrument_ids, on - timedelta(days=rules.WINDOW_DAYS), on - timedelta(days=1))
    days = {day: column for column, day in enumerate(sorted({day for _, day, _ in rows}))}
    place = {one: row for row, one in enumerate(instrument_ids)}
    closes = np.zeros((len(instrument_ids), len(days)), dtype=np.int64)
    for one, day, units in rows:
        closes[place[one], days[day]] = units
    return closes
