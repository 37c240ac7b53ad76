"""What imports tell."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class FileReceived(Event):
    """A file was handed in and can be read; its rows wait."""

    name: ClassVar[str] = "imports.file_received"
    import_id: int
    kind: str

    @property
    def stream(self) -> str:
        return f"import:{self.import_id}"
