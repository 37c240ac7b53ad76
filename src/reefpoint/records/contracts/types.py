"""A contract's terms as data, its states, and what is shown of it, of its template and of its signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from reefpoint.platform.vault.types import SealedTable


class Language(StrEnum):
    """The language in which a contract is written and signed."""

    EN = "en"
    ZH = "zh"


class ContractState(StrEnum):
    """Draft on the desk, offered to the client, signed by one side, in force; or ended before it came into force."""

    DRAFT = "draft"
    OFFERED = "offered"
    SIGNED_BY_CLIENT = "signed_by_client"
    IN_FORCE = "in_force"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class PaperKind(StrEnum):
    """A contract of its own, or an agreement that renews a loan and amends the contract under which it was drawn."""

    LOAN = "loan"
    RENEWAL = "renewal"


class SignerRole(StrEnum):
    CLIENT = "client"
    DESK = "desk"


class FileKind(StrEnum):
    """The paper as it was offered, with the client's signature on it, and with both."""

    OFFERED = "offered"
    CLIENT_SIGNED = "client_signed"
    IN_FORCE = "in_force"


# The terms of one contract. Money in minor units of the currency, rates, haircuts and lines in basis points, prices in
# 1e-4 of the currency.


@dataclass(frozen=True)
class RatePart:
    """One part of which the rate is made."""

    code: str
    name: str
    name_zh: str
    bp: int


@dataclass(frozen=True)
class RateTerms:
    """The rate and how it may move; `kind` is fixed, reset or floating. A floor, cap or period of None: there is none.

    The parts add up to `rate_bp`.
    """

    kind: str
    rate_bp: int
    penalty_rate_bp: int
    day_count: str
    parts: tuple[RatePart, ...]
    floor_bp: int | None = None
    cap_bp: int | None = None
    reset_days: int | None = None
    notice_days: int | None = None


@dataclass(frozen=True)
class FeeTerm:
    """One fee: `moment` is when it is charged; `basis` is flat (`amount_minor`) or share (`rate_bp` within limits).

    `first_year_minor` is what it comes to in the first year of this contract, drawn in full and kept.
    """

    code: str
    name: str
    name_zh: str
    moment: str
    basis: str
    amount_minor: int = 0
    rate_bp: int = 0
    least_minor: int = 0
    most_minor: int | None = None
    first_year_minor: int = 0


@dataclass(frozen=True)
class LineTerms:
    """The lines of assets to debt."""

    initial_bp: int
    withdrawal_bp: int
    warning_bp: int
    cure_bp: int
    call_bp: int
    close_out_bp: int
    target_bp: int


@dataclass(frozen=True)
class CollateralTerm:
    """One holding: what it is lent on, and the prices at which its client is called and sold.

    `call_price_units` and `close_out_price_units` are where this price stands when all prices have fallen by the same
    part to just the line; the `_alone_` ones when only this one falls, None when even zero does not reach the line.
    `sold_quantity` is what would be sold of it just under the close-out line.
    """

    symbol: str
    name: str
    name_zh: str
    quantity: int
    price_units: int
    value_minor: int
    haircut_bp: int
    lendable_minor: int
    call_price_units: int
    close_out_price_units: int
    call_alone_units: int | None
    close_out_alone_units: int | None
    sold_quantity: int
    sold_minor: int


@dataclass(frozen=True)
class Outcome:
    """What is left of the client's own money a year on if all prices have moved by `change_bp`."""

    change_bp: int
    own_minor: int
    result_minor: int


@dataclass(frozen=True)
class KeyFacts:
    """What the engine says of this portfolio and this loan at `at`: costs, lines, outcomes and the worst case.

    `fall_to_..._bp` is by how much all prices may fall together. `call_minor` is what a call just under the line would
    ask for, `sold_minor` what would be sold. `worst_change_bp` is the fall of the worst case looked at,
    `worst_owed_minor` what would still be owed after everything was sold in it, `worst_loss_minor` the whole loss.

    `maintenance_minor` is the own money that the names ask for together, `maintenance_names` what each asks for
    (`AAPL 25.00%`), `fall_to_maintenance_bp` the fall of all prices at which own money is just that; None: no fall.
    Papers that were made before these were said have none of them.
    """

    at: datetime
    value_minor: int
    cash_minor: int
    loan_minor: int
    own_minor: int
    ratio_bp: int
    fall_to_call_bp: int
    fall_to_close_out_bp: int
    call_minor: int
    sold_minor: int
    interest_day_minor: int
    interest_first_year_minor: int
    fees_first_year_minor: int
    cost_first_year_minor: int
    cost_whole_term_minor: int
    outcomes: tuple[Outcome, ...]
    worst_change_bp: int
    worst_owed_minor: int
    worst_loss_minor: int
    maintenance_minor: int = 0
    maintenance_names: tuple[str, ...] = ()
    fall_to_maintenance_bp: int | None = None


@dataclass(frozen=True)
class RenewalTerms:
    """What a renewal agreement renews. Its contract's `starts_on` and `ends_on` are the old and the new maturity.

    `amends_id` is the contract under which the loan was drawn, None when that is not in this register; `amends` are the
    numbers of it and of the amendments before this one. `number` counts the renewals of the loan. `carried_minor` is
    the interest unpaid on the date of the agreement, which goes over into the further term and bears none itself; None
    where the scheme asks for it to be paid first.
    """

    amends_id: int | None
    amends: tuple[str, ...]
    loan_number: str
    number: int
    principal_minor: int
    old_rate_bp: int
    fee_minor: int
    carried_minor: int | None


@dataclass(frozen=True)
class ConditionTerm:
    """What the credit was approved on, in words of both languages."""

    words: str
    words_zh: str


@dataclass(frozen=True)
class ContractTerms:
    """All that is personal in a contract, but for the parties, who come from the records.

    `scheme_version` is the number that people see. `sign_by` is the last day on which the client can sign.
    `liquidation_rule`, `liquidation_order` and `payment_order` are the scheme's own words. `group_cap_bp` None: none.
    """

    jurisdiction: str
    currency: str
    scheme_code: str
    scheme_name: str
    scheme_name_zh: str
    scheme_version: int
    limit_minor: int
    starts_on: date
    ends_on: date
    sign_by: date
    rate: RateTerms
    fees: tuple[FeeTerm, ...]
    lines: LineTerms
    call_deadline_sessions: int
    liquidation_rule: str
    liquidation_order: str
    payment_order: tuple[str, ...]
    concentration_cap_bp: int
    haircut_notice_sessions: int
    is_early_repayment_allowed: bool
    early_repayment_fee_bp: int
    renewals_max: int
    renewal_min_ratio_bp: int
    grace_days: int
    collateral: tuple[CollateralTerm, ...]
    key_facts: KeyFacts
    group_cap_bp: int | None = None
    conditions: tuple[ConditionTerm, ...] = ()
    renewal: RenewalTerms | None = None

    @property
    def paper(self) -> PaperKind:
        return PaperKind.LOAN if self.renewal is None else PaperKind.RENEWAL


# Evidence


@dataclass(frozen=True)
class Authentication:
    """How somebody proved who they are just before they signed: the methods, when, and from where.

    `session_hash` names the session without being of use to take it over.
    """

    methods: tuple[str, ...]
    at: datetime
    address: str = ""
    session_hash: str = ""


# Templates


def template_key(jurisdiction: str, paper: PaperKind) -> str:
    """What the templates of a jurisdiction are told apart by: `US` for its contracts, `US-renewal` for its renewals."""
    return jurisdiction if paper is PaperKind.LOAN else f"{jurisdiction}-{paper.value}"


@dataclass(frozen=True)
class Clause:
    """One clause in both languages; paragraphs hold the names of data in braces: `{facility.limit}`."""

    id: str
    heading: Mapping[Language, str]
    paragraphs: Mapping[Language, tuple[str, ...]]


@dataclass(frozen=True)
class Template:
    """The clauses of one jurisdiction in order, with the title and what is said of the draft."""

    jurisdiction: str
    title: Mapping[Language, str]
    notice: Mapping[Language, str]
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class TemplateProblem:
    """What keeps a template or disclosures from being whole: the clause (or empty) and a sentence.

    `field` is the datum or the part that it is about, `language` the one in which it lacks, or stands alone.
    """

    clause: str
    code: str
    message: str
    field: str = ""
    language: str = ""


class ClauseChange(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class DiffPart:
    """A run of words that both versions have, that only the old one has (`-`) or only the new one (`+`)."""

    mark: str
    text: str


@dataclass(frozen=True)
class ClauseDiff:
    """One clause in two versions, in one language."""

    id: str
    heading: str
    change: ClauseChange
    parts: tuple[DiffPart, ...]


@dataclass(frozen=True)
class Disclosure:
    """One thing that must be said before somebody signs, and the hash of exactly these words in both languages."""

    id: str
    title: Mapping[Language, str]
    text: Mapping[Language, str]
    text_hash: str


# What is shown


@dataclass(frozen=True)
class AcknowledgementView:
    disclosure: str
    text_hash: str
    acknowledged_at: datetime
    acknowledged_by: str
    address: str


@dataclass(frozen=True)
class SignatureView:
    """A signature as filed. `certificate_serial` is hex; `file_hash` is of the file with this signature on it."""

    role: SignerRole
    signer: str
    signer_name: str
    signed_at: datetime
    authentication: Authentication
    certificate_serial: str
    file_hash: str


@dataclass(frozen=True)
class FileView:
    kind: FileKind
    sha256: str
    size_bytes: int
    filed_at: datetime


@dataclass(frozen=True)
class MoveView:
    """One change of state, by whom, and why if a reason was given."""

    state: ContractState
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class ContractRow:
    """A contract in a list."""

    id: int
    number: str
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    state: ContractState
    jurisdiction: str
    scheme_code: str
    currency: str
    limit_minor: int
    language: Language
    dated_on: date
    sign_by: date
    prepared_at: datetime
    paper: PaperKind
    amends_id: int | None


@dataclass(frozen=True)
class Heading:
    """A clause as the contract says it, with the client's own figures in it."""

    id: str
    number: int
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class ContractView(ContractRow):
    """A contract with everything that was done with it."""

    terms: ContractTerms
    terms_hash: str
    template_id: int
    template_version: int
    lender_name: str
    licence_number: str
    prepared_by: str
    disclosures: tuple[Disclosure, ...]
    acknowledgements: tuple[AcknowledgementView, ...]
    signatures: tuple[SignatureView, ...]
    files: tuple[FileView, ...]
    moves: tuple[MoveView, ...]
    amends: ContractRow | None
    amendments: tuple[ContractRow, ...]

    @property
    def template_key(self) -> str:
        """Under which the template of this paper is published."""
        return template_key(self.jurisdiction, self.paper)

    @property
    def missing_disclosures(self) -> tuple[Disclosure, ...]:
        """What the client has not acknowledged in the words in force."""
        held = {(one.disclosure, one.text_hash) for one in self.acknowledgements}
        return tuple(one for one in self.disclosures if (one.id, one.text_hash) not in held)


@dataclass(frozen=True)
class SignatureCheck:
    """What the file itself says of one signature.

    `is_intact`: what it covers was not changed. `covers_file`: it covers the whole file, or all that came after it is
    another signature. `is_trusted`: its certificate was issued by this desk.
    """

    field: str
    signer_name: str
    signed_at: datetime | None
    certificate_serial: str
    is_intact: bool
    covers_file: bool
    is_trusted: bool
    trouble: str = ""

    @property
    def is_good(self) -> bool:
        return self.is_intact and self.covers_file and self.is_trusted


@dataclass(frozen=True)
class VerificationReport:
    """Whether a file is what was signed: each signature by itself, and the file against the register by its hash.

    `filed_as` is the number and kind of the file on record with exactly these bytes; None when there is none.
    """

    sha256: str
    signatures: tuple[SignatureCheck, ...]
    filed_as: tuple[str, FileKind] | None
    trouble: str = ""

    @property
    def is_signed(self) -> bool:
        """At least one signature, and nothing wrong with any."""
        return bool(self.signatures) and all(one.is_good for one in self.signatures) and not self.trouble

    @property
    def is_genuine(self) -> bool:
        """Signed, and byte for byte the file on record."""
        return self.is_signed and self.filed_as is not None


Document = Mapping[str, Any]
"""A contract as the typesetter takes it: words and figures in the order in which they are printed, and no markup."""

SEALED_TABLES = (
    SealedTable("contracts_file", "contract:{contract_id}:file:{kind}"),
    SealedTable("contracts_root", "contracts:root:{serial}"),
)
"""Where this app keeps sealed rows."""
