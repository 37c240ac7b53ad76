"""What monitoring does when it hears of something."""

from django.db import transaction

from reefpoint.decisions.monitoring.events import BacktestRequested
from reefpoint.decisions.monitoring.jobs import run_backtest_job
from reefpoint.decisions.monitoring.rules.parties import signed_code
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.services.erasing import erase_counterparties
from reefpoint.decisions.monitoring.services.rules import APPROVAL_KIND, decide_rule_change
from reefpoint.decisions.monitoring.types import UNKNOWN, ActivityDraft, ActivityKind
from reefpoint.decisions.screening.events import HitRaised
from reefpoint.decisions.screening.selectors import get_hit
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.parties.events import ClientErased, ProfileChanged
from reefpoint.records.parties.selectors.bank_accounts import load_bank_accounts
from reefpoint.records.parties.selectors.profiles import load_profiles

CONTACT_FIELDS = frozenset({"phone", "email"})


def start_backtest(stored: StoredEvent) -> None:
    """Give the backtest to the worker."""
    event = stored.event
    assert isinstance(event, BacktestRequested)
    run_backtest_job.defer(backtest_id=event.backtest_id)


def follow_decision(stored: StoredEvent) -> None:
    """A version takes force, or does not, as the second person said."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected)
    if event.kind == APPROVAL_KIND:
        decide_rule_change(approval_id=event.approval_id)


@transaction.atomic
def note_hit(stored: StoredEvent) -> None:
    """A hit of a list is something that rules look at."""
    event = stored.event
    assert isinstance(event, HitRaised)
    hit = get_hit(system_actor("monitoring"), event.hit_id)
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.SCREENING_HIT,
                key=f"hit:{event.hit_id}",
                client_id=event.client_id,
                at=event.at,
                score_bp=hit.score.score_bp,
                is_verified=0,
            )
        ]
    )


@transaction.atomic
def note_profile_change(stored: StoredEvent) -> None:
    """A changed profile, contact or bank account is something that rules look at; a first profile is no change."""
    event = stored.event
    assert isinstance(event, ProfileChanged)
    profile = load_profiles([event.client_id]).get(event.client_id)
    if profile is None:
        return
    key = f"profile:{event.client_id}:{event.version}"
    declared = [
        UNKNOWN if figure is None else figure
        for figure in (profile.liquid_assets_minor, profile.annual_income_minor, profile.net_worth_minor)
    ]
    drafts = [
        ActivityDraft(
            kind=ActivityKind.PROFILE_CHANGE,
            key=key,
            client_id=event.client_id,
            at=event.at,
            country=profile.residence,
            declared_liquid_minor=declared[0],
            declared_income_minor=declared[1],
            declared_worth_minor=declared[2],
        )
    ]
    if event.version > 1 and CONTACT_FIELDS & set(event.changed):
        drafts.append(
            ActivityDraft(
                kind=ActivityKind.CONTACT_CHANGE, key=f"{key}:contact", client_id=event.client_id, at=event.at
            )
        )
    if event.version > 1 and "bank_accounts" in event.changed:
        drafts += [
            ActivityDraft(
                kind=ActivityKind.BANK_CHANGE,
                key=f"{key}:bank:{account.id}",
                client_id=event.client_id,
                at=event.at,
                counterparty=signed_code(bytes.fromhex(account.digest)),
                country=account.country,
            )
            for account in load_bank_accounts([event.client_id])
            if account.added_at == event.at
        ]
    note_activities(drafts)


def erase_client_counterparties(stored: StoredEvent) -> None:
    """Blank the words on a client whom no law keeps."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_counterparties(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
