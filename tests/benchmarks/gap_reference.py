"""The gap loss in NumPy, as one would write it: the same model, NumPy's own random numbers, blocks that fit a cache."""

import numpy as np

from reefpoint.engine.book import Book, Marks
from reefpoint.engine.sale_prices import GapModel, Horizon, StudentFactor

PATHS_A_BLOCK = 512
ACCOUNTS_A_BLOCK = 1_000


def numpy_gap_loss(
    book: Book, marks: Marks, model: GapModel, factor: StudentFactor, horizon: Horizon, paths: int
) -> tuple[np.ndarray, np.ndarray]:
    """The loss of all accounts by path, float64[paths], and the expected loss by account, float64[A]; in units."""
    rng = np.random.default_rng(horizon.seed)
    by_path, by_account = np.zeros(paths), np.zeros(book.account_count)
    quantity = book.quantity.astype(np.float32)[:, None]
    need = (book.debt_units - book.cash_units).astype(np.float32)[:, None]
    for first in range(0, paths, PATHS_A_BLOCK):
        count = min(PATHS_A_BLOCK, paths - first)
        price = numpy_sale_prices(model, factor, horizon, rng, count) * marks.price_units.astype(np.float32)[:, None]
        for low in range(0, book.account_count, ACCOUNTS_A_BLOCK):
            high = min(low + ACCOUNTS_A_BLOCK, book.account_count)
            held = slice(book.start[low], book.start[high])
            values = price[book.instrument[held]]
            values *= quantity[held]
            loss = need[low:high] - np.add.reduceat(values, book.start[low:high] - book.start[low], axis=0)
            np.maximum(loss, 0.0, out=loss)
            by_path[first : first + count] += loss.sum(axis=0)
            by_account[low:high] += loss.sum(axis=1)
    return by_path, by_account / paths


def numpy_sale_prices(
    model: GapModel, factor: StudentFactor, horizon: Horizon, rng: np.random.Generator, paths: int
) -> np.ndarray:
    """float32[S, paths]: what a share fetches as a fraction of its price; names that trade today only."""
    beta, volatility, size, chance, limit = (
        column.astype(np.float32)[:, None]
        for column in (model.beta, model.volatility, model.jump_size, model.jump_chance, model.limit)
    )
    shape = (model.name_count, paths)
    scale = np.sqrt((factor.degrees - 2) / factor.degrees)
    latent, seen = np.ones(shape, dtype=np.float32), np.ones(shape, dtype=np.float32)
    sale, is_sold = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
    for day in range(horizon.days):
        market = (rng.standard_t(factor.degrees, paths) * factor.volatility * scale + factor.drift).astype(np.float32)
        move = beta * market
        move += volatility * rng.standard_normal(shape, dtype=np.float32)
        move += size * (rng.random(shape, dtype=np.float32) < chance)
        latent *= 1 + np.maximum(move, np.float32(-0.9))
        floor = seen * (1 - limit)
        seen = np.clip(latent, floor, seen * (1 + limit))
        if day >= horizon.grace_days:
            sells = (latent > floor) & ~is_sold
            sale[sells] = seen[sells]
            is_sold |= sells
    return np.where(is_sold, sale, np.minimum(latent, seen))
