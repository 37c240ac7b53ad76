"""What is concluded about clients."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.decisions.kyc.types import AssessmentCause
from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ClientRated(Event):
    """A client was assessed. Ratings are empty while a client is referred to a person, or was never rated before."""

    name: ClassVar[str] = "kyc.client_rated"
    client_id: int
    assessment_id: int
    old_rating: str
    new_rating: str
    cause: AssessmentCause

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"
