"""The NATS server of a folder: starts alone, is found again, keeps its streams, leaves nothing behind."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable

import pytest

pytest.importorskip("nats", reason="the extra `scale` is not installed")

import nats
import nats.errors
from nats.js import JetStreamContext

from reefpoint.scale.server import HOST, NatsServer
from reefpoint.scale.streams import connect, make_streams, streams_of


def with_streams(server: NatsServer, use: Callable[[JetStreamContext], Awaitable[None]]) -> None:
    async def run() -> None:
        client = await connect(server.url)
        try:
            await use(streams_of(client))
        finally:
            await client.close()

    asyncio.run(run())


def kill(server: NatsServer) -> None:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.pid is not None:
        threading.Event().wait(0.01)


def test_killed_server_comes_back_at_its_port_with_its_streams(nats_server: NatsServer) -> None:
    async def publish(js: JetStreamContext) -> None:
        await make_streams(js, ticks_bytes=1 << 20, crossings_bytes=1 << 20)
        await js.publish("ticks", b"kept")

    async def read(js: JetStreamContext) -> None:
        assert (await js.get_msg("ticks", 1)).data == b"kept"

    with_streams(nats_server, publish)
    url = nats_server.url
    kill(nats_server)
    assert nats_server.start() == url
    with_streams(nats_server, read)


def test_any_number_of_programs_find_the_one_server_of_a_folder(nats_server: NatsServer) -> None:
    other = NatsServer(nats_server.folder)
    assert other.start() == nats_server.url
    assert other.pid == nats_server.pid
    other.stop()
    assert nats_server.pid is None
    nats_server.stop()  # nothing to stop


def test_server_moves_when_its_port_is_taken(nats_server: NatsServer) -> None:
    nats_server.stop()
    port = int(nats_server.url.rsplit(":", 1)[1])
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((HOST, port))
        taken.listen()
        assert int(nats_server.start().rsplit(":", 1)[1]) != port


def test_stranger_without_the_password_is_refused(nats_server: NatsServer) -> None:
    async def enter() -> None:
        await nats.connect(f"nats://{HOST}:{nats_server.url.rsplit(':', 1)[1]}", allow_reconnect=False)

    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        asyncio.run(enter())
    assert nats_server.folder.joinpath("nats.conf").stat().st_mode & 0o077 == 0
