"""A small cast for the gap model: names that move as told, and books that hold them."""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.draws import name_keys
from reefpoint.engine.sale_prices import (
    Factor,
    GapModel,
    HistoricalFactor,
    Horizon,
    StudentFactor,
    fill_sale_prices,
    path_block,
    shock_keys,
)

CALM = HistoricalFactor(np.zeros(1))
MARKET = StudentFactor(volatility=0.02, degrees=4, drift=-0.01)
EIGHT_DAYS = Horizon(days=8, grace_days=2, seed=7)


@dataclass(frozen=True)
class Told:
    """A factor whose days are told, the same on every path."""

    returns: tuple[float, ...]

    def draw(self, seed: int, days: int, first_path: int, paths: int) -> np.ndarray:
        return np.repeat(np.array(self.returns[:days], dtype=np.float32)[:, None], paths, axis=1)


def model_of(names: int = 1, **columns: object) -> GapModel:
    """Names of beta 1 without a movement, a jump or a limit of their own; `columns` say what is otherwise."""
    usual: dict[str, object] = {
        "key": name_keys([f"NAME {i}" for i in range(names)]),
        "beta": 1.0,
        "volatility": 0.0,
        "jump_chance": 0.0,
        "jump_size": 0.0,
        "limit": np.inf,
        "suspended_days": 0,
        "resume_chance": 1.0,
    }
    full = {}
    for name, value in {**usual, **columns}.items():
        dtype = {"key": np.uint64, "suspended_days": np.int64}.get(name, np.float64)
        full[name] = np.array(np.broadcast_to(np.asarray(value, dtype=dtype), (names,)))
    return GapModel(**full)


def random_model(names: int, seed: int = 4) -> GapModel:
    rng = np.random.default_rng(seed)
    return model_of(
        names,
        beta=rng.uniform(0.5, 1.6, names),
        volatility=rng.uniform(0.015, 0.045, names),
        jump_chance=0.008,
        jump_size=-0.12,
        limit=rng.choice([0.1, 0.2, np.inf], names),
        suspended_days=np.where(rng.random(names) < 0.1, 2, 0),
        resume_chance=0.5,
    )


def random_book(accounts: int, names: int, seed: int = 1) -> tuple[Book, Marks]:
    """Accounts of some ten positions and ratios from 110% to 200%; prices around 14.00."""
    rng = np.random.default_rng(seed)
    counts = np.minimum(rng.geometric(0.1, accounts), names // 2)
    account = np.repeat(np.arange(accounts), counts)
    instrument = np.concatenate([rng.choice(names, count, replace=False) for count in counts])
    quantity = rng.integers(1, 50, len(account)) * 100
    price = rng.integers(200, 5_000, names) * 100
    value = np.bincount(account, quantity * price[instrument], accounts)
    cash = rng.integers(0, 10**8, accounts)
    debt = ((value + cash) / rng.uniform(1.1, 2.0, accounts)).astype(np.int64)
    book = build_book(
        cash_units=cash,
        debt_units=debt,
        terms=np.zeros(accounts, dtype=np.int64),
        account=account,
        instrument=instrument,
        quantity=quantity,
    )
    return book, marks_at(price)


def marks_at(price: np.ndarray) -> Marks:
    names = len(price)
    none, zeros = np.zeros(names, dtype=bool), np.zeros((1, names), dtype=np.int64)
    return Marks(np.asarray(price, dtype=np.int64), zeros, zeros, none, none, np.ones(names, dtype=np.int64))


def fractions(model: GapModel, factor: Factor, horizon: Horizon, paths: int = 1, first_path: int = 0) -> np.ndarray:
    """float32[names, paths]: the sale price of each name as a fraction of its price today."""
    out = np.empty((model.name_count, paths), dtype=np.float32)
    fill_sale_prices(
        model,
        horizon,
        shock_keys(model, horizon),
        path_block(model, factor, horizon, first_path, paths),
        slice(0, model.name_count),
        np.ones(model.name_count, dtype=np.float32),
        out,
        np.zeros(model.name_count, dtype=np.int64),
    )
    return out
