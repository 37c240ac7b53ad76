"""Breached accounts as a crash leaves them, seeded: many names, popular and rare, lots of a hundred, thin volume."""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.book import Book, Marks, build_book

LOT = 100


@dataclass(frozen=True)
class Breached:
    """Accounts under 130%; `sellable` and `cost_bp` int64[P]; `daily_volume` int64[S] shares."""

    book: Book
    marks: Marks
    sellable: np.ndarray
    cost_bp: np.ndarray
    daily_volume: np.ndarray


def breached_accounts(accounts: int, *, seed: int, names: int = 5_000, platform: float = 100.0) -> Breached:
    """Some nine positions an account, ratios 120% to 130%, 4% of names suspended, costs of 5 to 80 bp a name.

    An account may sell 1% of a name's daily volume, which is 2% to 20% of what the platform, `platform` times as large
    as these accounts, holds of it.
    """
    rng = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, names + 1)
    price = np.clip(np.round(np.exp(rng.normal(np.log(14), 0.8, names)) * 100), 150, 300_000).astype(np.int64) * 100
    count = np.minimum(rng.geometric(0.1, accounts), 400)
    owner = np.repeat(np.arange(accounts), count)
    held = rng.permutation(names)[rng.choice(names, len(owner), p=popularity / popularity.sum())]
    owner, name = np.divmod(np.unique(owner * names + held), names)
    quantity = np.minimum(np.exp(rng.normal(2.3, 1.2, len(owner))).astype(np.int64) + 1, 50_000) * LOT
    cash = np.round(np.exp(rng.normal(8.5, 1.5, accounts))).astype(np.int64) * 10_000
    assets = np.bincount(owner, quantity * price[name], accounts).astype(np.int64) + cash
    ratio = 1.2 + 3.8 * rng.beta(1.7, 3.2, 20 * accounts)
    debt = (assets / np.resize(ratio[ratio < 1.3], accounts)).astype(np.int64)
    holdings = np.bincount(name, quantity, names) * platform
    volume = np.maximum(1_000, np.round(holdings * rng.uniform(0.02, 0.2, names) / LOT) * LOT).astype(np.int64)
    terms = np.full((1, names), 3_000)
    nothing = np.zeros(names, dtype=bool)
    marks = Marks(price, terms, terms, nothing, rng.random(names) < 0.04, np.full(names, LOT))
    cost = rng.integers(5, 81, names)
    book = build_book(
        cash_units=cash,
        debt_units=debt,
        terms=np.zeros(accounts, dtype=np.int64),
        account=owner,
        instrument=name,
        quantity=quantity,
    )
    cap = np.maximum(volume // (100 * LOT) * LOT, LOT)[book.instrument]
    return Breached(book, marks, np.minimum(cap, book.quantity), cost[book.instrument], volume)
