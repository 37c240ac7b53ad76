"""Who hears what: every event -> its handlers. Read it top to bottom to know what follows from what.

A handler runs at least once, in event order for each stream (an account, an instrument), in its own transaction.
The consumer name is its durable identity in the outbox: renaming it orphans what is pending.
"""

from reefpoint.decisions.cases import types as cases
from reefpoint.decisions.cases.handlers import close_or_reopen_case
from reefpoint.decisions.collateral.events import CollateralChanged
from reefpoint.decisions.credit.events import CreditDecided
from reefpoint.decisions.credit.handlers import (
    erase_client_decisions,
    follow_condition_waiver,
    follow_credit_approval,
    publish_approved_policy,
)
from reefpoint.decisions.credit.services.previews import POLICY_PREVIEW
from reefpoint.decisions.kyc.handlers import (
    erase_client_notes,
    publish_approved_rating,
    reassess_changed_client,
    reassess_screened_client,
)
from reefpoint.decisions.margin.events import CallExpired, CallOpened, CloseOutBreached
from reefpoint.decisions.margin.handlers import notify_of_call, take_collateral_approval, taken_in_batches
from reefpoint.decisions.monitoring.events import BacktestRequested
from reefpoint.decisions.monitoring.handlers import (
    erase_client_counterparties,
    follow_decision,
    note_hit,
    note_profile_change,
    start_backtest,
)
from reefpoint.decisions.pricing.handlers import (
    erase_client_prices,
    follow_price_exception,
    publish_approved_grid,
    tell_new_rates,
)
from reefpoint.decisions.pricing.services.what_ifs import BOOK_WHAT_IF
from reefpoint.decisions.relations.handlers import erase_client_values, regroup_changed_client
from reefpoint.decisions.scoring import types as scoring
from reefpoint.decisions.scoring.adapters.shipped import KINDS as SCORING_KINDS
from reefpoint.decisions.scoring.adapters.shipped import MODELS as SCORING_MODELS
from reefpoint.decisions.scoring.adapters.sources import SOURCES as SCORING_SOURCES
from reefpoint.decisions.scoring.handlers import erase_client_features
from reefpoint.decisions.scoring.services.bureau import BUREAU_REPORTS
from reefpoint.decisions.screening.events import HitRaised, HitResolved, ListLoaded, ListReceived
from reefpoint.decisions.screening.handlers import (
    erase_client_names,
    follow_hit_decision,
    read_received_list,
    rescreen_after_load,
    screen_changed_client,
)
from reefpoint.decisions.suitability.handlers import erase_client_evidence, publish_approved_suitability
from reefpoint.flows.lending.events import CreditMoved
from reefpoint.flows.lending.handlers import (
    erase_client_requests,
    follow_contract,
    follow_credit_decision,
    follow_default_approval,
    follow_funding_approval,
    follow_liquidation,
    follow_payment,
    follow_scheme_withdrawal,
    fund_approved,
)
from reefpoint.flows.liquidation.events import LiquidationEnded
from reefpoint.flows.liquidation.handlers import (
    follow_order,
    look_at_late_credit,
    open_after_breach,
    release_order,
    take_decision,
)
from reefpoint.flows.operations.events import DayClosed
from reefpoint.flows.operations.handlers import erase_client_notices, start_import, start_run
from reefpoint.flows.operations.services.data_rights import erase_approved, sweep_approved
from reefpoint.flows.origination.handlers import erase_client_applications, finish_acceptance
from reefpoint.flows.origination.services.imports import CLIENTS, LEADS
from reefpoint.flows.origination.types import applications as origination
from reefpoint.flows.servicing.events import DepositBooked
from reefpoint.insight.collateral.services import GAP
from reefpoint.insight.performance.handlers import record_closed_day
from reefpoint.insight.stress.services import REVERSE, SENSITIVITIES, STRESS
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.events.types import Handler
from reefpoint.platform.governance.handlers import release_approved_model
from reefpoint.platform.governance.types import DataSource, ModelKind, ShippedModel
from reefpoint.platform.imports import types as imports
from reefpoint.platform.imports.events import FileReceived
from reefpoint.platform.imports.types import ImportKind
from reefpoint.platform.notifications.events import NoticeQueued
from reefpoint.platform.notifications.handlers import deliver_queued_notice
from reefpoint.platform.runs.events import RunAsked
from reefpoint.platform.runs.types import RunKind
from reefpoint.platform.vault.events import DataKeyTurned
from reefpoint.platform.vault.handlers import start_resealing
from reefpoint.platform.vault.types import SealedTable
from reefpoint.records.accounts.events import AccountChanged
from reefpoint.records.contracts import types as contracts
from reefpoint.records.contracts.events import ContractEnded, ContractInForce, ContractSignedByClient
from reefpoint.records.contracts.handlers import erase_client_contracts, publish_approved_template
from reefpoint.records.execution.events import FillReported, OrderEnded, OrderPlaced, OrderSent
from reefpoint.records.execution.handlers import clear_broker_break, submit_sent_order
from reefpoint.records.market.events import FxVersionRecorded, InstrumentSuspensionChanged, PricesRecorded
from reefpoint.records.market.handlers import take_approved_instruments, take_approved_listings
from reefpoint.records.market.services.instrument_files import INSTRUMENTS
from reefpoint.records.market.services.listing_files import LISTINGS
from reefpoint.records.parties import types as parties
from reefpoint.records.parties.events import ClientErased, ProfileChanged, TraitRecorded, TraitsErased
from reefpoint.records.products.events import SchemeVersionWithdrawn
from reefpoint.records.products.handlers import change_approved_scheme, publish_approved_version
from reefpoint.records.treasury.events import PaymentConfirmed, PaymentRejected, PaymentRequested
from reefpoint.records.treasury.handlers import clear_bank_break, resolve_payment, send_requested_payment

SEALED_TABLES: tuple[SealedTable, ...] = (
    *imports.SEALED_TABLES,
    *parties.SEALED_TABLES,
    *cases.SEALED_TABLES,
    *scoring.SEALED_TABLES,
    *origination.SEALED_TABLES,
    *contracts.SEALED_TABLES,
)
"""Every table with sealed rows, for the turning of keys and for the proof that all of it opens."""

IMPORT_KINDS: tuple[ImportKind, ...] = (LEADS, CLIENTS, BUREAU_REPORTS, INSTRUMENTS, LISTINGS)
"""What can be handed in as a file of rows."""

RUN_KINDS: tuple[RunKind, ...] = (POLICY_PREVIEW, BOOK_WHAT_IF, STRESS, REVERSE, SENSITIVITIES, GAP)
"""Long work that is asked for and waited on."""

MODEL_KINDS: tuple[ModelKind, ...] = SCORING_KINDS
MODELS: tuple[ShippedModel, ...] = SCORING_MODELS
"""What the register of models has from the start."""

DATA_SOURCES: tuple[DataSource, ...] = SCORING_SOURCES
"""Where data for decisions comes from, with whose it is and what is checked of it."""

HANDLERS: tuple[Handler, ...] = (
    # what a second person approved is done
    Handler("products.publish", (ApprovalGranted,), publish_approved_version),
    Handler("products.change", (ApprovalGranted,), change_approved_scheme),
    Handler("lending.follow_withdrawal", (SchemeVersionWithdrawn,), follow_scheme_withdrawal),
    Handler("kyc.publish", (ApprovalGranted,), publish_approved_rating),
    Handler("credit.publish", (ApprovalGranted,), publish_approved_policy),
    Handler("credit.decide", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), follow_credit_approval),
    Handler("credit.waive", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), follow_condition_waiver),
    Handler("pricing.publish", (ApprovalGranted,), publish_approved_grid),
    Handler("pricing.exception", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), follow_price_exception),
    Handler("pricing.reprice", (ApprovalGranted,), tell_new_rates),
    Handler("suitability.publish", (ApprovalGranted,), publish_approved_suitability),
    Handler("governance.release", (ApprovalGranted,), release_approved_model),
    Handler("contracts.publish", (ApprovalGranted,), publish_approved_template),
    Handler("market.record_listings", (ApprovalGranted,), take_approved_listings),
    Handler("market.record_instruments", (ApprovalGranted,), take_approved_instruments),
    Handler("collateral.publish", (ApprovalGranted,), take_collateral_approval),
    Handler("execution.clear_break", (ApprovalGranted,), clear_broker_break),
    Handler("treasury.clear_break", (ApprovalGranted,), clear_bank_break),
    Handler("treasury.resolve_payment", (ApprovalGranted,), resolve_payment),
    Handler("screening.follow_decision", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), follow_hit_decision),
    Handler("origination.accept", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), finish_acceptance),
    # who changed is held against the lists, and everybody against a list that changed
    Handler("screening.screen_client", (ProfileChanged,), screen_changed_client),
    Handler("screening.read_list", (ListReceived,), read_received_list),
    Handler("screening.rescreen", (ListLoaded,), rescreen_after_load),
    # an approved erasure, and the rest of the desk after it
    Handler("clients.erase", (ApprovalGranted,), erase_approved),
    Handler("clients.erase_run_out", (ApprovalGranted,), sweep_approved),
    Handler("screening.erase", (ClientErased,), erase_client_names),
    Handler("relations.erase", (ClientErased,), erase_client_values),
    Handler("kyc.erase", (ClientErased,), erase_client_notes),
    Handler("scoring.erase", (ClientErased,), erase_client_features),
    Handler("credit.erase", (ClientErased,), erase_client_decisions),
    Handler("pricing.erase", (ClientErased,), erase_client_prices),
    Handler("suitability.erase", (ClientErased,), erase_client_evidence),
    Handler("monitoring.erase", (ClientErased,), erase_client_counterparties),
    Handler("origination.erase", (ClientErased,), erase_client_applications),
    Handler("lending.erase", (ClientErased,), erase_client_requests),
    Handler("contracts.erase", (ClientErased,), erase_client_contracts),
    Handler("notifications.erase", (ClientErased,), erase_client_notices),
    # a turned key: what lies under the old one is moved
    Handler("vault.reseal", (DataKeyTurned,), start_resealing),
    # what rules look at, and changes of the rules themselves
    Handler("monitoring.note_profile", (ProfileChanged,), note_profile_change),
    Handler("monitoring.note_hit", (HitRaised,), note_hit),
    Handler("monitoring.backtest", (BacktestRequested,), start_backtest),
    Handler("monitoring.decide", (ApprovalGranted, ApprovalRejected), follow_decision),
    # what moves a margin line: the monitor takes it in batches of its own
    Handler(
        "margin.watch",
        (PricesRecorded, FxVersionRecorded, InstrumentSuspensionChanged, CollateralChanged, AccountChanged),
        taken_in_batches,
        group="watch",
    ),
    # a call that ran out, or a crossed close-out line, leads to a sale; a second person may have a say in it
    Handler("liquidation.open", (CallExpired, CloseOutBreached), open_after_breach),
    Handler("liquidation.late_credit", (DepositBooked,), look_at_late_credit),
    Handler("liquidation.decide", (ApprovalGranted, ApprovalRejected), take_decision),
    # an order is looked at once more, then sent; what the broker reports is booked
    Handler("liquidation.release", (OrderPlaced,), release_order),
    Handler("execution.submit", (OrderSent,), submit_sent_order),
    Handler("liquidation.follow", (FillReported, OrderEnded), follow_order),
    # a payment that was asked for is told to the bank
    Handler("treasury.send_payment", (PaymentRequested,), send_requested_payment),
    # a request for credit follows its decision and its contract
    Handler("lending.follow_decision", (CreditDecided,), follow_credit_decision),
    Handler("lending.follow_contract", (ContractSignedByClient, ContractInForce, ContractEnded), follow_contract),
    # a funding that a second person approved is done, and ended by what the bank answers
    Handler("lending.follow_approval", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), follow_funding_approval),
    Handler("lending.fund", (CreditMoved,), fund_approved),
    # a late loan: the client is told once a second person agrees; when its sale is over, so is the default
    Handler("lending.follow_default", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), follow_default_approval),
    Handler("lending.follow_sale", (LiquidationEnded,), follow_liquidation),
    Handler("lending.follow_payment", (PaymentConfirmed, PaymentRejected), follow_payment),
    # whoever changes is looked at again
    Handler("kyc.reassess", (ProfileChanged,), reassess_changed_client),
    Handler("kyc.reassess_screened", (HitRaised, HitResolved), reassess_screened_client),
    # a call is told to its client
    Handler("margin.notify", (CallOpened,), notify_of_call),
    Handler("notifications.deliver", (NoticeQueued,), deliver_queued_notice),
    # a file that was handed in is read by a job
    Handler("imports.start", (FileReceived,), start_import),
    # long work that was asked for is done by a job
    Handler("runs.start", (RunAsked,), start_run),
    # a second person closes a case, or it goes on
    Handler("cases.decide", (ApprovalGranted, ApprovalRejected, ApprovalWithdrawn), close_or_reopen_case),
    # a client who changed may belong with others
    Handler("relations.regroup", (ProfileChanged, TraitRecorded, TraitsErased), regroup_changed_client),
    # a closed day becomes figures
    Handler("performance.record", (DayClosed,), record_closed_day),
)
