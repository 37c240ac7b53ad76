"""From an ask to a decision: features, score, policy, and whoever has the authority."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.credit.events import CreditDecided
from reefpoint.decisions.credit.rules.conditions import condition_words
from reefpoint.decisions.credit.selectors.conditions import binding_conditions
from reefpoint.decisions.credit.selectors.decisions import get_decision
from reefpoint.decisions.credit.services import decide
from reefpoint.decisions.credit.types import CreditAsk, DecisionState, DecisionView
from reefpoint.decisions.scoring.services import build_features, score_client
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.steps import LENDER, lock_for, lock_request, move, require_gates, tell
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.products.selectors import published_version


@transaction.atomic
def decide_request(*, actor: Actor, request_id: int, on: date, at: datetime) -> CreditState:
    """Build the client's features with what will be pledged, score them, and put the ask to the policy.

    An approval waits for a second person with the authority (DECIDING), a referred one for a person (REFERRED). A
    request whose decision has run out is decided again. Returns the new state.
    """
    row = lock_for(actor, "credit.decide", request_id)
    move(actor=actor, row=row, new=CreditState.DECIDING, action="decide", at=at)
    require_gates(row, published_version(row.scheme_code, on), on=on, at=at)
    portfolio = tuple(row.lots.order_by("instrument_id").values_list("instrument_id", "quantity"))
    ask = CreditAsk(row.scheme_code, row.amount_minor, row.currency, portfolio)
    decision = decide_ask(actor=actor, client_id=row.client_id, ask=ask, on=on, at=at)
    row.feature_set_id, row.score_id = decision.feature_set_id, decision.score_id
    row.decision_id, row.grade = decision.id, decision.grade or ""
    row.save()
    if decision.state is DecisionState.OPEN:
        move(actor=actor, row=row, new=CreditState.REFERRED, action="refer", at=at)
    elif decision.state in {DecisionState.APPROVED, DecisionState.DECLINED}:
        _follow(row, at)
    return CreditState(row.state)


@transaction.atomic
def decide_ask(*, actor: Actor, client_id: int, ask: CreditAsk, on: date, at: datetime) -> DecisionView:
    """Decide a client's ask on features and a score of now, with or without a request of the client.

    Raises what `build_features`, `score_client` and `decide` raise.
    """
    feature_set_id = build_features(actor=actor, client_id=client_id, on=on, at=at, portfolio=ask.portfolio)
    score_id = score_client(actor=actor, feature_set_id=feature_set_id, at=at).id
    return decide(
        actor=actor, client_id=client_id, ask=ask, feature_set_id=feature_set_id, score_id=score_id, on=on, at=at
    )


@transaction.atomic
def follow_decision(*, event: CreditDecided) -> None:
    """The policy, or whoever has the authority, has decided."""
    found = CreditRequest.objects.filter(decision_id=event.decision_id).values_list("id", flat=True).first()
    if found is None:
        return
    row = lock_request(found)
    if row.state in {CreditState.DECIDING, CreditState.REFERRED}:
        _follow(row, event.at)


def _follow(row: CreditRequest, at: datetime) -> None:
    """Bring a request to what its decision says; what is approved above the limit is cut to it, and says so."""
    assert row.decision_id is not None
    decision = get_decision(row.decision_id)
    if decision.state is DecisionState.DECLINED:
        move(actor=LENDER, row=row, new=CreditState.DECLINED, action="decline", at=at)
        is_chinese = row.client.language == "zh-hans"
        reasons = "\n".join(f"- {one.zh if is_chinese else one.en}" for one in decision.adverse_reasons)
        tell(actor=LENDER, row=row, letter="declined", at=at, words=reasons)
        return
    row.limit_minor = decision.limit_minor
    words = ""
    if decision.limit_minor is not None and decision.limit_minor < row.amount_minor:
        words = f"{row.amount_minor} -> {decision.limit_minor}"
        row.amount_minor = decision.limit_minor
    move(actor=LENDER, row=row, new=CreditState.APPROVED, action="approve", at=at, words=words)
    said = [condition_words(one) for one in binding_conditions(decision.id)]
    tell(actor=LENDER, row=row, letter="approved", at=at, words=letters.conditions_words(row.client.language, said))
