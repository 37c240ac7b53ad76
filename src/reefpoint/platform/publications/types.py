"""A published content as other parts see it, and what kinds of it there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

Content = Mapping[str, Any]
"""JSON values without floats: their text would not be one thing everywhere."""


class PublicationState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


@dataclass(frozen=True)
class PublicationKind:
    """One sort of content.

    `right` lets a person draft and ask; `approval` is the kind of approval that releases it. `check` raises a refusal
    for content that must not be published. `shipped` is what comes with the program, in force until the desk publishes
    its own.
    """

    name: str
    right: str
    approval: str
    check: Callable[[Content], None]
    shipped: Callable[[], Content]


@dataclass(frozen=True)
class PublicationView:
    """One version. The content never changes; only the state does. `id` is None for what was shipped and never used."""

    id: int | None
    kind: str
    version: int
    content: Content
    effective_from: date
    state: PublicationState
    maker: str
    checker: str
    published_at: datetime | None
    is_shipped: bool
