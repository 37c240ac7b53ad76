"""What is decided about credit."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.decisions.credit.types import DecisionState
from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class CreditDecided(Event):
    """A decision is approved or declined. `limit_minor` is what may be lent, None for a decline."""

    name: ClassVar[str] = "credit.decided"
    decision_id: int
    client_id: int
    scheme_code: str
    state: DecisionState
    limit_minor: int | None

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"
