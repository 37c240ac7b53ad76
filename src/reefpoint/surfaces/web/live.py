"""Live pages: small topics pushed to browsers as server-sent events.

A message names what changed (`board`, `account:17`), never the figures: the page then asks for its fragment again,
so every right is checked where the data is read. One connection per process listens to PostgreSQL and fans out in
memory; each browser gets a topic at most once a second, and the last change is never lost.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import psycopg
from asgiref.sync import sync_to_async
from django.core import signing
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from psycopg.conninfo import make_conninfo

from reefpoint.platform.database.live import CHANNEL

EVERYTHING = "*"
TOPIC = re.compile(r"[a-z][a-z_]*(:[0-9]{1,18})?")
CLIENTS_MAX = 500
HEARTBEAT_SECONDS = 15.0
COALESCE_SECONDS = 1.0
STREAM_SECONDS_MAX = 600.0
"""A stream ends after this long; the browser comes back by itself and its session is checked again."""
TICKET_SECONDS_MAX = 24 * 3600
RECONNECT_SECONDS = (0.5, 1.0, 2.0, 5.0)

log = logging.getLogger(__name__)


class TooManyListeners(Exception):
    """This process serves as many live pages as it can."""


@dataclass(eq=False)
class _Client:
    topics: frozenset[str]
    dirty: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def mark(self, topic: str) -> None:
        changed = self.topics if topic == EVERYTHING else self.topics & {topic}
        if changed:
            self.dirty |= changed
            self.wake.set()

    def take(self) -> list[str]:
        taken = sorted(self.dirty)
        self.dirty.clear()
        self.wake.clear()
        return taken


@dataclass(eq=False)
class Hub:
    """The listeners of one event loop. The database connection lives while there is anybody to tell."""

    clients: set[_Client] = field(default_factory=set)
    listener: asyncio.Task[None] | None = None

    def join(self, topics: Iterable[str]) -> _Client:
        """Add a listener. Raises `TooManyListeners`."""
        if len(self.clients) >= CLIENTS_MAX:
            raise TooManyListeners
        client = _Client(frozenset(topics))
        self.clients.add(client)
        if self.listener is None or self.listener.done():
            self.listener = asyncio.get_running_loop().create_task(self._listen())
        return client

    def leave(self, client: _Client) -> None:
        """Forget a listener; the last one out closes the connection."""
        self.clients.discard(client)
        if not self.clients and self.listener is not None:
            self.listener.cancel()
            self.listener = None

    def tell(self, payload: str) -> None:
        """Mark the topics of one notification (comma-separated) for whoever listens to them."""
        for topic in payload.split(","):
            for client in self.clients:
                client.mark(topic)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                database = await psycopg.AsyncConnection.connect(_connection_text(), autocommit=True)
                async with database:
                    await database.execute(f"LISTEN {CHANNEL}")
                    if failures:
                        self.tell(EVERYTHING)
                    failures = 0
                    async for notification in database.notifies():
                        self.tell(notification.payload)
            except (psycopg.Error, OSError) as error:
                wait = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                failures += 1
                log.warning("live: lost the database (%s), trying again in %.1f s", error, wait)
                await asyncio.sleep(wait)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


def _connection_text() -> str:
    """How to reach the default database, for a connection outside Django."""
    given = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return make_conninfo(**{key: str(given[name]) for key, name in names.items() if given[name]})


def live_address(user_id: int, *topics: str) -> str:
    """The address of a stream of these topics for one person, signed: a page decides what its reader may hear."""
    ticket = signing.dumps([user_id, *topics], salt=CHANNEL)
    return f"{reverse('web:live')}?ticket={ticket}"


async def live(request: HttpRequest) -> HttpResponseBase:
    """The stream that a page's ticket asks for: 403 without a ticket of one's own, 503 when full.

    501 under a server that would gather the endless stream before sending it: pages work there, but for live parts.
    """
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=501)
    user = await request.auser()
    try:
        user_id, *topics = signing.loads(request.GET.get("ticket", ""), salt=CHANNEL, max_age=TICKET_SECONDS_MAX)
    except signing.BadSignature:
        return HttpResponse(status=403)
    if not user.is_authenticated or user.pk != user_id or not all(TOPIC.fullmatch(topic) for topic in topics):
        return HttpResponse(status=403)
    return await sse_response(topics)


@sync_to_async
def _give_back_connection() -> None:
    """Close the connection of the thread that served this request; `connection` is another one in every thread."""
    connection.close()


async def sse_response(topics: Iterable[str]) -> HttpResponseBase:
    """The one way to stream. Gives back the request's database connection first, else it would be held for hours."""
    await _give_back_connection()
    try:
        client = hub().join(topics)
    except TooManyListeners:
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    response = StreamingHttpResponse(_messages(client), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def _messages(client: _Client) -> AsyncIterator[str]:
    """Server-sent events for one listener until it leaves or its time is up."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + STREAM_SECONDS_MAX
    try:
        yield "retry: 2000\n\n"
        while loop.time() < ends_at:
            try:
                await asyncio.wait_for(client.wake.wait(), timeout=HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            for topic in client.take():
                yield f"event: {topic}\ndata: {topic}\n\n"
            await asyncio.sleep(COALESCE_SECONDS)
    finally:
        hub().leave(client)
