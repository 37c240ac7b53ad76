"""The consolidated list of the United Nations Security Council, as XML.

Source: scsanctions.un.org. Names come in up to four parts, with the original script beside them; aliases of low quality
are weak ones.
"""

from collections.abc import Iterator
from datetime import date

from reefpoint.decisions.screening.adapters.countries import country_code
from reefpoint.decisions.screening.adapters.files import (
    NOTE_CHARACTERS_MAX,
    Element,
    Progress,
    checked,
    clean,
    names_of,
    read_birth,
    read_day,
    read_xml,
)
from reefpoint.decisions.screening.types import Entries, EntryDraft, EntryKind, ListBytes

NAME_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
RECORDS = {"INDIVIDUAL": EntryKind.PERSON, "ENTITY": EntryKind.ORGANISATION}


def parse_un_xml(file: ListBytes, _second: ListBytes | None, progress: Progress) -> Entries:
    """The entries of the consolidated list. Raises `ListRefused`."""
    days: list[date] = []
    yield from checked(_entries(file, progress, days))
    return days[0] if days else None


def _entries(file: ListBytes, progress: Progress, days: list[date]) -> Iterator[EntryDraft]:
    """The entries; `days` holds the latest day on which one was listed or changed."""
    for record in read_xml(file, root="CONSOLIDATED_LIST", records=frozenset(RECORDS), progress=progress):
        if record.tag in RECORDS:
            listed = [read_day(one.text) for one in record.all("LAST_DAY_UPDATED", "VALUE")]
            days[:] = sorted(filter(None, (*days, read_day(record.get("LISTED_ON")), *listed)))[-1:]
            yield _entry(record)


def _entry(record: Element) -> EntryDraft:
    side = record.tag
    names = [(" ".join(filter(None, (record.get(part) for part in NAME_PARTS))), False)]
    names.append((record.get("NAME_ORIGINAL_SCRIPT"), False))
    for alias in record.all(f"{side}_ALIAS"):
        names.append((alias.get("ALIAS_NAME"), alias.get("QUALITY").lower() == "low"))
        names.append((alias.get("ALIAS_NAME_ORIGINAL_SCRIPT"), False))
    births = []
    for one in record.all(f"{side}_DATE_OF_BIRTH"):
        births += [one.get(part) for part in ("DATE", "YEAR", "FROM_YEAR", "TO_YEAR")]
    countries = [one.text for one in record.all("NATIONALITY", "VALUE")]
    if not countries:
        countries = [one.get("COUNTRY") for one in record.all(f"{side}_ADDRESS")]
    return EntryDraft(
        reference=record.get("DATAID"),
        kind=RECORDS[side],
        names=names_of(names),
        births=tuple(dict.fromkeys(birth for text in births if text for birth in read_birth(text))),
        countries=tuple(dict.fromkeys(country_code(text) for text in countries if text)),
        programmes=" ".join(filter(None, (record.get("UN_LIST_TYPE"), record.get("REFERENCE_NUMBER")))),
        note=clean(record.get("COMMENTS1"))[:NOTE_CHARACTERS_MAX],
    )
