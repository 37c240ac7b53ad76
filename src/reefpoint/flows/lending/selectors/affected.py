"""Whom the withdrawal of a scheme version touches: asks, offers, signed contracts that wait for money, and loans."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from reefpoint.decisions.pricing.selectors.quotes import count_valid_quotes
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.types import CreditState
from reefpoint.records.accounts.selectors.loans import count_loans_under
from reefpoint.records.products.selectors import SchemeVersionNotFound, get_version, list_schemes
from reefpoint.records.products.types import VersionState

STOPPED = (CreditState.OFFERED, CreditState.SIGNED, CreditState.APPROVED_TO_FUND, CreditState.FAILED)
"""Where a request has its version and no money yet: it goes no further on that version."""


@dataclass(frozen=True)
class WithdrawalEffect:
    """What is under a version. `asks` name the scheme and no version yet; `loans` keep their terms and are not touched.

    `next_version` would be offered in its place; without any other version, asks, offers and signed contracts end.
    """

    asks: int
    quotes: int
    offers: int
    signed: int
    loans: int
    next_version: int | None

    def payload(self) -> dict[str, int]:
        """The counts as a second person sees them; 0 is no further version."""
        return {**vars(self), "next_version": self.next_version or 0}


def find_withdrawal_effect(version_id: int, *, on: date, at: datetime) -> WithdrawalEffect:
    """Whom it would touch to offer a version no longer. Raises `SchemeVersionNotFound`."""
    version = get_version(version_id)
    stopped = list(stopped_requests(version_id).values_list("state", "client_signed_at"))
    unsigned = sum(state == CreditState.OFFERED and signed is None for state, signed in stopped)
    return WithdrawalEffect(
        asks=asks_under(version.scheme_code).count(),
        quotes=count_valid_quotes(version_id, at),
        offers=unsigned,
        signed=len(stopped) - unsigned,
        loans=count_loans_under(version_id),
        next_version=find_next_version(version_id, on),
    )


def asks_under(scheme_code: str) -> QuerySet[CreditRequest]:
    """Requests under a scheme that no version was offered for yet."""
    return CreditRequest.objects.filter(scheme_code=scheme_code, scheme_version=None, state__in=rules.LIVE)


def stopped_requests(version_id: int) -> QuerySet[CreditRequest]:
    """Requests that cannot go on under a withdrawn version."""
    return CreditRequest.objects.filter(scheme_version_id=version_id, state__in=[one.value for one in STOPPED])


def has_other_version(version_id: int) -> bool:
    """Whether the scheme has another published version, in force now or later."""
    scheme_id = get_version(version_id).scheme_id
    versions = next((one.versions for one in list_schemes() if one.id == scheme_id), ())
    return any(one.state is VersionState.PUBLISHED and one.id != version_id for one in versions)


def find_next_version(version_id: int, on: date) -> int | None:
    """The number of the version that is in force once this one is gone; None without any."""
    version = get_version(version_id)
    found = next((one for one in list_schemes() if one.id == version.scheme_id), None)
    if found is None:
        raise SchemeVersionNotFound("There is no scheme version {version_id}.", version_id=version_id)
    rest = [
        (one.effective_from, one.version)
        for one in found.versions
        if one.state is VersionState.PUBLISHED and one.effective_from <= on and one.id != version_id
    ]
    return max(rest)[1] if rest else None
