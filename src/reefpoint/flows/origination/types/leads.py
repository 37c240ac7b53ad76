"""Leads: who asked, how they came, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reefpoint.records.parties.types import ClientKind


class LeadChannel(StrEnum):
    """How somebody came to the desk."""

    WEB = "web"
    PHONE = "phone"
    BRANCH = "branch"
    REFERRAL = "referral"
    EVENT = "event"
    PARTNER = "partner"
    IMPORT = "import"


class LeadState(StrEnum):
    """NEW until somebody spoke with them; CONVERTED once an application was begun; MERGED into another lead."""

    NEW = "new"
    CONTACTED = "contacted"
    CONVERTED = "converted"
    LOST = "lost"
    MERGED = "merged"


@dataclass(frozen=True)
class LeadDraft:
    """Somebody who asked. `may_contact` is their consent to be contacted; without it nobody calls or writes.

    At least one of `email` and `phone` is needed. `source` says more than the channel: a campaign, who referred them.
    """

    name: str
    channel: LeadChannel
    kind: ClientKind = ClientKind.INDIVIDUAL
    name_zh: str = ""
    email: str = ""
    phone: str = ""
    language: str = "en"
    country: str = ""
    source: str = ""
    loan_wanted_minor: int | None = None
    note: str = ""
    may_contact: bool = False


@dataclass(frozen=True)
class LeadView:
    """A lead as lists and pages show it: how to reach them is masked."""

    id: int
    number: str
    name: str
    name_zh: str
    kind: ClientKind
    channel: LeadChannel
    source: str
    state: LeadState
    language: str
    country: str
    email_masked: str
    phone_masked: str
    may_contact: bool
    loan_wanted_minor: int | None
    note: str
    owner_id: int | None
    merged_into_id: int | None
    created_at: datetime
    application_id: int | None = None
    duplicates: int = 0


@dataclass(frozen=True)
class LeadContact:
    """How to reach a lead, in full, handed out for a reason that is logged."""

    email: str
    phone: str


class PairState(StrEnum):
    """What a person said of two leads that look like one."""

    OPEN = "open"
    MERGED = "merged"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class LeadPair:
    """Two leads that may be one: the same address or number, or names alike (`name_bp`, 10,000 is equal)."""

    id: int
    first: LeadView
    second: LeadView
    same_email: bool
    same_phone: bool
    name_bp: int
    state: PairState


@dataclass(frozen=True)
class LeadStep:
    """Something that happened to a lead. A merge keeps the steps of both under the one that stays."""

    lead_id: int
    at: datetime
    actor: str
    action: str
    words: str


@dataclass(frozen=True)
class Conversion:
    """What became of the leads of one channel that came in a period. Merged ones count with the lead they became."""

    channel: LeadChannel
    leads: int
    begun: int
    submitted: int
    accepted: int
    refused: int

    @property
    def accepted_bp(self) -> int:
        """Accepted clients, in basis points of leads."""
        return self.accepted * 10_000 // self.leads if self.leads else 0
