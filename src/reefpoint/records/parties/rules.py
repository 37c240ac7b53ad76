"""What follows from what a client says, which licence opens what, and how long the law has data kept."""

import json
import re
import unicodedata
from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from reefpoint.platform.basics.letters import Texts
from reefpoint.platform.basics.masking import mask_account, mask_email, mask_identifier, mask_phone, mask_text
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.parties.types import (
    Activity,
    BankAccountDraft,
    ClientKind,
    ClientStatus,
    DocumentKind,
    IdentifierDraft,
    IdentifierKind,
    LicenceStanding,
    LicenceView,
    PersonRole,
    ProfileDraft,
    RelatedPersonDraft,
    Retention,
    RetentionRule,
    TraitKind,
)

CLIENT_STATES = StateTable(
    subject="client",
    initial=ClientStatus.PROSPECT,
    moves={
        ClientStatus.PROSPECT: frozenset({ClientStatus.ACTIVE, ClientStatus.BLOCKED, ClientStatus.CLOSED}),
        ClientStatus.ACTIVE: frozenset({ClientStatus.BLOCKED, ClientStatus.CLOSED}),
        ClientStatus.BLOCKED: frozenset({ClientStatus.PROSPECT, ClientStatus.ACTIVE, ClientStatus.CLOSED}),
        ClientStatus.CLOSED: frozenset({ClientStatus.PROSPECT}),
    },
)


# Profiles: stored as JSON under a seal


def profile_to_json(profile: ProfileDraft) -> bytes:
    """A profile as canonical JSON: the same profile gives the same bytes."""
    plain = {field.name: getattr(profile, field.name) for field in fields(ProfileDraft)}
    plain |= {name: [asdict(item) for item in plain[name]] for name in _PARTS}
    return json.dumps(plain, default=date.isoformat, ensure_ascii=False, sort_keys=True).encode()


def profile_from_json(content: bytes) -> ProfileDraft:
    """The profile that `profile_to_json` wrote; a field added since takes its default."""
    data = json.loads(content)
    known = {field.name for field in fields(ProfileDraft)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name in known
    }
    values["kind"] = ClientKind(data["kind"])
    values["birth_or_incorporated_on"] = _day(data["birth_or_incorporated_on"])
    values["tax_residences"] = tuple((country, number) for country, number in data["tax_residences"])
    values["identifiers"] = tuple(_identifier(item) for item in data["identifiers"])
    values["bank_accounts"] = tuple(BankAccountDraft(**item) for item in data["bank_accounts"])
    values["related_persons"] = tuple(
        RelatedPersonDraft(
            **{
                **item,
                "role": PersonRole(item["role"]),
                "birth_on": _day(item["birth_on"]),
                "identifier": _identifier(item["identifier"]) if item["identifier"] else None,
            }
        )
        for item in data["related_persons"]
    )
    return ProfileDraft(**values)


_PARTS = ("identifiers", "bank_accounts", "related_persons")


def bank_account_to_json(account: BankAccountDraft) -> bytes:
    """A bank account as canonical JSON."""
    return json.dumps(asdict(account), ensure_ascii=False, sort_keys=True).encode()


def bank_account_from_json(content: bytes) -> BankAccountDraft:
    """The account that `bank_account_to_json` wrote."""
    return BankAccountDraft(**json.loads(content))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _identifier(item: Mapping[str, str | None]) -> IdentifierDraft:
    return IdentifierDraft(
        kind=IdentifierKind(str(item["kind"])),
        number=str(item["number"]),
        country=item["country"] or "",
        issued_on=_day(item["issued_on"]),
        expires_on=_day(item["expires_on"]),
    )


def changed_fields(before: ProfileDraft | None, after: ProfileDraft) -> tuple[str, ...]:
    """The names of the fields in which two profiles differ; all of them for a first one."""
    names = [field.name for field in fields(ProfileDraft)]
    return tuple(name for name in names if before is None or getattr(before, name) != getattr(after, name))


# Traits: what two clients may share


def normalise(kind: TraitKind, value: str) -> str:
    """A value as it is compared: what people write differently and mean alike becomes one text; empty for nothing."""
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    if kind is TraitKind.PHONE:
        return re.sub(r"\D", "", text).removeprefix("00")
    if kind in {TraitKind.EMAIL, TraitKind.DEVICE, TraitKind.IP_DAY}:
        return text
    return "".join(char for char in text if char.isalnum())


_TRAIT_OF_ROLE = {
    PersonRole.OWNER: TraitKind.OWNER,
    PersonRole.HOLDING: TraitKind.OWNER,
    PersonRole.SIGNATORY: TraitKind.SIGNATORY,
    PersonRole.LEGAL_REPRESENTATIVE: TraitKind.SIGNATORY,
    PersonRole.ATTORNEY: TraitKind.ATTORNEY,
}

PROFILE_TRAITS = frozenset(TraitKind) - {TraitKind.DEVICE, TraitKind.IP_DAY}
"""Kinds that follow from the profile and the e-mail address; the others from what a client does."""

TECHNICAL_TRAITS = frozenset(TraitKind) - PROFILE_TRAITS


def traits_of(profile: ProfileDraft, email: str) -> dict[tuple[TraitKind, str], str]:
    """What a profile gives to share: (kind, normalised value) -> masked text."""
    raw: list[tuple[TraitKind, str, str]] = [
        (TraitKind.EMAIL, email, mask_email(email)),
        (TraitKind.PHONE, profile.phone, mask_phone(profile.phone)),
        (TraitKind.ADDRESS, profile.address, mask_text(profile.address)),
        *((TraitKind.BANK_ACCOUNT, account.number, mask_account(account.number)) for account in profile.bank_accounts),
        *(
            (TraitKind.IDENTIFIER, f"{item.kind}{item.number}", mask_identifier(item.number))
            for item in profile.identifiers
        ),
        *(
            (_TRAIT_OF_ROLE[person.role], _person_text(person), person.name[:80])
            for person in profile.related_persons
            if person.role in _TRAIT_OF_ROLE
        ),
    ]
    found = {(kind, normalise(kind, value)): masked[:80] for kind, value, masked in raw}
    return {key: masked for key, masked in found.items() if key[1]}


def mask_trait(kind: TraitKind, value: str) -> str:
    """How a trait that a client's acts show is written for people."""
    return mask_identifier(value)[:80] if kind is TraitKind.DEVICE else mask_text(value)


def _person_text(person: RelatedPersonDraft) -> str:
    if person.identifier is not None and person.identifier.number:
        return f"{person.identifier.kind}{person.identifier.number}"
    return f"{person.name}{person.birth_on or ''}"


# Layers of ownership


COMPANY_NUMBERS = frozenset({IdentifierKind.CN_USCC, IdentifierKind.LEI, IdentifierKind.US_EIN})
"""Numbers that no natural person has."""
OWNING = frozenset({PersonRole.OWNER, PersonRole.HOLDING})
"""The roles that hold a share."""


def is_company(person: RelatedPersonDraft) -> bool:
    """Whether an owner is a company behind which somebody else stands, by the role or by the kind of number."""
    by_number = person.identifier is not None and person.identifier.kind in COMPANY_NUMBERS
    return person.role is PersonRole.HOLDING or (person.role is PersonRole.OWNER and by_number)


def parties_of(persons: Sequence[RelatedPersonDraft]) -> list[tuple[int, int | None]]:
    """For each row: who it is, numbered from 1 by the first row that names them, and in whom they hold (0: the client).

    The same number of an authority, or without one the same name and birth, is the same party. A company in between is
    found by its name, as people write it; None where no row or more than one party has that name.
    """
    numbers: dict[tuple[bool, str], int] = {}
    found = [
        numbers.setdefault(
            (person.role in OWNING, normalise(TraitKind.OWNER, _person_text(person)) or f"row {row}"), row
        )
        for row, person in enumerate(persons, start=1)
    ]
    named: dict[str, set[int]] = {}
    for person, party in zip(persons, found, strict=True):
        if is_company(person):
            for name in (person.name, person.name_zh):
                named.setdefault(normalise(TraitKind.OWNER, name), set()).add(party)
    placed: list[tuple[int, int | None]] = []
    for person, party in zip(persons, found, strict=True):
        wanted = normalise(TraitKind.OWNER, person.holds_in) if person.role in OWNING else ""
        among = named.get(wanted, set())
        placed.append((party, 0 if not wanted else next(iter(among)) if len(among) == 1 else None))
    return placed


# Documents


FILE_BYTES_MAX = 10_000_000
PDF_PAGES_MAX = 300
FILE_NAME_CHARS_MAX = 120
KEPT_BY_LAW = frozenset(DocumentKind) - {DocumentKind.OTHER}
"""Documents that show who somebody is or where money came from; anything else is erased when it is asked for."""


def clean_file_name(name: str, suffix: str) -> str:
    """A file's name without folders and control characters, ending in the suffix that its content has."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    # category C: control, format (such as right-to-left override), surrogate, private use, unassigned
    kept = "".join(char for char in base if unicodedata.category(char)[0] != "C" and char not in '<>:"|?*;%')
    stem = kept.rsplit(".", 1)[0].strip(" .")[: FILE_NAME_CHARS_MAX - len(suffix)]
    return (stem or "document") + suffix


# Licences


PERMITS: Mapping[str, Mapping[str, frozenset[Activity]]] = {
    "US": {
        "us.broker_dealer": frozenset(Activity),
        "us.bank": frozenset(Activity),
        "us.nonbank_lender": frozenset(Activity),
    },
    "HK": {
        "hk.type_8_margin_financing": frozenset(Activity),
        "hk.type_1_dealing": frozenset(Activity),
        "hk.authorized_institution": frozenset(Activity),
    },
    "CN": {"cn.securities_company_margin_financing": frozenset(Activity)},
}
"""Which kind of authorisation opens which activities, by jurisdiction. What is not in here opens nothing.

Mainland China: Securities Law of the PRC (2019) Art. 120 lets securities companies alone finance margin; private funds,
micro-lenders, platforms that match money and consultancies have no row, and the database refuses one (`cn.refuse.r01`).
"""

TIME_ZONES: Mapping[str, ZoneInfo] = {
    "US": ZoneInfo("America/New_York"),
    "HK": ZoneInfo("Asia/Hong_Kong"),
    "CN": ZoneInfo("Asia/Shanghai"),
}
"""Where the day of a jurisdiction ends: a licence runs out at midnight there."""


def permits_for(jurisdiction: str, activity: str) -> list[str]:
    """The kinds of authorisation that open this activity in this jurisdiction."""
    return sorted(permit for permit, opens in PERMITS.get(jurisdiction, {}).items() if activity in opens)


def local_day(jurisdiction: str, at: datetime) -> date:
    """The date at an instant where the jurisdiction is. Raises `KeyError` for one that the table does not name."""
    return at.astimezone(TIME_ZONES[jurisdiction]).date()


def licence_standing(licence: LicenceView, at: datetime) -> LicenceStanding:
    """How a licence stands at an instant."""
    if licence.activity not in PERMITS.get(licence.jurisdiction, {}).get(licence.permit, frozenset()):
        return LicenceStanding.UNSPECIFIED
    if licence.revoked_at is not None and licence.revoked_at <= at:
        return LicenceStanding.REVOKED
    day = local_day(licence.jurisdiction, at)
    if day < licence.valid_from:
        return LicenceStanding.PLANNED
    return LicenceStanding.ACTIVE if licence.valid_to is None or day <= licence.valid_to else LicenceStanding.EXPIRED


# Retention and erasure


def add_months(on: date, months: int) -> date:
    """The same day so many months later, or the month's last one."""
    years, month = divmod(on.month - 1 + months, 12)
    year, month = on.year + years, month + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))


def retentions(
    rules: Iterable[RetentionRule], *, ended_on: date | None, decided_on: date | None
) -> dict[DataCategory, Retention]:
    """How long each category is kept: of all rules that apply the longest wins.

    `ended_on` is when the relationship ended, None if there never was one: then only the rules on applications apply,
    from `decided_on`. Technical data has no rule and is kept by nothing.
    """
    starts = {
        DataCategory.IDENTITY: ended_on,
        DataCategory.ACCOUNT: ended_on,
        DataCategory.DILIGENCE: ended_on,
        DataCategory.APPLICATION: ended_on or decided_on,
    }
    found: dict[DataCategory, Retention] = {}
    for category in DataCategory:
        start = starts.get(category)
        applying = [rule for rule in rules if rule.category is category] if start else []
        longest = max((rule.months for rule in applying), default=0)
        found[category] = Retention(
            category=category,
            until=add_months(start, longest) if start and longest else None,
            rules=tuple(sorted(applying, key=lambda rule: (-rule.months, rule.id))),
        )
    return found


def kept_until(found: Mapping[DataCategory, Retention], categories: Collection[DataCategory], on: date) -> date | None:
    """The last day on which any of these categories must still be kept, None if that is over on `on`."""
    days = [found[category].until for category in categories]
    last = max((day for day in days if day is not None), default=None)
    return last if last is not None and last >= on else None


# Masked views


def masked_pairs(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """(country, number) pairs with the numbers masked."""
    return tuple((country, mask_identifier(number)) for country, number in pairs)


def mask_profile(profile: ProfileDraft) -> dict[str, object]:
    """The fields of a profile as they are shown to whoever may see the client: nothing that identifies in full."""
    shown: dict[str, object] = {field.name: getattr(profile, field.name) for field in fields(ProfileDraft)}
    is_person = profile.kind is ClientKind.INDIVIDUAL
    return shown | {
        "birth_or_incorporated_on": None if is_person else profile.birth_or_incorporated_on,
        "address": mask_text(profile.address),
        "phone": mask_phone(profile.phone),
        "tax_residences": masked_pairs(profile.tax_residences),
        "identifiers": tuple(mask_identifier_draft(item) for item in profile.identifiers),
        "bank_accounts": tuple(
            BankAccountDraft(**{**asdict(account), "number": mask_account(account.number)})
            for account in profile.bank_accounts
        ),
        "related_persons": tuple(
            RelatedPersonDraft(
                role=person.role,
                name=person.name,
                name_zh=person.name_zh,
                nationality=person.nationality,
                share_bp=person.share_bp,
                identifier=mask_identifier_draft(person.identifier) if person.identifier else None,
                holds_in=person.holds_in,
            )
            for person in profile.related_persons
        ),
    }


def mask_identifier_draft(item: IdentifierDraft) -> IdentifierDraft:
    """An identifier with its number masked."""
    return IdentifierDraft(item.kind, mask_identifier(item.number), item.country, item.issued_on, item.expires_on)


def unmaskable(profile: ProfileDraft, email: str, accounts: Mapping[int, BankAccountDraft]) -> dict[str, str]:
    """What can be shown in full on request, by field: `phone`, `identifier:0`, `bank:17` (its id), `person:0`."""
    born = profile.birth_or_incorporated_on
    found = {"email": email, "phone": profile.phone, "address": profile.address}
    if born is not None and profile.kind is ClientKind.INDIVIDUAL:
        found["birth"] = born.isoformat()
    found |= {f"identifier:{n}": item.number for n, item in enumerate(profile.identifiers)}
    found |= {f"tax:{n}": number for n, (_country, number) in enumerate(profile.tax_residences)}
    found |= {f"bank:{key}": account.number for key, account in accounts.items()}
    found |= {
        f"person:{n}": person.identifier.number
        for n, person in enumerate(profile.related_persons)
        if person.identifier is not None
    }
    return {field: value for field, value in found.items() if value}


# Letters

INVITATION: Texts = {
    "en": (
        "Your access to our client portal",
        "Dear {name},\n\nWe have opened our client portal for you. There you see your application and your contracts, "
        "sign, and ask for credit.\n\nSign up on our website with this e-mail address, before the end of {until}. You "
        "are then asked whether to connect the sign-in with your records. We never ask for your password.\n",
    ),
    "zh-hans": (
        "邀请您使用客户门户",
        "尊敬的{name}：\n\n我们已为您开通客户门户。您可在门户查看申请和合同、签署文件并提出融资申请。\n\n"
        "请在 {until} 前用本邮箱在我们的网站注册，登录后按提示确认，即可看到您的资料。我们绝不会向您索要密码。\n",
    ),
}
"""The letter that invites a client to the portal."""
