"""Noting what clients do, in the transaction in which they do it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_type_hints

from django.db import connection

from reefpoint.decisions.monitoring.models import Activity
from reefpoint.decisions.monitoring.rules.parties import THIRD_PARTY_BELOW_BP, signed_code
from reefpoint.decisions.monitoring.types import ActivityDraft, Counterparty
from reefpoint.decisions.screening.selectors import best_score
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.records.parties.selectors.bank_accounts import load_bank_accounts
from reefpoint.records.parties.selectors.profiles import load_profiles
from reefpoint.records.parties.services import trait_digest
from reefpoint.records.parties.types import TraitKind

_COLUMNS = {
    name: {int: "bigint", datetime: "timestamptz"}.get(kind, "text")
    for name, kind in get_type_hints(ActivityDraft).items()
}


def note_activities(drafts: Sequence[ActivityDraft]) -> int:
    """Note what happened, in the caller's transaction; what a key names is noted once. Returns how many were new.

    A sweep judges it later, in the order in which transactions end: nothing is missed, nothing judged twice.
    """
    assert connection.in_atomic_block, "an activity is noted in the transaction of what it tells"
    return insert_columns(
        Activity._meta.db_table, _COLUMNS, [tuple(vars(draft).values()) for draft in drafts], ignore_on=("key",)
    )


def with_counterparty(draft: ActivityDraft, counterparty: Counterparty | None) -> ActivityDraft:
    """The activity with what is known of the other side: whether its name fits a holder, and its account is verified.

    Without a name and an account, or where the client has no profile to compare with, the answers are left unknown.
    """
    if counterparty is None:
        return draft
    if not counterparty.name.strip() and not counterparty.account_number.strip():
        return replace(draft, country=counterparty.country)
    code, is_verified = 0, False
    if counterparty.account_number.strip():
        key = trait_digest(TraitKind.BANK_ACCOUNT, counterparty.account_number)
        code = signed_code(key)
        own = load_bank_accounts([draft.client_id])
        is_verified = any(one.digest == key.hex() and one.verified_at and not one.removed_at for one in own)
    told = replace(
        draft,
        counterparty=code,
        counterparty_name=counterparty.name.strip()[:160],
        country=counterparty.country,
        is_verified=int(is_verified),
    )
    profile = load_profiles([draft.client_id]).get(draft.client_id)
    if profile is None:
        return replace(told, is_third_party=0) if is_verified else told
    holders = [profile.name, profile.name_zh, *profile.former_names]
    scores = [best_score(holder, counterparty.name) for holder in holders if holder]
    score_bp = max((score.score_bp for score in scores if score is not None), default=0)
    is_third = not is_verified and score_bp < THIRD_PARTY_BELOW_BP
    return replace(told, score_bp=score_bp, is_third_party=int(is_third))


def device_code(device: str) -> int:
    """The number under which a device is compared; 0 for none."""
    return signed_code(trait_digest(TraitKind.DEVICE, device)) if device else 0
