"""The connection to NATS and the three streams that ticks and crossings travel in.

- `ticks`, on subject `ticks`: batches of prices. A message's sequence in the stream is the number of the batch.
- `crossings`, on `crossings.<partition>`: what each partition decided, and the only record of it.
- `refused`, on `refused.<number of the message>`: what was no batch of prices, each once, the reason in a header.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StorageType, StreamConfig

from reefpoint.scale.messages import CrossingsMessage, MessageError, read_crossings

log = logging.getLogger(__name__)
T = TypeVar("T")

TICKS, CROSSINGS, REFUSED = "ticks", "crossings", "refused"
ANSWER_SECONDS_MAX = 2.0
"""How long one request to the server may take before it is tried again."""
OUTAGE_SECONDS_MAX = 120.0
"""How long a server may be away before its clients give up."""
RETRY_SECONDS = 0.1
OUTAGES = (
    nats.errors.TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.NoRespondersError,
    nats.js.errors.NoStreamResponseError,
    nats.js.errors.ServiceUnavailableError,
)


class StreamsAway(RuntimeError):
    """The server did not answer for `OUTAGE_SECONDS_MAX`."""


async def connect(url: str) -> Client:
    """A connection that comes back by itself after the server does; `StreamsAway` when there is none to begin with."""

    async def tell(error: Exception) -> None:
        log.warning("nats: %s", error)

    joining = nats.connect(url, error_cb=tell, max_reconnect_attempts=-1, reconnect_time_wait=RETRY_SECONDS)
    try:
        return await asyncio.wait_for(joining, OUTAGE_SECONDS_MAX)
    except (TimeoutError, OSError, nats.errors.NoServersError) as error:
        raise StreamsAway(f"no NATS server answered in {OUTAGE_SECONDS_MAX:.0f} s") from error


def streams_of(client: Client) -> JetStreamContext:
    """The JetStream of a connection."""
    return client.jetstream(timeout=ANSWER_SECONDS_MAX)


async def make_streams(
    js: JetStreamContext, *, ticks_bytes: int = 4 << 30, crossings_bytes: int = 1 << 30, replicas: int = 1
) -> None:
    """Make the three streams, unless they are there with these settings.

    Old ticks give way to new ones; crossings never do: when their stream is full, watchers stop with an error.
    """
    for name, subject, size, discard in (
        (TICKS, TICKS, ticks_bytes, DiscardPolicy.OLD),
        (CROSSINGS, f"{CROSSINGS}.*", crossings_bytes, DiscardPolicy.NEW),
        (REFUSED, f"{REFUSED}.*", 16 << 20, DiscardPolicy.OLD),
    ):
        await js.add_stream(
            StreamConfig(
                name=name,
                subjects=[subject],
                storage=StorageType.FILE,
                max_bytes=size,
                discard=discard,
                num_replicas=replicas,
                duplicate_window=120,
            )
        )


async def through_outages(ask: Callable[[], Awaitable[T]], problem: str) -> T:
    """The answer to a request that may be repeated; asked again while the server is away, then `StreamsAway`."""
    deadline = asyncio.get_running_loop().time() + OUTAGE_SECONDS_MAX
    while True:
        try:
            return await ask()
        except OUTAGES as error:
            if asyncio.get_running_loop().time() > deadline:
                raise StreamsAway(problem) from error
            await asyncio.sleep(RETRY_SECONDS)


async def crossings_after(
    js: JetStreamContext, partition: int, sequence: int = 0
) -> AsyncIterator[tuple[int, CrossingsMessage]]:
    """What a partition has told since message `sequence` of the stream of crossings, and the number of each message.

    Ends where the stream ends for now; go on with the last number. What is no message of crossings is passed over.
    """
    subject = f"{CROSSINGS}.{partition}"
    while True:
        try:
            stored = await js.get_msg(CROSSINGS, sequence + 1, subject, next=True)
        except nats.js.errors.NotFoundError:
            return
        sequence = int(stored.seq or 0)
        try:
            message = read_crossings(stored.data or b"")
        except MessageError as error:
            log.warning("message %s of %s is passed over: it %s", sequence, subject, error)
            continue
        yield sequence, message
