"""Changing what is on record of a client, a section at a time, by staff who see numbers and contacts masked."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime

from django.db import transaction

from reefpoint.flows.origination.rules.answers import check_section, clean_section
from reefpoint.flows.origination.rules.pre_screen import is_own_name
from reefpoint.flows.origination.rules.profiles import profile_of
from reefpoint.flows.origination.rules.questions import FIELDS, fields_of
from reefpoint.flows.origination.services.writing import SectionMalformed
from reefpoint.flows.origination.types.questions import FieldProblem, Plain, ProblemCode, Section, SectionData
from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.masking import HIDDEN
from reefpoint.records.parties.rules import profile_to_json
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.parties.selectors.profiles import find_profile, get_profile
from reefpoint.records.parties.services import record_profile
from reefpoint.records.parties.types import ClientView, ProfileDraft

PROFILE_NAMES = frozenset(field.name for field in fields(ProfileDraft))
SECTIONS = tuple(section for section, asked in FIELDS.items() if any(field.name in PROFILE_NAMES for field in asked))
"""The sections of an application that a profile keeps something of."""


MASKED_NAMES = frozenset({"phone", "address", "number", "tax_number", "identifier_number"})
"""What staff see masked."""


class ProfileMoved(Refusal):
    """Somebody else put a new version on record since the form was opened."""

    code = "profile_moved"


def get_profile_section(actor: Actor, client_id: int, section: Section) -> tuple[SectionData, int]:
    """What is on record of a section, masked, and the version it is of; 0 before the first. Raises `ClientNotFound`."""
    require(actor, "clients.change_profile")
    client = get_client(actor, client_id)
    shown = get_profile(actor, client_id)
    return _section_of(shown or _empty(client), section), shown.version if shown else 0


@transaction.atomic
def change_profile(
    *,
    actor: Actor,
    client_id: int,
    section: Section,
    data: Mapping[str, Plain],
    removed: str = "",
    version: int,
    reason: str,
    at: datetime,
) -> int:
    """Put a section's answers on record in a new version of the profile; returns the version.

    An answer that is the mask that was shown stays what is on record. `removed` names a row to take out
    (`bank_accounts.1`). A missing answer may stay missing; one that is none is refused (`SectionMalformed`). Raises
    `ReasonNeeded`, `ProfileMoved`, `ClientNotFound`.
    """
    require(actor, "clients.change_profile")
    client = get_client(actor, client_id)
    if not reason.strip():
        raise ReasonNeeded("Say why the profile changes: it stands with the new version.")
    shown = get_profile(actor, client_id)
    if (shown.version if shown else 0) != version:
        raise ProfileMoved("Somebody changed this profile meanwhile. Look at it as it is now, then change it.")
    held = find_profile(client_id) or _empty(client)
    full, masked = _section_of(held, section), _section_of(shown or held, section)
    answers = _without_row(_kept(dict(data), masked, full), removed)
    cleaned = clean_section(section, answers, held.kind)
    problems = [
        problem
        for problem in check_section(section, {**answers, **cleaned}, held.kind, is_final=False)
        if problem.field.partition(".")[0] in PROFILE_NAMES
    ]
    problems += [FieldProblem(path, ProblemCode.UNPRINTABLE) for path in _masks_in(cleaned)]
    problems += [
        FieldProblem(f"{name}.{number}.{missing}", ProblemCode.MISSING)
        for name, number, missing in _rows_without(cleaned)
    ]
    names = (str(cleaned.get("name", held.name)), str(cleaned.get("name_zh", held.name_zh)))
    problems += [
        FieldProblem(f"bank_accounts.{number}.holder_name", ProblemCode.NOT_OWN_NAME)
        for number, row in enumerate(_rows(cleaned.get("bank_accounts")))
        if not is_own_name(str(row.get("holder_name", "")), names)
    ]
    if not cleaned.get("name", held.name if section is not Section.IDENTITY else ""):
        problems.append(FieldProblem("name", ProblemCode.MISSING))
    if problems:
        raise SectionMalformed(problems)
    said = profile_of(held.kind, {section: cleaned})
    asked = {field.name for field in fields_of(section, held.kind)} & PROFILE_NAMES
    draft = replace(held, **{name: getattr(said, name) for name in asked})
    return record_profile(actor=actor, client_id=client_id, draft=draft, reason=reason.strip()[:200], at=at)


def _empty(client: ClientView) -> ProfileDraft:
    return ProfileDraft(kind=client.kind, name=client.name, name_zh=client.name_zh)


def _section_of(profile: ProfileDraft, section: Section) -> SectionData:
    """The section's answers as the profile holds them."""
    plain = json.loads(profile_to_json(_draft_in(profile)))
    plain["tax_residences"] = [{"country": country, "tax_number": number} for country, number in profile.tax_residences]
    plain["related_persons"] = [_person_row(row) for row in plain["related_persons"]]
    names = {field.name for field in fields_of(section, profile.kind)} & PROFILE_NAMES
    return clean_section(section, {name: plain[name] for name in names}, profile.kind)


def _draft_in(profile: ProfileDraft) -> ProfileDraft:
    """The draft in a view of a profile."""
    return ProfileDraft(**{name: getattr(profile, name) for name in PROFILE_NAMES})


def _person_row(row: dict[str, Plain]) -> dict[str, Plain]:
    held = row.pop("identifier", None)
    identifier = held if isinstance(held, dict) else {}
    return row | {f"identifier_{name}": identifier.get(name) for name in ("kind", "number", "country")}


def _kept(data: SectionData, masked: SectionData, full: SectionData) -> SectionData:
    """The answers, with what is on record where the mask of it came back unchanged."""
    kept: SectionData = {}
    for name in {**full, **data}:
        value = data.get(name)
        rows, shown, held = value, masked.get(name), full.get(name)
        if _is_rows(held) or _is_rows(value):
            before = list(zip(_rows(shown), _rows(held), strict=True))
            kept[name] = [
                _kept(row, *before[number]) if number < len(before) else row for number, row in enumerate(_rows(rows))
            ]
        else:
            kept[name] = held if value == shown else value
    return kept


def _is_rows(value: Plain) -> bool:
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)


def _rows(value: Plain) -> list[dict[str, Plain]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _without_row(data: SectionData, removed: str) -> SectionData:
    name, _dot, number = removed.partition(".")
    rows = data.get(name)
    if isinstance(rows, list) and number.isascii() and number.isdigit() and int(number) < len(rows):
        return {**data, name: rows[: int(number)] + rows[int(number) + 1 :]}
    return data


def _masks_in(data: Mapping[str, Plain], prefix: str = "") -> list[str]:
    """Where a part of a mask would be put on record."""
    found = []
    for name, value in data.items():
        if name in MASKED_NAMES and isinstance(value, str) and HIDDEN in value:
            found.append(prefix + name)
        for number, row in enumerate(_rows(value)):
            found += _masks_in(row, f"{prefix}{name}.{number}.")
    return found


NEEDED_IN_ROWS = {
    "identifiers": ("kind", "number"),
    "bank_accounts": ("country", "bank_name", "holder_name", "number", "currency"),
    "related_persons": ("role", "name", "identifier_kind", "identifier_number"),
    "tax_residences": ("country",),
}
"""Without these a row says nothing that could be kept."""


def _rows_without(data: SectionData) -> list[tuple[str, int, str]]:
    return [
        (name, number, missing)
        for name, needed in NEEDED_IN_ROWS.items()
        for number, row in enumerate(_rows(data.get(name)))
        for missing in needed
        if not row.get(missing)
    ]
