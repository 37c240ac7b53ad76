"""What servicing tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class DepositBooked(Event):
    """A client's money is in the books. `confirmed_at` is when the bank had it, which may be earlier."""

    name: ClassVar[str] = "servicing.DepositBooked"
    account_id: int
    journal_id: int
    amount_minor: int
    confirmed_at: datetime

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"
