"""How much one request may send: counted while it is read, before anything of it is parsed or kept on disk."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from reefpoint.decisions.screening.rules.hits import FILE_BYTES_MAX, SECOND_BYTES_MAX
from reefpoint.surfaces.web.guards import PROGRAM_PREFIX

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 12_000_000
"""A document of a client has at most 10 MB; the rest is the form around it."""

FILE_BODY_BYTES_MAX = 70_000_000
"""A file of an import has at most 64 MB."""

LIST_BODY_BYTES_MAX = FILE_BYTES_MAX + SECOND_BYTES_MAX + 6_000_000
"""A list of names with its file of other names, and the form around them. They lie on disk while they are taken in."""

FILE_PATHS = ("/imports", "/api/v1/imports")
LIST_PATHS = ("/screening/lists", "/api/v1/screening/lists")
"""Where files of many rows come in, and lists of names."""


def limit_of(path: str, *, is_named: bool = True) -> int:
    """The most bytes that a request to this address may send; `is_named` is false for whoever shows no session or key.

    The body is on disk before anybody asks who sent it: a stranger may not fill the disk with a list.
    """
    if not is_named:
        return BODY_BYTES_MAX
    if path.rstrip("/") in LIST_PATHS:
        return LIST_BODY_BYTES_MAX
    return FILE_BODY_BYTES_MAX if path.rstrip("/") in FILE_PATHS else BODY_BYTES_MAX


class BodyLimit:
    """An ASGI application before ours that ends a request whose body is too large with 413."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it by its declared length, or as soon as more than the limit has come."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        path = str(scope["path"])
        limit = limit_of(path, is_named=_is_named(scope))
        if _declared(scope) > limit:
            await _refuse(path, limit, send)
            return
        size, is_over = 0, False

        async def counted() -> Message:
            nonlocal size, is_over
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > limit:
                    is_over = True
                    return {"type": "http.disconnect"}  # to the application the sender is gone: it drops what it has
            return message

        async def unless_over(message: Message) -> None:
            if not is_over:
                await send(message)

        await self._application(scope, counted, unless_over)
        if is_over:
            await _refuse(path, limit, send)


def _is_named(scope: Scope) -> bool:
    """Whether a session or a key comes with the request, good or not."""
    session = f"{settings.SESSION_COOKIE_NAME}=".encode()
    return any(name == b"authorization" or (name == b"cookie" and session in value) for name, value in scope["headers"])


def _declared(scope: Scope) -> int:
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() and len(values[0]) < 20 else 0


async def _refuse(path: str, limit: int, send: Send) -> None:
    megabytes = limit // 1_000_000
    if path.startswith(PROGRAM_PREFIX):
        kind = "application/problem+json"
        body = json.dumps(
            {
                "type": "about:blank",
                "title": "Too large",
                "status": 413,
                "detail": f"This address takes at most {megabytes} MB. Nothing was kept.",
                "code": "too_large",
                "errors": [],
            }
        ).encode()
    else:
        kind, sentences = "text/plain; charset=utf-8", []
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                sentences.append(
                    gettext("What you sent is larger than %(megabytes)s MB. Nothing was kept. Go back and send less.")
                    % {"megabytes": megabytes}
                )
        body = "\n".join(sentences).encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"private, no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
