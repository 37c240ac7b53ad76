"""The inventory of personal data: which tables hold some, what keeps it, and what becomes of it when nothing does.

One table for the whole desk. `tests/config/test_inventory.py` walks every model and every free field of it: a new one
that is not named here fails. The services that erase ask `is_kept`; how long a law keeps a category is read from the
rule packs (`flows/operations/rules.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DataCategory(StrEnum):
    """Classes of record that laws treat apart. Nothing keeps `technical` data."""

    IDENTITY = "identity"
    ACCOUNT = "account"
    APPLICATION = "application"
    DILIGENCE = "diligence"
    TECHNICAL = "technical"


@dataclass(frozen=True)
class Held:
    """What one table holds of a client.

    `kept_as`: it stays while a law keeps any of these. `via`: the way from a row to its client. `blank`: what each
    erased field becomes. `is_deleted`: the rows go as a whole. `stays`: free fields that are no text on a person, such
    as facts without names that a proof works out again, each with why.
    """

    kept_as: tuple[DataCategory, ...]
    via: str = "client"
    blank: Mapping[str, object] = field(default_factory=dict)
    is_deleted: bool = False
    stays: Mapping[str, str] = field(default_factory=dict)


ERASED = "Erased"
"""What stands where a text must not be empty."""

_IDENTITY = (DataCategory.IDENTITY, DataCategory.ACCOUNT, DataCategory.APPLICATION, DataCategory.DILIGENCE)
_ACCOUNT = (DataCategory.ACCOUNT,)
_CREDIT = (DataCategory.APPLICATION, DataCategory.ACCOUNT)
_MONITORING = (DataCategory.DILIGENCE,)
_DILIGENCE = (DataCategory.DILIGENCE, DataCategory.APPLICATION)
"""Whom a record is about stays while any does; an application, with all that it was judged by (12 CFR 1002.12)."""
_REPLAYED = "facts and codes without a name or number; `reefpoint verify` works the outcome out of them again"
_EVIDENCE = "a keyed or plain hash: it proves what was, and does not give it back"

INVENTORY: Mapping[str, Held] = {
    "parties.Client": Held(_IDENTITY, "id", {"name": ERASED, "name_zh": ""}, stays={"email": "becomes a dead address"}),
    "parties.Profile": Held(_IDENTITY, blank={"blob": None, "reason": ""}, stays={"digest": _EVIDENCE}),
    "parties.BankAccount": Held(_IDENTITY, blank={"blob": None}, stays={"digest": _EVIDENCE}),
    "parties.Document": Held(_IDENTITY, blank={"blob": None, "file_name": ""}, stays={"digest": _EVIDENCE}),
    "parties.TraitRow": Held(_IDENTITY, is_deleted=True),
    "parties.Consent": Held(_IDENTITY, blank={"withdrawal_reason": ""}),
    "relations.HeldValue": Held(_IDENTITY, is_deleted=True),
    "kyc.KycAssessment": Held(_DILIGENCE, blank={"note": ERASED}, stays={"inputs": _REPLAYED}),
    "screening.SubjectName": Held(_DILIGENCE, is_deleted=True),
    "screening.Person": Held(_DILIGENCE, is_deleted=True),
    "screening.Hit": Held(
        _DILIGENCE,
        blank={"ours": "", "names": [], "countries": [], "proposal": "", "decision": ""},
        stays={
            "reference": "the list's number",
            "theirs": "the list's words, not the client's",
            "score": "its words go, the figures stay",
        },
    ),
    "screening.Screening": Held(_DILIGENCE, stays={"list_versions": "versions of lists"}),
    "monitoring.Activity": Held(
        _MONITORING,
        blank={"counterparty_name": ""},
        stays={"country": "a country", "reference": "a number of the desk"},
    ),
    "monitoring.Alert": Held(_MONITORING, blank={"reason": ERASED}, stays={"inputs": _REPLAYED, "pivot": "a number"}),
    "monitoring.Restriction": Held(_MONITORING, blank={"reason": ERASED, "release_reason": ERASED}),
    "monitoring.Undecided": Held(_MONITORING, stays={"missing": "names of facts"}),
    "suitability.Assessment": Held(_IDENTITY, stays={"answers": "numbers of chosen answers"}),
    "suitability.Acknowledgement": Held(_IDENTITY, "assessment__client"),
    "suitability.SegmentRecord": Held(_IDENTITY, blank={"evidence": ERASED}, stays={"facts": _REPLAYED}),
    "suitability.EntryRecord": Held(_IDENTITY, blank={"evidence": ERASED}, stays={"facts": _REPLAYED}),
    "scoring.BureauReport": Held(_CREDIT, blank={"blob": None}, stays={"reference": "the bureau's number"}),
    "scoring.FeatureSet": Held(_CREDIT, blank={"blob": None}),
    "scoring.Score": Held(_CREDIT, blank={"reasons": [], "missing": []}, stays={"inputs": "of reference cases alone"}),
    "scoring.ScoreOutcome": Held(_CREDIT, "score__client", stays={"cause": "a code"}),
    "scoring.ShadowScore": Held(_CREDIT, "score__client", {"contributions": []}),
    "credit.CreditDecision": Held(_CREDIT, blank={"inputs": {}, "answer": "", "proposal": ERASED, "closing_note": ""}),
    "credit.ConditionWaiver": Held(_CREDIT, "condition__decision__client", {"reason": ERASED}),
    "pricing.Quote": Held(_CREDIT, blank={"inputs": {}, "answer": ""}),
    "pricing.PriceException": Held(_CREDIT, "quote__client", {"reason": ERASED}),
    "pricing.RateProposal": Held(_ACCOUNT, "loan__account__client", {"inputs": {}, "answer": ""}),
    "lending.CreditRequest": Held(_CREDIT, blank={"problem": ""}),
    "lending.Renewal": Held(_ACCOUNT, blank={"end_reason": ""}),
    "lending.LoanDefault": Held(_ACCOUNT, blank={"reason": "", "end_reason": ""}, stays={"waits_for": "a code"}),
    "lending.CreditStep": Held(_CREDIT, "request__client", {"words": "", "actor_name": ""}),
    "contracts.Contract": Held(_ACCOUNT, blank={"terms": {}}, stays={"lender_name": "the desk's own name"}),
    "contracts.File": Held(_ACCOUNT, "contract__client", {"blob": None}),
    "contracts.Move": Held(_ACCOUNT, "contract__client", {"reason": ""}),
    "contracts.Acknowledgement": Held(_ACCOUNT, "contract__client", {"address": "", "session_hash": ""}),
    "contracts.Signature": Held(
        _ACCOUNT, "contract__client", {"signer_name": "", "authentication": {}, "certificate": b""}
    ),
    "notifications.Notice": Held(
        _CREDIT,
        "client_id",
        {"to": "", "subject": "", "body": "", "last_error": ""},
        stays={"evidence": "becomes the day of the erasure", "about": "a number of the desk"},
    ),
    "origination.Lead": Held(
        _CREDIT,
        "applications__client",
        {
            "name": ERASED,
            "name_zh": "",
            "name_key": "",
            "source": "",
            "note": "",
            "blob": None,
            "email_digest": None,
            "phone_digest": None,
            "email_masked": "",
            "phone_masked": "",
        },
        stays={"country": "a country"},
    ),
    "origination.LeadNote": Held(_CREDIT, "lead__applications__client", {"words": ""}),
    "origination.LeadPairRow": Held(_CREDIT, "first__applications__client", is_deleted=True),
    "origination.Application": Held(_CREDIT),
    "origination.SectionDraft": Held(_CREDIT, "application__client", {"blob": None}),
    "origination.PreScreenRow": Held(_CREDIT, "application__client", stays={"reasons": "codes"}),
    "origination.InfoRequestRow": Held(
        _CREDIT, "application__client", {"words": ""}, stays={"sections": "codes", "documents": "codes"}
    ),
    "origination.Step": Held(_CREDIT, "application__client", {"words": "", "actor_name": ""}),
    "origination.Decision": Held(
        _CREDIT, "application__client", {"note": "", "told": ""}, stays={"facts": _REPLAYED, "reasons": "codes"}
    ),
}
"""The tables that hold something of a client, and what an erasure makes of it."""


def is_kept(label: str, kept: Collection[str]) -> bool:
    """Whether what a table holds of a client stays while a law keeps these categories."""
    return any(category in kept for category in INVENTORY[label].kept_as)


STAYS: Mapping[str, str] = {
    "access.Approval": "what two people agreed on, sealed by its fingerprint; payloads hold no personal data",
    "access.User": "a client's sign-in is erased with the client (`erase_person`); staff are not clients",
    "access.Token": "of staff and programs",
    "audit.Entry": "the log of actions is sealed: a change would break it; entries hold ids, not contents",
    "cases.Case": "a suspicion, read by authorities and about several clients",
    "cases.CaseClient": "as the case",
    "cases.Document": "as the case, sealed",
    "cases.Entry": "as the case",
    "cases.Report": "as the case, sealed",
    "imports.BadChunk": "sealed, and gone after 30 days",
    "imports.Chunk": "sealed, and gone once the file is read",
    "imports.ImportFile": "the name of a file and its columns",
    "parties.Erasure": "counts and dates: the proof of an erasure",
    "parties.LegalHold": "why an erasure was stopped, about the matter and not the person",
    "runs.Run": "what a long computation came to, by numbers of clients and amounts, without a name",
    "treasury.BankBreak": "a difference in the books, with its reason",
    "treasury.Payment": "a voucher of the books: account numbers of the desk's own ledger and a reference",
    "treasury.PaymentAnswer": "as the payment",
    "treasury.PaymentStep": "as the payment",
    "treasury.Statement": "the bank's file: a voucher of the books, about many clients",
    "treasury.StatementLine": "as the statement",
    "treasury.PaperBankEntry": "of the built-in bank, which plays no person",
}
"""Tables that may name somebody and are not erased, each with why."""

_TABLES = """
    market.TradingHalt products.SchemeTierChange
    access.Role accounts.Facility accounts.Loan accounts.LoanExtension accounts.LoanRate accounts.MarginAccount
    accounts.Position accounts.SecurityMovement audit.Seal collateral.Assessment collateral.HaircutRelease
    collateral.HaircutStep collateral.NameAssessment contracts.Root events.Delivery events.Event
    execution.BrokerBreak execution.BrokerFile execution.BrokerSettlement execution.Fill execution.Order
    execution.PaperDelivery execution.PaperFill execution.PaperHolding execution.PaperOrder
    execution.PaperSettlement governance.DriftReading governance.ModelMove governance.ModelVersion
    governance.RegisteredModel governance.SourceCheck ledger.Balance ledger.BalanceSnapshot ledger.BookDay
    ledger.Hold ledger.HoldResolution ledger.Journal ledger.LedgerAccount ledger.Posting lending.CreditLot
    credit.CreditCondition
    lending.MaturityReminder liquidation.Liquidation liquidation.LiquidationPlan margin.MarginCall
    margin.MarginSnapshot margin.MarginState margin.PriceAlert market.CalendarOverride market.FxRate
    market.FxVersion market.HeldFx market.HeldPrice market.Instrument market.InstrumentRecord market.ListingFacts
    market.Price market.PriceBatch market.RejectedRow monitoring.Backtest monitoring.Rule monitoring.RuleVersion
    monitoring.Watermark operations.DayRun operations.DayRunStep operations.DeskClock parties.Licence
    parties.LicenceEvidence parties.PortalInvitation performance.DeskDay products.RulePack products.Scheme
    products.SchemeVersion
    publications.Publication relations.Exclusion relations.Group relations.GroupLimit relations.Membership
    screening.Entry screening.ListFile screening.ListVersion screening.NameKey screening.Rescreen screening.StagedEntry
    servicing.FundingAccrual servicing.InterestAccrual treasury.FundingPool treasury.Match treasury.PaperBankManner
    treasury.PaperBankOrder treasury.PaperBankStatement treasury.PoolMovement treasury.Reconciliation vault.DataKey
"""
NOTHING_PERSONAL = frozenset(_TABLES.split())
"""Tables about accounts, markets, models, lists and the desk itself: numbers, dates, codes and ids of clients alone."""

_FIELDS = """
    number kind state status key key_hash currency language jurisdiction action source scheme_code pool_code grade
    segment use cause_hash content_hash terms_hash text_hash file_hash facts_hash input_hash sha256 fingerprint digest
    media_type licence_number certificate_serial disclosure hold_key text_version outcome risk_class role bureau actor
    assessed_by assigned_by acknowledged_by added_by asked_by begun_by by closed_by countersigned_by created_by
    decided_by quoted_by placed_by prepared_by proposed_by recorded_by released_by saved_by scored_by built_by queued_by
    verified_by withdrawn_by officer decided_by_name approved_by_name officer_name extended_by
    accepted_by offered_by invited_by
"""
CODES = frozenset(_FIELDS.split())
"""Fields that hold codes, hashes, the desk's numbers and who of the desk did something, in any table."""
