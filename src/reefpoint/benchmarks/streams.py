"""What scaling out costs on this machine: messages through NATS, watchers on the stream, blocks on Ray workers.

`python -m reefpoint.benchmarks.streams [accounts]` measures what docs/scaling.md is computed from, and prints a line
for each figure. It needs the extra `scale`, and some minutes.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
from nats.aio.client import Client
from nats.js import JetStreamContext

from reefpoint.benchmarks.books import SyntheticBook, draw_book
from reefpoint.engine.book import Book
from reefpoint.engine.scenarios import shock_prices
from reefpoint.engine.stress import stress_book
from reefpoint.engine.valuation import value_book
from reefpoint.scale.blocks import cut_book, save_blocks, take_rows
from reefpoint.scale.messages import Ticks
from reefpoint.scale.server import NatsServer
from reefpoint.scale.streams import CROSSINGS, connect, make_streams, streams_of
from reefpoint.scale.ticks import Opening, TickPublisher, Watcher
from reefpoint.scale.workers import BlockWorkers, local_ray

ACCOUNTS = 100_000
ROUNDS = 7
SCENARIOS = 1_000
MANY = 8


def main() -> None:
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    tell(f"book: {accounts:,} accounts, Zipf 1.0; load average at the start {os.getloadavg()[0]:.1f}")
    drawn = draw_book(accounts)
    columns = sum(getattr(drawn.book, field.name).nbytes for field in fields(Book))
    tell(f"{drawn.book.position_count:,} positions; the columns of the book have {columns / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory(prefix="rp-", dir="/tmp") as name:
        folder = Path(name)
        for ticks in (1, 20, 200, 2_000):
            with_server(folder / f"publish-{ticks}", partial(measure_publishing, ticks))
        with_server(folder / "book", partial(measure_watching, folder, drawn))
        with_server(folder / "latency", partial(measure_latency, folder, drawn))
        for most in (1, 64):  # after the large book: all kernels run compiled by now
            with_server(folder / f"follow-{most}", partial(measure_following, folder, most))
        measure_blocks(folder, drawn)


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def with_server(folder: Path, measure: Callable[[NatsServer, Client, JetStreamContext], Awaitable[None]]) -> None:
    async def run(server: NatsServer) -> None:
        client = await connect(server.url)
        js = streams_of(client)
        await make_streams(js)
        await measure(server, client, js)
        await client.close()

    with NatsServer(folder) as server:
        asyncio.run(run(server))


async def measure_publishing(ticks: int, server: NatsServer, client: Client, js: JetStreamContext) -> None:
    """One feed, one loop, each message stored and acknowledged; windows of messages on their way."""
    count = 20_000 if ticks <= 20 else 4_000
    batches = [next(random_walk(np.full(5_000, 100_000), ticks))] * count
    feed = await TickPublisher.open(js)
    before = (time.perf_counter(), time.process_time(), cpu_of(server))
    await feed.publish(batches)
    wall, own, theirs = (a - b for a, b in zip(now(server), before, strict=True))
    stored = (await js.stream_info("ticks")).state.bytes / count
    tell(
        f"publish {ticks:>5} ticks a message: {count / wall:,.0f} messages/s, {count * ticks / wall:,.0f} ticks/s, "
        f"{own / count * 1e6:.0f} us CPU of the feed and {theirs / count * 1e6:.0f} us of the server a message; "
        f"{stored:,.0f} bytes stored a message, {stored / ticks:.1f} a tick"
    )


async def measure_following(folder: Path, most: int, server: NatsServer, client: Client, js: JetStreamContext) -> None:
    """The way of a message to a watcher: a book of one account, so the engine costs next to nothing."""
    drawn = draw_book(10)
    feed, count = await TickPublisher.open(js), 4_000
    await feed.publish(list(walk_for(random_walk(drawn.marks.price_units, 20), count)))
    opening = Opening(take_rows(drawn.book, slice(0, 1)), drawn.marks, drawn.lines)
    watcher = Watcher(client, 0, lambda: opening, folder / f"follow-{most}.npz", messages_max=most)
    await watcher.open()
    before = now(server)
    while watcher.sequence < count:
        await watcher.step()
    wall, own, theirs = (a - b for a, b in zip(now(server), before, strict=True))
    tell(
        f"follow, at most {most} messages a decision: {count / wall:,.0f} messages/s, {own / count * 1e6:.0f} us CPU "
        f"of the watcher and {theirs / count * 1e6:.0f} us of the server a message, "
        f"{count / watcher.decisions:.0f} messages a decision"
    )


async def measure_watching(
    folder: Path, drawn: SyntheticBook, server: NatsServer, client: Client, js: JetStreamContext
) -> None:
    """A watcher of the whole book as fast as it can, 200 ticks a message, one message a decision; and its successor."""
    feed, count, ticks = await TickPublisher.open(js), 500, 200
    await feed.publish(list(walk_for(random_walk(drawn.marks.price_units, ticks, drawn.popularity), count)))
    opening = Opening(drawn.book, drawn.marks, drawn.lines)
    watcher = Watcher(client, 0, lambda: opening, folder / "book.npz", messages_max=1)
    begun, memory = time.perf_counter(), resident_bytes()
    await watcher.open()
    await watcher.step()  # compiles, and builds the index
    tell(
        f"watch: opened in {time.perf_counter() - begun:.2f} s, all accounts told as crossings; "
        f"{(resident_bytes() - memory) / 1e6:.0f} MB more memory than the book's own, {memory / 1e6:.0f} MB before"
    )
    opened = (await js.stream_info(CROSSINGS)).state
    begun, cpu = time.perf_counter(), time.process_time()
    while watcher.sequence < count:
        await watcher.step()
    wall, own = time.perf_counter() - begun, time.process_time() - cpu
    told = (await js.stream_info(CROSSINGS)).state
    tell(
        f"watch, {ticks} ticks a message: {(count - 1) / wall:,.0f} messages/s, "
        f"{(count - 1) * ticks / wall:,.0f} ticks/s ({own / (count - 1) / ticks * 1e6:.1f} us CPU a tick), "
        f"{told.messages - opened.messages:,} messages of crossings with {told.bytes - opened.bytes:,} bytes"
    )
    begun = time.perf_counter()
    watcher.save()
    tell(f"checkpoint: {time.perf_counter() - begun:.3f} s, {(folder / 'book.npz').stat().st_size:,} bytes")
    successor = Watcher(client, 0, lambda: opening, folder / "book.npz", messages_max=1)
    begun = time.perf_counter()
    await successor.open()
    tell(f"takeover from the checkpoint, book in memory: {time.perf_counter() - begun:.2f} s")
    replayed = Watcher(client, 0, lambda: opening, folder / "none.npz")
    begun = time.perf_counter()
    await replayed.open()
    tell(f"takeover without one, {count} messages replayed: {time.perf_counter() - begun:.2f} s")


async def measure_latency(
    folder: Path, drawn: SyntheticBook, server: NatsServer, client: Client, js: JetStreamContext
) -> None:
    """From the feed to the stored crossings at 100 messages of 20 ticks a second."""
    feed, count = await TickPublisher.open(js), 1_000
    opening = Opening(drawn.book, drawn.marks, drawn.lines)
    watcher = Watcher(client, 0, lambda: opening, folder / "latency.npz")
    await watcher.open()
    batches = list(walk_for(random_walk(drawn.marks.price_units, 20, drawn.popularity), count))
    sent, done = np.zeros(count), np.zeros(count)

    async def send() -> None:
        begin = time.perf_counter()
        for number, batch in enumerate(batches):
            await asyncio.sleep(max(0.0, begin + number / 100 - time.perf_counter()))
            sent[number] = time.perf_counter()
            await feed.publish([batch])

    async def follow() -> None:
        while (decided := watcher.sequence) < count:
            await watcher.step()
            done[decided : watcher.sequence] = time.perf_counter()

    await asyncio.gather(send(), follow())
    p50, p99 = np.percentile((done - sent)[100:] * 1e3, (50, 99))
    tell(f"latency at 100 messages of 20 ticks a second, sent to decided and told: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def measure_blocks(folder: Path, drawn: SyntheticBook) -> None:
    """Two blocks on two workers against one process."""
    begun = time.perf_counter()
    files = save_blocks(cut_book(drawn.book, 2), folder / "blocks")
    saved = time.perf_counter() - begun
    begun = time.perf_counter()
    files[0]()
    tell(
        f"block files: saved in {saved:.2f} s, one of two loaded in {time.perf_counter() - begun:.3f} s, "
        f"{sum(file.path.stat().st_size for file in files) / drawn.book.position_count:.1f} bytes a position"
    )
    prices = drawn.marks.price_units
    shocks = np.random.default_rng(5).integers(-30_000_000, 10_000_000, (SCENARIOS, len(prices)))
    scenarios = shock_prices(prices, shocks, [f"s{number}" for number in range(SCENARIOS)])
    begun = time.perf_counter()
    with local_ray(folder / "ray", workers=2):
        tell(f"ray: started in {time.perf_counter() - begun:.1f} s")
        begun = time.perf_counter()
        workers = BlockWorkers(files, drawn.marks, drawn.lines)
        workers.pids()
        tell(f"ray: two workers with their blocks after {time.perf_counter() - begun:.1f} s")
        for name, over_blocks, alone in (
            ("value", lambda: workers.value(prices), lambda: value_book(drawn.book, drawn.marks, drawn.lines)),
            (
                f"stress, {SCENARIOS:,} scenarios",
                lambda: workers.stress(scenarios),
                lambda: stress_book(drawn.book, drawn.marks, drawn.lines, scenarios),
            ),
        ):
            over_blocks(), alone()  # compile
            times = [(timed(over_blocks), timed(alone)) for _ in range(ROUNDS)]
            blocks, one = np.median(times, axis=0)
            tell(f"{name}: {blocks * 1e3:.1f} ms over two workers, {one * 1e3:.1f} ms in one process on one thread")
        workers.close()
    one = save_blocks([take_rows(drawn.book, slice(0, 1))], folder / "one")
    with local_ray(folder / "ray", workers=MANY):
        many = BlockWorkers(one * MANY, drawn.marks, drawn.lines)
        many.value(prices)
        tell(
            f"round trip to {MANY} workers with one account each: "
            f"{np.median([timed(lambda: many.value(prices)) for _ in range(ROUNDS)]) * 1e3:.1f} ms"
        )


def timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def random_walk(prices: np.ndarray, ticks: int, popularity: np.ndarray | None = None) -> Iterator[Ticks]:
    """Steps of some 4 bp and at least a cent, names by Zipf's law if their `popularity` is given."""
    random, price = np.random.default_rng(17), prices.copy()
    weights = 1 / np.arange(1, len(price) + 1)
    while True:
        if popularity is None:
            names = random.integers(0, len(price), ticks)
        else:
            names = popularity[random.choice(len(price), ticks, p=weights / weights.sum())]
        step = np.maximum(price[names] * 4 // 10_000, 100) * random.choice((-1, 1), ticks)
        price[names] = np.maximum(price[names] + step, 100)
        yield Ticks(names, price[names])


def walk_for(walk: Iterator[Ticks], count: int) -> Iterator[Ticks]:
    return (batch for batch, _ in zip(walk, range(count), strict=False))


def now(server: NatsServer) -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), cpu_of(server)


def resident_bytes() -> int:
    """Memory of this process; 0 where there is no /proc."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if pages.exists() else 0


def cpu_of(server: NatsServer) -> float:
    """CPU seconds of the server so far; NaN where there is no /proc."""
    stat = Path(f"/proc/{server.pid}/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
