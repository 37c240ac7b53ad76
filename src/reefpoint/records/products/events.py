"""What the product records tell others."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class SchemeVersionPublished(Event):
    """A version can be signed from `effective_from` on; its terms never change."""

    name: ClassVar[str] = "products.scheme_version_published"
    version_id: int
    scheme_code: str
    effective_from: date

    @property
    def stream(self) -> str:
        return f"scheme:{self.scheme_code}"


@dataclass(frozen=True, kw_only=True)
class SchemeVersionWithdrawn(Event):
    """A version is no longer offered; what was signed under it stands."""

    name: ClassVar[str] = "products.scheme_version_withdrawn"
    version_id: int
    scheme_code: str

    @property
    def stream(self) -> str:
        return f"scheme:{self.scheme_code}"
