"""Live pages: what is told in PostgreSQL reaches the listeners of that topic, and nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import connection
from django.test import AsyncClient
from tests.surfaces.conftest import NOON, SYSTEM, SignIn

from reefpoint.platform.access.services import request_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.database.live import CHANNEL
from reefpoint.surfaces.web import live

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def is_connected() -> bool:
    return connection.connection is not None


@sync_to_async
def connect() -> None:
    connection.ensure_connection()


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        try:
            return await asyncio.wait_for(work(), timeout=20)
        finally:
            await live._give_back_connection()

    return asyncio.run(bounded())


async def tell(payload: str) -> None:
    async with await psycopg.AsyncConnection.connect(live._connection_text(), autocommit=True) as database:
        await database.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


async def open_stream(*topics: str) -> AsyncIterator[str]:
    response = await live.sse_response(topics)
    assert response.status_code == 200
    stream = response.__aiter__()

    async def messages() -> AsyncIterator[str]:
        async for chunk in stream:
            yield chunk.decode()

    return messages()


async def until_listening() -> None:
    """Wait until PostgreSQL knows of the listener: a notification before that is nobody's."""
    async with await psycopg.AsyncConnection.connect(live._connection_text(), autocommit=True) as database:
        while True:
            cursor = await database.execute("SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN reefpoint_live'")
            if await cursor.fetchone():
                return
            await asyncio.sleep(0.02)


def test_a_topic_reaches_its_listener_once_however_often_it_is_told() -> None:
    async def work() -> list[str]:
        stream = await open_stream("board", "day")
        got = [await anext(stream)]
        await until_listening()
        for _ in range(5):
            await tell("board,account:3")
        await tell("day")
        await asyncio.sleep(0.1)
        got.append(await anext(stream))
        got.append(await anext(stream))
        await stream.aclose()
        return got

    assert run(work) == ["retry: 2000\n\n", "event: board\ndata: board\n\n", "event: day\ndata: day\n\n"]


def test_after_the_last_listener_leaves_the_connection_is_given_back() -> None:
    async def work() -> bool:
        stream = await open_stream("board")
        await anext(stream)
        listening = live.hub().listener is not None
        await stream.aclose()
        await asyncio.sleep(0.05)
        return listening and live.hub().listener is None and not live.hub().clients

    assert run(work)


def test_a_lost_database_is_found_again_and_everything_counts_as_changed() -> None:
    async def work() -> str:
        stream = await open_stream("board")
        await anext(stream)
        await until_listening()
        async with await psycopg.AsyncConnection.connect(live._connection_text(), autocommit=True) as database:
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN reefpoint_live'"
            )
        message = await anext(stream)
        await stream.aclose()
        return message

    assert run(work) == "event: board\ndata: board\n\n"


def test_too_many_listeners_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CLIENTS_MAX", 0)

    async def work() -> int:
        return (await live.sse_response(["board"])).status_code

    assert run(work) == 503


def test_a_stream_opens_only_with_ones_own_ticket(signed_in: SignIn) -> None:
    signed_in(RoleName.RISK_OFFICER)
    signed_in(RoleName.TREASURY)
    mine = get_user_model().objects.get(email="risk_officer@reefpoint.test")
    other = get_user_model().objects.get(email="treasury@reefpoint.test")

    async def work() -> list[int]:
        client = AsyncClient()
        await sync_to_async(client.force_login)(mine, backend="allauth.account.auth_backends.AuthenticationBackend")
        answers = []
        for address in (
            live.live_address(other.pk, "board"),
            "/live/",
            f"/live/?ticket={signing.dumps([mine.pk, 'board'], salt='another')}",
            live.live_address(mine.pk, "board"),
        ):
            response = await client.get(address)
            answers.append(response.status_code)
            response.close()
        return answers

    assert run(work) == [403, 403, 403, 200]


def test_a_stream_holds_no_database_connection_of_the_request() -> None:
    async def work() -> list[bool]:
        await connect()
        held = [await is_connected()]
        stream = await open_stream("board")
        await anext(stream)
        held.append(await is_connected())
        await stream.aclose()
        return held

    assert run(work) == [True, False]


def test_a_committed_write_tells_the_topic_of_its_table(signed_in: SignIn) -> None:
    @sync_to_async
    def write() -> None:
        request_approval(
            actor=SYSTEM, kind="scheme.publish", subject="scheme_version:1", payload={"version": 1}, at=NOON
        )

    async def work() -> str:
        stream = await open_stream("approvals")
        await anext(stream)
        await until_listening()
        await write()
        message = await anext(stream)
        await stream.aclose()
        return message

    assert run(work) == "event: approvals\ndata: approvals\n\n"
