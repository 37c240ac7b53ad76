"""Gap loss: `gap_loss` against NumPy, which simulates the same model with its own random numbers.

The work is every account under 160%, 10,000 paths of 8 days of the names that they hold. Before the clock runs, NumPy's
simulation is fed the engine's shocks and must lose what the engine loses, path by path and account by account, as far
as float32 goes. In the timed runs it draws its own, by its quickest generator of normals in float32, for a part of the
paths; its time is extrapolated linearly.
"""

from dataclasses import dataclass

import numpy as np

from reefpoint.benchmarks.books import DAY_LIMITS_BP, choose, draw_book, take_accounts, uniforms
from reefpoint.benchmarks.machine import THREADS
from reefpoint.benchmarks.peers import OURS
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Answer, Candidate, check_answers, measure
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BP, Int64s
from reefpoint.engine.draws import Float32s, fill_shocks, name_keys
from reefpoint.engine.gap import GapLoss, gap_loss
from reefpoint.engine.sale_prices import WORST_RETURN, GapModel, Horizon, StudentFactor, path_block, shock_keys
from reefpoint.engine.valuation import value_book

PATHS = 10_000
PEER_PATHS = 256
RATIO_MAX_BP = 16_000
SEED = 17
FACTOR = StudentFactor(volatility=0.025, degrees=4, drift=-0.012)
HORIZON = Horizon(days=8, grace_days=2, seed=SEED)
BLOCK = 500
"""Accounts whose losses NumPy works out at once."""
REACH = 1e-4
"""How far NumPy's float32 losses may be from the engine's, relative to a column's largest value."""


@dataclass(frozen=True, eq=False)
class Work:
    """The accounts near a loss, and how their names move.

    NumPy is given the names that are held and nothing else, as the engine takes them: `held_model`, and for each
    position `held_row` int64[P], its row in it.
    """

    book: Book
    marks: Marks
    model: GapModel
    held_model: GapModel
    held_mark: Float32s
    held_row: Int64s

    def lose(self, paths: int, threads: int = 1) -> GapLoss:
        levels = (0.95,) if paths < PATHS else (0.95, 0.99)
        return gap_loss(self.book, self.marks, self.model, FACTOR, HORIZON, paths=paths, levels=levels, threads=threads)


def draw_work(accounts: int) -> Work:
    """The accounts under 160% of a book of `accounts`; one name in 50 is suspended for some days."""
    drawn = draw_book(accounts)
    ratio = value_book(drawn.book, drawn.marks, drawn.lines).ratio_bp
    names = drawn.marks.instrument_count
    model = GapModel(
        key=name_keys([f"name {number}" for number in range(names)]),
        beta=0.5 + 1.1 * uniforms(SEED, "beta", names),
        volatility=0.015 + 0.03 * uniforms(SEED, "volatility", names),
        jump_chance=np.full(names, 0.008),
        jump_size=np.full(names, -0.12),
        limit=choose(SEED, "limit", names, DAY_LIMITS_BP) / BP,
        suspended_days=choose(SEED, "suspended", names, {0: 0.98, 3: 0.02}),
        resume_chance=np.full(names, 0.3),
    )
    book = take_accounts(drawn.book, np.flatnonzero(ratio < RATIO_MAX_BP))
    held, row = np.unique(book.instrument, return_inverse=True)
    mark = drawn.marks.price_units[held].astype(np.float32)
    return Work(book, drawn.marks, model, model.take(held.astype(np.int64)), mark, row)


def measure_gap(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Simulate the losses of the accounts under 160% of a book of `accounts` accounts."""
    del machine  # no limit of the machine bounds this work
    work = draw_work(accounts)
    check_answers(
        [
            Candidate("gap_loss", OURS, lambda: work.lose(PEER_PATHS), _read),
            Candidate("NumPy on the engine's shocks", "NumPy", lambda: lose_in_numpy(work, _Given(work)), dict, REACH),
        ]
    )
    generator = np.random.default_rng(SEED)
    lines = measure(
        [
            Candidate("gap_loss, 1 thread", OURS, lambda: work.lose(PATHS), lambda _: {}),
            Candidate(f"gap_loss, {THREADS} threads", OURS, lambda: work.lose(PATHS, THREADS), lambda _: {}),
            Candidate(
                "NumPy, float32",
                "NumPy",
                lambda: lose_in_numpy(work, _Own(work, generator)),
                lambda _: {},
                measured_part=PEER_PATHS / PATHS,
            ),
        ],
        rounds=rounds,
    )
    names = work.held_model.name_count
    table = Table(
        "gap",
        f"Gap loss, {PATHS:,} paths",
        accounts,
        work.book.position_count,
        f"{PATHS:,} paths of {HORIZON.days} days",
        lines,
        facts={
            "Accounts under 160%, and names that they hold": f"{work.book.account_count:,}; {names:,}",
            "Outputs": "loss of each path, expected loss of each account, value at risk and expected shortfall; "
            f"NumPy's equal them within {REACH:.0e} of the largest on the same shocks",
            "NumPy": f"ran on {PEER_PATHS} paths, extrapolated linearly",
        },
    )
    return [table.with_figures({"gap.cpu_s": lines[0].cpu_s, "gap.numpy": table.least_ratio("NumPy")})]


def _read(lost: GapLoss) -> Answer:
    return {"path_loss_units": lost.path_loss_units, "expected_units": lost.expected_units}


class _Given:
    """The engine's own shocks, for the comparison of answers."""

    def __init__(self, work: Work) -> None:
        _, volatility, jump_size, jump_below, _, _ = work.held_model.columns
        self._shocks = np.empty((work.held_model.name_count, HORIZON.days, PEER_PATHS), dtype=np.float32)
        fill_shocks(shock_keys(work.held_model, HORIZON), volatility, jump_below, jump_size, 0, self._shocks)

    def day(self, day: int) -> Float32s:
        return self._shocks[:, day]


class _Own:
    """NumPy's own shocks of the names that are held."""

    def __init__(self, work: Work, generator: np.random.Generator) -> None:
        self._model, self._generator = work.held_model, generator

    def day(self, day: int) -> Float32s:
        del day
        model, shape = self._model, (self._model.name_count, PEER_PATHS)
        drawn = self._generator.standard_normal(shape, dtype=np.float32) * model.columns[1][:, None]
        is_jump = self._generator.random(shape, dtype=np.float32) < model.jump_chance.astype(np.float32)[:, None]
        drawn += np.where(is_jump, model.columns[2][:, None], np.float32(0))
        return drawn


def lose_in_numpy(work: Work, shocks: _Given | _Own) -> Answer:
    """The losses of `PEER_PATHS` paths: names side by side in one array, accounts block by block."""
    price = _sale_prices(work, shocks)
    book = work.book
    need = np.maximum(book.debt_units - book.cash_units, 0).astype(np.float32)
    quantity = book.quantity.astype(np.float32)
    path_loss, expected = np.zeros(PEER_PATHS), np.zeros(book.account_count)
    for begin in range(0, book.account_count, BLOCK):
        rows = slice(begin, min(begin + BLOCK, book.account_count))
        held = slice(book.start[rows.start], book.start[rows.stop])
        values = quantity[held, None] * price[work.held_row[held]]
        proceeds = np.add.reduceat(values, book.start[rows] - held.start, axis=0)
        loss = np.maximum(need[rows, None] - proceeds, 0)
        path_loss += loss.sum(axis=0, dtype=np.float64)
        expected[rows] = loss.mean(axis=1, dtype=np.float64)
    np.percentile(path_loss, [95, 99])
    return {"path_loss_units": path_loss, "expected_units": expected}


def _sale_prices(work: Work, shocks: _Given | _Own) -> Float32s:
    """float32[S, paths]: what a share of each name fetches on each path (the model of `engine/sale_prices.py`)."""
    model, one = work.held_model, np.float32(1)
    beta, _, _, _, floor, ceiling = model.columns
    block = path_block(model, FACTOR, HORIZON, 0, PEER_PATHS)
    row = np.zeros(model.name_count, dtype=np.int64)
    row[model.suspended] = np.arange(1, len(model.suspended) + 1)
    opens = block.first_day[row]
    latent = np.ones((model.name_count, PEER_PATHS), dtype=np.float32)
    seen, sale = latent.copy(), -latent
    for day in range(HORIZON.days):
        move = np.maximum(beta[:, None] * block.factor[day] + shocks.day(day), np.float32(WORST_RETURN))
        latent = latent * (one + move)
        low = seen * floor[:, None]
        price = np.minimum(np.maximum(latent, low), seen * ceiling[:, None])
        trades = opens <= day
        seen = np.where(trades, price, seen)
        if day >= HORIZON.grace_days:
            sale = np.where(trades & (latent > low) & (sale < 0), price, sale)
    fetched = np.where(sale >= 0, sale, np.minimum(latent, seen))
    sold: Float32s = work.held_mark[:, None] * fetched
    return sold
