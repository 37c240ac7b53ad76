"""The facility of an account, and the pool that funds it."""

from collections.abc import Collection

from reefpoint.records.accounts.models import Facility
from reefpoint.records.accounts.types import FacilityFacts


def get_facility(account_id: int) -> FacilityFacts:
    row = Facility.objects.get(account_id=account_id)
    return FacilityFacts(row.number, row.pool_code, row.commitment_minor, row.drawn_minor, row.held_minor)


def facility_of(account_ids: Collection[int]) -> dict[int, FacilityFacts]:
    """The facility of each of these accounts, by account id."""
    rows = Facility.objects.filter(account_id__in=account_ids)
    return {
        row.account_id: FacilityFacts(row.number, row.pool_code, row.commitment_minor, row.drawn_minor, row.held_minor)
        for row in rows
    }


def pool_codes(account_ids: Collection[int]) -> dict[int, str]:
    """The funding pool behind each account's facility, by account id."""
    return dict(Facility.objects.filter(account_id__in=account_ids).values_list("account_id", "pool_code"))
