"""What contracts tell others."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ContractEvent(Event):
    """Something that happened to one contract of one client."""

    contract_id: int
    client_id: int

    @property
    def stream(self) -> str:
        return f"contract:{self.contract_id}"


@dataclass(frozen=True, kw_only=True)
class ContractOffered(ContractEvent):
    """The client can read the contract and sign it."""

    name: ClassVar[str] = "contracts.offered"


@dataclass(frozen=True, kw_only=True)
class ContractSignedByClient(ContractEvent):
    """The client has signed; the desk has not."""

    name: ClassVar[str] = "contracts.signed_by_client"


@dataclass(frozen=True, kw_only=True)
class ContractInForce(ContractEvent):
    """Both have signed."""

    name: ClassVar[str] = "contracts.in_force"


@dataclass(frozen=True, kw_only=True)
class ContractEnded(ContractEvent):
    """The contract was withdrawn, or was not signed in time: it will never be in force. `state` says which."""

    name: ClassVar[str] = "contracts.ended"
    state: str
