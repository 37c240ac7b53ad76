"""The moves of a request for credit, whose turn it is, and when a loan may be renewed and its client is reminded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta

from reefpoint.flows.lending.types import (
    CreditState,
    DefaultState,
    FundingFacts,
    MaturityStage,
    NextStep,
    RenewalState,
    Turn,
)
from reefpoint.platform.basics.states import StateTable

C = CreditState

CREDIT_STATES = StateTable(
    subject="request for credit",
    initial=C.DRAFT,
    moves={
        C.DRAFT: frozenset({C.REQUESTED, C.WITHDRAWN, C.LAPSED}),
        C.REQUESTED: frozenset({C.DECIDING, C.WITHDRAWN}),
        C.DECIDING: frozenset({C.REFERRED, C.APPROVED, C.DECLINED, C.WITHDRAWN}),
        C.REFERRED: frozenset({C.APPROVED, C.DECLINED, C.WITHDRAWN}),
        C.APPROVED: frozenset({C.OFFERED, C.DECIDING, C.WITHDRAWN, C.LAPSED}),
        C.OFFERED: frozenset({C.APPROVED, C.SIGNED, C.WITHDRAWN, C.LAPSED}),
        C.SIGNED: frozenset({C.APPROVED_TO_FUND, C.WITHDRAWN, C.LAPSED}),
        C.APPROVED_TO_FUND: frozenset({C.FUNDING, C.FAILED}),
        C.FUNDING: frozenset({C.FUNDED, C.FAILED}),
        C.FAILED: frozenset({C.SIGNED, C.WITHDRAWN, C.LAPSED}),
    },
)

LIVE = (*CREDIT_STATES.live,)
"""States in which a client has a request under a scheme, and cannot begin another."""

BOARD = (
    C.REQUESTED,
    C.DECIDING,
    C.REFERRED,
    C.APPROVED,
    C.OFFERED,
    C.SIGNED,
    C.APPROVED_TO_FUND,
    C.FUNDING,
    C.FAILED,
)
"""The stages of the board, in order."""

LAPSE_DAYS: Mapping[CreditState, int] = {C.DRAFT: 30, C.APPROVED: 30, C.OFFERED: 30, C.SIGNED: 30, C.FAILED: 30}
"""For how many days a request can wait in a stage before it lapses. What the desk decides on does not lapse."""

LAPSING = tuple(LAPSE_DAYS)

CAN_ADD_COLLATERAL = frozenset({C.APPROVED, C.OFFERED, C.SIGNED, C.FAILED})
"""Stages in which a client can bring in more than was decided on, as a condition may ask."""

CLIENT_CAN_WITHDRAW = frozenset(
    state for state, nexts in CREDIT_STATES.moves.items() if C.WITHDRAWN in nexts and state is not C.SIGNED
)

R = RenewalState
_ENDS = (R.DECLINED, R.WITHDRAWN, R.EXPIRED)

RENEWAL_STATES = StateTable(
    subject="renewal",
    initial=R.ASKED,
    moves={
        R.ASKED: frozenset({R.OFFERED, *_ENDS}),
        R.OFFERED: frozenset({R.ACCEPTED, *_ENDS}),
        R.ACCEPTED: frozenset({R.SIGNED, *_ENDS}),
        R.SIGNED: frozenset({R.DONE, *_ENDS}),
    },
)
"""Asked for by the client, or offered at once. Only what both have signed is done; until then either side, or time, can
end it."""

LIVE_RENEWALS = sorted(state.value for state in RENEWAL_STATES.live)

D = DefaultState

DEFAULT_STATES = StateTable(
    subject="default",
    initial=D.PROPOSED,
    moves={
        D.PROPOSED: frozenset({D.ANNOUNCED, D.PAID, D.WITHDRAWN}),
        D.ANNOUNCED: frozenset({D.SELLING, D.PAID, D.WITHDRAWN}),
        D.SELLING: frozenset({D.PAID, D.EXHAUSTED}),
    },
)
"""Nothing is sold for a late loan before its client was told from which day on. A sale that runs ends by itself."""


def notice_sessions(call_deadline_sessions: int) -> int:
    """How many sessions a client has after the letter before a sale for a late loan: as a call leaves, at least one."""
    return max(1, call_deadline_sessions)


LIVE_DEFAULTS = sorted(state.value for state in DEFAULT_STATES.live)

TURN_OF: Mapping[NextStep, Turn] = {
    NextStep.SUBMIT: Turn.CLIENT,
    NextStep.DECIDE: Turn.CREDIT,
    NextStep.DECIDE_BY_PERSON: Turn.CREDIT,
    NextStep.OFFER: Turn.CREDIT,
    NextStep.ACCEPT_OFFER: Turn.CLIENT,
    NextStep.RENEW_QUOTE: Turn.CREDIT,
    NextStep.SIGN: Turn.CLIENT,
    NextStep.COUNTERSIGN: Turn.CREDIT,
    NextStep.REQUEST_FUNDING: Turn.OPERATIONS,
    NextStep.APPROVE_FUNDING: Turn.SECOND_PERSON,
    NextStep.FUND: Turn.SYSTEM,
    NextStep.BANK_ANSWER: Turn.BANK,
    NextStep.RESOLVE_PAYMENT: Turn.OPERATIONS,
    NextStep.RETRY_FUNDING: Turn.OPERATIONS,
    NextStep.NOTHING: Turn.NOBODY,
}

REMINDER_DAYS = (30, 14, 7, 1)
"""How many days before its maturity the client of a loan is reminded, once each."""

OFFER_OPENS_DAYS = 30
"""From how many days before its maturity a loan can be renewed."""

AMOUNT_MINOR_MAX = 10**13
LOTS_MAX = 50
QUANTITY_MAX = 10**9


_NEXT_STEP: Mapping[CreditState, NextStep] = {
    C.DRAFT: NextStep.SUBMIT,
    C.REQUESTED: NextStep.DECIDE,
    C.DECIDING: NextStep.DECIDE_BY_PERSON,
    C.REFERRED: NextStep.DECIDE_BY_PERSON,
    C.APPROVED: NextStep.OFFER,
    C.SIGNED: NextStep.REQUEST_FUNDING,
    C.APPROVED_TO_FUND: NextStep.FUND,
    C.FUNDING: NextStep.BANK_ANSWER,
    C.FAILED: NextStep.RETRY_FUNDING,
}


def next_step(
    state: CreditState,
    *,
    is_accepted: bool,
    is_offer_over: bool,
    is_contract_signed: bool,
    awaits_approval: bool,
    is_payment_unknown: bool,
) -> NextStep:
    """What a request waits for."""
    if state is C.OFFERED:
        if is_contract_signed:
            return NextStep.COUNTERSIGN
        if is_offer_over:
            return NextStep.RENEW_QUOTE
        return NextStep.SIGN if is_accepted else NextStep.ACCEPT_OFFER
    if state is C.SIGNED and awaits_approval:
        return NextStep.APPROVE_FUNDING
    if state is C.FUNDING and is_payment_unknown:
        return NextStep.RESOLVE_PAYMENT
    return _NEXT_STEP.get(state, NextStep.NOTHING)


def lapses_on(state: CreditState, on: date, *, decided_until: date | None, offered_until: date | None) -> date | None:
    """The last day on which a request that came to a stage on a day can be gone on with; None where none is set.

    Before the client has signed it is the last day of the decision. It never lies before the end of the price that was
    told, so that a price that still holds is never taken away.
    """
    if state not in LAPSE_DAYS:
        return None
    is_unsigned = state in {C.APPROVED, C.OFFERED}
    last = decided_until if is_unsigned and decided_until is not None else on + timedelta(days=LAPSE_DAYS[state])
    return max(last, on, offered_until or on) if is_unsigned else last


def fingerprint_of(facts: FundingFacts) -> str:
    """SHA-256 (hex) of exactly what is shown before a second person is asked."""
    text = json.dumps(asdict(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def reminders_due(matures_on: date, on: date) -> tuple[int, ...]:
    """The reminders whose day has come, nearest last: a program that was away sends what is nearest to the truth."""
    left = (matures_on - on).days
    return tuple(days for days in REMINDER_DAYS if left <= days) if left >= 0 else ()


def maturity_stage(matures_on: date, grace_days: int, on: date) -> MaturityStage:
    """Where an open loan stands on a day."""
    if on > matures_on + timedelta(days=grace_days):
        return MaturityStage.LATE
    if on > matures_on:
        return MaturityStage.DUE
    return MaturityStage.NEAR if on >= first_renewal_day(matures_on) else MaturityStage.RUNNING


def first_renewal_day(matures_on: date) -> date:
    """From when on a loan can be renewed."""
    return matures_on - timedelta(days=OFFER_OPENS_DAYS)
