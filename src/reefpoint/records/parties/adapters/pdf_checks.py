"""What a PDF is: whether it opens, how long it is, and whether it does something. `file_checks` runs it by itself."""

import io

from pypdf import PdfReader
from pypdf.generic import IndirectObject

from reefpoint.records.parties.rules import PDF_PAGES_MAX
from reefpoint.records.parties.types import MediaType

ACTIVE = frozenset({"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA"})


def look_at_pdf(content: bytes) -> str:
    """'application/pdf', or why the file is refused; what pypdf raises means damaged."""
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        return "locked"
    count = len(reader.pages)
    if not 0 < count <= PDF_PAGES_MAX:
        return "pages" if count else "damaged"
    numbers = {number for table in reader.xref.values() for number in table} | set(reader.xref_objStm)
    for number in sorted(numbers):
        if _is_active(reader.get_object(IndirectObject(number, 0, reader))):
            return "active"
    return MediaType.PDF


def _is_active(item: object) -> bool:
    """Whether an object of a PDF runs something or carries a file, in itself or in what is written inside it."""
    if isinstance(item, dict):
        kinds = {str(item.get("/S", "")), str(item.get("/Type", ""))}
        inside = [value for key, value in item.items() if key != "/Parent" and not isinstance(value, IndirectObject)]
        return not ACTIVE.isdisjoint({*map(str, item), *kinds}) or any(map(_is_active, inside))
    if isinstance(item, list):
        return any(_is_active(value) for value in item if not isinstance(value, IndirectObject))
    return False
