"""A decision on an application: what it rests on, why it is a no, and the letter."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reefpoint.flows.origination.types.applications import ApplicationState


class RefusalReason(StrEnum):
    """Why an application is refused. What may not be told (`rules.decisions.KEPT_REASONS`) reads as neutral words."""

    INCOMPLETE = "incomplete"
    UNDER_AGE = "under_age"
    COUNTRY_NOT_SERVED = "country_not_served"
    NO_LICENCE = "no_licence"
    IDENTITY_NOT_VERIFIED = "identity_not_verified"
    FUNDS_NOT_EXPLAINED = "funds_not_explained"
    NOT_SUITABLE = "not_suitable"
    THIRD_PARTY_MONEY = "third_party_money"
    PAST_DEFAULT = "past_default"
    BUSINESS = "business"
    SCREENING = "screening"
    MONITORING = "monitoring"
    PROHIBITED_RISK = "prohibited_risk"


class Blocker(StrEnum):
    """What stands against accepting a client."""

    NOT_IN_REVIEW = "not_in_review"
    CLIENT_NOT_PROSPECT = "client_not_prospect"
    PRE_SCREEN_STOPPED = "pre_screen_stopped"
    DOCUMENTS_MISSING = "documents_missing"
    QUESTIONNAIRE_MISSING = "questionnaire_missing"
    NEVER_SCREENED = "never_screened"
    NO_LIST = "no_list"
    OPEN_HITS = "open_hits"
    CONFIRMED_HIT = "confirmed_hit"
    NOT_ASSESSED = "not_assessed"
    PROHIBITED = "prohibited"
    IDENTITY_CHECKS_FAILED = "identity_checks_failed"
    OPEN_ALERT = "open_alert"
    NO_LICENCE = "no_licence"


@dataclass(frozen=True)
class ReviewFacts:
    """All that a decision on an application rests on, as numbers, codes and versions; stored with it (I60).

    `rating` is that of the KYC assessment (`low`, `standard`, `high`, `prohibited`), empty without one; `screening` the
    standing (`clear`, `open_hits`, `confirmed`, `never`), `list_versions` the lists that the names were held against.
    `is_kyc_clean`: no check of identity failed.
    """

    application_id: int
    state: str
    client_status: str
    profile_version: int
    pre_screen_number: int
    pre_screen_outcome: str
    documents: tuple[str, ...]
    documents_missing: tuple[str, ...]
    rating: str
    assessment_id: int
    is_kyc_clean: bool
    screening: str
    screened_at: str
    list_versions: tuple[str, ...]
    suitability: str
    suitability_id: int
    blocking_alerts: int
    group_size: int
    licence_number: str
    scheme_code: str
    loan_wanted_minor: int


@dataclass(frozen=True)
class Letter:
    """A letter as it would be sent in one language; `is_theirs` is the language in which the client is written to."""

    language: str
    subject: str
    body: str
    is_theirs: bool


@dataclass(frozen=True)
class DecisionView:
    """A decision as it was taken. `reasons` are empty for who may not read why (tipping off)."""

    outcome: ApplicationState
    at: datetime
    decided_by: str
    approved_by: str
    reasons: tuple[RefusalReason, ...]
    note: str
    told: str
    fingerprint: str
    rules_version: int
