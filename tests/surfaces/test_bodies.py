"""A body that is too large is refused while it is read, in words, and what came of it is dropped."""

import asyncio
import gc
import json
from collections.abc import Iterable
from typing import Any

import pytest

from reefpoint.config.asgi import application
from reefpoint.decisions.screening.services import FILE_BYTES_MAX as LIST_BYTES_MAX
from reefpoint.surfaces.web import bodies
from reefpoint.surfaces.web.bodies import BODY_BYTES_MAX, FILE_BODY_BYTES_MAX, LIST_BODY_BYTES_MAX, BodyLimit, limit_of

PIECE = b"x" * 1_000


class Desk:
    """An application that reads a body whole, as Django does, and answers unless the sender has gone."""

    def __init__(self) -> None:
        self.read = 0
        self.is_gone = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.is_gone = True
                return
            self.read += len(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"taken"})


def ask(
    desk: Desk, path: str, pieces: Iterable[bytes], declared: int | None = None, more: Iterable[Any] = ()
) -> tuple[int, bytes, str, int]:
    """Status, body and content type of the answer, and how many pieces were fetched for it."""
    given, sent = iter([*pieces, None]), []
    fetched = 0

    async def receive() -> dict[str, Any]:
        nonlocal fetched
        piece = next(given)
        fetched += piece is not None
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [*more, *([] if declared is None else [(b"content-length", str(declared).encode())])]
    asyncio.run(BodyLimit(desk)({"type": "http", "path": path, "headers": headers}, receive, send))
    start, body = sent
    return start["status"], body["body"], dict(start["headers"]).get(b"content-type", b"").decode(), fetched


def test_each_address_has_its_limit() -> None:
    assert (BODY_BYTES_MAX, FILE_BODY_BYTES_MAX) == (12_000_000, 70_000_000)
    for path in ("/imports/", "/api/v1/imports"):
        assert limit_of(path) == FILE_BODY_BYTES_MAX
    for path in ("/screening/lists/", "/api/v1/screening/lists"):
        assert limit_of(path) == LIST_BODY_BYTES_MAX > LIST_BYTES_MAX == 2_000_000_000
        assert limit_of(path, is_named=False) == BODY_BYTES_MAX
    for path in ("/", "/portal/documents/", "/api/v1/clients/1/documents", "/screening/lists/7/", "/importsx"):
        assert limit_of(path) == BODY_BYTES_MAX


def test_i69_a_body_of_undeclared_length_is_cut_off_as_soon_as_it_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "BODY_BYTES_MAX", 3_000)
    desk = Desk()
    status, body, kind, fetched = ask(desk, "/api/v1/clients/1/documents", [PIECE] * 100)
    assert (status, kind, json.loads(body)["code"]) == (413, "application/problem+json", "too_large")
    assert (desk.read, desk.is_gone, fetched) == (3_000, True, 4)


def test_i69_a_body_that_declares_too_much_is_not_read_at_all() -> None:
    desk = Desk()
    status, body, kind, fetched = ask(desk, "/portal/documents/", [PIECE] * 100, declared=BODY_BYTES_MAX + 1)
    assert (status, kind, desk.read, fetched) == (413, "text/plain; charset=utf-8", 0, 0)
    assert "larger than 12 MB" in body.decode()
    assert "12 MB" in body.decode().splitlines()[1]
    assert body.decode().splitlines()[0] != body.decode().splitlines()[1]


def test_a_body_of_exactly_the_limit_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_BYTES_MAX", 3_000)
    assert ask(Desk(), "/", [PIECE] * 3, declared=3_000)[:2] == (200, b"taken")


def test_the_served_application_stands_behind_the_limit() -> None:
    assert isinstance(application, BodyLimit)


def test_no_request_waits_while_the_code_of_the_desk_is_searched_for_garbage() -> None:
    """Loading `application` keeps out of the search what was loaded: some 300,000 objects."""
    assert gc.get_freeze_count() > 100_000


def test_a_large_list_is_taken_from_whoever_shows_a_session_or_a_key_and_from_nobody_else() -> None:
    for headers, status in (
        ((), 413),
        (((b"cookie", b"theme=dark"),), 413),
        (((b"cookie", b"theme=dark; session=x"),), 200),
        (((b"authorization", b"Bearer x"),), 200),
    ):
        declared = BODY_BYTES_MAX + 1
        assert ask(Desk(), "/screening/lists/", [PIECE], declared=declared, more=headers)[0] == status
