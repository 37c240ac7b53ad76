"""The plan of one account that is short of names: what to sell, what to buy back, what to repay.

With assets A (long positions and cash C), debt D and shorts K at their price now, target T, everything owed is D + K.
A sale of value v brings p (costs off) in cash; buying back value w takes x (costs on) of it; the cash that is then over
repays debt: R = min(D, C + P - X) at most. The gap T * (D + K) - A is closed by

    (T - 1) * R  +  sum over purchases of T * w - x  -  sum over sales of v - p

and nothing may be bought without the cash for it: X <= C + P. What is minimised is the value traded, sold and bought.
Repaying trades nothing, so cash repays debt before it buys, and sales come last: first those whose proceeds repay, then
those that pay for purchases. Steps are lots as in `plans`: a last step takes the odd rest.

1. Greedy: purchases with the cash that debt leaves, then sales, name by name in the order of preference, cost and
   instrument, each with the fewest steps that close the gap.
2. Where that does not cure, one or two names are changed at a time while it closes more: costs and lots may have sold
   what did not help, or spent the cash on the wrong name. A plan that falls short is one that both could not cure.
3. Exchange: one to three steps given up against the fewest of another name, while that trades less and still cures.
4. `bound_units` is the optimum of the linear relaxation by its dual: two prices, of cover and of cash, at which every
   name is traded wholly or not at all. The dual is concave with a kink for each name, so its greatest value is where
   two kinks cross, and all crossings are tried, in fractions. No plan within the cash trades less, whatever its lots.

All in Python's integers: accounts with shorts are few, and no amount is too large.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil

from reefpoint.engine.bands import RATIO_NO_DEBT
from reefpoint.engine.book import Book, Marks, check_book
from reefpoint.engine.columns import BP, BookError, Int64s
from reefpoint.engine.plans import PlanOutcome, cannot_be_bought, cannot_be_sold, check_terms

GIVEN_UP_MAX = 3
"""Most steps of one name that an exchange gives up."""


@dataclass(frozen=True)
class TradeLine:
    """Sell (`is_purchase` False) or buy back `quantity` shares. Money in units of 1e-4.

    `cash_units`: what it brings, negative for what it takes; `closes_e8`: what it closes of the gap by itself, in 1e-8:
    a sale alone closes nothing, it brings the cash that repays or buys.
    """

    instrument: int
    is_purchase: bool
    quantity: int
    value_units: int
    cost_units: int
    cash_units: int
    closes_e8: int


@dataclass(frozen=True)
class BuyBackPlan:
    """What to do with an account that is short; money in units of 1e-4, gaps in 1e-8.

    - `lines`: sales, then purchases, in the order of their columns; `repaid_units` of the debt
    - it cures when `closed_e8`, the sum of what the lines and the repayment close, is at least `gap_e8`
    - `owed` is debt and shorts; `traded_units` the value sold and bought; `cash_after_units` is never below 0
    - `bound_units`: no plan trades less; None where nothing cures
    - `deposit_still_needed_units`: what would bring the rest to the target, paid in against what is owed
    """

    outcome: PlanOutcome
    lines: tuple[TradeLine, ...]
    repaid_units: int
    gap_e8: int
    closed_e8: int
    cash_after_units: int
    assets_after_units: int
    owed_after_units: int
    ratio_after_bp: int
    traded_units: int
    bound_units: int | None
    deposit_still_needed_units: int

    @property
    def repayment_closes_e8(self) -> int:
        """What the repayment closes of the gap: the rest of what the lines do not."""
        return self.closed_e8 - sum(line.closes_e8 for line in self.lines)


@dataclass(frozen=True)
class _Name:
    """One position: shares held (positive) or short of, what a step is, how many there are, price, cost, side."""

    instrument: int
    is_purchase: bool
    held: int
    lot: int
    most: int
    price: int
    cost_bp: int

    def shares(self, steps: int) -> int:
        return self.held if steps and (steps + 1) * self.lot > self.held else steps * self.lot

    def value(self, steps: int) -> int:
        return self.shares(steps) * self.price

    def cash(self, steps: int, grain: int) -> int:
        """What so many steps bring (down to the grain), or take (up to it, negative)."""
        value = self.value(steps)
        cost = -(-value * self.cost_bp // BP)
        return -(-(-(value + cost) // grain) * grain) if self.is_purchase else (value - cost) // grain * grain


class _Account:
    """The account that is planned, and what a choice of steps comes to."""

    def __init__(self, cash: int, debt: int, gap: int, target: int, grain: int, names: Sequence[_Name]) -> None:
        self.cash, self.debt, self.gap, self.target, self.grain, self.names = cash, debt, gap, target, grain, names

    def over(self, steps: Sequence[int]) -> int:
        """Cash after all trades, before debt is repaid; below 0 the choice cannot be."""
        return self.cash + sum(name.cash(n, self.grain) for name, n in zip(self.names, steps, strict=True))

    def closes_alone(self, place: int, steps: int) -> int:
        name = self.names[place]
        value, cash = name.value(steps), name.cash(steps, self.grain)
        return self.target * value + BP * cash if name.is_purchase else BP * (cash - value)

    def most_repaid(self, steps: Sequence[int]) -> int:
        return min(self.debt, self.over(steps)) // self.grain * self.grain

    def closed(self, steps: Sequence[int], repaid: int) -> int:
        alone = sum(self.closes_alone(place, n) for place, n in enumerate(steps))
        return alone + (self.target - BP) * repaid

    def cures(self, steps: Sequence[int]) -> bool:
        return self.over(steps) >= 0 and self.closed(steps, self.most_repaid(steps)) >= self.gap

    def traded(self, steps: Sequence[int]) -> int:
        return sum(name.value(n) for name, n in zip(self.names, steps, strict=True))

    def with_purchases(self, steps: list[int]) -> list[int]:
        """The same sales, and as much bought back as the cash that debt leaves allows and the gap needs."""
        chosen = [0 if name.is_purchase else n for name, n in zip(self.names, steps, strict=True)]
        for place, name in enumerate(self.names):
            if not name.is_purchase or self.cures(chosen):
                continue
            room = self.over(chosen) - self.most_repaid(chosen)
            low, high = 0, name.most
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if -name.cash(middle, self.grain) <= room else (low, middle - 1)
            chosen[place] = self._fewest(chosen, place, low)
        return chosen

    def _fewest(self, steps: Sequence[int], place: int, most: int) -> int:
        """The fewest steps of one name, up to `most`, with which the choice cures; `most` if none does."""
        tried = list(steps)
        tried[place] = most
        if not self.cures(tried):
            return most
        low, high = 0, most
        while low < high:
            middle = (low + high) // 2
            tried[place] = middle
            low, high = (low, middle) if self.cures(tried) else (middle + 1, high)
        return high

    def greedy(self) -> list[int]:
        steps = self.with_purchases([0] * len(self.names))
        for place, name in enumerate(self.names):
            if name.is_purchase or self.cures(steps):
                continue
            low, high = 0, name.most
            best = self.with_purchases([*steps[:place], high, *steps[place + 1 :]])
            if self.cures(best):
                while low < high:
                    middle = (low + high) // 2
                    tried = self.with_purchases([*steps[:place], middle, *steps[place + 1 :]])
                    low, high = (low, middle) if self.cures(tried) else (middle + 1, high)
                    best = tried if self.cures(tried) else best
            steps = best
        return steps

    def climbed(self, steps: list[int]) -> list[int]:
        """From a choice that does not cure: one or two names changed at a time while that closes more of the gap."""
        while not self.cures(steps):
            best = max(self._changes(steps), key=self._closed_most, default=steps)
            if self._closed_most(best) <= self._closed_most(steps):
                return steps
            steps = best
        return steps

    def _closed_most(self, steps: Sequence[int]) -> int:
        return self.closed(steps, self.most_repaid(steps))

    def _changes(self, steps: list[int]) -> Iterator[list[int]]:
        singles = [
            (place, to)
            for place, (n, name) in enumerate(zip(steps, self.names, strict=True))
            for to in {0, n - 1, n + 1, name.most}
            if to != n and 0 <= to <= name.most
        ]
        for place, to in singles:
            one = [*steps[:place], to, *steps[place + 1 :]]
            if self.over(one) >= 0:
                yield one
            for other, then in singles:
                if other > place and self.over(two := [*one[:other], then, *one[other + 1 :]]) >= 0:
                    yield two

    def improved(self, steps: list[int]) -> list[int]:
        """Exchanges and spares while they trade less, the best first; each ends as a plan that cures."""
        while True:
            better = min(self._neighbours(steps), key=self.traded, default=steps)
            if self.traded(better) >= self.traded(steps):
                return steps
            steps = better

    def _neighbours(self, steps: list[int]) -> Iterator[list[int]]:
        for out, planned in enumerate(steps):
            for less in range(1, min(GIVEN_UP_MAX, planned) + 1):
                fewer = [*steps[:out], planned - less, *steps[out + 1 :]]
                if self.cures(fewer):
                    yield fewer
                for into, name in enumerate(self.names):
                    if into != out and fewer[into] < name.most:
                        tried = [*fewer[:into], self._fewest(fewer, into, name.most), *fewer[into + 1 :]]
                        if self.cures(tried):
                            yield tried

    def bound(self) -> int:
        """The least that can be traded by the linear relaxation, rounded up."""
        rise = Fraction(self.target - BP, BP)
        one, none = Fraction(1), Fraction(0)
        kinks = [(one, none, none), (none, one, none), (-rise, one, none)]
        sizes = [(Fraction(self.debt), kinks[2])]
        for name in self.names:
            cost = Fraction(name.cost_bp, BP)
            kink = (cost - rise, 1 + cost, one) if name.is_purchase else (cost, cost - 1, one)
            kinks.append(kink)
            sizes.append((Fraction(name.value(name.most)), kink))
        best = none
        for (a, b, c), (d, e, f) in combinations(dict.fromkeys(kinks), 2):
            turn = a * e - b * d
            if not turn:
                continue
            cover, cash = (b * f - c * e) / turn, (c * d - a * f) / turn
            if cover < 0 or cash < 0:
                continue
            dual = cover * Fraction(self.gap, BP) - cash * self.cash
            dual += sum(size * min(none, c + p * cover + q * cash) for size, (p, q, c) in sizes)
            best = max(best, dual)
        return ceil(best)


def plan_with_buy_backs(
    account: Book,
    marks: Marks,
    *,
    tradable: Int64s,
    cost_bp: Int64s,
    target_bp: int,
    preference: Int64s | None = None,
    grain_units: int = 100,
) -> BuyBackPlan:
    """Plan the least trade that brings a book of one account, with shorts or without, to `target_bp`.

    `tradable` int64[P]: shares that may be sold of a long position, or bought back of a short one. Not sold: stale and
    suspended names and those locked at their limit down; not bought: stale and suspended ones and those locked at their
    limit up. Arguments and errors otherwise as in `plans.plan_sales`.
    """
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
    check_book(account, marks, marks.terms_count)
    rank = check_terms(account, tradable, cost_bp, target_bp, preference, grain_units)[1].tolist()
    quantity, instrument = account.quantity.tolist(), account.instrument.tolist()
    price = [int(marks.price_units[name]) for name in instrument]
    cash, debt = int(account.cash_units[0]), int(account.debt_units[0])
    assets = cash + sum(q * p for q, p in zip(quantity, price, strict=True) if q > 0)
    owed = debt - sum(q * p for q, p in zip(quantity, price, strict=True) if q < 0)
    gap = target_bp * owed - BP * assets
    if any(q and not p for q, p in zip(quantity, price, strict=True)):
        return BuyBackPlan(PlanOutcome.UNKNOWN, (), 0, 0, 0, cash, 0, debt, -1, 0, None, 0)
    blocked = cannot_be_sold(marks), cannot_be_bought(marks)
    order = sorted((i for i in range(len(quantity)) if quantity[i]), key=lambda i: (rank[i], cost_bp[i], instrument[i]))
    names = [
        _Name(
            instrument=instrument[i],
            is_purchase=quantity[i] < 0,
            held=abs(quantity[i]),
            lot=int(marks.lot[instrument[i]]),
            most=0
            if blocked[quantity[i] < 0][instrument[i]]
            else _steps(abs(quantity[i]), int(marks.lot[instrument[i]]), int(tradable[i])),
            price=price[i],
            cost_bp=int(cost_bp[i]),
        )
        for i in order
    ]
    planned = _Account(cash, debt, gap, target_bp, grain_units, names)
    steps = [0] * len(names)
    is_cured = planned.cures(steps)
    if not is_cured:
        steps = planned.climbed(planned.greedy())
        is_cured = planned.cures(steps)
        steps = planned.improved(steps) if is_cured else steps
    repaid = planned.most_repaid(steps)
    if is_cured:
        short_of = gap - planned.closed(steps, 0)
        repaid = min(repaid, max(0, -(-short_of // ((target_bp - BP) * grain_units)) * grain_units))
    lines = tuple(
        TradeLine(
            instrument=name.instrument,
            is_purchase=name.is_purchase,
            quantity=name.shares(n),
            value_units=name.value(n),
            cost_units=-(-name.value(n) * name.cost_bp // BP),
            cash_units=name.cash(n, grain_units),
            closes_e8=planned.closes_alone(place, n),
        )
        for place, (name, n) in enumerate(zip(names, steps, strict=True))
        if n
    )
    lines = tuple(sorted(lines, key=lambda line: line.is_purchase))
    sold = sum(line.value_units for line in lines if not line.is_purchase)
    bought = sum(line.value_units for line in lines if line.is_purchase)
    over = planned.over(steps)
    assets_after, owed_after = assets - cash - sold + over - repaid, owed - bought - repaid
    left = target_bp * owed_after - BP * assets_after
    outcome = PlanOutcome.CURES
    if gap <= 0:
        outcome = PlanOutcome.NOT_NEEDED
    elif not is_cured:
        outcome = PlanOutcome.FALLS_SHORT if lines else PlanOutcome.NOTHING_TO_SELL
    elif not lines:
        outcome = PlanOutcome.CASH_CURES
    return BuyBackPlan(
        outcome=outcome,
        lines=lines,
        repaid_units=repaid,
        gap_e8=max(0, gap),
        closed_e8=planned.closed(steps, repaid),
        cash_after_units=over - repaid,
        assets_after_units=assets_after,
        owed_after_units=owed_after,
        ratio_after_bp=assets_after * BP // owed_after if owed_after else RATIO_NO_DEBT,
        traded_units=sold + bought,
        bound_units=planned.bound() if is_cured and lines else None,
        deposit_still_needed_units=max(0, -(-left // BP)),
    )


def _steps(held: int, lot: int, may: int) -> int:
    """Whole steps within `may` shares: all of it, or lots that leave at least one."""
    return max(held // lot, 1) if may >= held else min(may // lot, max(held // lot, 1) - 1)
