"""A part of a long list as a selector hands it on: a page in memory, or very many rows read as they are walked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, overload

from django.db.models import Model, QuerySet

from reefpoint.platform.basics.listing import Listing

AT_ONCE = 2_000
"""So many rows are read at once at most; a part that is larger comes from a cursor of the server."""

M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Walked(Sequence[T]):
    """Rows that a cursor of the server gives a batch at a time, each time they are walked: few are ever in memory."""

    def __init__(self, rows: "QuerySet[Any]", count: int, view: Callable[[list[Any]], Iterable[T]]) -> None:
        self._rows, self._count, self._view = rows, count, view

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        found = self._rows.iterator(chunk_size=AT_ONCE)
        while batch := list(islice(found, AT_ONCE)):
            yield from self._view(batch)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        return list(self)[place]


def cut(
    rows: "QuerySet[M]",
    *,
    offset: int,
    limit: int,
    view: Callable[[list[M]], Iterable[T]],
    count: int | None = None,
    sums: Mapping[str, int] | None = None,
) -> Listing[T]:
    """The rows from `offset` on, at most `limit`, as `view` makes them of a batch; counted unless `count` is known."""
    whole = rows.count() if count is None else count
    part = rows[offset : offset + limit]
    if limit > AT_ONCE and whole - offset > AT_ONCE:
        return Listing(Walked(part, min(whole - offset, limit), view), whole, sums or {})
    return Listing(list(view(list(part))), whole, sums or {})


def each(view: Callable[[M], T]) -> Callable[[list[M]], list[T]]:
    """A view of one row as a view of many."""
    return lambda rows: [view(row) for row in rows]
