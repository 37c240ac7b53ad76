"""Ticks: the watch of a book against the plain delta and against general engines that keep the same accounts decided.

All candidates follow one stream of ticks in order, one decision a tick, each at a pace that its speed allows, and every
crossing that any of them tells must be the watch's own: tick, account, band before, band after. The watch's final bands
are also those of a full valuation.

A tick moves a price by some 4 basis points, by a cent at least, within the day's limits; names arrive by the law of
their popularity. That is hard for an index: the names that move most have the most holders.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.benchmarks.books import CENT, SyntheticBook, draw_book, normals, popularity_shares, uniforms
from reefpoint.benchmarks.peers import OURS, absent, is_installed, open_duckdb
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Candidate, WrongAnswer, measure
from reefpoint.engine.bands import step_bands
from reefpoint.engine.columns import BP, Int8s, Int32s, Int64s
from reefpoint.engine.kernel import kernel
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Watch

Float64s = npt.NDArray[np.float64]

ZIPF, MODERATE = 1.0, 0.6
STEP_BP = 4.8
"""Standard deviation of one tick's move."""
TURN_TICKS = {ZIPF: 1_000, MODERATE: 10_000}
"""Ticks that the watch and the plain delta take in one turn."""
PEER_TICKS = 10
"""Ticks that a database takes in one turn: they are thousands of times slower."""

BATCH_S = 0.01
BATCH_RATES = (20_000, 100_000, 500_000)
BATCHES = 15
CRASH_DRIFT = -0.12
"""Standard deviations by which each tick of a crash goes down on average: holders lose some 4% in 100,000 ticks."""
FALLS_BP = (300, 500)
FALL_ROUNDS, CALM_BATCHES = 3, 5
"""How often each fall of all names at once is measured, and how many calm batches after it."""
EDGE_MAX = 2**62
"""Stands for an edge that no account reaches."""


@dataclass(frozen=True, eq=False)
class Ticks:
    """A stream: `name` and `price_units` int64[N]."""

    name: Int64s
    price_units: Int64s

    def part(self, first: int, stop: int) -> "Ticks":
        assert stop <= len(self.name), "the stream is shorter than what a candidate follows"
        return Ticks(self.name[first:stop], self.price_units[first:stop])


def draw_ticks(drawn: SyntheticBook, count: int, *, zipf: float, drift: float = 0.0, seed: int = 7) -> Ticks:
    """`count` ticks that start from the book's marks; `drift` in standard deviations of a step."""
    marks = drawn.marks
    shares = popularity_shares(marks.instrument_count, zipf)
    name = drawn.popularity[np.searchsorted(shares, uniforms(seed, "tick name", count), side="right")]
    price = np.empty(count, dtype=np.int64)
    _walk.run(
        count,
        name,
        normals(seed, "tick", count) + drift,
        marks.price_units.copy(),
        marks.limit_down_units,
        marks.limit_up_units,
        price,
    )
    return Ticks(name, price)


@kernel
def _walk(name: Int64s, step: Float64s, last: Int64s, low: Int64s, high: Int64s, price: Int64s) -> None:
    """The price of each tick from the one before of its name: whole cents, at least one, within the limits."""
    for i in range(len(name)):
        s = name[i]
        cents = np.int64(np.rint(step[i] * max(1.0, last[s] * (STEP_BP / BP) / CENT)))
        if cents == 0:
            cents = np.int64(1 if step[i] > 0 else -1)
        last[s] = min(max(last[s] + cents * CENT, low[s]), high[s])
        price[i] = last[s]


class Follower:
    """A candidate that follows the stream `pace` ticks at a time and keeps what crossed.

    `apply(ticks)` returns the crossings of these ticks, decided one by one: int64[N, 4] of the place of the tick within
    them, account, band before, band after.
    """

    def __init__(self, name: str, engine: str, stream: Ticks, pace: int, apply: Callable[[Ticks], Int64s]) -> None:
        self.name, self.engine, self.pace = name, engine, pace
        self.followed = 0
        self._stream, self._apply = stream, apply
        self._told: list[Int64s] = []

    def candidate(self) -> Candidate:
        """Timed by the tick."""
        return Candidate(self.name, self.engine, self.follow, lambda _: {}, measured_part=self.pace, is_repeated=False)

    def follow(self) -> None:
        told = self._apply(self._stream.part(self.followed, self.followed + self.pace))
        told[:, 0] += self.followed
        self.followed += self.pace
        self._told.append(told)

    def told(self) -> Int64s:
        return np.concatenate(self._told)


def check_crossings(followers: list[Follower]) -> None:
    """Whatever a candidate told must be what the first one told of the same ticks. Raises `WrongAnswer`."""
    expected = followers[0].told()
    for other in followers[1:]:
        shared = min(other.followed, followers[0].followed)
        ours, theirs = (told[told[:, 0] < shared] for told in (expected, other.told()))
        if not np.array_equal(ours, theirs):
            raise WrongAnswer(f"{other.name}: {len(theirs)} crossings in {shared} ticks that differ from {len(ours)}")


def measure_ticks(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Follow the ticks of a Zipf 1.0 book and of a moderate one; batches of 10 ms on the first."""
    del machine  # no limit of the machine bounds this work
    tables = []
    for zipf, label, key in ((ZIPF, "Zipf 1.0 book", ""), (MODERATE, "moderate book (Zipf 0.6)", "_moderate")):
        drawn = draw_book(accounts, zipf=zipf)
        stream = draw_ticks(drawn, (rounds + 1) * TURN_TICKS[zipf], zipf=zipf)
        state = PlainState(drawn)
        watch = open_watch(drawn)
        followers = [Follower("Watch.apply_ticks", OURS, stream, TURN_TICKS[zipf], partial(follow_watch, watch))]
        followers += _peers(state, stream, TURN_TICKS[zipf])
        lines = measure([follower.candidate() for follower in followers], rounds=rounds)
        check_crossings(followers)
        check_bands(watch, drawn)
        holders = np.bincount(drawn.book.instrument, minlength=drawn.marks.instrument_count)
        crossings = followers[0].told()
        table = Table(
            "ticks",
            f"Ticks, {label}",
            accounts,
            drawn.book.position_count,
            "one tick",
            lines,
            facts={
                "Decisions": "one a tick, hysteresis 100 bp; equal crossings from every candidate",
                "Holders of the name of a tick, on average": f"{holders[stream.name].mean():,.0f}",
                "Crossings a tick": f"{len(crossings) / followers[0].followed:.2g}",
            },
            absent=absent("NumPy", "Polars", "DuckDB"),
        )
        figures = {
            f"ticks.cpu_us{key}": lines[0].cpu_s * 1e6,
            f"ticks.delta{key}": table.least_ratio("Plain delta"),
            f"ticks.polars{key}": table.least_ratio("Polars"),
            f"ticks.duckdb{key}": table.least_ratio("DuckDB"),
        }
        if zipf == ZIPF:
            batches, figures["ticks.batch_ms"] = _measure_batches(drawn)
            falls, figures["ticks.fall_ms"] = _measure_falls(drawn)
            table = replace(table, facts={**table.facts, **batches, **falls})
        tables.append(table.with_figures(figures))
    return tables


def open_watch(drawn: SyntheticBook) -> Watch:
    """A watch whose index is built and whose bands are those of the marks: a day that has just begun."""
    valued = value_book(drawn.book, drawn.marks, drawn.lines)
    watch = Watch(drawn.book, drawn.marks, drawn.lines, valued.band)
    watch.decide()
    return watch


def follow_watch(watch: Watch, ticks: Ticks) -> Int64s:
    """Apply ticks one decision each."""
    crossed = watch.apply_ticks(ticks.name, ticks.price_units, np.arange(len(ticks.name) + 1))
    return np.stack((crossed.batch, crossed.row, crossed.old_band, crossed.new_band), axis=1).astype(np.int64)


def check_bands(watch: Watch, drawn: SyntheticBook) -> None:
    """Hold the watch's bands against a full valuation. Raises `WrongAnswer`.

    A band depends on the way there only within the hysteresis of a line: it lies between the band without memory and
    that of an account that was in the worst.
    """
    ratio, terms = watch.value().ratio_bp, watch.book.terms
    mildest = step_bands(ratio, terms, drawn.lines)
    worst = step_bands(ratio, terms, drawn.lines, np.full_like(mildest, 3))
    if not ((watch.band >= mildest) & (watch.band <= worst)).all():
        raise WrongAnswer("the watch's bands are not those of a full valuation")


def _measure_batches(drawn: SyntheticBook) -> tuple[dict[str, str], float]:
    """CPU of 10 ms batches at several rates, calm and in a crash; also the dearest of all, in ms."""
    facts, dearest = {}, 0.0
    for drift, mood in ((0.0, "calm"), (CRASH_DRIFT, "in a crash")):
        for rate in BATCH_RATES:
            count = int(rate * BATCH_S)
            stream = draw_ticks(drawn, count * (BATCHES + 1), zipf=ZIPF, drift=drift)
            watch = open_watch(drawn)
            taken = [_batch_ms(watch, stream.part(batch * count, (batch + 1) * count)) for batch in range(BATCHES + 1)]
            steady = taken[1:]  # the first batch of a day also loads what it runs
            dearest = max(dearest, *steady)
            facts[f"10 ms of {rate:,} ticks a second, {mood}, CPU"] = (
                f"{np.median(steady):.2f} ms, the dearest of {BATCHES} batches {max(steady):.2f} ms"
            )
    return facts, dearest


def _measure_falls(drawn: SyntheticBook) -> tuple[dict[str, str], float]:
    """CPU of a batch in which every name falls, and of calm batches after it; also that of the smallest fall, in ms.

    More come down at once than stand near a line, so it is not an index that counts here but the way out of it.
    """
    facts, medians = {}, []
    count = int(BATCH_RATES[0] * BATCH_S)
    steps = draw_ticks(drawn, count * (CALM_BATCHES + 1), zipf=ZIPF)
    first = drawn.marks.price_units
    for fall_bp in FALLS_BP:
        fallen = first - first * fall_bp // BP // CENT * CENT
        falls, after, crossed = [], [], 0
        for _ in range(FALL_ROUNDS):
            watch = open_watch(drawn)
            _batch_ms(watch, steps.part(0, count))  # the first batch of a day also loads what it runs
            band = watch.band.copy()
            falls.append(_batch_ms(watch, Ticks(np.arange(len(first)), fallen)))
            crossed = int((watch.band != band).sum())
            for batch in range(1, CALM_BATCHES + 1):
                part = steps.part(batch * count, (batch + 1) * count)
                after.append(
                    _batch_ms(watch, Ticks(part.name, part.price_units - first[part.name] + fallen[part.name]))
                )
        check_bands(watch, drawn)
        medians.append(float(np.median(falls)))
        facts[f"all {len(first):,} names {fall_bp / 100:.0f}% down in one batch, CPU"] = (
            f"{medians[-1]:.2f} ms, {crossed:,} crossings; the dearest calm batch of {BATCH_RATES[0]:,} ticks a second "
            f"after it {max(after):.2f} ms"
        )
    return facts, medians[0]


def _batch_ms(watch: Watch, ticks: Ticks) -> float:
    """CPU of one batch, in ms."""
    bounds = np.array([0, len(ticks.name)])
    before = process_time()
    watch.apply_ticks(ticks.name, ticks.price_units, bounds)
    return (process_time() - before) * 1e3


class PlainState:
    """What a candidate without an index keeps: holders by name, assets, and the two edges of each account's band.

    The band holds while low <= assets < high. Columns are int64 unless said: `start` [S+1], `account` int32 [P] and
    `quantity` [P] by name; `assets`, `low`, `high`, `debt` [A]; `band` int8 [A].
    """

    def __init__(self, drawn: SyntheticBook) -> None:
        book, marks = drawn.book, drawn.marks
        order = np.argsort(book.instrument, kind="stable")
        self.start = np.searchsorted(book.instrument[order], np.arange(marks.instrument_count + 1)).astype(np.int64)
        self.account: Int32s = book.account_of_position[order].astype(np.int32)
        self.quantity = book.quantity[order].astype(np.int64)
        valued = value_book(book, marks, drawn.lines)
        self.first_assets, self.first_band = valued.assets_units, valued.band
        self.debt, self.marks, self.table = book.debt_units, marks, drawn.lines.table[0]

    def copy(self) -> "PlainCopy":
        return PlainCopy(self)

    def decide(self, assets: Int64s, debt: Int64s, band: Int8s) -> tuple[Int8s, Int64s, Int64s]:
        """The band of accounts after it was `band`, and its edges."""
        after = _bands_after(assets * BP // debt, band, self.table)
        low, high = _edges(after, debt, self.table)
        return after, low, high


class PlainCopy:
    """One candidate's own prices, assets, bands and edges."""

    def __init__(self, of: PlainState) -> None:
        self.price = of.marks.price_units.copy()
        self.assets, self.band = of.first_assets.copy(), of.first_band.copy()
        self.low, self.high = _edges(self.band, of.debt, of.table)


def _bands_after(ratio: Int64s, before: Int8s, table: Int64s) -> Int8s:
    """As `bands.step_bands` under one row of lines."""
    after = np.zeros(len(ratio), dtype=np.int8)
    for worse in (1, 2, 3):
        line = table[worse - 1] + np.where(before >= worse, table[3], 0)
        after[ratio < line] = worse
    return after


def _edges(band: Int8s, debt: Int64s, table: Int64s) -> tuple[Int64s, Int64s]:
    """The least assets that hold the line under the band, and that reach the line above it with the hysteresis."""
    down, up = np.append(table[:3], 0)[band], np.append(0, table[:3] + table[3])[band]
    low = np.where(band == 3, -EDGE_MAX, -(-down * debt // BP))
    return low, np.where(band == 0, EDGE_MAX, -(-up * debt // BP))


@kernel
def _follow_delta(
    name: Int64s,
    price: Int64s,
    last: Int64s,
    start: Int64s,
    account: Int32s,
    quantity: Int64s,
    debt: Int64s,
    table: Int64s,
    assets: Int64s,
    low: Int64s,
    high: Int64s,
    band: Int8s,
    told: Int64s,
) -> int:
    """Every holder of every tick: assets += quantity * step, and a look at the edges. Returns how many crossed."""
    count = 0
    for i in range(len(name)):
        s = name[i]
        step = price[i] - last[s]
        last[s] = price[i]
        for j in range(start[s], start[s + 1]):
            row = account[j]
            assets[row] += quantity[j] * step
            if low[row] <= assets[row] < high[row]:
                continue
            before, after = band[row], 0
            ratio = assets[row] * BP // debt[row]
            for worse in range(1, 4):
                if ratio < table[worse - 1] + (table[3] if before >= worse else 0):
                    after = worse
            band[row] = after
            low[row] = -EDGE_MAX if after == 3 else -(-table[after] * debt[row] // BP)
            high[row] = EDGE_MAX if after == 0 else -(-(table[after - 1] + table[3]) * debt[row] // BP)
            told[count, 0], told[count, 1], told[count, 2], told[count, 3] = i, row, before, after
            count += 1
    return count


def _peers(state: PlainState, stream: Ticks, pace: int) -> list[Follower]:
    followers = [
        Follower("Plain delta of every holder, compiled", "Plain delta", stream, pace, delta_follower(state)),
        Follower("NumPy by holders of the name", "NumPy", stream, PEER_TICKS * 5, numpy_follower(state)),
    ]
    for engine, title, make in (
        ("Polars", "Polars gather and scatter by name", polars_follower),
        ("DuckDB", "DuckDB update and query", duckdb_follower),
    ):
        if is_installed(engine):
            followers.append(Follower(title, engine, stream, PEER_TICKS, make(state)))
    return followers


def delta_follower(state: PlainState) -> Callable[[Ticks], Int64s]:
    own = state.copy()
    told = np.empty((2**20, 4), dtype=np.int64)

    def apply(ticks: Ticks) -> Int64s:
        holders = int((state.start[ticks.name + 1] - state.start[ticks.name]).sum())
        count = _follow_delta.run(
            holders,
            ticks.name,
            ticks.price_units,
            own.price,
            state.start,
            state.account,
            state.quantity,
            state.debt,
            state.table,
            own.assets,
            own.low,
            own.high,
            own.band,
            told,
        )
        return told[:count].copy()

    return apply


def numpy_follower(state: PlainState) -> Callable[[Ticks], Int64s]:
    own = state.copy()

    def take(tick: int, name: int, step: int) -> Int64s:
        held = slice(state.start[name], state.start[name + 1])
        rows = state.account[held]
        assets = own.assets[rows] + state.quantity[held] * step
        own.assets[rows] = assets
        return _tell(state, own, tick, rows[(assets < own.low[rows]) | (assets >= own.high[rows])])

    return _one_by_one(own, take)


def polars_follower(state: PlainState) -> Callable[[Ticks], Int64s]:
    """Holders in one frame a name; the accounts' columns as series that are gathered from and scattered into."""
    pl = import_module("polars")
    own = state.copy()
    assets, low, high = (pl.Series(column) for column in (own.assets, own.low, own.high))
    cuts = zip(state.start[:-1], state.start[1:], strict=True)
    frames = [pl.DataFrame({"a": state.account[i:j].astype(np.uint32), "q": state.quantity[i:j]}) for i, j in cuts]

    def take(tick: int, name: int, step: int) -> Int64s:
        nonlocal assets, low, high
        moved = frames[name].with_columns(
            (assets.gather(frames[name]["a"]) + pl.col("q") * step).alias("now"),
            low.gather(frames[name]["a"]).alias("low"),
            high.gather(frames[name]["a"]).alias("high"),
        )
        assets = assets.scatter(moved["a"], moved["now"])
        crossed = moved.filter((pl.col("now") < pl.col("low")) | (pl.col("now") >= pl.col("high")))
        rows = crossed["a"].to_numpy().astype(np.int64)
        own.assets[rows] = crossed["now"].to_numpy()
        told = _tell(state, own, tick, rows)
        if len(rows):
            low, high = low.scatter(rows, own.low[rows]), high.scatter(rows, own.high[rows])
        return told

    return _one_by_one(own, take)


def duckdb_follower(state: PlainState) -> Callable[[Ticks], Int64s]:
    """Holders sorted by name; the accounts' table is updated by each tick, then asked who is past an edge."""
    table = import_module("pyarrow").table
    own, connection = state.copy(), open_duckdb()
    name = np.repeat(np.arange(len(state.start) - 1, dtype=np.int32), np.diff(state.start))
    rows = np.arange(len(own.assets), dtype=np.int32)
    connection.register("given_holders", table({"s": name, "a": state.account, "q": state.quantity}))
    connection.register("given_accounts", table({"a": rows, "assets": own.assets, "low": own.low, "high": own.high}))
    connection.execute("create table holders as select * from given_holders order by s, a")
    connection.execute("create table accounts as select * from given_accounts")

    def take(tick: int, name: int, step: int) -> Int64s:
        connection.execute(
            "update accounts set assets = assets + q * ? from holders where holders.s = ? and holders.a = accounts.a",
            [step, name],
        )
        found = connection.execute(
            "select a, assets from accounts where (assets < low or assets >= high) order by a"
        ).fetchnumpy()
        rows = np.asarray(found["a"], dtype=np.int64)
        own.assets[rows] = found["assets"]
        told = _tell(state, own, tick, rows)
        for edges in zip(own.low[rows].tolist(), own.high[rows].tolist(), rows.tolist(), strict=True):
            connection.execute("update accounts set low = ?, high = ? where a = ?", edges)
        return told

    return _one_by_one(own, take)


def _one_by_one(own: PlainCopy, take: Callable[[int, int, int], Int64s]) -> Callable[[Ticks], Int64s]:
    def apply(ticks: Ticks) -> Int64s:
        told = []
        for tick, (name, price) in enumerate(zip(ticks.name.tolist(), ticks.price_units.tolist(), strict=True)):
            told.append(take(tick, name, price - int(own.price[name])))
            own.price[name] = price
        return np.concatenate(told)

    return apply


def _tell(state: PlainState, own: PlainCopy, tick: int, rows: npt.NDArray[Any]) -> Int64s:
    """Decide the accounts `rows`, which are past an edge, and tell their crossings."""
    before = own.band[rows]
    own.band[rows], own.low[rows], own.high[rows] = state.decide(own.assets[rows], state.debt[rows], before)
    return np.stack((np.full(len(rows), tick), rows, before, own.band[rows]), axis=1).astype(np.int64)
