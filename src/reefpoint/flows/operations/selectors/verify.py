"""The proof of the whole state: each part proves its own, and this puts them in one list."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from reefpoint.decisions.cases.selectors import verify_cases
from reefpoint.decisions.collateral.selectors.proof import verify_collateral
from reefpoint.decisions.credit.selectors import count_erased_decisions, verify_credit
from reefpoint.decisions.kyc.selectors import verify_kyc
from reefpoint.decisions.margin.selectors.verify import verify_margin
from reefpoint.decisions.monitoring.selectors.verify import verify_monitoring
from reefpoint.decisions.pricing.selectors import count_erased_prices, verify_pricing
from reefpoint.decisions.relations.selectors import verify_relations
from reefpoint.decisions.scoring.selectors.proof import count_erased_sets, verify_scoring
from reefpoint.decisions.screening.selectors import verify_screening
from reefpoint.decisions.suitability.selectors import verify_suitability
from reefpoint.flows.lending.selectors.requests import verify_lending
from reefpoint.flows.liquidation.selectors import verify_liquidations
from reefpoint.flows.origination.selectors.review import verify_applications
from reefpoint.platform.access.selectors import verify_approvals
from reefpoint.platform.audit.selectors import verify_anchors, verify_audit
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.events.selectors import verify_outbox
from reefpoint.platform.governance.selectors import verify_governance
from reefpoint.platform.imports.selectors import verify_imports
from reefpoint.platform.notifications.selectors import verify_notifications
from reefpoint.platform.publications.selectors import verify_publications
from reefpoint.platform.vault.selectors import verify_vault
from reefpoint.records.accounts.selectors.proof import verify_accounts
from reefpoint.records.contracts.selectors import count_erased_contracts, verify_contracts
from reefpoint.records.execution.selectors import verify_execution
from reefpoint.records.ledger.selectors import verify_ledger
from reefpoint.records.market.selectors import verify_market
from reefpoint.records.parties.selectors.proof import count_erased_clients, verify_parties
from reefpoint.records.products.selectors import verify_schemes
from reefpoint.records.treasury.selectors import verify_treasury

CHECKS: Mapping[str, Callable[[datetime], list[Finding]]] = {
    "ledger": lambda _: verify_ledger(),
    "audit": lambda _: verify_audit(),
    "anchors": lambda _: verify_anchors(settings.ANCHOR_FILE),
    "outbox": lambda _: verify_outbox(),
    "accounts": lambda _: verify_accounts(),
    "treasury": lambda _: verify_treasury(),
    "execution": lambda _: verify_execution(),
    "market": lambda _: verify_market(),
    "schemes": lambda _: verify_schemes(),
    "publications": lambda _: verify_publications(),
    "kyc": lambda _: verify_kyc(),
    "credit": lambda _: verify_credit(),
    "pricing": lambda _: verify_pricing(),
    "suitability": lambda _: verify_suitability(),
    "collateral": lambda _: verify_collateral(),
    "models": lambda _: verify_governance(),
    "scoring": lambda _: verify_scoring(),
    "margin": lambda at: verify_margin(at=at),
    "liquidation": lambda _: verify_liquidations(),
    "screening": lambda _: verify_screening(),
    "cases": lambda _: verify_cases(),
    "relations": lambda _: verify_relations(),
    "monitoring": lambda _: verify_monitoring(),
    "applications": lambda _: verify_applications(),
    "contracts": lambda _: verify_contracts(),
    "credit requests": lambda _: verify_lending(),
    "imports": lambda _: verify_imports(),
    "approvals": lambda _: verify_approvals(),
    "sealed records": lambda _: verify_vault(),
    "clients": lambda _: verify_parties(),
    "notices": lambda _: verify_notifications(),
}


ERASED: Mapping[str, Callable[[], int]] = {
    "clients": count_erased_clients,
    "contracts": count_erased_contracts,
    "credit": count_erased_decisions,
    "pricing": count_erased_prices,
    "scoring": count_erased_sets,
}
"""How many records each check leaves out because what they were proved from was erased."""


def count_erased() -> dict[str, int]:
    """What `verify_state` cannot prove any more, by check: the bytes were erased, by two people, with an entry each."""
    return {name: count for name, counted in ERASED.items() if (count := counted())}


def verify_state(*, at: datetime, on_check: Callable[[str, int], None] = lambda *_: None) -> list[Finding]:
    """Run every check on one snapshot of the database; `on_check` is told each check's name and its findings' count."""
    findings: list[Finding] = []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for name, check in CHECKS.items():
            found = check(at)
            findings += found
            on_check(name, len(found))
    return findings
