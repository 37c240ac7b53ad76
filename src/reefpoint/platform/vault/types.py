"""What a sealed value is, and where sealed values are kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import Formatter


@dataclass(frozen=True)
class Sealed:
    """A value encrypted under a data key. It opens only with the context under which it was sealed."""

    key_id: int
    blob: bytes


class KeyPurpose(StrEnum):
    """Data keys seal values; the one digest key makes blind indexes."""

    SEAL = "seal"
    DIGEST = "digest"


@dataclass(frozen=True)
class SealedTable:
    """A table with sealed rows: columns `id`, `key_id`, `blob` (NULL once erased) and those that its context names.

    `context` is a template such as `client:{client_id}:profile:{version}`; a blob moved to another row does not open.
    """

    table: str
    context: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the context names."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.context) if name)


@dataclass(frozen=True)
class DataKeyView:
    """A data key as it is shown: never the key itself. `rows` are the sealed rows that still rest on it."""

    id: int
    purpose: KeyPurpose
    master_id: str
    made_at: datetime
    retired_at: datetime | None
    is_readable: bool
    rows: int


@dataclass(frozen=True)
class ResealProgress:
    """How far the sealed rows have come to the current key."""

    done: int
    total: int
