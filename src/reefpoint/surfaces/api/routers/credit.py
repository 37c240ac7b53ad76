"""Credit decisions: made, read, proposed, approved."""

from datetime import date, datetime
from typing import Annotated

from ninja import Query, Schema, Status
from pydantic import Field

from reefpoint.decisions.credit.rules.conditions import actual_words, condition_words
from reefpoint.decisions.credit.selectors import list_decision_standings, list_decisions, read_decision
from reefpoint.decisions.credit.services import (
    approve_decision,
    decide,
    decline_decision,
    propose_decision,
    request_waiver,
    return_decision,
)
from reefpoint.decisions.credit.types import Condition, ConditionStanding, CreditAsk, DecisionView
from reefpoint.surfaces.api.base import ID_MAX, Caller, Id, In, Made, answers, now, router, today

credit = router("credit")
Amount = Annotated[int, Field(ge=1, le=10**15)]
Row = Annotated[int, Field(ge=1, le=ID_MAX)]
Why = Annotated[str, Field(max_length=500)]


class CreditLotIn(In):
    """Shares that would be pledged."""

    instrument_id: Row
    quantity: Annotated[int, Field(ge=1, le=10**12)]


class CreditAskIn(In):
    """What a client asks for, and the features and score it is decided on. Amounts in minor units."""

    client_id: Row
    scheme_code: Annotated[str, Field(min_length=1, max_length=24)]
    limit_minor: Amount
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    portfolio: Annotated[tuple[CreditLotIn, ...], Field(max_length=500)] = ()
    feature_set_id: Row | None = None
    score_id: Row | None = None


class LimitIn(In):
    """A limit that a person proposes, in minor units, and why."""

    limit_minor: Amount
    reason: Why


class CreditReasonIn(In):
    """Why."""

    reason: Why = ""


class CreditWordsOut(Schema):
    """A sentence with its code, in both languages."""

    code: str
    en: str
    zh: str


class CreditConditionOut(Schema):
    """A condition as it is judged and said. The figure is basis points, names, basis points or months by its kind."""

    code: str
    kind: str
    figure: int
    moment: str
    en: str
    zh: str


class CreditTermOut(Schema):
    """One bound of a limit; null where it is not known."""

    code: str
    amount_minor: int | None
    base_minor: int | None
    share_bp: int | None


class CreditDecisionOut(Schema):
    """A decision. `limit_minor` is the approved limit, else the proposed one, else what the policy recommends."""

    id: int
    client_id: int
    scheme_code: str
    outcome: str
    state: str
    grade: str | None
    asked_minor: int
    limit_minor: int | None
    recommended_minor: int | None
    currency: str
    terms: list[CreditTermOut]
    conditions: list[CreditConditionOut]
    adverse_reasons: list[CreditWordsOut]
    missing: list[str]
    needs_authority: str | None
    is_override: bool
    is_barred: bool
    policy_version: int
    feature_set_id: int | None
    score_id: int | None
    approval_id: int | None
    decided_on: date
    decided_at: datetime
    expires_on: date


class CreditDecisionRowOut(Schema):
    """A decision in a list."""

    id: int
    scheme_code: str
    outcome: str
    state: str
    grade: str
    asked_minor: int
    limit_minor: int | None
    currency: str
    is_override: bool
    decided_on: date
    expires_on: date


class ConditionStandingOut(Schema):
    """A condition of a decision, and how far it is met: `met`, `not_met`, `unknown`, `waived`."""

    id: int
    condition: CreditConditionOut
    stands: str
    actual: int | None
    actual_en: str
    actual_zh: str
    waiver_state: str | None
    waiver_approval_id: int | None


def condition_out(condition: Condition) -> CreditConditionOut:
    """A condition with its sentences."""
    words = condition_words(condition)
    return CreditConditionOut(**vars(condition), en=words.en, zh=words.zh)


def standing_out(found: ConditionStanding) -> ConditionStandingOut:
    """How a condition stands, with its sentences."""
    actual = actual_words(found)
    return ConditionStandingOut(
        id=found.id,
        condition=condition_out(found.condition),
        stands=found.stands,
        actual=found.actual,
        actual_en=actual.en,
        actual_zh=actual.zh,
        waiver_state=found.waiver.state.value if found.waiver else None,
        waiver_approval_id=found.waiver.approval_id if found.waiver else None,
    )


def _out(found: DecisionView) -> CreditDecisionOut:
    return CreditDecisionOut.model_validate(
        {
            **vars(found),
            "terms": found.assessment.terms,
            "missing": list(found.assessment.missing),
            "conditions": [condition_out(one) for one in found.conditions],
        },
        from_attributes=True,
    )


@credit.get("/decisions", response=answers(list[CreditDecisionRowOut]))
def list_client_decisions(
    request: Caller, client_id: Annotated[int, Query(ge=1, le=ID_MAX)]
) -> list[CreditDecisionRowOut]:
    """The decisions on a client, newest first."""
    return [
        CreditDecisionRowOut.model_validate(row, from_attributes=True)
        for row in list_decisions(request.auth, client_id)
    ]


@credit.post("/decisions", response=answers(CreditDecisionOut, 201))
def decide_ask(request: Caller, ask: CreditAskIn) -> Status[CreditDecisionOut]:
    """Decide an ask by the policy in force."""
    lots = tuple((lot.instrument_id, lot.quantity) for lot in ask.portfolio)
    made = decide(
        actor=request.auth,
        client_id=ask.client_id,
        ask=CreditAsk(ask.scheme_code, ask.limit_minor, ask.currency, lots),
        feature_set_id=ask.feature_set_id,
        score_id=ask.score_id,
        on=today(),
        at=now(),
    )
    return Status(201, _out(made))


@credit.get("/decisions/{decision_id}", response=answers(CreditDecisionOut))
def get_credit_decision(request: Caller, decision_id: Id) -> CreditDecisionOut:
    """One decision."""
    return _out(read_decision(request.auth, decision_id))


@credit.get("/decisions/{decision_id}/conditions", response=answers(list[ConditionStandingOut]))
def list_conditions(request: Caller, decision_id: Id) -> list[ConditionStandingOut]:
    """The conditions of a decision, met or not yet by what was offered as collateral, at prices of now."""
    found = list_decision_standings(request.auth, decision_id, on=today(), at=now())
    return [standing_out(one) for one in found]


@credit.post("/conditions/{condition_id}/waiver", response=answers(Made, 201))
def ask_waiver(request: Caller, condition_id: Id, asked: CreditReasonIn) -> Status[Made]:
    """Ask a second person with the authority for the limit to let a condition go. The id is the approval's."""
    made = request_waiver(actor=request.auth, condition_id=condition_id, reason=asked.reason, at=now())
    return Status(201, Made(id=made))


@credit.post("/decisions/{decision_id}/proposal", response=answers(Made, 201))
def propose(request: Caller, decision_id: Id, proposal: LimitIn) -> Status[Made]:
    """Put a limit to a second person. The id is the approval's."""
    made = propose_decision(actor=request.auth, decision_id=decision_id, at=now(), **proposal.dict())
    return Status(201, Made(id=made))


@credit.post("/decisions/{decision_id}/approval", response=answers(CreditDecisionOut))
def approve_limit(request: Caller, decision_id: Id, said: CreditReasonIn) -> CreditDecisionOut:
    """Say yes as the second person. Keys carry no second word: it takes a signed-in person."""
    return _out(approve_decision(actor=request.auth, decision_id=decision_id, reason=said.reason, at=now()))


@credit.post("/decisions/{decision_id}/return", response=answers(CreditDecisionOut))
def return_limit(request: Caller, decision_id: Id, said: CreditReasonIn) -> CreditDecisionOut:
    """Say no as the second person; it goes back with the reason."""
    return _out(return_decision(actor=request.auth, decision_id=decision_id, reason=said.reason, at=now()))


@credit.post("/decisions/{decision_id}/decline", response=answers(CreditDecisionOut))
def decline(request: Caller, decision_id: Id, said: CreditReasonIn) -> CreditDecisionOut:
    """Decline what was referred."""
    return _out(decline_decision(actor=request.auth, decision_id=decision_id, reason=said.reason, at=now()))
