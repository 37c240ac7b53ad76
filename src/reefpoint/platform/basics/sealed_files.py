"""Numbered, sealed text files: how a bank's or broker's end-of-day file shows that it is whole.

Every line is a CSV record whose first field is its kind. The last line is the trailer: `T,<lines before it>,<sha256 of
the bytes before it>`. A file that was cut off, edited or pasted together does not open, and the refusal says where.
The seal proves wholeness, not origin: who may hand files in is for the channel to decide.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence

TRAILER = "T"
FILE_BYTES_MAX = 20_000_000
DIGITS_MAX = 15
"""More is no amount of money or shares that any desk holds, and sums of it could leave the database's range."""


class FileRefused(Refusal):
    """A file that is damaged, cut off, out of turn or not what it says; `line` counts from 1, 0 is the whole file."""

    code = "file_refused"

    def __init__(self, words: str, *, line: int = 0, **facts: object) -> None:
        if line:
            super().__init__("Line {line}: {problem}", line=line, problem=Sentence(words, facts))
        else:
            super().__init__(words, line=line, **facts)
        self.line = line


@dataclass(frozen=True)
class Record:
    """One line of an opened file: its 1-based number, its kind and the fields after the kind."""

    number: int
    kind: str
    fields: tuple[str, ...]

    def expect(self, kind: str, count: int) -> tuple[str, ...]:
        """The fields, or `FileRefused` when the line is of another kind or has another number of fields."""
        if self.kind != kind:
            raise FileRefused(
                "expected a line of kind {kind}, found {found!r}",
                line=self.number,
                kind=kind,
                found=self.kind[:20],
            )
        if len(self.fields) != count:
            raise FileRefused(
                "expected {count} fields after {kind}, found {found}",
                line=self.number,
                count=count,
                kind=kind,
                found=len(self.fields),
            )
        return self.fields

    def integer(self, index: int, name: str) -> int:
        """A whole number written plainly (no sign but minus, no spaces, no leading zeros, at most 15 digits)."""
        text = self.fields[index]
        digits = text.removeprefix("-")
        is_plain = digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX and str(int(text)) == text
        if not is_plain:
            raise FileRefused("{name} {text!r} is not a whole number", line=self.number, name=name, text=text[:40])
        return int(text)

    def text(self, index: int, name: str, *, chars_max: int) -> str:
        """A text that is not empty and not longer than what can be stored."""
        text = self.fields[index]
        if not 0 < len(text) <= chars_max:
            raise FileRefused(
                "{name} needs 1 to {chars_max} characters, it has {count}",
                line=self.number,
                name=name,
                chars_max=chars_max,
                count=len(text),
            )
        return text

    def day(self, index: int, name: str) -> date:
        """A date written YYYY-MM-DD."""
        text = self.fields[index]
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise FileRefused(
                "{name} {text!r} is not a date (YYYY-MM-DD)", line=self.number, name=name, text=text[:40]
            ) from None
        if day.isoformat() != text:
            raise FileRefused("{name} {text!r} is not a date (YYYY-MM-DD)", line=self.number, name=name, text=text[:40])
        return day


def file_hash(content: bytes) -> str:
    """The sha256 of a file's bytes, in hex: the name under which it is known."""
    return hashlib.sha256(content).hexdigest()


def seal_file(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows of plain text (no control characters: `ValueError`) as a sealed file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = 0
    for count, row in enumerate(rows, start=1):
        if any(not field.isprintable() for field in row):
            raise ValueError(f"row {count} holds a control character")
        writer.writerow(row)
    body = text.getvalue().encode()
    return body + f"{TRAILER},{count},{file_hash(body)}\n".encode()


def open_sealed_file(content: bytes) -> list[Record]:
    """The records of a sealed file without its trailer. Raises `FileRefused` naming the line that is wrong."""
    if not content:
        raise FileRefused("The file is empty.")
    if len(content) > FILE_BYTES_MAX:
        raise FileRefused(
            "The file has {count} bytes; at most {file_bytes_max} are read.",
            count=len(content),
            file_bytes_max=FILE_BYTES_MAX,
        )
    lines = content.split(b"\n")
    if lines[-1] != b"":
        raise FileRefused("the file ends in the middle of a line; ask for it again", line=len(lines))
    trailer_line = len(lines) - 1
    fields = lines[trailer_line - 1].decode(errors="replace").split(",")
    if len(fields) != 3 or fields[0] != TRAILER:
        raise FileRefused("the trailer is missing; the file is cut off", line=trailer_line)
    body = content[: len(content) - len(lines[trailer_line - 1]) - 1]
    if fields[1] != str(trailer_line - 1):
        raise FileRefused(
            "the trailer counts {told} lines, the file has {found}",
            line=trailer_line,
            told=fields[1][:20],
            found=trailer_line - 1,
        )
    if fields[2] != file_hash(body):
        raise FileRefused("the content does not have the hash in its trailer; it was changed", line=trailer_line)
    return [_record(number, line) for number, line in enumerate(lines[: trailer_line - 1], start=1)]


def _record(number: int, line: bytes) -> Record:
    try:
        fields = next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise FileRefused("the line is not readable UTF-8 CSV", line=number) from None
    if not fields or any(not field.isprintable() for field in fields):
        raise FileRefused("the line is empty or holds control characters", line=number)
    return Record(number, fields[0], tuple(fields[1:]))
