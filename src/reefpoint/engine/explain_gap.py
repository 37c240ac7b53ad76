"""What the gap loss says of one account, term by term: what each name fetches on the paths on which the lender loses.

On a path the loss is debt - cash - sum of quantity * sale price, where that is positive. So on the paths with a loss,
on average: loss = need - sum of the names' proceeds, and the expected loss is that times the share of these paths. The
losses come from `gap_loss` on a book of one, the prices from the same draws: a name's draws do not depend on who holds
it. Prices and what is owed are float32 there and each loss is cut to whole units, so the terms add up but for
`rounding_units`: less than 1 and (n + 2) * 2^-23 of what is owed, for n positions.
"""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BookError, Bools, Float64s, Int64s
from reefpoint.engine.gap import PathPrices, gap_loss
from reefpoint.engine.sale_prices import TILE, Factor, GapModel, Horizon


@dataclass(frozen=True)
class SaleTerm:
    """One position: the price today, and what a share fetches (what is bought back costs) in units, on average over all
    paths, over those with a loss, and on the worst of them. The last two are 0 when no path has a loss.

    `proceeds_units` = quantity * the average over the paths with a loss; negative for what is bought back.
    """

    instrument: int
    quantity: int
    price_units: int
    mean_units: float
    losing_mean_units: float
    worst_units: float

    @property
    def proceeds_units(self) -> float:
        return self.quantity * self.losing_mean_units


@dataclass(frozen=True)
class GapExplanation:
    """How the expected loss of one account comes about. Money in units of 1e-4.

    expected = losing_paths / paths * (debt - cash - sum of `proceeds_units` - `rounding_units`). `worst_path` is the
    number of the path with the largest loss, None without one. Everything is 0 for an account that cannot be valued.
    """

    paths: int
    losing_paths: int
    debt_units: int
    cash_units: int
    terms: tuple[SaleTerm, ...]
    losing_mean_units: float
    expected_units: float
    worst_path: int | None
    worst_loss_units: int
    is_unknown: bool

    @property
    def rounding_units(self) -> float:
        """What float32 and the cut to whole units take from the loss, on average over the paths with one."""
        if not self.losing_paths:
            return 0.0
        owed = self.debt_units - self.cash_units - sum(term.proceeds_units for term in self.terms)
        return owed - self.losing_mean_units


def explain_gap(
    account: Book,
    marks: Marks,
    model: GapModel,
    factor: Factor,
    horizon: Horizon,
    *,
    paths: int,
    first_path: int = 0,
) -> GapExplanation:
    """Explain the expected loss of a book of one. Raises `BookError` as `gap_loss` does, and for another size."""
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
    found = gap_loss(account, marks, model, factor, horizon, paths=paths, first_path=first_path, levels=())
    loss, is_unknown = found.path_loss_units, bool(found.is_unknown[0])
    losing = np.flatnonzero(loss)
    worst = int(loss.argmax()) if len(losing) else None
    names, held = account.instrument.astype(np.int64), account.quantity.astype(np.int64)
    columns = np.zeros((3, len(names)))
    if not is_unknown:
        for buys in (False, True):
            rows = np.flatnonzero((held < 0) == buys)
            side = PathPrices(names[rows], marks, model, horizon, buys=buys)
            columns[:, rows] = _means(side, factor, first_path, loss > 0, worst)
    return GapExplanation(
        paths=paths,
        losing_paths=len(losing),
        debt_units=int(account.debt_units[0]),
        cash_units=int(account.cash_units[0]),
        terms=tuple(
            SaleTerm(name, quantity, int(marks.price_units[name]), *figures)
            for name, quantity, figures in zip(names.tolist(), held.tolist(), columns.T.tolist(), strict=True)
        ),
        losing_mean_units=float(loss[losing].mean()) if len(losing) else 0.0,
        expected_units=float(found.expected_units[0]),
        worst_path=None if worst is None else first_path + worst,
        worst_loss_units=int(loss.max()),
        is_unknown=is_unknown,
    )


def _means(side: PathPrices, factor: Factor, first_path: int, is_losing: Bools, worst: int | None) -> Float64s:
    """float64[3, names]: mean price over all paths, over the losing ones, and the price on the worst path."""
    paths = len(is_losing)
    sums = np.zeros((3, len(side)))
    tile = np.empty((len(side), TILE), dtype=np.float32)
    for start in range(0, paths, TILE):
        side.fill(factor, first_path + start, tile, threads=1)
        price = tile[:, : paths - start].astype(np.float64)
        losing: Int64s = np.flatnonzero(is_losing[start : start + TILE])
        sums[0] += price.sum(axis=1)
        sums[1] += price[:, losing].sum(axis=1)
        if worst is not None and start <= worst < start + TILE:
            sums[2] = price[:, worst - start]
    means: Float64s = sums / np.array([[paths], [max(1, is_losing.sum())], [1]])
    return means
