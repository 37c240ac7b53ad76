"""From measured accounts to margin states, calls and their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.margin import rules
from reefpoint.decisions.margin.events import BandCrossed, CallCured, CallExpired, CallOpened, CloseOutBreached
from reefpoint.decisions.margin.models import MarginCall, MarginState
from reefpoint.decisions.margin.selectors.standing import measure
from reefpoint.decisions.margin.types import Band, CallState, Standing
from reefpoint.engine.cures import repayment_to_reach
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import percent
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications.selectors import has_delivered_notice
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.market.selectors.calendar import deadline_at
from reefpoint.records.market.types import VENUE
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import SchemeTerms


@dataclass(frozen=True)
class SettleResult:
    """What one round of measures led to: counts."""

    states: int
    crossings: int
    opened: int
    cured: int
    breached: int


@transaction.atomic
def settle_standings(
    *,
    actor: Actor,
    measured: Sequence[tuple[AccountFacts, Standing]],
    on: date,
    at: datetime,
) -> SettleResult:
    """Write the states of measured accounts and do what follows: open and cure calls, tell of breached lines.

    The band in each standing is the one after hysteresis. Doing it again with the same measures changes nothing.
    """
    ids = [account.id for account, _ in measured]
    before = {
        state.account_id: state
        for state in MarginState.objects.select_for_update().filter(account_id__in=ids).order_by("account_id")
    }
    open_calls = {call.account_id: call for call in MarginCall.objects.filter(account_id__in=ids, state=CallState.OPEN)}
    states, crossed, opened, cured, breached = [], 0, 0, 0, 0
    for account, standing in measured:
        known = before.get(account.id)
        state = _state_of(standing, known, at)
        if known is None or known.band != standing.band:
            crossed += 1
            publish(
                BandCrossed(
                    at=at,
                    account_id=account.id,
                    old=known.band if known else Band.SAFE.value,
                    new=standing.band.value,
                )
            )
        terms = get_terms(account.scheme_version_id)
        call = open_calls.get(account.id)
        follows = rules.consequence(
            band=standing.band,
            ratio_bp=standing.ratio_bp,
            cure_bp=terms.cure_bp,
            has_open_call=call is not None,
            is_enforced=state.is_enforced,
        )
        if follows.cures_call and call is not None:
            _cure_call(actor, call, standing, at)
            cured += 1
        if follows.opens_call:
            _open_call(actor, account, standing, terms, on, at)
            opened += 1
        if follows.breaches_close_out:
            state.is_enforced = True
            _breach_close_out(actor, account, standing, terms, call, at)
            breached += 1
        states.append(state)
    insert_columns(
        MarginState._meta.db_table,
        STATE_COLUMNS,
        [tuple(getattr(state, name) for name in STATE_COLUMNS) for state in states],
        update_on="account_id",
    )
    return SettleResult(len(states), crossed, opened, cured, breached)


STATE_COLUMNS = {
    "account_id": "bigint",
    "band": "smallint",
    "band_since": "timestamptz",
    "is_enforced": "boolean",
    "market_minor": "bigint",
    "assets_minor": "bigint",
    "lendable_minor": "bigint",
    "requirement_minor": "bigint",
    "debt_minor": "bigint",
    "ratio_bp": "bigint",
    "valued_at": "timestamptz",
}


def _state_of(standing: Standing, before: MarginState | None, at: datetime) -> MarginState:
    same_band = before is not None and before.band == standing.band
    return MarginState(
        account_id=standing.account_id,
        band=standing.band.value,
        band_since=before.band_since if before is not None and same_band else at,
        is_enforced=before.is_enforced if before is not None else False,
        market_minor=standing.market_minor,
        assets_minor=standing.assets_minor,
        lendable_minor=standing.lendable_minor,
        requirement_minor=standing.requirement_minor,
        debt_minor=standing.debt_minor,
        ratio_bp=standing.ratio_bp,
        valued_at=at,
    )


def _open_call(
    actor: Actor, account: AccountFacts, standing: Standing, terms: SchemeTerms, on: date, at: datetime
) -> None:
    call = MarginCall.objects.create(
        number=_call_number(account, on),
        account_id=account.id,
        opened_on=on,
        opened_at=at,
        deadline_at=deadline_at(VENUE, on, terms.call_deadline_sessions),
        amount_minor=repayment_to_reach(standing.assets_minor, standing.debt_minor, terms.cure_bp),
        debt_minor=standing.debt_minor,
        assets_minor=standing.assets_minor,
        ratio_bp=standing.ratio_bp or 0,
        call_bp=terms.call_bp,
        cure_bp=terms.cure_bp,
    )
    record(
        actor=actor,
        action="margin.open_call",
        subject=f"call:{call.id}",
        reason=f"ratio {percent(call.ratio_bp)} under the call line {percent(terms.call_bp)}",
        inputs={
            "account": account.id,
            "assets_minor": standing.assets_minor,
            "debt_minor": standing.debt_minor,
            "amount_minor": call.amount_minor,
            "deadline_at": call.deadline_at.isoformat(),
        },
        at=at,
    )
    publish(CallOpened(at=at, account_id=account.id, call_id=call.id))


def _call_number(account: AccountFacts, on: date) -> str:
    """Account and day name a call; a further one on the same day is counted."""
    number = f"K-{account.number.removeprefix('M-')}-{on:%y%m%d}"
    earlier = MarginCall.objects.filter(account_id=account.id, opened_on=on).count()
    return f"{number}-{earlier + 1}" if earlier else number


def _cure_call(actor: Actor, call: MarginCall, standing: Standing, at: datetime) -> None:
    reason = (
        "nothing is owed"
        if standing.ratio_bp is None
        else f"ratio {percent(standing.ratio_bp)} reached {percent(call.cure_bp)}"
    )
    _close(actor, call, CallState.CURED, reason, at)
    publish(CallCured(at=at, account_id=call.account_id, call_id=call.id))


def _breach_close_out(
    actor: Actor, account: AccountFacts, standing: Standing, terms: SchemeTerms, call: MarginCall | None, at: datetime
) -> None:
    if call is not None:
        _close(actor, call, CallState.SUPERSEDED, "the close-out line was crossed", at)
    record(
        actor=actor,
        action="margin.breach_close_out",
        subject=f"account:{account.id}",
        reason=f"ratio {percent(standing.ratio_bp or 0)} under the close-out line {percent(terms.close_out_bp)}",
        inputs={"assets_minor": standing.assets_minor, "debt_minor": standing.debt_minor},
        at=at,
    )
    publish(CloseOutBreached(at=at, account_id=account.id, ratio_bp=standing.ratio_bp or 0))


def _close(actor: Actor, call: MarginCall, state: CallState, reason: str, at: datetime) -> None:
    rules.CALL_STATES.check(CallState(call.state), state)
    call.state, call.closed_at, call.close_reason = state, at, reason
    call.save(update_fields=["state", "closed_at", "close_reason"])
    record(actor=actor, action=f"margin.call_{state.value}", subject=f"call:{call.id}", reason=reason, at=at)


def expire_due_calls(*, actor: Actor, at: datetime) -> list[int]:
    """End every open call whose deadline has passed; returns those that ended. Each in a transaction of its own."""
    due = (
        MarginCall.objects.filter(state=CallState.OPEN, deadline_at__lte=at).order_by("id").values_list("id", flat=True)
    )
    return [call_id for call_id in list(due) if expire_margin_call(actor=actor, call_id=call_id, at=at)]


@transaction.atomic
def expire_margin_call(*, actor: Actor, call_id: int, at: datetime) -> bool:
    """End a call that nobody answered; liquidation takes over by the event. Returns whether it ended.

    It stays open, with an audit entry that says why, when no notice of it was delivered, when the account cannot be
    valued, or when money that cures it has arrived in the meantime (the watch then closes it as cured).
    """
    require(actor, "margin.expire_call")
    account_id = MarginCall.objects.values_list("account_id", flat=True).get(id=call_id)
    account = accounts.lock_account(account_id)
    state = MarginState.objects.select_for_update().get(account_id=account_id)
    call = MarginCall.objects.select_for_update().get(id=call_id)
    if call.state != CallState.OPEN or call.deadline_at > at:
        return False
    standing = measure(account, at=at)
    if obstacle := _obstacle_to_expiry(call, standing):
        record(actor=actor, action="margin.expiry_stopped", subject=f"call:{call.id}", reason=obstacle, at=at)
        return False
    _close(actor, call, CallState.EXPIRED, "the deadline passed without cure", at)
    state.is_enforced = True
    state.save(update_fields=["is_enforced"])
    publish(CallExpired(at=at, account_id=account_id, call_id=call.id))
    return True


def _obstacle_to_expiry(call: MarginCall, standing: Standing) -> str:
    if standing.is_unknown:
        return "the account cannot be valued"
    if standing.ratio_bp is None or standing.ratio_bp >= call.cure_bp:
        return "the account has reached its cure line"
    if not has_delivered_notice(f"call:{call.id}"):
        return "no notice of this call was delivered"
    return ""


@transaction.atomic
def end_enforcement(*, actor: Actor, account_id: int, reason: str, at: datetime) -> None:
    """A sale is over: the account may be called again. The caller announces the account's change."""
    MarginState.objects.filter(account_id=account_id).update(is_enforced=False)
    record(actor=actor, action="margin.end_enforcement", subject=f"account:{account_id}", reason=reason, at=at)
