"""What accounts tell."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class AccountChanged(Event):
    """Money, debt, securities or terms of an account changed; whoever values it must look again."""

    name: ClassVar[str] = "accounts.AccountChanged"
    account_id: int
    change_no: int
    cause: str

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"
