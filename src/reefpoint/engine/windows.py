"""Sums, counts, extremes and likenesses over the recent past of each row, among the rows of its own party.

A `Partition` puts rows that belong together (one client's; one client's in one name) side by side in the order of
time. The window of a row holds the rows of its partition up to and with itself whose clock is later than its own less
`length`: rows that come after it in the order never count, so what is known of a row does not change when more
happens later. A clock is any whole number that does not fall along a partition: seconds, days, sessions.

Each function is one pass over the rows with two pointers; all columns are int64[N] in the caller's order.
"""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.columns import BookError, Bools, Int64s, check_column, check_range
from reefpoint.engine.kernel import kernel

NEVER = -(2**62)
"""The clock of what has not happened yet."""
NO_RANK = -1
"""A percentile of nothing."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Rows by party and time: `order` lists the rows, `start` int64[P+1] where each party's begin in it.

    `is_plain`: the rows stand in this order already, so nothing has to be gathered.
    """

    order: Int64s
    start: Int64s
    is_plain: bool

    @property
    def row_count(self) -> int:
        return len(self.order)

    def gather(self, column: Int64s) -> Int64s:
        """A column in the partition's order."""
        return column if self.is_plain else column[self.order]

    def scatter(self, column: Int64s) -> Int64s:
        """A column of the partition's order back in the caller's."""
        if self.is_plain:
            return column
        back = np.empty_like(column)
        back[self.order] = column
        return back


def make_partition(*keys: Int64s, in_time: Int64s | None = None) -> Partition:
    """Rows that agree in all `keys`, each party's in the order of time.

    `in_time` lists the rows in that order; without it they stand so already, within each party.
    """
    count = len(keys[0])
    for key in keys:
        check_column("key", key, np.int64, (count,))
    order = np.arange(count) if in_time is None else in_time
    for key in reversed(keys):
        order = order[np.argsort(key[order], kind="stable")]
    is_new = np.ones(count, dtype=np.bool_)
    if count:
        is_new[1:] = False
        for key in keys:
            ordered = key[order]
            is_new[1:] |= ordered[1:] != ordered[:-1]
    start = np.append(np.flatnonzero(is_new), count).astype(np.int64)
    is_plain = bool((order[1:] > order[:-1]).all())
    return Partition(order.astype(np.int64), start, is_plain)


def window_sum(parts: Partition, clock: Int64s, value: Int64s, length: int) -> Int64s:
    """The sum of `value` over each row's window. Sums beyond int64 are the caller's to rule out."""
    _check(parts, length, clock=clock, value=value)
    out = np.empty(parts.row_count, dtype=np.int64)
    _sums.run(2 * len(out), parts.start, parts.gather(clock), parts.gather(value), length, out)
    return parts.scatter(out)


def window_max(parts: Partition, clock: Int64s, value: Int64s, length: int) -> Int64s:
    """The largest `value` in each row's window."""
    _check(parts, length, clock=clock, value=value)
    out, queue = np.empty(parts.row_count, dtype=np.int64), np.empty(parts.row_count, dtype=np.int64)
    _largest.run(3 * len(out), parts.start, parts.gather(clock), parts.gather(value), length, queue, out)
    return parts.scatter(out)


def window_distinct(parts: Partition, clock: Int64s, code: Int64s, length: int) -> Int64s:
    """How many different codes stand in each row's window; a code of 0 stands for none and is not counted."""
    _check(parts, length, clock=clock, code=code)
    names, dense = np.unique(code, return_inverse=True)
    dense = dense.astype(np.int64).reshape(-1)
    none = int(np.searchsorted(names, 0)) if 0 in names else -1
    out, seen = np.empty(parts.row_count, dtype=np.int64), np.zeros(len(names) + 1, dtype=np.int64)
    _distinct.run(4 * len(out), parts.start, parts.gather(clock), parts.gather(dense), none, length, seen, out)
    return parts.scatter(out)


def last_before(parts: Partition, clock: Int64s, is_marked: Bools) -> Int64s:
    """The clock of the latest marked row before each row in its partition; `NEVER` where there is none."""
    _check(parts, 1, clock=clock)
    check_column("is_marked", is_marked, np.bool_, (parts.row_count,))
    out = np.empty(parts.row_count, dtype=np.int64)
    _last.run(2 * len(out), parts.start, parts.gather(clock), parts.gather(is_marked.astype(np.int64)), out)
    return parts.scatter(out)


def window_percentile(
    parts: Partition, clock: Int64s, value: Int64s, is_marked: Bools, *, percent: int, length: int, skip: int
) -> Int64s:
    """The `percent` percentile (nearest rank) of the marked values from `length` to `skip` before each row.

    The rows counted have a clock in (own - length, own - skip]; `NO_RANK` where there are none.
    """
    _check(parts, length, clock=clock, value=value)
    check_column("is_marked", is_marked, np.bool_, (parts.row_count,))
    if not 0 < percent <= 100 or not 0 <= skip < length:
        raise BookError("percent or skip", None, f"{percent} % from {length} to {skip}: not a percentile of a past")
    out, ranked = np.empty(parts.row_count, dtype=np.int64), np.empty(parts.row_count, dtype=np.int64)
    marked = parts.gather(is_marked.astype(np.int64))
    _percentiles.run(
        8 * len(out), parts.start, parts.gather(clock), parts.gather(value), marked, percent, length, skip, ranked, out
    )
    return parts.scatter(out)


def mirrored_trades(
    parts: Partition, clock: Int64s, side: Int64s, quantity: Int64s, party: Int64s, *, length: int, tolerance_pct: int
) -> Int64s:
    """1 for each trade that mirrors one in its window: the other side, another party, quantities alike.

    `side` is +1, -1, or 0 for what is no trade; two quantities are alike if they differ by at most `tolerance_pct`
    percent of the larger.
    """
    _check(parts, length, clock=clock, side=side, quantity=quantity, party=party)
    check_range("side", side, -1, 1)
    check_range("quantity", quantity, 0, 2**55)
    out = np.empty(parts.row_count, dtype=np.int64)
    clock, side, quantity, party = (parts.gather(column) for column in (clock, side, quantity, party))
    _mirrors.run(4 * len(out), parts.start, clock, side, quantity, party, length, tolerance_pct, out)
    return parts.scatter(out)


def _check(parts: Partition, length: int, **columns: Int64s) -> None:
    for name, column in columns.items():
        check_column(name, column, np.int64, (parts.row_count,))
    if length <= 0:
        raise BookError("length", None, f"is {length}: a window has a length")


@kernel
def _sums(start: Int64s, clock: Int64s, value: Int64s, length: int, out: Int64s) -> None:
    for party in range(len(start) - 1):
        first, total = start[party], 0
        for row in range(start[party], start[party + 1]):
            total += value[row]
            while clock[first] <= clock[row] - length:
                total -= value[first]
                first += 1
            out[row] = total


@kernel
def _largest(start: Int64s, clock: Int64s, value: Int64s, length: int, queue: Int64s, out: Int64s) -> None:
    """`queue` holds the rows that may still be the largest, largest first."""
    for party in range(len(start) - 1):
        head, tail = 0, 0
        for row in range(start[party], start[party + 1]):
            while tail > head and value[queue[tail - 1]] <= value[row]:
                tail -= 1
            queue[tail] = row
            tail += 1
            while clock[queue[head]] <= clock[row] - length:
                head += 1
            out[row] = value[queue[head]]


@kernel
def _distinct(start: Int64s, clock: Int64s, code: Int64s, none: int, length: int, seen: Int64s, out: Int64s) -> None:
    for party in range(len(start) - 1):
        first, count = start[party], 0
        for row in range(start[party], start[party + 1]):
            if code[row] != none:
                count += seen[code[row]] == 0
                seen[code[row]] += 1
            while clock[first] <= clock[row] - length:
                if code[first] != none:
                    seen[code[first]] -= 1
                    count -= seen[code[first]] == 0
                first += 1
            out[row] = count
        for row in range(first, start[party + 1]):
            seen[code[row]] = 0


@kernel
def _last(start: Int64s, clock: Int64s, marked: Int64s, out: Int64s) -> None:
    for party in range(len(start) - 1):
        latest = NEVER
        for row in range(start[party], start[party + 1]):
            out[row] = latest
            if marked[row] != 0:
                latest = clock[row]


@kernel
def _percentiles(
    start: Int64s,
    clock: Int64s,
    value: Int64s,
    marked: Int64s,
    percent: int,
    length: int,
    skip: int,
    ranked: Int64s,
    out: Int64s,
) -> None:
    """`ranked` holds the values of the window in ascending order."""
    for party in range(len(start) - 1):
        first, nexts, count = start[party], start[party], 0
        for row in range(start[party], start[party + 1]):
            while nexts < row and clock[nexts] <= clock[row] - skip:
                if marked[nexts] != 0:
                    place = count
                    while place > 0 and ranked[place - 1] > value[nexts]:
                        ranked[place] = ranked[place - 1]
                        place -= 1
                    ranked[place] = value[nexts]
                    count += 1
                nexts += 1
            while first < nexts and clock[first] <= clock[row] - length:
                if marked[first] != 0:
                    place = 0
                    while ranked[place] != value[first]:
                        place += 1
                    count -= 1
                    for later in range(place, count):
                        ranked[later] = ranked[later + 1]
                first += 1
            out[row] = NO_RANK if count == 0 else ranked[(percent * count + 99) // 100 - 1]


@kernel
def _mirrors(
    start: Int64s,
    clock: Int64s,
    side: Int64s,
    quantity: Int64s,
    party: Int64s,
    length: int,
    tolerance_pct: int,
    out: Int64s,
) -> None:
    for part in range(len(start) - 1):
        first = start[part]
        for row in range(start[part], start[part + 1]):
            while clock[first] <= clock[row] - length:
                first += 1
            out[row] = 0
            if side[row] == 0:
                continue
            for other in range(first, row):
                larger = max(quantity[row], quantity[other])
                if (
                    side[other] == -side[row]
                    and party[other] != party[row]
                    and abs(quantity[row] - quantity[other]) * 100 <= larger * tolerance_pct
                ):
                    out[row] = 1
                    break
