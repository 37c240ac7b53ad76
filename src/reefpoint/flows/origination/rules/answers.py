"""Which answers are none, and how answers are kept."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from reefpoint.flows.origination.rules.questions import IDENTIFIER_KINDS, PERSON_ROLES, fields_of
from reefpoint.flows.origination.types.questions import (
    Field,
    FieldKind,
    FieldProblem,
    Plain,
    ProblemCode,
    Section,
    SectionData,
)
from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.ownership import Link, look_through
from reefpoint.records.parties.rules import parties_of
from reefpoint.records.parties.types import ClientKind, IdentifierDraft, IdentifierKind, PersonRole, RelatedPersonDraft

EARLIEST_DAY = date(1800, 1, 1)
LATEST_DAY = date(2100, 12, 31)
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{4,30}[0-9]")


def check_section(
    section: Section, data: Mapping[str, Plain], kind: ClientKind, *, is_final: bool = True
) -> list[FieldProblem]:
    """Everything that is wrong with a section's answers, in the order of its questions.

    While an application is being written (`is_final` false) a missing answer is no problem; a wrong one is.
    """
    return list(_check_fields(fields_of(section, kind), data, kind, "", is_final))


def is_section_empty(data: Mapping[str, Plain]) -> bool:
    """Whether nothing at all was answered yet."""
    return all(is_blank(value) for value in data.values())


def clean_section(section: Section, data: Mapping[str, Plain], kind: ClientKind) -> SectionData:
    """The answers as they are kept: texts in Unicode NFC without spaces around, blanks and unasked fields left out."""
    return _clean_fields(fields_of(section, kind), data)


def _clean_fields(fields: tuple[Field, ...], data: Mapping[str, Plain]) -> SectionData:
    cleaned = {field.name: _clean(field, data[field.name]) for field in fields if field.name in data}
    return {name: value for name, value in cleaned.items() if not is_blank(value)}


def _clean(field: Field, value: Plain) -> Plain:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip()
    if isinstance(value, list):
        if field.kind is FieldKind.ROWS:
            rows = [_clean_fields(field.fields, row) for row in value if isinstance(row, dict)]
            return [row for row in rows if row]
        return [item for item in (_clean(field, item) for item in value) if not is_blank(item)]
    return value


def is_blank(value: Plain) -> bool:
    return value is None or (not isinstance(value, bool | int) and not value)


def _check_fields(
    fields: tuple[Field, ...], data: Mapping[str, Plain], kind: ClientKind, path: str, is_final: bool
) -> Iterator[FieldProblem]:
    known = {field.name for field in fields}
    yield from (FieldProblem(path + name[:60], ProblemCode.UNKNOWN_FIELD) for name in data if name not in known)
    for field in fields:
        value = data.get(field.name)
        place = path + field.name
        if is_blank(value):
            if is_final and _is_required(field, data, kind):
                yield FieldProblem(place, ProblemCode.MISSING)
        elif field.kind is FieldKind.ROWS:
            yield from _check_rows(field, value, kind, place, is_final)
        elif (code := _CHECKS[field.kind](field, value)) is not None:
            yield FieldProblem(place, code)
    issued, expires = data.get("issued_on"), data.get("expires_on")
    if (
        isinstance(issued, str)
        and isinstance(expires, str)
        and _is_day(issued)
        and _is_day(expires)
        and expires < issued
    ):
        yield FieldProblem(path + "expires_on", ProblemCode.DAYS_OUT_OF_ORDER)


def _is_required(field: Field, data: Mapping[str, Plain], kind: ClientKind) -> bool:
    if kind in field.required_of:
        return True
    return field.required_if is not None and data.get(field.required_if[0]) in field.required_if[1]


def _check_rows(field: Field, value: Plain, kind: ClientKind, place: str, is_final: bool) -> Iterator[FieldProblem]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        yield FieldProblem(place, ProblemCode.WRONG_TYPE)
        return
    if len(value) > field.high:
        yield FieldProblem(place, ProblemCode.TOO_MANY_ROWS)
        return
    rows = [row for row in value if isinstance(row, dict)]
    for number, row in enumerate(rows):
        yield from _check_fields(field.fields, row, kind, f"{place}.{number}.", is_final)
    if field.name == "related_persons":
        yield from _check_layers(rows, place, is_final)


def _check_layers(rows: list[SectionData], place: str, is_final: bool) -> Iterator[FieldProblem]:
    """Shares that come to more than the whole of a company, or to a circle, or are held nowhere."""
    placed = parties_of([_owner_row(row) for row in rows])
    links: dict[int, Link] = {}
    for number, (row, (party, held_in)) in enumerate(zip(rows, placed, strict=True)):
        share = row.get("share_bp")
        if held_in is None:
            if is_final:
                yield FieldProblem(f"{place}.{number}.holds_in", ProblemCode.HELD_IN_UNKNOWN)
        elif row.get("role") in ("owner", "holding") and type(share) is int:
            links[number] = Link(party, held_in, share)
    found = look_through(links.values(), companies=())
    if found.over_whole:
        yield FieldProblem(place, ProblemCode.SHARES_EXCEED_WHOLE)
    for number, link in links.items():
        if link in found.loops:
            yield FieldProblem(f"{place}.{number}.holds_in", ProblemCode.OWNERSHIP_LOOP)


def _owner_row(row: SectionData) -> RelatedPersonDraft:
    """As much of a row as says who it is and in what they hold; what is no answer counts as none."""
    said = {name: value for name, value in row.items() if isinstance(value, str)}
    kind, role, born = said.get("identifier_kind", ""), said.get("role", ""), said.get("birth_on", "")
    return RelatedPersonDraft(
        role=PersonRole(role) if role in PERSON_ROLES else PersonRole.DIRECTOR,
        name=said.get("name", ""),
        name_zh=said.get("name_zh", ""),
        birth_on=date.fromisoformat(born) if _is_day(born) else None,
        identifier=IdentifierDraft(IdentifierKind(kind), said.get("identifier_number", ""))
        if kind in IDENTIFIER_KINDS
        else None,
        holds_in=said.get("holds_in", ""),
    )


def check_text(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, str):
        return ProblemCode.WRONG_TYPE
    if len(value) > field.high:
        return ProblemCode.TOO_LONG
    if len(value.strip()) < field.low:
        return ProblemCode.TOO_SHORT
    breaks = "\n\r\t" if field.kind is FieldKind.LONG_TEXT else ""
    if not all(letter.isprintable() or letter in breaks for letter in value):
        return ProblemCode.UNPRINTABLE
    if field.name == "phone" and not PHONE.fullmatch(value.strip()):
        return ProblemCode.NOT_A_PHONE
    return None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_day(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, str) or not _is_day(value):
        return ProblemCode.NOT_A_DAY
    return None if EARLIEST_DAY <= date.fromisoformat(value) <= LATEST_DAY else ProblemCode.DAY_OUT_OF_RANGE


def _check_number(field: Field, value: Plain) -> ProblemCode | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return ProblemCode.WRONG_TYPE
    return None if field.low <= value <= field.high else ProblemCode.OUT_OF_RANGE


def _check_choices(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, list):
        return ProblemCode.WRONG_TYPE
    if len(value) > field.high or len(set(map(str, value))) < len(value):
        return ProblemCode.TOO_MANY_ROWS
    return None if all(item in field.options for item in value) else ProblemCode.NOT_AN_OPTION


def _check_texts(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, list):
        return ProblemCode.WRONG_TYPE
    if len(value) > field.high:
        return ProblemCode.TOO_MANY_ROWS
    line = Field(field.name, FieldKind.TEXT)
    return next((code for item in value if (code := check_text(line, item)) is not None), None)


def _check_agreed(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, bool):
        return ProblemCode.WRONG_TYPE
    return None if value else ProblemCode.MUST_BE_AGREED


_CHECKS: Mapping[FieldKind, Callable[[Field, Plain], ProblemCode | None]] = {
    FieldKind.TEXT: check_text,
    FieldKind.LONG_TEXT: check_text,
    FieldKind.DAY: _check_day,
    FieldKind.COUNTRY: lambda _, value: None if str(value) in COUNTRIES else ProblemCode.NOT_A_COUNTRY,
    FieldKind.CURRENCY: lambda _, value: None if str(value) in MINOR_DIGITS else ProblemCode.NOT_A_CURRENCY,
    FieldKind.MONEY: _check_number,
    FieldKind.SHARE: _check_number,
    FieldKind.NUMBER: _check_number,
    FieldKind.YES_NO: lambda _, value: None if isinstance(value, bool) else ProblemCode.WRONG_TYPE,
    FieldKind.AGREED: _check_agreed,
    FieldKind.CHOICE: lambda field, value: None if value in field.options else ProblemCode.NOT_AN_OPTION,
    FieldKind.CHOICES: _check_choices,
    FieldKind.TEXTS: _check_texts,
}
