"""Watchers on a stream of ticks: together they tell what one watch would, each crossing once, whoever dies on the way.

Most tests run the watchers in this process; those that kill -9 one run them as processes of their own.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nats", reason="the extra `scale` is not installed")

import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from tests.engine.cases import LINES
from tests.scale.cases import PARTITIONS, book_of_the_day, opening, price_batches, table_of

from reefpoint.engine.bands import Band
from reefpoint.engine.watch import Watch
from reefpoint.scale import messages
from reefpoint.scale.messages import Ticks
from reefpoint.scale.server import NatsServer
from reefpoint.scale.streams import CROSSINGS, REFUSED, TICKS, connect, crossings_after, make_streams, streams_of
from reefpoint.scale.ticks import PartitionTaken, TickPublisher, TicksLost, Watcher, run_watcher

WAIT_SECONDS_MAX = 60


def one_watch(batches: Sequence[Ticks], ends: Sequence[int] | None = None) -> tuple[np.ndarray, Watch]:
    """What a single watch of the whole book tells, deciding after each of the batches `ends` (else after each)."""
    book, marks = book_of_the_day()
    watch = Watch(book, marks, LINES)
    told = [table_of(watch.decide(), batch=0)]
    for number, batch in enumerate(batches, 1):
        watch.apply_prices(batch.instrument, batch.price_units)
        if ends is None or number in ends:
            told.append(table_of(watch.decide(), batch=number))
    return np.concatenate(told), watch


async def told_by(js: JetStreamContext, partitions: int = PARTITIONS) -> np.ndarray:
    """All crossings in the stream, by batch and account."""
    tables = [
        table_of(message.crossings, batch=message.last_sequence, first_row=message.first_row)
        for partition in range(partitions)
        async for _, message in crossings_after(js, partition)
    ]
    table = np.concatenate(tables)
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def on_streams(server: NatsServer, test: Callable[[Client, JetStreamContext, TickPublisher], Awaitable[None]]) -> None:
    """Run a test with the three streams made and a feed opened."""

    async def run() -> None:
        client = await connect(server.url)
        try:
            js = streams_of(client)
            await make_streams(js, ticks_bytes=64 << 20, crossings_bytes=64 << 20)
            await test(client, js, await TickPublisher.open(js))
        finally:
            await client.close()

    asyncio.run(run())


async def opened(client: Client, partition: int, folder: Path, **options: int) -> Watcher:
    watcher = Watcher(client, partition, partial(opening, partition), folder / f"checkpoint-{partition}", **options)
    await watcher.open()
    return watcher


async def follow(watcher: Watcher, last: int) -> list[int]:
    """Step until message `last` is decided; where the decisions were made."""
    ends = []
    while watcher.sequence < last:
        if await watcher.step(0.5):
            ends.append(watcher.sequence)
    return ends


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await reached():
            await asyncio.sleep(0.02)


async def acknowledged(js: JetStreamContext, partition: int) -> int:
    with suppress(nats.js.errors.NotFoundError):
        return int((await js.consumer_info(TICKS, f"watch-{partition}")).ack_floor.stream_seq)
    return 0


def test_partitions_together_tell_batch_by_batch_what_one_watch_tells(nats_server: NatsServer, tmp_path: Path) -> None:
    batches = list(price_batches(60))
    expected, single = one_watch(batches)
    assert len(expected) > 1_500
    assert {-1, 0, 1, 2, 3} == set(expected[:, 3].tolist())

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        watchers = [await opened(client, partition, tmp_path, messages_max=1) for partition in range(PARTITIONS)]
        await asyncio.gather(feed.publish(batches), *(follow(watcher, 60) for watcher in watchers))
        np.testing.assert_array_equal(await told_by(js), expected)
        np.testing.assert_array_equal(np.concatenate([one.watch.band for one in watchers]), single.band)

    on_streams(nats_server, test)


def test_watcher_that_is_behind_decides_once_on_what_has_come(nats_server: NatsServer, tmp_path: Path) -> None:
    batches = list(price_batches(100))

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        await feed.publish(batches)
        watcher = Watcher(client, 0, partial(opening, 0, 1), tmp_path / "checkpoint", messages_max=32)
        await watcher.open()
        ends = await follow(watcher, 100)
        assert len(ends) < 50
        expected, single = one_watch(batches, ends)
        np.testing.assert_array_equal(await told_by(js, 1), expected)
        np.testing.assert_array_equal(watcher.watch.band, single.band)

    on_streams(nats_server, test)


def test_hostile_messages_are_put_aside_once_and_change_nothing(nats_server: NatsServer, tmp_path: Path) -> None:
    batches = list(price_batches(20))
    book, _ = book_of_the_day()

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        watchers = [await opened(client, partition, tmp_path) for partition in range(PARTITIONS)]
        await feed.publish(batches[:10])
        for body in (b"", b"not ticks", bytes(1_000_000), messages.write_ticks([10_000], [1])):
            await js.publish(TICKS, body)
        await feed.publish(batches[10:])
        for watcher in watchers:
            await follow(watcher, 24)
        refused = (await js.stream_info(REFUSED)).state
        assert refused.messages == 4
        last = await js.get_last_msg(REFUSED, f"{REFUSED}.14")
        assert "instrument" in (last.headers or {})["Reefpoint-Problem"]
        prices = [watcher.watch.marks.price_units for watcher in watchers]
        _, single = one_watch(batches)
        np.testing.assert_array_equal(prices[0], single.marks.price_units)
        np.testing.assert_array_equal(prices[1], single.marks.price_units)
        assert sum(len(watcher.watch.band) for watcher in watchers) == book.account_count

    on_streams(nats_server, test)


def test_successor_goes_on_after_what_was_told_and_fences_the_one_before(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    batches = list(price_batches(40))

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        before = await opened(client, 0, tmp_path, messages_max=1, checkpoint_every=15)
        other = await opened(client, 1, tmp_path, messages_max=1)
        await feed.publish(batches[:20])
        await follow(before, 20)  # its last checkpoint is at 15
        successor = await opened(client, 0, tmp_path, messages_max=1)
        assert successor.sequence >= 15
        await feed.publish(batches[20:])
        with pytest.raises(PartitionTaken):
            await before.step(0.1)
        await follow(successor, 40)
        await follow(other, 40)
        np.testing.assert_array_equal(await told_by(js), one_watch(batches)[0])

    on_streams(nats_server, test)


def test_fenced_watcher_cannot_tell_even_with_messages_in_hand(nats_server: NatsServer, tmp_path: Path) -> None:
    batches = list(price_batches(30))

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        before = await opened(client, 0, tmp_path, messages_max=64)
        await feed.publish(batches)
        await until(lambda: _has(before, 30))
        await opened(client, 0, tmp_path)
        with pytest.raises(PartitionTaken):
            await before.step()

    async def _has(watcher: Watcher, count: int) -> bool:
        assert watcher._subscription is not None
        return watcher._subscription.pending_msgs >= count

    on_streams(nats_server, test)


def test_decision_told_in_part_is_completed_by_the_successor(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "CROSSINGS_MAX", 7)

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        async def told_some() -> bool:
            return bool((await js.stream_info(CROSSINGS)).state.messages > 5)

        first = asyncio.create_task(opened(client, 0, tmp_path))
        await until(told_some)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        for partition in range(PARTITIONS):
            await opened(client, partition, tmp_path)
        np.testing.assert_array_equal(await told_by(js), one_watch([])[0])

    on_streams(nats_server, test)


def test_ticks_that_the_stream_no_longer_has_are_missed_by_name(nats_server: NatsServer, tmp_path: Path) -> None:
    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        await feed.publish(list(price_batches(10)))
        await js.purge_stream(TICKS, seq=6)
        with pytest.raises(TicksLost, match="from 1 to 0; the stream has 6 to 10"):
            await opened(client, 0, tmp_path)

    on_streams(nats_server, test)


def test_damaged_checkpoint_is_set_aside_for_the_stream(nats_server: NatsServer, tmp_path: Path) -> None:
    batches = list(price_batches(20))

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        await feed.publish(batches)
        before = [await opened(client, partition, tmp_path, messages_max=1) for partition in range(PARTITIONS)]
        for watcher in before:
            await follow(watcher, 12)
        (tmp_path / "checkpoint-0").write_bytes(b"half a checkpo")
        before[1].save()
        for partition in range(PARTITIONS):
            await follow(await opened(client, partition, tmp_path, messages_max=1), 20)
        np.testing.assert_array_equal(await told_by(js), one_watch(batches)[0])

    on_streams(nats_server, test)


def test_feed_that_comes_back_goes_on_after_its_last_batch(nats_server: NatsServer) -> None:
    batches = list(price_batches(5))

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        await feed.publish(batches[:3])
        await js.publish(TICKS, b"something else")
        again = await TickPublisher.open(js)
        assert again.stored == 3
        await again.publish(batches[3:])
        await TickPublisher(js, 2).publish(batches[2:])  # one that does not know: nothing is stored twice
        assert (await js.stream_info(TICKS)).state.messages == 6

    on_streams(nats_server, test)


def test_killed_server_costs_no_tick_and_no_crossing(nats_server: NatsServer, tmp_path: Path) -> None:
    batches = list(price_batches(60))

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        watchers = [await opened(client, partition, tmp_path, messages_max=1) for partition in range(PARTITIONS)]

        async def feed_slowly() -> None:
            for begin in range(0, 60, 2):
                await feed.publish(batches[begin : begin + 2])

        async def kill_twice() -> None:
            for at in (15, 40):
                await until(lambda at=at: _decided(watchers, at))  # type: ignore[misc]
                pid = nats_server.pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                await asyncio.to_thread(nats_server.start)

        await asyncio.gather(feed_slowly(), kill_twice(), *(follow(watcher, 60) for watcher in watchers))
        assert (await js.stream_info(TICKS)).state.messages == 60
        np.testing.assert_array_equal(await told_by(js), one_watch(batches)[0])

    async def _decided(watchers: list[Watcher], at: int) -> bool:
        return all(watcher.sequence >= at for watcher in watchers)

    on_streams(nats_server, test)


def start_watcher(url: str, partition: int, folder: Path) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=run_watcher,
        args=(url, partition, partial(opening, partition), folder / f"checkpoint-{partition}"),
        kwargs={"messages_max": 1, "checkpoint_every": 25},
        daemon=True,
    )
    process.start()
    return process


@pytest.mark.slow
def test_watcher_killed_in_the_middle_of_the_stream_is_replaced_without_a_trace(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    batches = list(price_batches(300))
    processes = [start_watcher(nats_server.url, partition, tmp_path) for partition in range(PARTITIONS)]

    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        async def decided(partition: int, at: int) -> bool:
            return await acknowledged(js, partition) >= at

        await feed.publish(batches[:150])
        await until(lambda: decided(0, 60))
        processes[0].kill()
        processes[0].join()
        killed_at = await acknowledged(js, 0)
        await feed.publish(batches[150:])
        processes[0] = start_watcher(nats_server.url, 0, tmp_path)
        for partition in range(PARTITIONS):
            await until(lambda partition=partition: decided(partition, 300))  # type: ignore[misc]
        assert killed_at < 300
        np.testing.assert_array_equal(await told_by(js), one_watch(batches)[0])
        for process in processes:
            process.terminate()
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        assert all((tmp_path / f"checkpoint-{partition}").exists() for partition in range(PARTITIONS))

    try:
        on_streams(nats_server, test)
    finally:
        for process in processes:
            process.kill()


def test_opening_bands_of_the_records_are_where_the_telling_begins(nats_server: NatsServer, tmp_path: Path) -> None:
    async def test(client: Client, js: JetStreamContext, feed: TickPublisher) -> None:
        start = opening(0)
        decided = Watch(start.book, start.marks, LINES)
        decided.decide()
        band = decided.band.copy()
        band[5] = Band.UNKNOWN
        watcher = Watcher(client, 0, lambda: opening(0, band=band), tmp_path / "checkpoint")
        await watcher.open()
        assert (await told_by(js, 1))[:, 1].tolist() == [5]

    on_streams(nats_server, test)
