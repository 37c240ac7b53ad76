"""The lender's gap loss: what is still owed when everything that could be sold has been sold.

On each simulated path the loss of an account is max(0, debt - cash - proceeds), with proceeds = sum of quantity * sale
price (`sale_prices`: price limits, suspensions, days of grace, horizon). What it is short of is bought back, at the
purchase price of the same path, and counts against the proceeds; a purchase costs at most `RISE_MAX` times today's
price, so that every sum stays exact. It is not the desk's expected credit loss:
the client neither pays nor adds collateral, all collateral is sold, and what is left is not pursued.

Accounts times paths are never stored. Paths go in tiles of `TILE`: the sale prices of the tile's paths are laid side by
side for each name, and each account adds its positions into one row of them. Losses are cut to whole units, so sums
over accounts and paths are exact integers: the same whatever the order, the blocks of paths and the threads.

Sale prices and assets are float32, good to about 1e-6 of the debt, far below the Monte Carlo error that is reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from reefpoint.engine.book import Book, Marks, take_accounts
from reefpoint.engine.columns import (
    BookError,
    Bools,
    Float64s,
    Int32s,
    Int64s,
    check_column,
    check_range,
    check_whole,
    count_rows,
)
from reefpoint.engine.draws import Float32s
from reefpoint.engine.kernel import in_blocks, kernel, unsigned
from reefpoint.engine.sale_prices import (
    TILE,
    Factor,
    GapModel,
    Horizon,
    fill_sale_prices,
    path_block,
    shock_keys,
)
from reefpoint.engine.tails import Tails, check_levels, measure_tails

N = TypeVar("N", bound=np.number)

PATHS_MAX = 2**22
SUM_MAX = 2**62
COARSE = 2**20
"""Steps into which what an account needs is cut for the sum of squared losses, so that it stays an exact integer."""
ROUNDING = 2.0**-21
"""The margin, per position, of the test that skips an account: eight float32 roundings."""
GROUPS_MAX = 100_000
RISE_MAX = 100
"""The most that a share to be bought back costs, in prices of today."""
STEPS_A_POSITION = 20 * TILE
NAMES_A_BLOCK = 512
"""Names that one thread prices at a time."""


@dataclass(frozen=True, eq=False)
class GapLoss:
    """The lender's loss over the paths first_path..first_path + paths. Money in units of 1e-4.

    - `path_loss_units` int64[paths]: of all accounts together; `total` its tails (one row)
    - `by_group`: for each grouping given, the tails of its groups (row g is group g), and in `group_path_loss_units`
      their losses by path, int64[groups, paths]
    - `loss_sum_units` int64[A]: sum over the paths; `expected_units`, `expected_error_units` float64[A]
    - `account` int64[R]: the rows for which tails were asked; `by_account` their tails, in this order
    - `is_unknown` bool[A]: a held name has no usable price; such an account is in no figure
    - `evaluated`: tiles times accounts that had to be evaluated, of `candidates` (those with more debt than cash,
      or with a short)
    """

    paths: int
    path_loss_units: Int64s
    total: Tails
    by_group: dict[str, Tails]
    group_path_loss_units: dict[str, Int64s]
    loss_sum_units: Int64s
    expected_units: Float64s
    expected_error_units: Float64s
    account: Int64s
    by_account: Tails
    is_unknown: Bools
    evaluated: int
    candidates: int


@dataclass(frozen=True, eq=False)
class _Sellers:
    """The accounts that can lose, packed side by side: more debt than cash or a short, and a price for every name.

    `instrument` is a row of the table of prices: a name that somebody is short of has a second one, of its purchase
    prices. `grain` is what makes the most it can lose less than `COARSE`; `detail` the row in the table of asked
    accounts, or -1; `skippable` the accounts without a short, the only ones that may be passed over.
    """

    start: Int32s
    instrument: Int64s
    quantity: Float32s
    need: Float32s
    grain: Float32s
    skippable: Bools
    group: Int64s
    detail: Int64s
    sums: Int64s
    squares: Int64s


@kernel
def _lose_rows(
    start: Int32s,
    instrument: Int64s,
    quantity: Float32s,
    need: Float32s,
    grain: Float32s,
    skippable: Bools,
    group: Int64s,
    detail: Int64s,
    price: Float32s,
    lowest: Float64s,
    lanes: int,
    sums: Int64s,
    squares: Int64s,
    group_loss: Int64s,
    detail_loss: Int64s,
) -> int:
    """Add the losses of each account on the first `lanes` paths of a tile; the answer is how many were evaluated.

    price float32[rows, TILE] holds the prices, lowest float64[rows] the least of each row. Quantities are negative for
    what is bought back. sums[a] and
    squares[a] grow by the losses and by their squares in grains, group_loss[group[a]] by path; detail_loss[detail[a]]
    is set, when detail[a] >= 0.

    A `skippable` account, without a short, is skipped when need * (1 + m) <= B, with B = sum of quantity * lowest, n
    positions and m = (n + 4) * 2^-21. This changes no bit. The proceeds V of any path are at least B, as quantities
    and prices are not negative. The loop below computes need - V in float32 with one rounding for each product and each
    difference, so it is off by at most e * (need + V), with e = 1.12 * (n + 1) * 2^-24 while (n + 1) * 2^-24 < 0.1. It
    is therefore not positive when V * (1 - e) >= need * (1 + e), for which V >= need * (1 + 2.6 * (n + 1) * 2^-24) is
    enough; m is three times that, which also covers B's own roundings (float64). A figure that is not positive adds
    zero.
    """
    owed = np.empty(price.shape[1], dtype=np.float32)
    zero = np.float32(0.0)
    evaluated = 0
    for a in range(len(need)):
        first = unsigned(start[a])
        last = unsigned(start[a + 1])
        reserve = 0.0
        for position in range(first, last):
            reserve += np.float64(quantity[position]) * lowest[unsigned(instrument[position])]
        if skippable[a] and np.float64(need[a]) * (1.0 + (np.float64(last - first) + 4.0) * ROUNDING) <= reserve:
            continue
        evaluated += 1
        for j in range(len(owed)):
            owed[j] = need[a]
        for position in range(first, last):
            held = quantity[position]
            row = price[unsigned(instrument[position])]
            for j in range(len(owed)):
                owed[j] -= held * row[j]
        for j in range(lanes, len(owed)):
            owed[j] = zero
        step = grain[a]
        of_group = group_loss[group[a]]
        total = np.int64(0)
        square = np.int64(0)
        for j in range(len(owed)):
            loss = owed[j] if owed[j] > zero else zero
            units = np.int64(loss)
            coarse = np.int64(loss * step)
            of_group[j] += units
            total += units
            square += coarse * coarse
        sums[a] += total
        squares[a] += square
        if detail[a] >= 0:
            of_account = detail_loss[detail[a]]
            for j in range(len(owed)):
                of_account[j] = np.int64(owed[j] if owed[j] > zero else zero)
    return evaluated


def gap_loss(
    book: Book,
    marks: Marks,
    model: GapModel,
    factor: Factor,
    horizon: Horizon,
    *,
    paths: int,
    first_path: int = 0,
    levels: Sequence[float] = (0.95, 0.99),
    groups: Mapping[str, Int32s] | None = None,
    accounts: Int64s | None = None,
    threads: int = 1,
) -> GapLoss:
    """Expected loss, VaR and ES of the lender: in all, by group, and by account for the rows `accounts`.

    `groups`: for each grouping (scheme, pool) an int32[A] column of group numbers from 0. Every account has an expected
    loss; tails by account take 8 bytes a path for each row asked.

    Raises `BookError` for a model of another length than the marks, an unknown instrument or group, too few paths for a
    level, and amounts so large that their sum over the paths passes 2^62.
    """
    check_whole("paths", paths, 1, PATHS_MAX)
    check_levels(levels, paths)
    asked = np.empty(0, dtype=np.int64) if accounts is None else accounts
    check_column("accounts", asked, np.int64, (count_rows("accounts", asked),))
    check_range("accounts", asked, 0, book.account_count - 1)
    group, members = _combine(groups or {}, book.account_count)
    is_unknown = _check_and_find_unknown(book, marks, model)
    need = np.where(is_unknown, 0, book.debt_units - book.cash_units)
    most = need + np.where(is_unknown, 0.0, RISE_MAX * _short_units(book, marks))
    candidates = np.flatnonzero(most > 0)
    if most[candidates].max(initial=0) * paths >= SUM_MAX or most[candidates].sum() >= SUM_MAX:
        raise BookError("paths", None, "are too many for debts so large: the sum of losses would pass 2^62 units")

    sellers = _pack(book, need, most, candidates, group, asked)
    held, bought = (
        np.flatnonzero(np.bincount(sellers.instrument[side], minlength=marks.instrument_count))
        for side in (sellers.quantity >= 0, sellers.quantity < 0)
    )
    column = np.empty((2, marks.instrument_count), dtype=np.int64)
    column[0, held], column[1, bought] = np.arange(len(held)), len(held) + np.arange(len(bought))
    sellers.instrument[:] = column[(sellers.quantity < 0).astype(np.int64), sellers.instrument]
    sides = [PathPrices(one, marks, model, horizon, buys=buys) for one, buys in ((held, False), (bought, True))]
    price = np.empty((len(held) + len(bought), TILE), dtype=np.float32)
    lowest = np.empty(len(price))
    group_loss = np.zeros((int(group.max(initial=0)) + 1, paths), dtype=np.int64)
    asked_loss = np.zeros((len(asked), paths), dtype=np.int64)
    evaluated = 0
    for start in range(0, paths, TILE):
        lanes = min(TILE, paths - start)
        asked_tile = np.zeros((len(asked), TILE), dtype=np.int64)
        offset = 0
        for side in sides:
            rows = price[offset : offset + len(side)]
            side.fill(factor, first_path + start, rows, threads)
            lowest[offset : offset + len(side)] = rows.min(axis=1, initial=np.inf)
            offset += len(side)

        def lose(first: int, stop: int, lanes: int = lanes, asked_tile: Int64s = asked_tile) -> tuple[int, Int64s]:
            losses = np.zeros((len(group_loss), TILE), dtype=np.int64)
            count = _lose_rows.run(
                (int(sellers.start[stop] - sellers.start[first]) + stop - first) * STEPS_A_POSITION,
                sellers.start[first : stop + 1],
                sellers.instrument,
                sellers.quantity,
                sellers.need[first:stop],
                sellers.grain[first:stop],
                sellers.skippable[first:stop],
                sellers.group[first:stop],
                sellers.detail[first:stop],
                price,
                lowest,
                lanes,
                sellers.sums[first:stop],
                sellers.squares[first:stop],
                losses,
                asked_tile,
            )
            return count, losses

        here = slice(start, start + lanes)
        for count, losses in in_blocks(len(candidates), threads, lose):
            evaluated += count
            group_loss[:, here] += losses[:, :lanes]
        asked_loss[:, here] = asked_tile[:, :lanes]

    expected, errors = sellers.sums / paths, _standard_errors(sellers, paths)
    group_path_loss = {name: _gather(group_loss, member) for name, member in members.items()}
    path_loss = group_loss.sum(axis=0)
    return GapLoss(
        paths=paths,
        path_loss_units=path_loss,
        total=measure_tails(path_loss[None, :], levels),
        by_group={name: measure_tails(losses, levels) for name, losses in group_path_loss.items()},
        group_path_loss_units=group_path_loss,
        loss_sum_units=_spread(sellers.sums, candidates, book.account_count),
        expected_units=_spread(expected, candidates, book.account_count),
        expected_error_units=_spread(errors, candidates, book.account_count),
        account=asked,
        by_account=measure_tails(asked_loss, levels),
        is_unknown=is_unknown,
        evaluated=evaluated,
        candidates=len(candidates),
    )


def _combine(groups: Mapping[str, Int32s], accounts: int) -> tuple[Int64s, dict[str, Int64s]]:
    """One group number for each combination that occurs, and for each grouping the group of each combination.

    So the kernel adds every loss once, whatever the number of groupings, and the sums over combinations are exact.
    """
    for name, column in groups.items():
        check_column(name, column, np.int32, (accounts,))
        check_range(name, column, 0, accounts + GROUPS_MAX)
    if not groups or not accounts:
        return np.zeros(accounts, dtype=np.int64), {name: np.zeros(1, dtype=np.int64) for name in groups}
    table = np.stack(list(groups.values()), axis=1)
    combinations, group = np.unique(table, axis=0, return_inverse=True)
    members = {name: combinations[:, column].astype(np.int64) for column, name in enumerate(groups)}
    return group.reshape(-1).astype(np.int64), members


def _gather(losses: Int64s, member: Int64s) -> Int64s:
    """int64[groups, paths] from the losses of the combinations."""
    gathered = np.zeros((int(member.max()) + 1, losses.shape[1]), dtype=np.int64)
    np.add.at(gathered, member, losses)
    return gathered


def _check_and_find_unknown(book: Book, marks: Marks, model: GapModel) -> Bools:
    """bool[A]: the accounts that hold a name without a usable price."""
    if model.name_count != marks.instrument_count:
        raise BookError("key", None, f"has {model.name_count} names, the marks have {marks.instrument_count}")
    check_range("instrument", book.instrument, 0, marks.instrument_count - 1)
    unpriced = (marks.price_units[book.instrument] == 0) & (book.quantity != 0)
    return np.bincount(book.account_of_position[unpriced], minlength=book.account_count) > 0


def _short_units(book: Book, marks: Marks) -> Float64s:
    """float64[A]: what each account is short of, at the prices of today."""
    short = np.flatnonzero(book.quantity < 0)
    value = -book.quantity[short].astype(np.float64) * marks.price_units[book.instrument[short]]
    worth: Float64s = np.bincount(book.account_of_position[short], value, book.account_count).astype(np.float64)
    return worth


class PathPrices:
    """The names that are sold, or bought back, and their prices path by path."""

    def __init__(self, names: Int64s, marks: Marks, model: GapModel, horizon: Horizon, *, buys: bool) -> None:
        self._model, self._horizon, self._buys = model.take(names), horizon, buys
        self._mark = marks.price_units[names].astype(np.float32)
        self._keys = shock_keys(self._model, horizon)

    def __len__(self) -> int:
        return len(self._mark)

    def fill(self, factor: Factor, first_path: int, price: Float32s, threads: int) -> None:
        """Write the prices of a tile, float32[names, TILE]."""
        if not len(self):
            return
        block = path_block(self._model, factor, self._horizon, first_path, TILE)
        unsold = np.zeros(len(self), dtype=np.int64)

        def fill_some(first: int, stop: int) -> None:
            share = slice(first, stop)
            fill_sale_prices(
                self._model,
                self._horizon,
                self._keys,
                block,
                share,
                self._mark[share],
                price[share],
                unsold[share],
                buys=self._buys,
            )

        in_blocks(len(self), threads, fill_some, NAMES_A_BLOCK)
        if self._buys:
            np.minimum(price, RISE_MAX * self._mark[:, None], out=price)


def _pack(book: Book, need: Int64s, most: Float64s, rows: Int64s, group: Int64s, asked: Int64s) -> _Sellers:
    """The accounts `rows` with their positions, side by side."""
    packed = take_accounts(book, rows)
    detail = np.full(book.account_count, -1, dtype=np.int64)
    detail[asked] = np.arange(len(asked))
    # A power of two, so that what is lost times it is exact: the largest that keeps the most that can be under COARSE.
    grain = np.exp2(np.floor(np.log2(COARSE / most[rows].astype(np.float32).astype(np.float64)))).astype(np.float32)
    shorts = np.bincount(packed.account_of_position[packed.quantity < 0], minlength=len(rows))
    return _Sellers(
        start=packed.start,
        instrument=packed.instrument.astype(np.int64),
        quantity=packed.quantity.astype(np.float32),
        need=need[rows].astype(np.float32),
        grain=grain,
        skippable=shorts == 0,
        group=group[rows],
        detail=detail[rows],
        sums=np.zeros(len(rows), dtype=np.int64),
        squares=np.zeros(len(rows), dtype=np.int64),
    )


def _standard_errors(sellers: _Sellers, paths: int) -> Float64s:
    """The standard error of the mean loss of each account, good to a millionth of what it needs."""
    mean, second = sellers.sums / paths, sellers.squares / paths / sellers.grain.astype(np.float64) ** 2
    return np.sqrt(np.maximum(second - mean**2, 0.0) / paths)


def _spread(values: npt.NDArray[N], rows: Int64s, count: int) -> npt.NDArray[N]:
    """A column of `count` rows with these values in these rows, and zero in the others."""
    column = np.zeros(count, dtype=values.dtype)
    column[rows] = values
    return column
