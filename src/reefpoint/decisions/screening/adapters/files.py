"""What all forms of lists share: the refusal of a file, bounds, dates, and XML that is read without its dangers."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from xml.parsers import expat

from reefpoint.decisions.screening.rules.hits import ENTRIES_MAX
from reefpoint.decisions.screening.rules.names import NAME_CHARACTERS_MAX
from reefpoint.decisions.screening.types import EntryDraft, ListBytes, ListedName
from reefpoint.platform.basics.errors import Refusal

XML_DEPTH_MAX = 32
XML_RECORD_MAX = 1_000_000
NAMES_MAX = 2_000
NOTE_CHARACTERS_MAX = 2_000
LINE_CHARACTERS_MAX = 4_000_000
TAIL_BYTES = 16

Progress = Callable[[int, int], None]
"""Told now and then: bytes done, and of how many."""

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


def read_xml(file: ListBytes, *, root: str, records: frozenset[str], progress: Progress) -> Iterator[Element]:
    """The records of an XML file, one by one, in the order of the file. The root must bear the name `root`.

    A document type, an entity, a depth or a record beyond bounds raises `ListRefused`, as does a file that is cut off
    or not well formed. The root itself comes last, with what is no record in it.
    """
    reader = _RecordReader(root, records)
    done = 0
    try:
        for block in file.blocks():
            reader.parser.Parse(block, False)
            done += len(block)
            progress(done, file.size)
            yield from reader.ready
            reader.ready.clear()
        reader.parser.Parse(b"", True)
        yield from reader.ready
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


def read_csv(file: ListBytes, *, progress: Progress) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with their line numbers. Raises `ListRefused` for bytes or quotes out of order."""
    reader = csv.reader(_lines(file, progress), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ListRefused(
            "Line {line}: the file is not CSV, or is cut off ({error}).", line=reader.line_num, error=error
        ) from error


def _lines(file: ListBytes, progress: Progress) -> Iterator[str]:
    """The lines of a UTF-8 text with their ends, decoded block by block."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    held, done = "", 0
    for block in _with_end(file):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            place = max(done - (len(error.object) - len(block)), 0) + error.start
            raise ListRefused("The file is not UTF-8 text (byte {byte}).", byte=place) from error
        if "\x00" in text:
            raise ListRefused("The file holds a NUL: it is no CSV.")
        done += len(block)
        *lines, held = (held + text).split("\n")
        for line in lines:
            yield line + "\n"
        if len(held) > LINE_CHARACTERS_MAX:
            raise ListRefused("The file holds a line that is longer than any real one: it is no CSV.")
        progress(done, file.size)
    if held:
        yield held


def _with_end(file: ListBytes) -> Iterator[bytes]:
    yield from file.blocks()
    yield b""


def checked(entries: Iterator[EntryDraft]) -> Iterator[EntryDraft]:
    """The same entries. Raises `ListRefused` for none, too many, or one without a name or a proper reference."""
    count = 0
    for entry in entries:
        count += 1
        if count > ENTRIES_MAX:
            raise ListRefused("The file holds more than {entries_max:,} entries.", entries_max=ENTRIES_MAX)
        if not entry.reference or len(entry.reference) > 120 or not entry.reference.isprintable():
            raise ListRefused("An entry has no proper id: {reference!r}.", reference=entry.reference[:40])
        if not entry.names:
            raise ListRefused("The entry {reference} has no name.", reference=entry.reference)
        if len(entry.names) > NAMES_MAX or any(len(name.text) > NAME_CHARACTERS_MAX for name in entry.names):
            raise ListRefused("The entry {reference} has names beyond any bound.", reference=entry.reference)
        yield entry
    if not count:
        raise ListRefused("The file holds no entry.")


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
