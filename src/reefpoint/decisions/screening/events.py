"""What screening tells others."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ListReceived(Event):
    """A file of a list is kept and waits to be read."""

    name: ClassVar[str] = "screening.list_received"
    version_id: int
    source: str

    @property
    def stream(self) -> str:
        return f"screening_list:{self.source}"


@dataclass(frozen=True, kw_only=True)
class ListLoaded(Event):
    """A version of a list is in force; `changes` counts the entries that are new or changed in it."""

    name: ClassVar[str] = "screening.list_loaded"
    version_id: int
    source: str
    changes: int

    @property
    def stream(self) -> str:
        return f"screening_list:{self.source}"


@dataclass(frozen=True, kw_only=True)
class ListFailed(Event):
    """A file was no list; what was in force stays in force."""

    name: ClassVar[str] = "screening.list_failed"
    version_id: int
    source: str

    @property
    def stream(self) -> str:
        return f"screening_list:{self.source}"


@dataclass(frozen=True, kw_only=True)
class HitRaised(Event):
    """A client's name met an entry of a list."""

    name: ClassVar[str] = "screening.hit_raised"
    hit_id: int
    client_id: int

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class HitResolved(Event):
    """Two people agreed on what a hit is: `cleared` or `confirmed`."""

    name: ClassVar[str] = "screening.hit_resolved"
    hit_id: int
    client_id: int
    outcome: str

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"
