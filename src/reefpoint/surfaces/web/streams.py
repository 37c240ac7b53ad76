"""Files that are handed out as they are made: a long one is never in memory as a whole."""

from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language, override

PIECE_CHARACTERS = 64_000


def csv_answer(lines: Iterator[str], file_name: str) -> HttpResponse:
    """Lines of CSV as a file: at once if they are few, else piece by piece as the reader takes them."""
    pieces = _pieces(lines, get_language())
    head = [next(pieces, ""), next(pieces, "")]
    answer: HttpResponse | StreamingHttpResponse
    if head[1]:
        answer = StreamingHttpResponse(chain(head, pieces), content_type="text/csv; charset=utf-8")
    else:
        answer = HttpResponse(head[0], content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return cast(HttpResponse, answer)  # what views promise; Django sends either


def _pieces(lines: Iterator[str], language: str | None) -> Iterator[str]:
    """The lines joined into pieces, each made in the language of whoever asked."""
    while True:
        held: list[str] = []
        size = 0
        with override(language):
            for line in lines:
                held.append(line)
                size += len(line)
                if size >= PIECE_CHARACTERS:
                    break
        if not held:
            return
        yield "".join(held)


class StreamsInTurnsMiddleware(MiddlewareMixin):
    """Let the server send a stream piece by piece: Django would first read one that is not asynchronous to its end."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, with its pieces fetched in turns on the thread that began it."""
        if isinstance(response, StreamingHttpResponse) and isinstance(request, ASGIRequest) and not response.is_async:
            response.streaming_content = _in_turns(iter(response))
        return response


async def _in_turns(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    following = sync_to_async(lambda: next(pieces, None), thread_sensitive=True)
    while (piece := await following()) is not None:
        yield piece
