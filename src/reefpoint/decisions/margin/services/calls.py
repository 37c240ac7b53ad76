"""From measured accounts to margin states, calls and their end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection, transaction

from reefpoint.decisions.margin import rules
from reefpoint.decisions.margin.events import BandCrossed, CallCured, CallExpired, CallOpened, CloseOutBreached
from reefpoint.decisions.margin.models import MarginCall, MarginState
from reefpoint.decisions.margin.selectors.standing import measure
from reefpoint.decisions.margin.types import Band, CallCause, CallState, Standing
from reefpoint.engine.cures import ratio_at_requirement_bp, repayment_to_reach
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record, record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import percent
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.database.bulk import array_literal, insert_columns, next_ids, update_columns
from reefpoint.platform.events.services import publish, publish_all
from reefpoint.platform.notifications.selectors import has_delivered_notice
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.market.selectors.calendar import deadline_at
from reefpoint.records.market.types import VENUE
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import SchemeTerms


@dataclass(frozen=True)
class SettleResult:
    """What one round of measures led to: counts, and what the measured accounts that have an open call now are called
    for.
    """

    states: int
    crossings: int
    opened: int
    cured: int
    breached: int
    called: Mapping[int, CallCause]


@transaction.atomic
def settle_standings(
    *,
    actor: Actor,
    measured: Sequence[tuple[Standing, int]],
    on: date,
    at: datetime,
    is_day_end: bool = False,
) -> SettleResult:
    """Write the states of measured accounts and do what follows: open and cure calls, tell of breached lines; at a
    day's end, call for maintenance.

    Each standing comes with the scheme version of its account; its band is the one after hysteresis. Doing it again
    with the same measures changes nothing. A fixed number of statements, however many accounts there are.
    """
    ids = [standing.account_id for standing, _ in measured]
    before = _lock_states(ids)
    open_calls = _load_open_calls(ids)
    now = str(at)
    never_measured = _State(Band.SAFE, now, is_enforced=False)
    states: list[tuple[object, ...]] = []
    crossings: list[BandCrossed] = []
    to_cure: list[tuple[Standing, _OpenCall]] = []
    to_open: list[_ToOpen] = []
    to_breach: list[tuple[Standing, SchemeTerms]] = []
    for standing, scheme_version_id in measured:
        known = before.get(standing.account_id, never_measured)
        is_crossing = standing.account_id not in before or known.band != standing.band
        if is_crossing:
            crossings.append(
                BandCrossed(at=at, account_id=standing.account_id, old=int(known.band), new=standing.band.value)
            )
        terms = get_terms(scheme_version_id)
        call = open_calls.get(standing.account_id)
        follows = rules.consequence(
            standing,
            cure_bp=terms.cure_bp,
            open_call=CallCause(call.cause) if call else None,
            is_enforced=known.is_enforced,
            is_day_end=is_day_end,
        )
        if follows.cures_call and call is not None:
            to_cure.append((standing, call))
        if follows.opens_call is not None:
            to_open.append(_ToOpen(standing, terms, follows.opens_call))
        if follows.breaches_close_out:
            to_breach.append((standing, terms))
        is_enforced = known.is_enforced or follows.breaches_close_out
        states.append(_state_row(standing, now if is_crossing else known.band_since, is_enforced, at))
    publish_all(crossings)
    _cure_calls(actor, to_cure, at)
    _open_calls(actor, to_open, on, at)
    _breach_close_outs(actor, to_breach, open_calls, at)
    insert_columns(MarginState._meta.db_table, STATE_COLUMNS, states, update_on="account_id")
    ended = {standing.account_id for standing, _ in (*to_cure, *to_breach)}
    called = {one: CallCause(call.cause) for one, call in open_calls.items() if one not in ended}
    called |= {one.standing.account_id: one.cause for one in to_open}
    return SettleResult(len(states), len(crossings), len(to_open), len(to_cure), len(to_breach), called)


class _State(NamedTuple):
    """What a stored state says that the next one goes on from. `band_since` is only handed back: it stays text."""

    band: int
    band_since: str
    is_enforced: bool


def _lock_states(account_ids: Sequence[int]) -> dict[int, _State]:
    """The stored states of these accounts, locked in account order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id, band, band_since::text, is_enforced FROM margin_marginstate
             WHERE account_id = ANY(%s::bigint[]) ORDER BY account_id FOR UPDATE
            """,
            [array_literal(account_ids)],
        )
        return {account_id: _State(*state) for account_id, *state in cursor.fetchall()}


class _OpenCall(NamedTuple):
    """What ending a call takes."""

    id: int
    account_id: int
    cure_bp: int
    cause: str


class _ToOpen(NamedTuple):
    """What opening a call takes."""

    standing: Standing
    terms: SchemeTerms
    cause: CallCause


def _load_open_calls(account_ids: Sequence[int]) -> dict[int, _OpenCall]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, account_id, cure_bp, cause FROM margin_margincall
             WHERE account_id = ANY(%s::bigint[]) AND state = %s
            """,
            [array_literal(account_ids), CallState.OPEN],
        )
        return {call[1]: _OpenCall(*call) for call in cursor.fetchall()}


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


def _state_row(standing: Standing, band_since: str, is_enforced: bool, at: datetime) -> tuple[object, ...]:
    """In the order of `STATE_COLUMNS`."""
    return (
        standing.account_id,
        standing.band.value,
        band_since,
        is_enforced,
        standing.market_minor,
        standing.assets_minor,
        standing.lendable_minor,
        standing.requirement_minor,
        standing.debt_minor,
        standing.ratio_bp,
        at,
    )


CALL_COLUMNS = {
    "id": "bigint",
    "number": "varchar",
    "account_id": "bigint",
    "cause": "varchar",
    "state": "varchar",
    "opened_on": "date",
    "opened_at": "timestamptz",
    "deadline_at": "timestamptz",
    "amount_minor": "bigint",
    "debt_minor": "bigint",
    "assets_minor": "bigint",
    "ratio_bp": "bigint",
    "call_bp": "integer",
    "cure_bp": "integer",
    "requirement_minor": "bigint",
    "close_reason": "varchar",
}


class _Demand(NamedTuple):
    """What a call asks for, by its cause; `requirement_minor` as in `CallFacts`."""

    amount_minor: int
    call_bp: int
    cure_bp: int
    requirement_minor: int | None
    reason: str


def _demand(one: _ToOpen) -> _Demand:
    standing, terms = one.standing, one.terms
    if one.cause is CallCause.LINE:
        amount_minor = repayment_to_reach(standing.assets_minor, standing.debt_minor, terms.cure_bp)
        reason = _under_the_call_line(standing.ratio_bp or 0, terms.call_bp)
        return _Demand(amount_minor, terms.call_bp, terms.cure_bp, None, reason)
    wanted_bp = ratio_at_requirement_bp(standing.assets_minor, standing.requirement_minor)
    return _Demand(
        rules.maintenance_call_minor(standing),
        wanted_bp,
        wanted_bp,
        standing.requirement_minor,
        str(Sentence("equity below the maintenance of the names")),
    )


@lru_cache(maxsize=4096)
def _under_the_call_line(ratio_bp: int, call_bp: int) -> str:
    """Of a hundred thousand calls on one tick few have a reason of their own."""
    told = {"ratio": percent(ratio_bp), "line": percent(call_bp)}
    return str(Sentence("ratio {ratio} under the call line {line}", told))


def _open_calls(actor: Actor, to_open: Sequence[_ToOpen], on: date, at: datetime) -> None:
    if not to_open:
        return
    ids = next_ids(MarginCall._meta.db_table, len(to_open))
    numbers = _call_numbers([one.standing.account_id for one in to_open], on)
    sessions = {one.terms.call_deadline_sessions for one in to_open}
    deadlines = {count: deadline_at(VENUE, on, count) for count in sessions}
    told = {deadline: deadline.isoformat() for deadline in deadlines.values()}
    calls, entries = [], []
    for call_id, one in zip(ids, to_open, strict=True):
        standing, demand = one.standing, _demand(one)
        deadline = deadlines[one.terms.call_deadline_sessions]
        calls.append(
            (
                call_id,
                numbers[standing.account_id],
                standing.account_id,
                one.cause.value,
                CallState.OPEN.value,
                on,
                at,
                deadline,
                demand.amount_minor,
                standing.debt_minor,
                standing.assets_minor,
                standing.ratio_bp or 0,
                demand.call_bp,
                demand.cure_bp,
                demand.requirement_minor,
                "",
            )
        )
        inputs: dict[str, object] = {
            "account": standing.account_id,
            "assets_minor": standing.assets_minor,
            "debt_minor": standing.debt_minor,
            "amount_minor": demand.amount_minor,
            "deadline_at": told[deadline],
        }
        if demand.requirement_minor is not None:
            inputs["requirement_minor"] = demand.requirement_minor
        entries.append(EntryDraft(subject=f"call:{call_id}", reason=demand.reason, inputs=inputs))
    insert_columns(MarginCall._meta.db_table, CALL_COLUMNS, calls)
    record_all(actor=actor, action="margin.open_call", entries=entries, at=at)
    publish_all(
        [
            CallOpened(at=at, account_id=one.standing.account_id, call_id=call_id)
            for call_id, one in zip(ids, to_open, strict=True)
        ]
    )


def _call_numbers(account_ids: Sequence[int], on: date) -> dict[int, str]:
    """Account and day name a call; a further one on the same day is counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id, count(*) FROM margin_margincall
             WHERE account_id = ANY(%s::bigint[]) AND opened_on = %s GROUP BY account_id
            """,
            [array_literal(account_ids), on],
        )
        earlier = dict(cursor.fetchall())
    return {
        account_id: f"K-{number.removeprefix('M-')}-{on:%y%m%d}"
        + (f"-{earlier[account_id] + 1}" if account_id in earlier else "")
        for account_id, number in account_numbers(account_ids).items()
    }


def _cure_calls(actor: Actor, to_cure: Sequence[tuple[Standing, _OpenCall]], at: datetime) -> None:
    reasons = [_why_cured(standing, call) for standing, call in to_cure]
    _close(actor, [call.id for _, call in to_cure], CallState.CURED, reasons, at)
    publish_all([CallCured(at=at, account_id=call.account_id, call_id=call.id) for _, call in to_cure])


def _why_cured(standing: Standing, call: _OpenCall) -> str:
    if standing.ratio_bp is None:
        return "nothing is owed"
    if call.cause == CallCause.MAINTENANCE:
        return "equity reached the maintenance of the names"
    return f"ratio {percent(standing.ratio_bp)} reached {percent(call.cure_bp)}"


def _breach_close_outs(
    actor: Actor,
    to_breach: Sequence[tuple[Standing, SchemeTerms]],
    open_calls: Mapping[int, _OpenCall],
    at: datetime,
) -> None:
    ended = [open_calls[standing.account_id].id for standing, _ in to_breach if standing.account_id in open_calls]
    _close(actor, ended, CallState.SUPERSEDED, [str(Sentence("the close-out line was crossed"))] * len(ended), at)
    entries = [
        EntryDraft(
            subject=f"account:{standing.account_id}",
            reason=str(
                Sentence(
                    "ratio {ratio} under the close-out line {line}",
                    {"ratio": percent(standing.ratio_bp or 0), "line": percent(terms.close_out_bp)},
                )
            ),
            inputs={"assets_minor": standing.assets_minor, "debt_minor": standing.debt_minor},
        )
        for standing, terms in to_breach
    ]
    record_all(actor=actor, action="margin.breach_close_out", entries=entries, at=at)
    publish_all(
        [
            CloseOutBreached(at=at, account_id=standing.account_id, ratio_bp=standing.ratio_bp or 0)
            for standing, _ in to_breach
        ]
    )


def _close(actor: Actor, call_ids: Sequence[int], state: CallState, reasons: Sequence[str], at: datetime) -> None:
    """End open calls, each for its reason."""
    rules.CALL_STATES.check(CallState.OPEN, state)
    update_columns(
        MarginCall._meta.db_table,
        {"id": "bigint", "state": "varchar", "closed_at": "timestamptz", "close_reason": "varchar"},
        [(call_id, state.value, at, reason) for call_id, reason in zip(call_ids, reasons, strict=True)],
        key="id",
    )
    entries = [EntryDraft(f"call:{call_id}", reason) for call_id, reason in zip(call_ids, reasons, strict=True)]
    record_all(actor=actor, action=f"margin.call_{state.value}", entries=entries, at=at)


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
    _close(actor, [call.id], CallState.EXPIRED, [str(Sentence("the deadline passed without cure"))], at)
    state.is_enforced = True
    state.save(update_fields=["is_enforced"])
    publish(CallExpired(at=at, account_id=account_id, call_id=call.id))
    return True


def _obstacle_to_expiry(call: MarginCall, standing: Standing) -> str:
    if standing.is_unknown:
        return str(Sentence("the account cannot be valued"))
    if rules.answers_call(standing, CallCause(call.cause), call.cure_bp):
        return str(Sentence("the account has reached what the call asks for"))
    if not has_delivered_notice(f"call:{call.id}"):
        return str(Sentence("no notice of this call was delivered"))
    return ""


@transaction.atomic
def begin_enforcement(*, actor: Actor, account_id: int, reason: str, at: datetime) -> bool:
    """Mark a locked account as being sold for what no line says. Returns whether it is; not while a call is open or a
    sale is due already: those go first.
    """
    state = MarginState.objects.select_for_update().filter(account_id=account_id).first()
    if (
        state is None
        or state.is_enforced
        or MarginCall.objects.filter(account_id=account_id, state=CallState.OPEN).exists()
    ):
        return False
    state.is_enforced = True
    state.save(update_fields=["is_enforced"])
    record(actor=actor, action="margin.begin_enforcement", subject=f"account:{account_id}", reason=reason, at=at)
    return True


@transaction.atomic
def end_enforcement(*, actor: Actor, account_id: int, reason: str, at: datetime) -> None:
    """A sale is over: the account may be called again. The caller announces the account's change."""
    MarginState.objects.filter(account_id=account_id).update(is_enforced=False)
    record(actor=actor, action="margin.end_enforcement", subject=f"account:{account_id}", reason=reason, at=at)
