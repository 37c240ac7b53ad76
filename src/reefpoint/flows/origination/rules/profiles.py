"""What the answers of an application say of a client, as the records keep it."""

from collections.abc import Mapping
from datetime import date

from reefpoint.flows.origination.types.questions import Plain, Section, SectionData
from reefpoint.records.parties.types import (
    BankAccountDraft,
    ClientKind,
    IdentifierDraft,
    IdentifierKind,
    PersonRole,
    ProfileDraft,
    RelatedPersonDraft,
)


def profile_of(kind: ClientKind, sections: Mapping[Section, SectionData]) -> ProfileDraft:
    """What the answers say of the client, as the records keep it. The sections must be free of wrong answers."""
    said: dict[str, Plain] = {}
    for data in sections.values():
        said |= data

    def text(name: str) -> str:
        return str(said.get(name) or "")

    def number(name: str) -> int | None:
        value = said.get(name)
        return value if isinstance(value, int) else None

    def declared(name: str) -> bool | None:
        value = said.get(name)
        return value if isinstance(value, bool) else None

    def texts(name: str) -> tuple[str, ...]:
        return tuple(map(str, said.get(name) or ()))  # type: ignore[arg-type]  # checked to be a list

    return ProfileDraft(
        kind=kind,
        name=text("name"),
        name_zh=text("name_zh"),
        former_names=texts("former_names"),
        birth_or_incorporated_on=_day(said.get("birth_or_incorporated_on")),
        nationality=text("nationality"),
        residence=text("residence"),
        address=text("address"),
        phone=text("phone"),
        tax_residences=tuple(
            (str(one.get("country", "")), str(one.get("tax_number", ""))) for one in _rows(said, "tax_residences")
        ),
        occupation=text("occupation"),
        employer_or_industry=text("employer_or_industry"),
        annual_income_minor=number("annual_income_minor"),
        liquid_assets_minor=number("liquid_assets_minor"),
        net_worth_minor=number("net_worth_minor"),
        currency=text("currency") or "USD",
        sources_of_funds=texts("sources_of_funds"),
        sources_of_wealth=texts("sources_of_wealth"),
        source_note=text("source_note"),
        is_pep_declared=declared("is_pep_declared"),
        has_defaulted=declared("has_defaulted"),
        is_major_shareholder=declared("is_major_shareholder"),
        trading_years=number("trading_years"),
        trades_per_year=number("trades_per_year"),
        products_traded=texts("products_traded"),
        expected_turnover_minor=number("expected_turnover_minor"),
        purpose=text("purpose"),
        identifiers=tuple(
            IdentifierDraft(
                IdentifierKind(str(one["kind"])),
                str(one["number"]),
                str(one.get("country", "")),
                _day(one.get("issued_on")),
                _day(one.get("expires_on")),
            )
            for one in _rows(said, "identifiers")
        ),
        bank_accounts=tuple(
            BankAccountDraft(
                *(
                    str(one.get(name, ""))
                    for name in ("country", "bank_name", "bank_code", "holder_name", "number", "currency")
                )
            )
            for one in _rows(said, "bank_accounts")
        ),
        related_persons=tuple(_person(one) for one in _rows(said, "related_persons")),
    )


def _rows(said: Mapping[str, Plain], name: str) -> list[dict[str, Plain]]:
    rows = said.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _day(value: Plain) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _person(said: Mapping[str, Plain]) -> RelatedPersonDraft:
    share = said.get("share_bp")
    return RelatedPersonDraft(
        role=PersonRole(str(said["role"])),
        name=str(said["name"]),
        name_zh=str(said.get("name_zh", "")),
        birth_on=_day(said.get("birth_on")),
        nationality=str(said.get("nationality", "")),
        share_bp=share if isinstance(share, int) else None,
        identifier=IdentifierDraft(
            IdentifierKind(str(said["identifier_kind"])),
            str(said["identifier_number"]),
            str(said.get("identifier_country", "")),
        ),
        holds_in=str(said.get("holds_in", "")),
    )
