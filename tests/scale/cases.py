"""A seeded book and a seeded day of prices for the tests of scale; the same in every process that asks."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from tests.engine.cases import LINES, marks_of

from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.watch import Crossings
from reefpoint.scale.blocks import cut_rows, take_rows
from reefpoint.scale.messages import Ticks
from reefpoint.scale.ticks import Opening

ACCOUNTS, NAMES = 1_000, 40
PARTITIONS = 2


@cache
def book_of_the_day(accounts: int = ACCOUNTS, names: int = NAMES, seed: int = 7) -> tuple[Book, Marks]:
    """A book of some five positions an account, in debt at ratios around the lines."""
    random = np.random.default_rng(seed)
    marks = marks_of(random.integers(10_000, 1_000_000, names).tolist())
    held = [np.sort(random.choice(names, random.integers(0, 10), replace=False)) for _ in range(accounts)]
    account = np.repeat(np.arange(accounts), [len(one) for one in held])
    instrument = np.concatenate(held)
    quantity = random.integers(1, 100, len(account)) * 100
    cash = random.integers(0, 10**8, accounts)
    assets = cash + np.bincount(account, quantity * marks.price_units[instrument], accounts).astype(np.int64)
    debt = (assets / random.uniform(1.2, 2.0, accounts)).astype(np.int64)
    book = build_book(
        cash_units=cash,
        debt_units=debt,
        terms=np.zeros(accounts, dtype=np.int64),
        account=account,
        instrument=instrument,
        quantity=quantity,
    )
    return book, marks


def opening(partition: int, partitions: int = PARTITIONS, band: np.ndarray | None = None) -> Opening:
    """The opening of one partition of that book."""
    book, marks = book_of_the_day()
    rows = cut_rows(book, partitions)[partition]
    return Opening(take_rows(book, rows), marks, LINES, band, first_row=rows.start)


def price_batches(count: int, *, ticks: int = 12, seed: int = 11) -> Iterator[Ticks]:
    """A restless day: each batch moves some names by up to 3%, now and then one has no price for a while."""
    random = np.random.default_rng(seed)
    price = book_of_the_day()[1].price_units.copy()
    for _ in range(count):
        names = random.integers(0, len(price), ticks)
        price[names] = np.maximum(price[names] * random.uniform(0.97, 1.03, ticks), 100).astype(np.int64)
        told = price[names].copy()
        told[random.random(ticks) < 0.005] = 0
        yield Ticks(names, told)


def table_of(crossings: Crossings, *, batch: int, first_row: int = 0) -> np.ndarray:
    """int64[N, 6]: batch, account row of the whole book, old and new band, assets, ratio."""
    return np.stack(
        (
            np.full(len(crossings), batch),
            crossings.row + first_row,
            crossings.old_band.astype(np.int64),
            crossings.new_band.astype(np.int64),
            crossings.assets_units,
            crossings.ratio_bp,
        ),
        axis=1,
    )
