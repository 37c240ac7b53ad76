"""What the records of people tell others."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from reefpoint.platform.events.types import Event
from reefpoint.records.parties.types import ClientStatus


@dataclass(frozen=True, kw_only=True)
class ProfileChanged(Event):
    """A client's profile has a new version; `changed` names the fields that differ from the one before."""

    name: ClassVar[str] = "parties.profile_changed"
    client_id: int
    version: int
    changed: tuple[str, ...]

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class TraitRecorded(Event):
    """A client used a device, or an address on a day, for the first time."""

    name: ClassVar[str] = "parties.trait_recorded"
    client_id: int
    kind: str

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class TraitsErased(Event):
    """What a client shared with others was erased, all of it or devices and network addresses."""

    name: ClassVar[str] = "parties.traits_erased"
    client_id: int

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class ClientErased(Event):
    """What no law keeps of a client was erased here; `kept` names the categories that a law keeps still.

    Without any, the rest of the desk erases what it holds of the client.
    """

    name: ClassVar[str] = "parties.client_erased"
    client_id: int
    kept: tuple[str, ...]

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class ClientStatusChanged(Event):
    """A client was accepted, blocked, released or closed."""

    name: ClassVar[str] = "parties.client_status_changed"
    client_id: int
    old: ClientStatus
    new: ClientStatus

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class LicenceEnded(Event):
    """A licence ends: from the day after `valid_to` nothing rests on it."""

    name: ClassVar[str] = "parties.licence_ended"
    licence_id: int
    jurisdiction: str
    activity: str
    valid_to: date

    @property
    def stream(self) -> str:
        return f"licence:{self.licence_id}"
