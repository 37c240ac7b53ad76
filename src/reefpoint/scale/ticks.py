"""Ticks by NATS JetStream: every watcher sees all prices, holds one part of the accounts, and tells its crossings.

**Exactly once.** A watcher publishes with the number of its partition's last message (the server's optimistic lock), so
nothing can be told twice or out of turn. A new watcher takes a partition over by telling an empty message: from then
on the old one, should it still live, is refused. It takes the bands from the checkpoint, brings them up to date from
what the partition has told since, takes the prices up to the last decision without deciding, and goes on after it.

**Batches.** One decision covers the messages that have come by then, at most `messages_max`. With 1 each message is
decided by itself, and the crossings of all partitions together are those of one process. With more, a watcher that is
behind catches up: of several prices of a name the latest wins, and what crosses and returns within the messages taken
is not told and leaves nothing in the hysteresis. That is the meaning of a batch everywhere (`engine/watch.py`): each
account's crossings still follow from one another, and the state after a decision is right for the prices at it.
"""

import asyncio
import contextlib
import logging
import secrets
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nats.errors
import nats.js.errors
import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header, PubAck

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import Int8s
from reefpoint.engine.watch import Crossings, Watch
from reefpoint.scale.checkpoints import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from reefpoint.scale.messages import MessageError, Ticks, join_ticks, read_ticks, write_crossings, write_ticks
from reefpoint.scale.streams import (
    ANSWER_SECONDS_MAX,
    CROSSINGS,
    OUTAGE_SECONDS_MAX,
    OUTAGES,
    REFUSED,
    RETRY_SECONDS,
    TICKS,
    StreamsAway,
    connect,
    crossings_after,
    streams_of,
    through_outages,
)

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
WINDOW = 512
"""Messages that a publisher has on their way at a time."""
REFUSED_BYTES_MAX = 65_536
WRONG_LAST_SEQUENCE = 10071
"""The server's code for a message that does not follow the last one as its sender believed."""


class PartitionTaken(RuntimeError):
    """Another watcher has taken the partition over; this one told nothing more and must end."""


class PartitionMismatch(RuntimeError):
    """The stream tells of another cut of the book than the one that was loaded."""


class TicksLost(RuntimeError):
    """The stream no longer has the ticks that are needed: begin again from a fresh opening."""


@dataclass(frozen=True, eq=False)
class Opening:
    """What a watcher begins with: the accounts of one partition, and the marks at the first tick of the stream.

    `first_row` is the row of its first account in the whole book; `band` int8[A] the bands that the records hold, or
    None for UNKNOWN.
    """

    book: Book
    marks: Marks
    lines: Lines
    band: Int8s | None = None
    first_row: int = 0


class TickPublisher:
    """The one feed of the stream: each batch is stored once and in its order, whatever breaks on the way.

    Batches are numbered from 1. A message carries its number as its id (a repeat is dropped by the server) and names
    the id before it (one that would overtake is refused), so a window of messages can be on its way at once.
    """

    def __init__(self, js: JetStreamContext, stored: int) -> None:
        self._js = js
        self.stored = stored
        """Number of the last batch in the stream; a feed that comes back goes on after it."""

    @classmethod
    async def open(cls, js: JetStreamContext) -> "TickPublisher":
        """Find out from the stream how far the feed had come."""
        sequence = (await js.stream_info(TICKS)).state.last_seq
        while sequence:
            try:
                number = ((await js.get_msg(TICKS, sequence)).headers or {}).get(Header.MSG_ID, "")
            except nats.js.errors.NotFoundError:
                break
            if number.isdecimal():
                return cls(js, int(number))
            sequence -= 1  # not ours: something that watchers refuse
        return cls(js, 0)

    async def publish(self, batches: Sequence[Ticks]) -> None:
        """Store the batches; returns when all are stored. `BookError` for a wrong one, before anything is sent."""
        bodies = [write_ticks(batch.instrument, batch.price_units) for batch in batches]
        for begin in range(0, len(bodies), WINDOW):
            await self._store(bodies[begin : begin + WINDOW])

    async def _store(self, bodies: list[bytes]) -> None:
        deadline = asyncio.get_running_loop().time() + OUTAGE_SECONDS_MAX
        left = bodies
        while left:
            stored = await self._try_store(left)
            self.stored += stored
            left = left[stored:]
            if left and not stored:
                if asyncio.get_running_loop().time() > deadline:
                    raise StreamsAway(f"batch {self.stored + 1} could not be stored")
                await asyncio.sleep(RETRY_SECONDS)

    async def _try_store(self, bodies: list[bytes]) -> int:
        """Send all; how many were stored without a gap. The first may follow anything, others only the one before."""
        answers: list[asyncio.Future[PubAck]] = []
        try:
            for number, body in enumerate(bodies, self.stored + 1):
                headers = {Header.MSG_ID.value: str(number)}
                if answers:
                    headers[Header.EXPECTED_LAST_MSG_ID.value] = str(number - 1)
                answers.append(await self._js.publish_async(TICKS, body, headers=headers))
        except OUTAGES:
            pass
        stored = 0
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                for answer in answers:
                    await answer
                    stored += 1
        except (TimeoutError, nats.js.errors.APIError, *OUTAGES):
            for answer in answers:
                answer.cancel()
        return stored


class Watcher:
    """One partition's watch on the stream. `open` it, then `step` or `run` it; one task uses it at a time."""

    def __init__(
        self,
        client: Client,
        partition: int,
        load: Callable[[], Opening],
        checkpoint: Path,
        *,
        messages_max: int = 64,
        checkpoint_every: int = 1_000,
    ) -> None:
        self._client = client
        self._js = streams_of(client)
        self.partition = partition
        self._subject = f"{CROSSINGS}.{partition}"
        self._consumer = f"watch-{partition}"
        self._load = load
        self._checkpoint = checkpoint
        self._messages_max = messages_max
        self._checkpoint_every = checkpoint_every
        self._subscription: Subscription | None = None
        self._first_row = 0
        self._told = 0
        self._kept = 0
        self.sequence = 0
        """The last message whose prices the watch has."""
        self.decisions = 0
        self.refused = 0

    async def open(self) -> None:
        """Take the partition over, from the checkpoint and from what was told since.

        Raises `TicksLost` when the stream does not reach back to the checkpoint. A checkpoint that cannot be used is
        set aside.
        """
        opening = self._load()
        self._first_row = opening.first_row
        kept = self._load_checkpoint(opening)
        band = kept.band.copy()
        self._told, decided = kept.told_sequence, kept.sequence
        while True:
            async for told, message in crossings_after(self._js, self.partition, self._told):
                rows = message.crossings.row
                if rows.size and rows.max() >= len(band):
                    raise PartitionMismatch(f"partition {self.partition} has told rows that its book does not have")
                band[rows] = message.crossings.new_band
                self._told, decided = told, message.last_sequence
            try:
                await self._tell(_NOTHING, decided, decided)
                break
            except PartitionTaken:  # the one before told something just now: read that too
                continue
        self.watch = Watch(
            opening.book, replace(opening.marks, price_units=kept.price_units.copy()), opening.lines, band
        )
        self.sequence = self._kept = kept.sequence
        await self._subscribe(decided)
        while self.sequence < decided:
            messages = await self._take(IDLE_SECONDS, decided)
            if messages:
                self._apply((await self._read(messages))[0])
                await messages[-1].ack()
        crossings = self.watch.decide()
        if len(crossings):  # at the very first opening; after a decision told in part; when the records have changed
            await self._tell(crossings, decided, decided)

    async def step(self, seconds: float = IDLE_SECONDS) -> int:
        """Wait for messages, decide once on all that have come, tell it; how many messages there were."""
        first = self.sequence + 1
        messages = await self._take(seconds)
        if not messages:
            return 0
        parts, refused = await self._read(messages)
        self.refused += refused
        if parts:
            self._apply(parts)
            crossings = self.watch.decide()
            self.decisions += 1
            if len(crossings):
                await self._tell(crossings, first, self.sequence)
        await messages[-1].ack()
        if self.sequence - self._kept >= self._checkpoint_every:
            self.save()
        return len(messages)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until `stop` is set, then keep a checkpoint."""
        while not stop.is_set():
            await self.step()
        self.save()

    def save(self) -> None:
        """Keep a checkpoint of this moment. Only between steps."""
        save_checkpoint(
            self._checkpoint, Checkpoint(self.sequence, self._told, self.watch.marks.price_units, self.watch.band)
        )
        self._kept = self.sequence

    def _load_checkpoint(self, opening: Opening) -> Checkpoint:
        accounts, instruments = opening.book.account_count, opening.marks.instrument_count
        try:
            kept = load_checkpoint(self._checkpoint, accounts=accounts, instruments=instruments)
        except CheckpointError as error:
            log.warning("partition %s begins with the first tick: %s", self.partition, error)
            kept = None
        if kept is not None:
            return kept
        band = np.full(accounts, Band.UNKNOWN, dtype=np.int8) if opening.band is None else opening.band
        return Checkpoint(0, 0, opening.marks.price_units, band)

    async def _subscribe(self, needed: int) -> None:
        """Let the server send everything after `sequence`; the stream must reach from there to `needed`.

        At most `2 * messages_max` messages are on their way without being acknowledged, so a slow watcher holds no
        more than those in memory and the rest waits in the stream.
        """
        if self._subscription is not None:
            await self._subscription.unsubscribe()
        inbox = self._client.new_inbox()
        self._subscription = await self._client.subscribe(inbox, pending_bytes_limit=-1)
        config = ConsumerConfig(
            durable_name=self._consumer,
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.sequence + 1,
            ack_policy=AckPolicy.ALL,
            ack_wait=30,
            max_ack_pending=2 * self._messages_max,
        )

        async def renew() -> None:
            with contextlib.suppress(nats.js.errors.NotFoundError):
                await self._js.delete_consumer(TICKS, self._consumer)
            await self._js.add_consumer(TICKS, config)

        await through_outages(renew, f"partition {self.partition} could not subscribe")
        state = (await through_outages(lambda: self._js.stream_info(TICKS), "the stream is away")).state
        if state.first_seq > self.sequence + 1 or state.last_seq < max(needed, self.sequence):
            raise TicksLost(
                f"partition {self.partition} needs the ticks from {self.sequence + 1} to {needed}; "
                f"the stream has {state.first_seq} to {state.last_seq}"
            )

    async def _take(self, seconds: float, last: int | None = None) -> list[Msg]:
        """The messages that have come, in order, without a gap, none after `last`; [] after `seconds` without any."""
        assert self._subscription is not None, "open the watcher first"
        taken: list[Msg] = []
        while len(taken) < self._messages_max and self.sequence != last:
            if taken and not self._subscription.pending_msgs:
                break
            try:
                message = await self._subscription.next_msg(seconds)
            except nats.errors.TimeoutError:
                await self._check_consumer()
                break
            sequence = message.metadata.sequence.stream
            if sequence == self.sequence + 1:
                self.sequence = sequence
                taken.append(message)
            elif sequence > self.sequence:  # some were lost with a connection, and would come again behind these
                await through_outages(self._check_turn, f"partition {self.partition} lost its connection")
                await self._subscribe(self.sequence)
                break
        return taken

    async def _check_consumer(self) -> None:
        """Nothing has come for a while: is the partition still ours, and is nothing on its way that was lost?"""
        try:
            await self._check_turn()
            info = await self._js.consumer_info(TICKS, self._consumer)
        except nats.js.errors.NotFoundError:
            await self._subscribe(self.sequence)
            return
        except OUTAGES:
            return
        # A killed server forgets how far we were, and waits for what was on its way to be acknowledged. We know.
        is_behind = (info.num_pending or 0) > 0 or info.delivered.stream_seq > self.sequence
        if is_behind and self._subscription is not None and not self._subscription.pending_msgs:
            await self._subscribe(self.sequence)

    async def _check_turn(self) -> None:
        """`PartitionTaken` when the last message of the partition is not ours."""
        if (await self._js.get_last_msg(CROSSINGS, self._subject)).seq != self._told:
            raise PartitionTaken(f"partition {self.partition} has another watcher")

    async def _read(self, messages: list[Msg]) -> tuple[list[Ticks], int]:
        """The prices of the messages, and how many messages were refused."""
        parts: list[Ticks] = []
        for message in messages:
            try:
                parts.append(read_ticks(message.data, self.watch.marks.instrument_count))
            except MessageError as error:
                await self._refuse(message, str(error))
        return parts, len(messages) - len(parts)

    def _apply(self, parts: list[Ticks]) -> None:
        if parts:
            ticks = join_ticks(parts)
            self.watch.apply_prices(ticks.instrument, ticks.price_units)

    async def _refuse(self, message: Msg, problem: str) -> None:
        """Put a message aside. Every watcher does; a subject of its own that must be empty makes it one message."""
        sequence = message.metadata.sequence.stream
        headers = {
            Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: "0",
            "Reefpoint-Size": str(len(message.data)),
            "Reefpoint-Problem": problem.replace("\n", " ")[:500],
        }
        log.warning("tick message %s is refused: it %s", sequence, problem)

        async def keep() -> None:
            try:
                await self._js.publish(f"{REFUSED}.{sequence}", message.data[:REFUSED_BYTES_MAX], headers=headers)
            except nats.js.errors.APIError as error:
                if error.err_code != WRONG_LAST_SEQUENCE:
                    raise

        await through_outages(keep, f"the refused message {sequence} was not kept")

    async def _tell(self, crossings: Crossings, first: int, last: int) -> None:
        """Publish a decision, each message of it once. `PartitionTaken` when it does not follow our own last one."""
        for body in write_crossings(crossings, first_sequence=first, last_sequence=last, first_row=self._first_row):
            mark = secrets.token_hex(8)
            headers = {
                Header.MSG_ID.value: mark,
                Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(self._told),
            }

            async def publish(body: bytes = body, headers: dict[str, str] = headers, mark: str = mark) -> int:
                try:
                    return (await self._js.publish(self._subject, body, headers=headers)).seq
                except nats.js.errors.APIError as error:
                    if error.err_code != WRONG_LAST_SEQUENCE:
                        raise
                stored = await self._js.get_last_msg(CROSSINGS, self._subject)
                if (stored.headers or {}).get(Header.MSG_ID) == mark:  # it had arrived; its answer was lost
                    return int(stored.seq or 0)
                raise PartitionTaken(f"partition {self.partition} has another watcher")

            self._told = await through_outages(publish, f"partition {self.partition} could not tell its crossings")


_NOTHING = Crossings(
    np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.int8), np.empty(0, np.int64), np.empty(0, np.int64)
)


def run_watcher(
    url: str,
    partition: int,
    load: Callable[[], Opening],
    checkpoint: Path,
    *,
    messages_max: int = 64,
    checkpoint_every: int = 1_000,
) -> None:
    """A watcher as a process of its own: until SIGTERM or an interrupt, which end it with a checkpoint."""

    async def watch() -> None:
        stop = asyncio.Event()
        for kind in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(kind, stop.set)
        client = await connect(url)
        try:
            watcher = Watcher(
                client,
                partition,
                load,
                checkpoint,
                messages_max=messages_max,
                checkpoint_every=checkpoint_every,
            )
            await watcher.open()
            await watcher.run(stop)
        finally:
            await client.close()

    asyncio.run(watch())
