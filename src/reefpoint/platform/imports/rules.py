"""Import rules: what a file must be to be read at all, what a row must be, and how bad rows are given back."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.states import StateTable
from reefpoint.platform.imports.types import BadRow, ImportKind, ImportState, Row, RowProblem

FILE_BYTES_MAX = 64_000_000
LINE_BYTES_MAX = 16_384
ROWS_MAX = 200_000
CHUNK_ROWS = 2_000
CHUNK_BYTES_MAX = 4_000_000
COLUMNS_MAX = 60
BAD_FILE_KEPT = timedelta(days=30)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"
"""Put before text that a spreadsheet would run as a formula, and taken off again when the file comes back."""

IMPORT_STATES = StateTable(
    subject="import",
    initial=ImportState.WAITING,
    moves={
        ImportState.WAITING: frozenset({ImportState.RUNNING, ImportState.DONE}),
        ImportState.RUNNING: frozenset({ImportState.DONE}),
        ImportState.DONE: frozenset(),
    },
)

_OTHER_FORMATS = (
    (b"PK\x03\x04", "xlsx"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "gzip"),
)
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


class FileRefused(Refusal):
    """A file that cannot be read as rows at all. Nothing of it was kept. `problem` is stable, `code` is too."""

    code = "import_file_refused"

    def __init__(self, problem: str, words: str, **facts: object) -> None:
        super().__init__(words, problem=problem, **facts)
        self.problem = problem


@dataclass(frozen=True)
class LineChunk:
    """Whole lines of a file, header left out. `first_line` is the number of the first of them, counted from 1."""

    first_line: int
    count: int
    content: bytes


def check_beginning(beginning: bytes) -> None:
    """Refuse what is plainly no CSV in UTF-8, by its first bytes. Raises `FileRefused`."""
    for magic, name in _OTHER_FORMATS:
        if beginning.startswith(magic):
            raise FileRefused("other_format", "This is a {is_a} file. Save it as CSV (UTF-8) and send that.", is_a=name)
    if beginning.startswith(_OTHER_ENCODINGS):
        raise FileRefused("encoding", "The file is in UTF-16. Save it as CSV in UTF-8 and send that.")


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file that arrives in pieces, checked as they come, with at most one piece and one line in memory.

    A byte order mark at the beginning and a carriage return at an end are left out. Raises `FileRefused` for a file
    that is too large, a line that is too long, a NUL byte, or bytes that are not UTF-8, naming the line.
    """
    rest, size, number = b"", 0, 0
    for piece in pieces:
        size += len(piece)
        if size > FILE_BYTES_MAX:
            raise FileRefused(
                "too_large",
                "The file has more than {file_bytes_max:,} bytes. Send it in parts.",
                file_bytes_max=FILE_BYTES_MAX,
            )
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            number += 1
            yield _line(line, number)
        if len(rest) > LINE_BYTES_MAX:
            _line(rest, number + 1)
    if rest:
        yield _line(rest, number + 1)


def _line(line: bytes, number: int) -> str:
    if len(line) > LINE_BYTES_MAX:
        raise FileRefused(
            "long_line",
            "Line {line} has more than {line_bytes_max:,} bytes. Is this a CSV file?",
            line=number,
            line_bytes_max=LINE_BYTES_MAX,
        )
    if b"\x00" in line:
        raise FileRefused("nul", "Line {line} holds a NUL byte. This is no text file.", line=number)
    try:
        text = line.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise FileRefused(
            "encoding", "Line {line} is not UTF-8. Save the file as CSV in UTF-8 and send that.", line=number
        ) from None
    return text.removeprefix("\ufeff") if number == 1 else text


def read_header(line: str, kind: ImportKind) -> list[str]:
    """The columns of a file, in lower case. Raises `FileRefused` for missing, unknown or repeated ones."""
    cells = split_line(line)
    if cells is None:
        raise FileRefused("header", "The first line is not a CSV header: a quotation mark is not closed.")
    header = [cell.strip().lower() for cell in cells]
    known = {column.name for column in kind.columns}
    if ";" in line and len(header) == 1:
        raise FileRefused("header", "The columns are divided by semicolons. Save the file with commas.")
    if len(header) > COLUMNS_MAX or len(set(header)) < len(header):
        twice = sorted({name[:40] for name in header if header.count(name) > 1})
        raise FileRefused("header", "These columns stand in the header twice: {twice}.", columns=twice, twice=twice[:5])
    if missing := [name for name in kind.required if name not in header]:
        raise FileRefused("header", "The header lacks {columns}.", columns=missing)
    if unknown := [name[:40] for name in header if name not in known and name not in RETURNED_COLUMNS]:
        raise FileRefused("header", "The header has unknown columns: {unknown}.", columns=unknown, unknown=unknown[:5])
    return header


RETURNED_COLUMNS = ("line", "reasons")
"""Columns that a file of bad rows has in front; they are skipped when the mended file comes back."""


def chunks_of(lines: Iterable[str]) -> Iterator[LineChunk]:
    """Lines after the header, in chunks of at most `CHUNK_ROWS`; empty lines are skipped but counted as lines.

    Raises `FileRefused` for more than `ROWS_MAX` rows.
    """
    held: list[str] = []
    size = rows = 0
    first, number = 2, 1
    for line in lines:
        number += 1
        held.append(line)
        size += len(line)
        rows += bool(line.strip())
        if rows > ROWS_MAX:
            raise FileRefused(
                "too_many_rows", "The file has more than {rows_max:,} rows. Send it in parts.", rows_max=ROWS_MAX
            )
        if len(held) == CHUNK_ROWS or size > CHUNK_BYTES_MAX:
            yield _chunk(first, held)
            held, size, first = [], 0, number + 1
    if held:
        yield _chunk(first, held)


def _chunk(first: int, lines: Sequence[str]) -> LineChunk:
    return LineChunk(first, sum(bool(line.strip()) for line in lines), "\n".join(lines).encode())


def split_line(line: str) -> list[str] | None:
    """The cells of one line; None if its quotation marks are broken. A row is a line: no cell holds a line break."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return None


def read_row(header: Sequence[str], cells: Sequence[str], kind: ImportKind) -> tuple[Row, list[RowProblem]]:
    """A row by column, and what is wrong with it whatever its kind."""
    if len(cells) != len(header):
        return {}, [RowProblem("wrong_columns")]
    row = {
        name: _unguarded(cell.strip()) for name, cell in zip(header, cells, strict=True) if name not in RETURNED_COLUMNS
    }
    problems = [RowProblem("missing", name) for name in kind.required if not row[name]]
    for column in kind.columns:
        text = row.get(column.name, "")
        if len(text) > column.chars_max:
            problems.append(RowProblem("too_long", column.name))
        elif not text.isprintable():
            problems.append(RowProblem("unprintable", column.name))
    return row, problems


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith(GUARD) and cell[1:].startswith(FORMULA_STARTS) else cell


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula."""
    return GUARD + cell if cell.startswith(FORMULA_STARTS) else cell


def chunk_context(import_id: int, number: int) -> str:
    """What the lines of one batch are sealed for."""
    return f"import:{import_id}:chunk:{number}"


def bad_context(import_id: int, number: int) -> str:
    """What the bad rows of one batch are sealed for."""
    return f"import:{import_id}:bad:{number}"


def pack_bad_rows(rows: Iterable[BadRow]) -> bytes:
    """Bad rows as they are sealed."""
    plain = [[row.line, [[problem.code, problem.column] for problem in row.problems], list(row.cells)] for row in rows]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def unpack_bad_rows(plain: bytes) -> list[BadRow]:
    """Bad rows as they were packed."""
    return [
        BadRow(line, tuple(RowProblem(code, column) for code, column in problems), tuple(cells))
        for line, problems, cells in json.loads(plain)
    ]
