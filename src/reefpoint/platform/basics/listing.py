"""A part of a long list, as a selector hands it to a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One page of rows in order, with the count and the sums (by column) of everything that matched."""

    rows: Sequence[T]
    count: int
    sums: Mapping[str, int] = field(default_factory=dict)
