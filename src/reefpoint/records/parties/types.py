"""Clients, what is known of them, and licences, as other parts see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.masking import mask_email
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.platform.vault.types import SealedTable


class ClientKind(StrEnum):
    INDIVIDUAL = "individual"
    INSTITUTION = "institution"


class ClientStatus(StrEnum):
    """A prospect applies, an active client may do business, a blocked or closed one may not."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    BLOCKED = "blocked"
    CLOSED = "closed"


@dataclass(frozen=True)
class ClientDraft:
    """A client to be registered."""

    name: str
    email: str
    name_zh: str = ""
    kind: ClientKind = ClientKind.INDIVIDUAL
    language: str = "en"
    relationship_manager_id: int | None = None


@dataclass(frozen=True)
class ClientView:
    """A registered client. `relationship_manager_id` is a user id; `accepted_on` is None for who never was a client."""

    id: int
    number: str
    name: str
    name_zh: str
    email: str
    kind: ClientKind
    language: str
    relationship_manager_id: int | None
    status: ClientStatus
    opened_on: date
    accepted_on: date | None = None
    closed_on: date | None = None
    is_on_portal: bool = False

    @property
    def email_masked(self) -> str:
        """The address as it is shown."""
        return mask_email(self.email)


@dataclass(frozen=True)
class InvitationView:
    """An open invitation to the portal, for whoever reads the client's address; it runs out at `until`."""

    client_id: int
    invited_at: datetime
    invited_by: str
    until: datetime


# What is known of a client


class IdentifierKind(StrEnum):
    """Chinese resident identity card, unified social credit code, Hong Kong identity card, passport, LEI, US EIN."""

    CN_RIC = "cn.ric"
    CN_USCC = "cn.uscc"
    HK_HKID = "hk.hkid"
    PASSPORT = "passport"
    LEI = "lei"
    US_EIN = "us.ein"
    OTHER = "other"


class PersonRole(StrEnum):
    """What somebody is to an institution, or to an individual for whom they sign.

    A `HOLDING` is a company between an owner and the client: its own owners are to be named.
    """

    OWNER = "owner"
    HOLDING = "holding"
    DIRECTOR = "director"
    SIGNATORY = "signatory"
    ATTORNEY = "attorney"
    LEGAL_REPRESENTATIVE = "legal_representative"


class TraitKind(StrEnum):
    """What two clients may have in common. An `ip_day` is one address on one day."""

    PHONE = "phone"
    EMAIL = "email"
    DEVICE = "device"
    ADDRESS = "address"
    BANK_ACCOUNT = "bank_account"
    IDENTIFIER = "identifier"
    SIGNATORY = "signatory"
    OWNER = "owner"
    ATTORNEY = "attorney"
    IP_DAY = "ip_day"


@dataclass(frozen=True)
class IdentifierDraft:
    """A number by which an authority knows somebody. Countries are ISO 3166 alpha-2."""

    kind: IdentifierKind
    number: str
    country: str = ""
    issued_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True)
class BankAccountDraft:
    """An account from which and to which the client's money moves. It must be in the client's own name."""

    country: str
    bank_name: str
    bank_code: str
    holder_name: str
    number: str
    currency: str


@dataclass(frozen=True)
class RelatedPersonDraft:
    """Somebody behind or acting for a client.

    `share_bp` is what an owner or a company in between holds, in basis points: of the client, or of the company in
    between that `holds_in` names. Whoever holds in several places is named once for each.
    """

    role: PersonRole
    name: str
    name_zh: str = ""
    birth_on: date | None = None
    nationality: str = ""
    share_bp: int | None = None
    identifier: IdentifierDraft | None = None
    holds_in: str = ""


@dataclass(frozen=True)
class ProfileDraft:
    """All that a client says of themselves. Amounts are minor units of `currency`; countries ISO 3166 alpha-2.

    `tax_residences` are (country, tax number) pairs. `has_defaulted`, `is_major_shareholder` (of the lender) and
    `is_pep_declared` are the client's own declarations, None where nothing was declared.
    """

    kind: ClientKind
    name: str
    name_zh: str = ""
    former_names: tuple[str, ...] = ()
    birth_or_incorporated_on: date | None = None
    nationality: str = ""
    residence: str = ""
    address: str = ""
    phone: str = ""
    tax_residences: tuple[tuple[str, str], ...] = ()
    occupation: str = ""
    employer_or_industry: str = ""
    annual_income_minor: int | None = None
    liquid_assets_minor: int | None = None
    net_worth_minor: int | None = None
    currency: str = "USD"
    sources_of_funds: tuple[str, ...] = ()
    sources_of_wealth: tuple[str, ...] = ()
    source_note: str = ""
    is_pep_declared: bool | None = None
    has_defaulted: bool | None = None
    is_major_shareholder: bool | None = None
    trading_years: int | None = None
    trades_per_year: int | None = None
    products_traded: tuple[str, ...] = ()
    expected_turnover_minor: int | None = None
    purpose: str = ""
    identifiers: tuple[IdentifierDraft, ...] = ()
    bank_accounts: tuple[BankAccountDraft, ...] = ()
    related_persons: tuple[RelatedPersonDraft, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProfileView(ProfileDraft):
    """A profile as it is shown: identifiers, contacts, tax and bank numbers masked, days of birth left out.

    `birth_year` stands for an individual's day of birth. `is_erased` profiles hold nothing but the name's place.
    """

    client_id: int
    version: int
    recorded_at: datetime
    recorded_by: str
    reason: str
    birth_year: int | None


@dataclass(frozen=True)
class PersonFacts:
    """Somebody behind or acting for a client, as decisions need them.

    `party` numbers whoever it is by the first row that names them; `held_in` is the party in which `share_bp` is held:
    0 for the client, None where no company in between has the name that was given. `is_company` is an owner behind whom
    somebody else stands.
    """

    role: PersonRole
    name: str
    name_zh: str
    birth_on: date | None
    nationality: str
    share_bp: int | None
    party: int = 0
    held_in: int | None = 0
    is_company: bool = False


@dataclass(frozen=True)
class ProfileFacts:
    """What decisions are made from: names, days, countries and figures in full; never a number that identifies.

    Figures are minor units of `currency`, None where the client did not say.
    """

    client_id: int
    version: int
    recorded_at: datetime
    kind: ClientKind
    name: str
    name_zh: str
    former_names: tuple[str, ...]
    birth_or_incorporated_on: date | None
    nationality: str
    residence: str
    tax_countries: tuple[str, ...]
    occupation: str
    employer_or_industry: str
    annual_income_minor: int | None
    liquid_assets_minor: int | None
    net_worth_minor: int | None
    currency: str
    sources_of_funds: tuple[str, ...]
    sources_of_wealth: tuple[str, ...]
    source_note: str
    is_pep_declared: bool | None
    has_defaulted: bool | None
    is_major_shareholder: bool | None
    trading_years: int | None
    trades_per_year: int | None
    products_traded: tuple[str, ...]
    expected_turnover_minor: int | None
    purpose: str
    bank_countries: tuple[str, ...]
    related_persons: tuple[PersonFacts, ...]


@dataclass(frozen=True)
class IdentifierFacts:
    """A number with whose it is, for checks by the program alone: it must not be shown, logged or stored.

    `role` is None for the client's own.
    """

    client_id: int
    role: PersonRole | None
    name: str
    birth_or_incorporated_on: date | None
    identifier: IdentifierDraft


@dataclass(frozen=True)
class Trait:
    """What a client has, as an equality index: two clients with the same kind and digest share it."""

    client_id: int
    kind: TraitKind
    digest: bytes
    masked: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class BankAccountView:
    """A bank account of a client, its number masked; `digest` is the hex of its equality index."""

    id: int
    client_id: int
    country: str
    bank_name: str
    bank_code: str
    holder_name: str
    masked: str
    currency: str
    digest: str
    added_at: datetime
    removed_at: datetime | None
    verified_at: datetime | None


@dataclass(frozen=True)
class RelatedPersonView:
    """Somebody behind or acting for a client, as shown: the identifier masked, of the birth only the year."""

    role: PersonRole
    name: str
    name_zh: str
    birth_year: int | None
    nationality: str
    share_bp: int | None
    identifier_kind: IdentifierKind | None
    identifier_masked: str
    holds_in: str = ""


class DocumentKind(StrEnum):
    """What a document shows."""

    IDENTITY = "identity"
    ADDRESS_PROOF = "address_proof"
    INCOME_PROOF = "income_proof"
    FUNDS_PROOF = "funds_proof"
    BANK_STATEMENT = "bank_statement"
    INCORPORATION = "incorporation"
    OWNERSHIP = "ownership"
    BOARD_RESOLUTION = "board_resolution"
    TAX_FORM = "tax_form"
    OTHER = "other"


class MediaType(StrEnum):
    """The only files that are taken."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


@dataclass(frozen=True)
class DocumentView:
    """A document on file, without its content. `digest` (hex) is equal for equal contents."""

    id: int
    client_id: int
    kind: DocumentKind
    file_name: str
    media_type: MediaType
    size_bytes: int
    digest: str
    expires_on: date | None
    added_at: datetime
    added_by: str
    erased_at: datetime | None


@dataclass(frozen=True)
class DocumentContent:
    """A document as it is handed out, once, to somebody who may have it."""

    file_name: str
    media_type: MediaType
    content: bytes


class ConsentPurpose(StrEnum):
    """What personal data may be used for. The sensitive ones need a consent of their own."""

    SERVICE = "service"
    SENSITIVE_DATA = "sensitive_data"
    CREDIT_CHECK = "credit_check"
    CROSS_BORDER = "cross_border"
    MARKETING = "marketing"
    AUTOMATED_DECISION = "automated_decision"


class ConsentChannel(StrEnum):
    PORTAL = "portal"
    PAPER = "paper"
    TELEPHONE = "telephone"
    MEETING = "meeting"


@dataclass(frozen=True)
class ConsentView:
    """A consent as it was given, and whether it was withdrawn."""

    id: int
    client_id: int
    purpose: ConsentPurpose
    text_version: str
    channel: ConsentChannel
    given_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None
    withdrawal_reason: str


# The right to one's data


@dataclass(frozen=True)
class RetentionRule:
    """A law that has data kept: so many months after the relationship ended (or the application was decided)."""

    id: str
    jurisdiction: str
    category: DataCategory
    months: int
    source: str
    evidence: str


@dataclass(frozen=True)
class Retention:
    """What the laws say of one category for one client; `until` None: nothing has to be kept."""

    category: DataCategory
    until: date | None
    rules: tuple[RetentionRule, ...]


@dataclass(frozen=True)
class RetentionFacts:
    """What decides how long a client's records stay: whether and when the relationship began and ended.

    `left` are the categories that no erasure has taken yet, None before the first erasure.
    """

    client_id: int
    number: str
    name: str
    accepted_on: date | None
    closed_on: date | None
    left: frozenset[DataCategory] | None
    is_held: bool = False


@dataclass(frozen=True)
class HoldView:
    """A legal hold on a client's records; `lifted_at` is None while it stands."""

    id: int
    client_id: int
    client_number: str
    matter: str
    reason: str
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lift_reason: str = ""


@dataclass(frozen=True)
class ErasureOutcome:
    """What an erasure did: counts of what was erased, and what the law keeps until when."""

    erased: Mapping[str, int]
    kept: Mapping[str, date]


@dataclass(frozen=True)
class ErasureView:
    """An erasure on record."""

    client_id: int
    at: datetime
    asked_by: str
    approval_id: int | None
    erased: Mapping[str, int]
    kept: Mapping[str, date]


# Licences


class Activity(StrEnum):
    """What a licence must cover. All but the lending itself are steps towards it."""

    MARKETING = "marketing"
    OFFERING = "offering"
    SIGNING = "signing"
    DISBURSING = "disbursing"
    MARGIN_LENDING = "margin_lending"


class LicenceStanding(StrEnum):
    """How a licence stands at an instant; `unspecified` ones say no permit and open nothing."""

    PLANNED = "planned"
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNSPECIFIED = "held"


@dataclass(frozen=True)
class LicenceView:
    """A permission of the operator to do `activity` in `jurisdiction`; both ends inclusive, no end means open.

    `permit` says what kind of authorisation it is. `revoked_at` ends it at that instant, whatever `valid_to` says.
    """

    id: int
    jurisdiction: str
    activity: str
    permit: str
    number: str
    holder: str
    valid_from: date
    valid_to: date | None
    revoked_at: datetime | None
    evidence: str
    evidence_file: str


SEALED_TABLES = (
    SealedTable("parties_profile", "client:{client_id}:profile:{version}"),
    SealedTable("parties_bank_account", "client:{client_id}:bank_account:{place}"),
    SealedTable("parties_document", "client:{client_id}:document:{place}"),
    SealedTable("parties_licence_evidence", "licence:{licence_id}:evidence"),
)
"""Where this app keeps sealed rows."""
