"""Price files: one line per price, or one column per name."""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.services.prices import DESK_ZONE, record_lines
from reefpoint.records.market.types import BatchResult, PriceLine, Reason

FILE_BYTES_MAX = 20_000_000
LONG_COLUMNS = ("date", "symbol", "price", "currency")
TIME_COLUMN = "time"


class PriceFileRefused(Refusal):
    """A file that cannot be read as prices at all; nothing of it was kept."""

    code = "price_file_refused"


def import_price_file(
    *,
    actor: Actor,
    path: Path,
    source: str,
    at: datetime,
    key: str | None = None,
    on: date | None = None,
    wide_currency: str = "USD",
) -> BatchResult:
    """Judge and keep a CSV file of prices for the session `on` (by default the New York date of `at`).

    Long: columns date, symbol, price, currency and, if wanted, time (ISO 8601 with offset; else the session's close).
    Wide: a date column and one column per symbol, all in `wide_currency`; each cell is a line of the batch.
    Row numbers are those of the file, whose header is row 1. The key defaults to source and content, so that the same
    file twice is one effect. Raises `PriceFileRefused` (naming missing columns), `PriceBatchConflict`.
    """
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    session_on = on or at.astimezone(DESK_ZONE).date()
    return record_lines(
        actor=actor,
        source=source,
        key=key or f"{source}:{session_on}:{digest}",
        content_hash=digest,
        lines=parse_price_file(content, wide_currency=wide_currency),
        on=session_on,
        at=at,
    )


def parse_price_file(content: bytes, *, wide_currency: str = "USD") -> list[PriceLine]:
    """The lines of a price file in either layout. Raises `PriceFileRefused`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PriceFileRefused("The file is not UTF-8 text. Save it as CSV in UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise PriceFileRefused(
            "The file is not CSV: {error} in row {line}.", error=error, line=reader.line_num
        ) from error
    if len(set(header)) < len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        raise PriceFileRefused("The file has two columns named {columns}.", columns=twice)
    if {"symbol", "price"} & set(header) or len(header) < 2:
        return list(_long_lines(header, rows))
    return list(_wide_lines(header, rows, wide_currency))


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise PriceFileRefused(
                "The file has {size:,} bytes; the most that is read is {file_bytes_max:,}.",
                size=size,
                file_bytes_max=FILE_BYTES_MAX,
            )
        return path.read_bytes()
    except OSError as error:
        raise PriceFileRefused(
            "The file {name} cannot be read: {strerror}.", name=path.name, strerror=error.strerror
        ) from error


def _long_lines(header: list[str], rows: list[tuple[int, list[str]]]) -> Iterator[PriceLine]:
    if missing := [column for column in LONG_COLUMNS if column not in header]:
        raise PriceFileRefused(
            "The file lacks the column {columns}. It needs {long_columns}.", columns=missing, long_columns=LONG_COLUMNS
        )
    for number, row in rows:
        raw = ",".join(row)
        if len(row) != len(header):
            yield PriceLine(number, raw, "", "", None, None, "", flaw=Reason.WRONG_COLUMNS)
            continue
        cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
        on, at, is_readable = _date_and_time(cells["date"], cells.get(TIME_COLUMN, ""))
        yield PriceLine(
            row_number=number,
            raw=raw,
            symbol=cells["symbol"],
            price=cells["price"],
            on=on,
            at=at,
            currency=cells["currency"],
            flaw=None if is_readable else Reason.MALFORMED_DATE,
        )


def _wide_lines(header: list[str], rows: list[tuple[int, list[str]]], currency: str) -> Iterator[PriceLine]:
    if "date" not in header:
        raise PriceFileRefused(
            "The file lacks the column date. It needs date and one column per symbol, or the columns {long_columns}.",
            columns=["date"],
            long_columns=LONG_COLUMNS,
        )
    position = header.index("date")
    for number, row in rows:
        if len(row) != len(header):
            yield PriceLine(number, ",".join(row), "", "", None, None, "", flaw=Reason.WRONG_COLUMNS)
            continue
        on, _, is_readable = _date_and_time(row[position].strip(), "")
        for column, cell in zip(header, row, strict=True):
            if column != "date":
                yield PriceLine(
                    row_number=number,
                    raw=f"{row[position]},{column.upper()},{cell}",
                    symbol=column.upper(),
                    price=cell,
                    on=on,
                    at=None,
                    currency=currency,
                    flaw=None if is_readable else Reason.MALFORMED_DATE,
                )


def _date_and_time(day: str, time: str) -> tuple[date | None, datetime | None, bool]:
    """What could be read of a date and an optional instant, and whether that was everything."""
    try:
        return date.fromisoformat(day), datetime.fromisoformat(time) if time else None, True
    except ValueError:
        return None, None, False
