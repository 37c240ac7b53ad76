"""What the cash rail tells."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class PaymentRequested(Event):
    """A payment is in the books as an instruction; the bank has not heard of it."""

    name: ClassVar[str] = "treasury.payment_requested"
    payment_id: int
    subject: str

    @property
    def stream(self) -> str:
        return f"payment:{self.payment_id}"


@dataclass(frozen=True, kw_only=True)
class PaymentConfirmed(Event):
    """The bank moved the money."""

    name: ClassVar[str] = "treasury.payment_confirmed"
    payment_id: int
    subject: str

    @property
    def stream(self) -> str:
        return f"payment:{self.payment_id}"


@dataclass(frozen=True, kw_only=True)
class PaymentRejected(Event):
    """The bank did not move the money, and will not."""

    name: ClassVar[str] = "treasury.payment_rejected"
    payment_id: int
    subject: str
    reason: str

    @property
    def stream(self) -> str:
        return f"payment:{self.payment_id}"


@dataclass(frozen=True, kw_only=True)
class PaymentUnknown(Event):
    """The bank did not answer in time: whether the money moved is not known."""

    name: ClassVar[str] = "treasury.payment_unknown"
    payment_id: int
    subject: str

    @property
    def stream(self) -> str:
        return f"payment:{self.payment_id}"
