"""What stands against accepting a client, who else must say yes, and what a refused one may be told."""

from collections.abc import Iterable

from reefpoint.flows.origination.rules.applications import RULES_VERSION
from reefpoint.flows.origination.types.applications import ApplicationState, PreScreenOutcome
from reefpoint.flows.origination.types.decisions import Blocker, RefusalReason, ReviewFacts
from reefpoint.records.parties.types import ClientStatus

HIGH, PROHIBITED = "high", "prohibited"


def blockers(facts: ReviewFacts, rules_version: int = RULES_VERSION) -> list[Blocker]:
    """What stands against accepting this client, on these facts alone; empty: they may be accepted.

    A decision of an earlier version is held to the rules of that version (I60).
    """
    checks = (
        (Blocker.NOT_IN_REVIEW, facts.state != ApplicationState.IN_REVIEW),
        (Blocker.CLIENT_NOT_PROSPECT, facts.client_status != ClientStatus.PROSPECT),
        (
            Blocker.PRE_SCREEN_STOPPED,
            facts.pre_screen_outcome not in {PreScreenOutcome.PASSED, PreScreenOutcome.REFERRED},
        ),
        (Blocker.DOCUMENTS_MISSING, bool(facts.documents_missing)),
        (Blocker.QUESTIONNAIRE_MISSING, not facts.suitability_id),
        (Blocker.CONFIRMED_HIT, facts.screening == "confirmed"),
        (Blocker.OPEN_HITS, facts.screening == "open_hits"),
        (Blocker.NEVER_SCREENED, facts.screening not in {"clear", "open_hits", "confirmed"}),
        (Blocker.NO_LIST, rules_version >= 2 and not facts.list_versions),
        (Blocker.NOT_ASSESSED, not facts.rating),
        (Blocker.PROHIBITED, facts.rating == PROHIBITED),
        (Blocker.IDENTITY_CHECKS_FAILED, bool(facts.rating) and not facts.is_kyc_clean),
        (Blocker.OPEN_ALERT, facts.blocking_alerts > 0),
        (Blocker.NO_LICENCE, not facts.licence_number),
    )
    return [blocker for blocker, stands in checks if stands]


def needs_second_person(facts: ReviewFacts) -> bool:
    """A client of high risk is accepted by two people."""
    return facts.rating == HIGH


KEPT_REASONS = frozenset({RefusalReason.SCREENING, RefusalReason.MONITORING, RefusalReason.PROHIBITED_RISK})
"""Reasons that the client, and whoever sells to them, must not learn (tipping off). They read as `BUSINESS`.

Sources, from memory: PRC Anti-Money Laundering Law; HK OSCO Cap. 455 s. 25A(5); US 31 USC 5318(g)(2).
"""

KEPT_BLOCKERS = frozenset(
    {Blocker.NEVER_SCREENED, Blocker.OPEN_HITS, Blocker.CONFIRMED_HIT, Blocker.OPEN_ALERT, Blocker.PROHIBITED}
)
"""What stands against accepting and only compliance and auditors may know of."""


def told_reasons(reasons: Iterable[RefusalReason]) -> tuple[RefusalReason, ...]:
    """The reasons as the client reads them: specific where they may be, neutral where they must be."""
    shown = [reason for reason in reasons if reason not in KEPT_REASONS and reason is not RefusalReason.BUSINESS]
    return tuple(shown) or (RefusalReason.BUSINESS,)
