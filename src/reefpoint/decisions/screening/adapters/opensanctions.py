"""The OpenSanctions `targets.simple.csv` form: one row an entity, several values in a cell divided by `;`.

Source: opensanctions.org/docs/bulk/csv. Columns are found by name; those that are not needed are not read.
"""

import csv
import io
from datetime import date

from reefpoint.decisions.screening.adapters.countries import country_code
from reefpoint.decisions.screening.adapters.files import (
    NOTE_CHARACTERS_MAX,
    ListRefused,
    Progress,
    check_entries,
    clean,
    names_of,
    read_birth,
    read_csv,
    read_day,
)
from reefpoint.decisions.screening.types import EntryDraft, EntryKind, ParsedList

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


def parse_opensanctions_csv(content: bytes, _second: bytes, progress: Progress) -> ParsedList:
    """The entries of a `targets.simple` file. Raises `ListRefused`, naming the line."""
    if not content.endswith(b"\n") and content.strip():
        raise ListRefused("The file ends in the middle of a line: it is cut off.")
    rows = read_csv(content, progress=progress)
    header = next(rows, (1, []))[1]
    if missing := [column for column in NEEDED if column not in header]:
        raise ListRefused("The file lacks the column {missing}: it is no targets.simple list.", missing=missing)
    at = {column: header.index(column) for column in header}
    entries: list[EntryDraft] = []
    newest: date | None = None
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
        entries.append(
            EntryDraft(
                reference=cell["id"],
                kind=KINDS.get(cell["schema"], EntryKind.OTHER),
                names=names_of(names),
                births=tuple(birth for text in _values(cell["birth_date"]) for birth in read_birth(text)),
                countries=tuple(country_code(text) for text in _values(cell["countries"])),
                programmes=clean(cell.get("sanctions", ""))[:NOTE_CHARACTERS_MAX],
                note=clean(cell.get("dataset", ""))[:NOTE_CHARACTERS_MAX],
            )
        )
        changed = read_day(cell.get("last_change", ""))
        newest = max(filter(None, (newest, changed)), default=None)
    check_entries(entries)
    return ParsedList(tuple(entries), newest)


def _values(cell: str) -> list[str]:
    """The values of a cell: divided by `;`, quoted where one holds that sign."""
    if ";" not in cell:
        return [cell] if cell else []
    return [value.strip() for value in next(csv.reader(io.StringIO(cell), delimiter=";")) if value.strip()]
