"""The OFAC Specially Designated Nationals list: `sdn.xml`, and `sdn.csv` with its file of alternative names, `alt.csv`.

Source: ofac.treasury.gov, "SDN list data formats". The XML counts its own entries, so that one that was cut and closed
by hand is found out. The CSV has no head, writes -0- for nothing and ends with the control character 26.
"""

import re

from reefpoint.decisions.screening.adapters.countries import country_code
from reefpoint.decisions.screening.adapters.files import (
    NOTE_CHARACTERS_MAX,
    Element,
    ListRefused,
    Progress,
    check_entries,
    clean,
    names_of,
    read_birth,
    read_csv,
    read_day,
    read_xml,
)
from reefpoint.decisions.screening.types import EntryDraft, EntryKind, ParsedList

KINDS = {
    "individual": EntryKind.PERSON,
    "entity": EntryKind.ORGANISATION,
    "vessel": EntryKind.VESSEL,
    "aircraft": EntryKind.VESSEL,
}
SDN_FIELDS, ALT_FIELDS = 12, 5
NOTHING = "-0-"
END_OF_FILE = b"\x1a"
_BIRTHS = re.compile(r"\bDOB ([^;.]+)")
_COUNTRIES = re.compile(r"\b(?:nationality|citizen) ([^;.]+)")


def parse_ofac_xml(content: bytes, _second: bytes, progress: Progress) -> ParsedList:
    """The entries of `sdn.xml`. Raises `ListRefused`."""
    entries: list[EntryDraft] = []
    head: Element | None = None
    for record in read_xml(content, root="sdnList", records=frozenset({"sdnEntry"}), progress=progress):
        if record.tag == "sdnEntry":
            entries.append(_xml_entry(record))
        else:
            head = record
    check_entries(entries)
    told = head.get("publshInformation", "Record_Count") if head else ""
    if told and told != str(len(entries)):
        raise ListRefused(
            "The file says that it has {told} entries, and has {count}: it is not whole.",
            told=told[:12],
            count=len(entries),
        )
    return ParsedList(tuple(entries), read_day(head.get("publshInformation", "Publish_Date")) if head else None)


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


def parse_ofac_csv(content: bytes, second: bytes, progress: Progress) -> ParsedList:
    """The entries of `sdn.csv`, with the alternative names of `alt.csv` if that is given. Raises `ListRefused`."""
    aliases: dict[str, list[tuple[str, bool]]] = {}
    if second:
        for line, row in read_csv(_body(second), progress=lambda *_: None):
            fields = _fields(line, row, ALT_FIELDS)
            aliases.setdefault(fields[0], []).append((_straight(fields[3]), "weak" in fields[2].lower()))
    entries = []
    for line, row in read_csv(_body(content), progress=progress):
        reference, name, kind, programmes, *_, remarks = _fields(line, row, SDN_FIELDS)
        births = [birth for text in _BIRTHS.findall(remarks) for birth in read_birth(text)]
        entries.append(
            EntryDraft(
                reference=reference,
                kind=KINDS.get(kind.lower() or "entity", EntryKind.OTHER),
                names=names_of([(_straight(name), False), *aliases.pop(reference, [])]),
                births=tuple(births),
                countries=tuple(dict.fromkeys(country_code(text) for text in _COUNTRIES.findall(remarks))),
                programmes=programmes[:NOTE_CHARACTERS_MAX],
                note=clean(remarks)[:NOTE_CHARACTERS_MAX],
            )
        )
    check_entries(entries)
    if aliases:
        raise ListRefused(
            "The file of alternative names speaks of {reference}, which the list lacks.",
            reference=next(iter(aliases))[:20],
        )
    return ParsedList(tuple(entries))


def _body(content: bytes) -> bytes:
    """The file without the mark at its end. Raises `ListRefused` if it has neither that mark nor a last line end."""
    body = content.rstrip(b" \r\n")
    if body.endswith(END_OF_FILE):
        return body[:-1]
    if body and not content.endswith(b"\n"):
        raise ListRefused("The file ends in the middle of a line: it is cut off.")
    return content


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
