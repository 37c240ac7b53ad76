"""What is looked up for the pre-screen: licences, identifiers, the questionnaire, and clients who look the same."""

from collections.abc import Sequence
from datetime import date, datetime

from reefpoint.decisions.suitability.selectors import find_assessment
from reefpoint.flows.origination.rules.overview import OFFERING
from reefpoint.platform.basics.identifiers import read_identifier
from reefpoint.records.parties.selectors.licences import find_licence
from reefpoint.records.parties.selectors.traits import list_clients_sharing, list_clients_with_documents_of
from reefpoint.records.parties.services import trait_digest
from reefpoint.records.parties.types import ClientKind, ProfileDraft, TraitKind


def has_questionnaire(client_id: int, on: date) -> bool:
    """Whether the client's answers to the questionnaire are on record and still count on a day."""
    found = find_assessment(client_id)
    return found is not None and found.expires_on >= on


def unlicensed_places(places: Sequence[str], *, on: date, at: datetime) -> tuple[str, ...]:
    """Jurisdictions in which no licence to offer is valid now (I68)."""
    return tuple(place for place in places if find_licence(jurisdiction=place, activity=OFFERING, on=on, at=at) is None)


def find_wrong_identifiers(profile: ProfileDraft, on: date) -> tuple[str, ...]:
    """The kinds of identifiers whose number fails its own check, or that have expired."""
    born = profile.birth_or_incorporated_on if profile.kind is ClientKind.INDIVIDUAL else None
    return tuple(
        one.kind.value
        for one in profile.identifiers
        if read_identifier(one.kind, one.number, on=on, birth_on=born, expires_on=one.expires_on).problems
    )


def has_twins(client_id: int, profile: ProfileDraft) -> bool:
    """Whether another client has one of these identifiers or bank accounts."""
    return bool(_others_with(client_id, _papers_of(profile)))


def count_sharing_details(client_id: int, profile: ProfileDraft) -> int:
    """How many other clients have an identifier, the phone, a bank account or the very file of this one."""
    details = [*_papers_of(profile), (TraitKind.PHONE, profile.phone)]
    return len(_others_with(client_id, details) | list_clients_with_documents_of(client_id))


def _papers_of(profile: ProfileDraft) -> list[tuple[TraitKind, str]]:
    papers = [(TraitKind.IDENTIFIER, f"{one.kind}{one.number}") for one in profile.identifiers]
    return papers + [(TraitKind.BANK_ACCOUNT, one.number) for one in profile.bank_accounts]


def _others_with(client_id: int, details: Sequence[tuple[TraitKind, str]]) -> set[int]:
    shared = list_clients_sharing([(kind, trait_digest(kind, value)) for kind, value in details if value])
    return {trait.client_id for trait in shared if trait.client_id != client_id and trait.until is None}
