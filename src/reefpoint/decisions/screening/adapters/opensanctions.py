"""The OpenSanctions `targets.simple.csv` form: one row an entity, several values in a cell divided by `;`.

Source: opensanctions.org/docs/bulk/csv. Columns are found by name; those that are not needed are not read.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date

from reefpoint.decisions.screening.adapters.countries import country_code
from reefpoint.decisions.screening.adapters.files import (
    NOTE_CHARACTERS_MAX,
    ListRefused,
    Progress,
    checked,
    clean,
    names_of,
    read_birth,
    read_csv,
    read_day,
)
from reefpoint.decisions.screening.types import Entries, EntryDraft, EntryKind, ListBytes

NEEDED = ("id", "schema", "name", "aliases", "birth_date", "countries")
KINDS = {
    "Person": EntryKind.PERSON,
    "Organization": EntryKind.ORGANISATION,
    "Company": EntryKind.ORGANISATION,
    "LegalEntity": EntryKind.ORGANISATION,
    "PublicBody": EntryKind.ORGANISATION,
    "Vessel": EntryKind.VESSEL,
    "Airplane": EntryKind.VESSEL,
}


def parse_opensanctions_csv(file: ListBytes, _second: ListBytes | None, progress: Progress) -> Entries:
    """The entries of a `targets.simple` file. Raises `ListRefused`, naming the line."""
    if not file.tail.endswith(b"\n"):
        raise ListRefused("The file ends in the middle of a line: it is cut off.")
    rows = read_csv(file, progress=progress)
    header = next(rows, (1, []))[1]
    if missing := [column for column in NEEDED if column not in header]:
        raise ListRefused("The file lacks the column {missing}: it is no targets.simple list.", missing=missing)
    days = _Newest()
    yield from checked(_entries(rows, header, days))
    return days.newest


class _Newest:
    """The latest of the days that were seen."""

    newest: date | None = None

    def see(self, day: date | None) -> None:
        self.newest = max(filter(None, (self.newest, day)), default=None)


def _entries(rows: Iterator[tuple[int, list[str]]], header: list[str], days: _Newest) -> Iterator[EntryDraft]:
    at = {column: header.index(column) for column in header}
    for line, row in rows:
        if len(row) != len(header):
            raise ListRefused(
                "Line {line} has {count} fields, not {wanted}: the file is damaged or cut off.",
                line=line,
                count=len(row),
                wanted=len(header),
            )
        cell = {column: row[number].strip() for column, number in at.items()}
        names = [(cell["name"], False), *((alias, False) for alias in _values(cell["aliases"]))]
        days.see(read_day(cell.get("last_change", "")))
        yield EntryDraft(
            reference=cell["id"],
            kind=KINDS.get(cell["schema"], EntryKind.OTHER),
            names=names_of(names),
            births=tuple(birth for text in _values(cell["birth_date"]) for birth in read_birth(text)),
            countries=tuple(country_code(text) for text in _values(cell["countries"])),
            programmes=clean(cell.get("sanctions", ""))[:NOTE_CHARACTERS_MAX],
            note=clean(cell.get("dataset", ""))[:NOTE_CHARACTERS_MAX],
        )


def _values(cell: str) -> list[str]:
    """The values of a cell: divided by `;`, quoted where one holds that sign."""
    if ";" not in cell:
        return [cell] if cell else []
    return [value.strip() for value in next(csv.reader(io.StringIO(cell), delimiter=";")) if value.strip()]
