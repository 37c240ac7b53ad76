"""The OFAC Specially Designated Nationals list: `sdn.xml`, and `sdn.csv` with its file of alternative names, `alt.csv`.

Source: ofac.treasury.gov, "SDN list data formats". The XML counts its own entries, so that one that was cut and closed
by hand is found out. The CSV has no head, writes -0- for nothing and ends with the control character 26.
"""

import re
from collections.abc import Iterator

from reefpoint.decisions.screening.adapters.countries import country_code
from reefpoint.decisions.screening.adapters.files import (
    NOTE_CHARACTERS_MAX,
    Element,
    ListRefused,
    Progress,
    checked,
    clean,
    names_of,
    read_birth,
    read_csv,
    read_day,
    read_xml,
)
from reefpoint.decisions.screening.types import Entries, EntryDraft, EntryKind, ListBytes

KINDS = {
    "individual": EntryKind.PERSON,
    "entity": EntryKind.ORGANISATION,
    "vessel": EntryKind.VESSEL,
    "aircraft": EntryKind.VESSEL,
}
SDN_FIELDS, ALT_FIELDS = 12, 5
NOTHING = "-0-"
END_OF_FILE = "\x1a"
_BIRTHS = re.compile(r"\bDOB ([^;.]+)")
_COUNTRIES = re.compile(r"\b(?:nationality|citizen) ([^;.]+)")


def parse_ofac_xml(file: ListBytes, _second: ListBytes | None, progress: Progress) -> Entries:
    """The entries of `sdn.xml`. Raises `ListRefused`."""
    head: list[Element] = []
    count = 0
    for entry in checked(_xml_entries(file, progress, head)):
        count += 1
        yield entry
    told = head[0].get("publshInformation", "Record_Count") if head else ""
    if told and told != str(count):
        raise ListRefused(
            "The file says that it has {told} entries, and has {count}: it is not whole.",
            told=told[:12],
            count=count,
        )
    return read_day(head[0].get("publshInformation", "Publish_Date")) if head else None


def _xml_entries(file: ListBytes, progress: Progress, head: list[Element]) -> Iterator[EntryDraft]:
    for record in read_xml(file, root="sdnList", records=frozenset({"sdnEntry"}), progress=progress):
        if record.tag == "sdnEntry":
            yield _xml_entry(record)
        else:
            head.append(record)


def _xml_entry(record: Element) -> EntryDraft:
    names = [(_whole(record), False)]
    for alias in record.all("akaList", "aka"):
        names.append((_whole(alias), alias.get("category") == "weak"))
    births = [one.get("dateOfBirth") for one in record.all("dateOfBirthList", "dateOfBirthItem")]
    countries = [one.get("country") for one in record.all("nationalityList", "nationality")]
    countries += [one.get("country") for one in record.all("citizenshipList", "citizenship")]
    if not countries:
        countries = [one.get("country") for one in record.all("addressList", "address")]
    return EntryDraft(
        reference=record.get("uid"),
        kind=KINDS.get(record.get("sdnType").lower(), EntryKind.OTHER),
        names=names_of(names),
        births=tuple(birth for text in births for birth in read_birth(text)),
        countries=tuple(dict.fromkeys(country_code(text) for text in countries if text)),
        programmes=", ".join(one.text for one in record.all("programList", "program"))[:NOTE_CHARACTERS_MAX],
        note=clean(record.get("remarks"))[:NOTE_CHARACTERS_MAX],
    )


def _whole(record: Element) -> str:
    return f"{record.get('firstName')} {record.get('lastName')}".strip()


def parse_ofac_csv(file: ListBytes, second: ListBytes | None, progress: Progress) -> Entries:
    """The entries of `sdn.csv`, with the alternative names of `alt.csv` if that is given. Raises `ListRefused`."""
    aliases: dict[str, list[tuple[str, bool]]] = {}
    if second is not None:
        for line, row in _rows(second, lambda *_: None):
            fields = _fields(line, row, ALT_FIELDS)
            aliases.setdefault(fields[0], []).append((_straight(fields[3]), "weak" in fields[2].lower()))
    yield from checked(_csv_entries(file, aliases, progress))
    if aliases:
        raise ListRefused(
            "The file of alternative names speaks of {reference}, which the list lacks.",
            reference=next(iter(aliases))[:20],
        )
    return None


def _csv_entries(
    file: ListBytes, aliases: dict[str, list[tuple[str, bool]]], progress: Progress
) -> Iterator[EntryDraft]:
    for line, row in _rows(file, progress):
        reference, name, kind, programmes, *_, remarks = _fields(line, row, SDN_FIELDS)
        births = [birth for text in _BIRTHS.findall(remarks) for birth in read_birth(text)]
        yield EntryDraft(
            reference=reference,
            kind=KINDS.get(kind.lower() or "entity", EntryKind.OTHER),
            names=names_of([(_straight(name), False), *aliases.pop(reference, [])]),
            births=tuple(births),
            countries=tuple(dict.fromkeys(country_code(text) for text in _COUNTRIES.findall(remarks))),
            programmes=programmes[:NOTE_CHARACTERS_MAX],
            note=clean(remarks)[:NOTE_CHARACTERS_MAX],
        )


def _rows(file: ListBytes, progress: Progress) -> Iterator[tuple[int, list[str]]]:
    """The rows before the mark at the file's end. Raises `ListRefused` if it has neither that mark nor a line end."""
    if not file.tail.endswith(b"\n") and not file.tail.rstrip(b" \r\n").endswith(END_OF_FILE.encode()):
        raise ListRefused("The file ends in the middle of a line: it is cut off.")
    is_over = False
    for line, row in read_csv(file, progress=progress):
        if is_over and row and row != [""]:
            raise ListRefused("Line {line} comes after the mark that ends the file.", line=line)
        is_over = is_over or [cell.strip(" ") for cell in row] == [END_OF_FILE]
        if not is_over:
            yield line, row


def _fields(line: int, row: list[str], count: int) -> list[str]:
    if len(row) != count:
        raise ListRefused(
            "Line {line} has {count} fields, not {wanted}: the file is damaged or cut off.",
            line=line,
            count=len(row),
            wanted=count,
        )
    return ["" if (text := cell.strip()) == NOTHING else text for cell in row]


def _straight(name: str) -> str:
    """SURNAME, Given as Given SURNAME."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name
