"""What is known of a client and of those behind them: in full for the program, masked for people."""

from collections.abc import Collection
from datetime import datetime

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.masking import mask_identifier
from reefpoint.platform.vault.services import open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.models import Profile
from reefpoint.records.parties.rules import is_company, mask_profile, parties_of, profile_from_json
from reefpoint.records.parties.selectors.clients import require_own_or
from reefpoint.records.parties.types import (
    ClientKind,
    IdentifierFacts,
    PersonFacts,
    ProfileDraft,
    ProfileFacts,
    ProfileView,
    RelatedPersonDraft,
    RelatedPersonView,
)


class NoProfile(Refusal):
    """Nothing is on record of this client but the name."""

    code = "no_profile_not_found"


def profile_context(client_id: int, version: int) -> str:
    """The place of a profile, under which it is sealed."""
    return f"client:{client_id}:profile:{version}"


def newest_profiles(client_ids: Collection[int]) -> list[tuple[Profile, ProfileDraft]]:
    rows = list(
        Profile.objects.filter(client_id__in=client_ids, erased_at=None)
        .order_by("client_id", "-version")
        .distinct("client_id")
    )
    plains = open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), profile_context(row.client_id, row.version)) for row in rows]
    )
    return [(row, profile_from_json(plain)) for row, plain in zip(rows, plains, strict=True)]


def find_profile(client_id: int) -> ProfileDraft | None:
    """The newest profile in full, for the program itself: it must not reach a page, a log or an answer."""
    found = newest_profiles([client_id])
    return found[0][1] if found else None


def get_profile(actor: Actor, client_id: int) -> ProfileView | None:
    """The newest profile as it may be shown, masked, to staff in scope or to the client; None before the first.

    Raises `ClientNotFound` outside the scope.
    """
    require_own_or(actor, "clients.view", client_id)
    found = newest_profiles([client_id])
    return _profile_view(*found[0]) if found else None


def _profile_view(row: Profile, profile: ProfileDraft) -> ProfileView:
    born = profile.birth_or_incorporated_on
    return ProfileView(
        **mask_profile(profile),  # type: ignore[arg-type]  # the fields of ProfileDraft, by name
        client_id=row.client_id,
        version=row.version,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        reason=row.reason,
        birth_year=born.year if born and profile.kind is ClientKind.INDIVIDUAL else None,
    )


def load_profiles(client_ids: Collection[int]) -> dict[int, ProfileFacts]:
    """What decisions are made from, by client; clients without a profile are left out. Two queries."""
    return {row.client_id: _facts(row, profile) for row, profile in newest_profiles(client_ids)}


def _facts(row: Profile, profile: ProfileDraft) -> ProfileFacts:
    return ProfileFacts(
        client_id=row.client_id,
        version=row.version,
        recorded_at=row.recorded_at,
        kind=profile.kind,
        name=profile.name,
        name_zh=profile.name_zh,
        former_names=profile.former_names,
        birth_or_incorporated_on=profile.birth_or_incorporated_on,
        nationality=profile.nationality,
        residence=profile.residence,
        tax_countries=tuple(country for country, _number in profile.tax_residences),
        occupation=profile.occupation,
        employer_or_industry=profile.employer_or_industry,
        annual_income_minor=profile.annual_income_minor,
        liquid_assets_minor=profile.liquid_assets_minor,
        net_worth_minor=profile.net_worth_minor,
        currency=profile.currency,
        sources_of_funds=profile.sources_of_funds,
        sources_of_wealth=profile.sources_of_wealth,
        source_note=profile.source_note,
        is_pep_declared=profile.is_pep_declared,
        has_defaulted=profile.has_defaulted,
        is_major_shareholder=profile.is_major_shareholder,
        trading_years=profile.trading_years,
        trades_per_year=profile.trades_per_year,
        products_traded=profile.products_traded,
        expected_turnover_minor=profile.expected_turnover_minor,
        purpose=profile.purpose,
        bank_countries=tuple(sorted({account.country for account in profile.bank_accounts})),
        related_persons=tuple(
            PersonFacts(
                person.role,
                person.name,
                person.name_zh,
                person.birth_on,
                person.nationality,
                person.share_bp,
                party,
                held_in,
                is_company(person),
            )
            for person, (party, held_in) in zip(
                profile.related_persons, parties_of(profile.related_persons), strict=True
            )
        ),
    )


def load_identifiers(client_ids: Collection[int]) -> list[IdentifierFacts]:
    """The numbers of clients and of those behind them in full, for checks by the program alone."""
    found: list[IdentifierFacts] = []
    for row, profile in newest_profiles(client_ids):
        born = profile.birth_or_incorporated_on
        found += [
            IdentifierFacts(row.client_id, None, profile.name, born, identifier) for identifier in profile.identifiers
        ]
        found += [
            IdentifierFacts(row.client_id, person.role, person.name, person.birth_on, person.identifier)
            for person in profile.related_persons
            if person.identifier is not None
        ]
    return found


def list_related_persons(actor: Actor, client_id: int) -> list[RelatedPersonView]:
    """Who stands behind a client or acts for them, as it may be shown. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "clients.view", client_id)
    profile = find_profile(client_id)
    return [_person_view(person) for person in profile.related_persons] if profile else []


def _person_view(person: RelatedPersonDraft) -> RelatedPersonView:
    identifier = person.identifier
    return RelatedPersonView(
        role=person.role,
        name=person.name,
        name_zh=person.name_zh,
        birth_year=person.birth_on.year if person.birth_on else None,
        nationality=person.nationality,
        share_bp=person.share_bp,
        identifier_kind=identifier.kind if identifier else None,
        identifier_masked=mask_identifier(identifier.number) if identifier else "",
        holds_in=person.holds_in,
    )


def load_profile_times(client_ids: Collection[int]) -> dict[int, datetime]:
    """When the newest profile of each of these clients was recorded, without opening any; one query."""
    rows = Profile.objects.filter(client_id__in=client_ids, erased_at=None).order_by("client_id", "-version")
    return dict(rows.distinct("client_id").values_list("client_id", "recorded_at"))
