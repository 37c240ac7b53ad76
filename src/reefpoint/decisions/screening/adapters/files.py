"""What all forms of lists share: the refusal of a file, bounds, dates, and XML that is read without its dangers."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from xml.parsers import expat

from reefpoint.decisions.screening.rules.hits import ENTRIES_MAX, FILE_BYTES_MAX
from reefpoint.decisions.screening.rules.names import NAME_CHARACTERS_MAX
from reefpoint.decisions.screening.types import EntryDraft, ListedName
from reefpoint.platform.basics.errors import Refusal

XML_DEPTH_MAX = 32
XML_RECORD_MAX = 1_000_000
NAMES_MAX = 2_000
NOTE_CHARACTERS_MAX = 2_000
PROGRESS_EVERY = 5_000

Progress = Callable[[int, int], None]
"""Told now and then: bytes or lines done, and of how many."""

CUT_OFF = frozenset(
    {
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    }
)

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip
_DAY_MONTH_YEAR = re.compile(r"\b(\d{1,2}) ([A-Za-z]{3})[a-z]* (\d{4})\b")
_MONTH_YEAR = re.compile(r"\b([A-Za-z]{3})[a-z]* (\d{4})\b")
_ISO = re.compile(r"\b(\d{4}(?:-\d{2}){0,2})\b")
_SLASHED = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")


class ListRefused(Refusal):
    """A file that is not a whole list of its form. Nothing of it was taken; what was in force stays in force."""

    code = "list_refused"


@dataclass
class Element:
    """One element of a record: its name without namespace, what it holds, and its own text."""

    tag: str
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without white space around it."""
        return "".join(self.pieces).strip()

    def all(self, *path: str) -> list["Element"]:
        """The elements at the end of a path of names."""
        found = [self]
        for tag in path:
            found = [child for one in found for child in one.children if child.tag == tag]
        return found

    def get(self, *path: str) -> str:
        """The text of the first element at the end of a path; empty if there is none."""
        return next((one.text for one in self.all(*path)), "")


class _RecordReader:
    """Builds the records of a document from what the parser reports, within bounds; forbids types and entities."""

    def __init__(self, root: str, records: frozenset[str]) -> None:
        self.root, self.records = root, records
        self.stack: list[Element] = []
        self.ready: list[Element] = []
        self.held = 0
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def _begin(self, tag: str, _attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self.stack and name != self.root:
            raise ListRefused(
                "The file is no list of this form: it begins with <{name}>, not <{root}>.",
                name=name[:40],
                root=self.root,
            )
        if len(self.stack) >= XML_DEPTH_MAX:
            raise ListRefused(
                "Line {line}: elements are nested deeper than {xml_depth_max}.",
                line=self.parser.CurrentLineNumber,
                xml_depth_max=XML_DEPTH_MAX,
            )
        self._hold(len(name))
        self.stack.append(Element(name))

    def _end(self, _tag: str) -> None:
        one = self.stack.pop()
        if one.tag in self.records or not self.stack:
            self.held = 0
            self.ready.append(one)
        else:
            self.stack[-1].children.append(one)

    def _text(self, piece: str) -> None:
        self._hold(len(piece))
        if self.stack:
            self.stack[-1].pieces.append(piece)

    def _hold(self, characters: int) -> None:
        self.held += characters
        if self.held > XML_RECORD_MAX:
            raise ListRefused(
                "Line {line}: one record is larger than any real one.",
                line=self.parser.CurrentLineNumber,
            )

    @staticmethod
    def _refuse(*_: object) -> None:
        raise ListRefused("The file declares a document type or an entity: no published list does. It was not read.")


def read_xml(content: bytes, *, root: str, records: frozenset[str], progress: Progress) -> Iterator[Element]:
    """The records of an XML file, one by one, in the order of the file. The root must bear the name `root`.

    A document type, an entity, a depth or a record beyond bounds raises `ListRefused`, as does a file that is cut off
    or not well formed. The root itself comes last, with what is no record in it.
    """
    check_size(content)
    reader = _RecordReader(root, records)
    size, step = len(content), 1 << 20
    try:
        for start in range(0, size, step):
            reader.parser.Parse(content[start : start + step], start + step >= size)
            progress(min(start + step, size), size)
            yield from reader.ready
            reader.ready.clear()
    except expat.ExpatError as error:
        what = "is cut off" if expat.ErrorString(error.code) in CUT_OFF else "is not well formed"
        raise ListRefused(
            "Line {line}: the XML {what} ({error}).",
            line=error.lineno,
            what=what,
            error=expat.ErrorString(error.code),
        ) from error
    except (UnicodeDecodeError, ValueError, LookupError) as error:
        raise ListRefused("The file cannot be read as XML: {error}.", error=error) from error


def read_csv(content: bytes, *, progress: Progress) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with their line numbers. Raises `ListRefused` for bytes or quotes out of order."""
    check_size(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListRefused("The file is not UTF-8 text (byte {byte}).", byte=error.start) from error
    if "\x00" in text:
        raise ListRefused("The file holds a NUL: it is no CSV.")
    total = text.count("\n") or 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for count, row in enumerate(reader):
            if count % PROGRESS_EVERY == 0:
                progress(min(reader.line_num, total), total)
            yield reader.line_num, row
    except csv.Error as error:
        raise ListRefused(
            "Line {line}: the file is not CSV, or is cut off ({error}).", line=reader.line_num, error=error
        ) from error
    progress(total, total)


def check_size(content: bytes) -> None:
    """Raise `ListRefused` for an empty or an oversized file."""
    if not content.strip():
        raise ListRefused("The file is empty.")
    if len(content) > FILE_BYTES_MAX:
        raise ListRefused(
            "The file has {count:,} bytes; at most {file_bytes_max:,} are read.",
            count=len(content),
            file_bytes_max=FILE_BYTES_MAX,
        )


def check_entries(entries: list[EntryDraft]) -> None:
    """Raise `ListRefused` for no entries, too many, one without a name or a reference, or a reference twice."""
    if not entries:
        raise ListRefused("The file holds no entry.")
    if len(entries) > ENTRIES_MAX:
        raise ListRefused(
            "The file holds {count:,} entries; at most {entries_max:,} are read.",
            count=len(entries),
            entries_max=ENTRIES_MAX,
        )
    seen: set[str] = set()
    for entry in entries:
        if not entry.reference or len(entry.reference) > 120 or not entry.reference.isprintable():
            raise ListRefused("An entry has no proper id: {reference!r}.", reference=entry.reference[:40])
        if entry.reference in seen:
            raise ListRefused("The entry {reference} stands in the file twice.", reference=entry.reference)
        seen.add(entry.reference)
        if not entry.names:
            raise ListRefused("The entry {reference} has no name.", reference=entry.reference)
        if len(entry.names) > NAMES_MAX or any(len(name.text) > NAME_CHARACTERS_MAX for name in entry.names):
            raise ListRefused("The entry {reference} has names beyond any bound.", reference=entry.reference)


def clean(text: str) -> str:
    """A text of a list with single spaces and without control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def names_of(texts: list[tuple[str, bool]]) -> tuple[ListedName, ...]:
    """Cleaned names in order, each once; `True` marks a weak alias."""
    found: dict[str, bool] = {}
    for text, is_weak in texts:
        name = clean(text)
        if name:
            found[name] = found.get(name, True) and is_weak
    return tuple(ListedName(name, is_weak) for name, is_weak in found.items())


def read_birth(text: str) -> tuple[str, ...]:
    """Dates or years of birth in a publisher's words as ISO 8601 prefixes: 12 Mar 1961, circa 1961, 1961-03-12."""
    text = text.strip()
    if slashed := _SLASHED.match(text):
        return _iso(slashed[3], slashed[2], slashed[1])
    if full := _DAY_MONTH_YEAR.search(text):
        month = _MONTHS.get(full[2].lower())
        return _iso(full[3], str(month), full[1]) if month else (full[3],)
    if (partial := _MONTH_YEAR.search(text)) and (month := _MONTHS.get(partial[1].lower())):
        return (f"{partial[2]}-{month:02d}",)
    return tuple(found for found in _ISO.findall(text) if found[:2] in ("18", "19", "20"))


def _iso(year: str, month: str, day: str) -> tuple[str, ...]:
    try:
        return (date(int(year), int(month), int(day)).isoformat(),)
    except ValueError:
        return (year,)


def read_day(text: str) -> date | None:
    """A date as publishers print it: 2026-11-20, 11/20/2026 (month first), or with a time after it."""
    text = text.strip()
    try:
        if slashed := _SLASHED.match(text):
            return date(int(slashed[3]), int(slashed[1]), int(slashed[2]))
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
