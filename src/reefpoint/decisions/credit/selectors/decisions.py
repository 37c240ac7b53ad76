"""Credit decisions as people and other parts read them, and the proof that each can be made again."""

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from django.db.models import QuerySet

from reefpoint.decisions.credit import rules
from reefpoint.decisions.credit.models import ConditionWaiver, CreditCondition, CreditDecision
from reefpoint.decisions.credit.selectors.policy import read_policy
from reefpoint.decisions.credit.types import (
    Assessment,
    Authority,
    ChangedDecision,
    CreditOutcome,
    CreditPolicy,
    DecisionRow,
    DecisionState,
    DecisionView,
    PolicyPreview,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.parties.selectors.clients import can_see_client, client_texts, require_client, visible_clients

DECISION_ORDERS = frozenset({"id", "client_number", "asked_minor", "limit_minor", "grade", "state", "decided_on"})


class DecisionNotFound(NotFound):
    """There is no such decision, or it is not this person's to see."""


class DecisionErased(Refusal):
    """What a decision rested on was erased; there is nothing left to open or to replay."""

    code = "decision_erased"


def get_decision(decision_id: int) -> DecisionView:
    """A decision in full, for the program. Raises `DecisionNotFound`, `DecisionErased`."""
    row = CreditDecision.objects.select_related("client", "policy").filter(id=decision_id).first()
    if row is None:
        raise DecisionNotFound("There is no credit decision {decision_id}.", decision_id=decision_id)
    check_not_erased(row)
    return view(row)


def check_not_erased(row: CreditDecision) -> None:
    """Raise `DecisionErased` for a decision of which only date, state and limit are left."""
    if not row.answer:
        raise DecisionErased(
            "What credit decision {decision_id} was made from was erased with the client's data: no law keeps it any "
            "more. Its date, state and limit stand in the list of decisions.",
            decision_id=row.pk,
        )


def decided_until(decision_id: int) -> date | None:
    """The last day of a decision, None for one that is not on record."""
    return CreditDecision.objects.filter(id=decision_id).values_list("expires_on", flat=True).first()


def read_decision(actor: Actor, decision_id: int) -> DecisionView:
    """The same for somebody who asks: for a client out of scope there is none. Raises `DecisionNotFound`."""
    require(actor, "credit.view")
    found = get_decision(decision_id)
    if not can_see_client(actor, found.client_id):
        raise DecisionNotFound("There is no credit decision {decision_id}.", decision_id=decision_id)
    return found


def standing_decision(client_id: int, scheme_code: str, on: date) -> DecisionView | None:
    """The approval that a client can use on a day: the newest decision on the scheme, if it is approved and holds."""
    row = newest(client_id, scheme_code)
    if row is None or not row.answer or row.state != DecisionState.APPROVED or row.expires_on < on:
        return None
    return view(row)


def newest(client_id: int, scheme_code: str) -> CreditDecision | None:
    """The latest decision on a client's ask for a scheme, as a row for the app's own services."""
    rows = CreditDecision.objects.select_related("client", "policy")
    return rows.filter(client_id=client_id, scheme_code=scheme_code).order_by("-id").first()


def load_credit_facts(client_ids: Collection[int], on: date) -> dict[int, tuple[str | None, str | None]]:
    """Grade and segment of clients by their newest decision made on a day or before it, in one query."""
    rows = (
        CreditDecision.objects.filter(client_id__in=client_ids, decided_on__lte=on)
        .order_by("client_id", "-id")
        .distinct("client_id")
        .values_list("client_id", "grade", "inputs__facts__segment")
    )
    return {client_id: (grade or None, segment) for client_id, grade, segment in rows}


def list_decisions(actor: Actor, client_id: int) -> list[DecisionRow]:
    """All decisions on a client, newest first. Raises `ClientNotFound` outside the scope."""
    require(actor, "credit.view")
    require_client(actor, client_id)
    rows = CreditDecision.objects.filter(client_id=client_id).order_by("-id")
    return [_row(row) for row in rows.select_related("client").defer("inputs", "answer")]


def find_decisions(
    actor: Actor,
    *,
    text: str = "",
    state: str = "",
    outcome: str = "",
    order: str = "-id",
    offset: int = 0,
    limit: int = 50,
) -> Listing[DecisionRow]:
    """Decisions in scope; a state `override` finds those that went beyond the policy. Two queries."""
    require(actor, "credit.view")
    if order.lstrip("-") not in DECISION_ORDERS:
        raise ValueError(f"decisions have no order {order!r}")
    rows: QuerySet[CreditDecision] = CreditDecision.objects.filter(client__in=visible_clients(actor))
    rows = rows.filter(holding(text, *client_texts(), "scheme_code"))
    if state:
        rows = rows.filter(is_override=True) if state == "override" else rows.filter(state=state)
    if outcome:
        rows = rows.filter(outcome=outcome)
    key = order.replace("client_number", "client_id")
    page = rows.select_related("client").defer("inputs", "answer").order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(_row))


def replay_decision(decision_id: int) -> bool:
    """Whether a decision's stored inputs come to the same bytes under the stored policy (I60).

    Raises `DecisionNotFound`, `DecisionErased`.
    """
    row = CreditDecision.objects.filter(id=decision_id).first()
    if row is None:
        raise DecisionNotFound("There is no credit decision {decision_id}.", decision_id=decision_id)
    check_not_erased(row)
    return _replayed(row) == row.answer


def verify_credit() -> list[Finding]:
    """Every decision that its own inputs and policy do not give again to the byte (I60), and every guard gone."""
    findings = []
    for row in CreditDecision.objects.exclude(answer="").order_by("id").iterator(chunk_size=500):
        again = _replayed(row)
        assessment = rules.assessment_from_text(row.answer)
        beside = (row.outcome, row.recommended_minor, row.grade)
        if again != row.answer or beside != (assessment.outcome, assessment.limit_minor, assessment.grade or ""):
            findings.append(
                Finding("credit.replay", f"credit_decision:{row.pk}", "its inputs and policy do not give it again")
            )
    moving = [model._meta.db_table for model in (CreditDecision, ConditionWaiver)]
    return findings + _astray() + verify_guards([CreditCondition._meta.db_table], guards_of(moving))


def _astray() -> list[Finding]:
    """Decisions whose conditions on record are not those that their answer names."""
    kept: dict[int, list[tuple[str, str, int, str]]] = {}
    columns = ("decision_id", "code", "kind", "figure", "moment")
    for decision_id, code, kind, figure, moment in CreditCondition.objects.order_by("id").values_list(*columns):
        kept.setdefault(decision_id, []).append((code, kind, figure, moment))
    findings = []
    rows = CreditDecision.objects.exclude(answer="").order_by("id").values_list("id", "answer")
    for row_id, answer in rows.iterator(chunk_size=500):
        named = rules.assessment_from_text(answer).conditions
        if kept.get(row_id, []) != [(one.code, one.kind.value, one.figure, one.moment.value) for one in named]:
            findings.append(
                Finding(
                    "credit.conditions",
                    f"credit_decision:{row_id}",
                    "its conditions on record are not those that it names",
                )
            )
    return findings


def count_erased_decisions() -> int:
    """Decisions whose inputs were erased: the proof says so, for it cannot make them again."""
    return CreditDecision.objects.filter(answer="").count()


def _replayed(row: CreditDecision) -> str:
    return rules.answer_text(rules.assess(read_policy(row.policy_id), rules.inputs_from_json(row.inputs)))


def count_decisions() -> int:
    """How many decisions there are to look at."""
    return CreditDecision.objects.count()


def preview_policy(
    actor: Actor, policy: CreditPolicy, progress: Callable[[int, int], None] = lambda done, of: None
) -> PolicyPreview:
    """What a policy would have made of every past decision in scope, from the inputs that were stored."""
    require(actor, "credit.view")
    looked_at = outcomes = limits = 0
    changes: list[ChangedDecision] = []
    rows = (
        CreditDecision.objects.filter(client__in=visible_clients(actor))
        .exclude(answer="")
        .select_related("client")
        .order_by("-id")
    )
    of = rows.count()
    for row in rows.iterator(chunk_size=500):
        looked_at += 1
        progress(min(looked_at, of), of)
        new = rules.assess(policy, rules.inputs_from_json(row.inputs))
        if (new.outcome, new.limit_minor) == (row.outcome, row.recommended_minor):
            continue
        outcomes += new.outcome != row.outcome
        limits += new.limit_minor != row.recommended_minor
        changes.append(
            ChangedDecision(
                decision_id=row.pk,
                client_number=row.client.number,
                currency=row.currency,
                old_outcome=CreditOutcome(row.outcome),
                new_outcome=new.outcome,
                old_limit_minor=row.recommended_minor,
                new_limit_minor=new.limit_minor,
            )
        )
    return PolicyPreview(looked_at, outcomes, limits, tuple(changes))


def view(row: CreditDecision) -> DecisionView:
    """A decision with what it was made from and what it came to."""
    assessment: Assessment = rules.assessment_from_text(row.answer)
    return DecisionView(
        id=row.pk,
        client_id=row.client_id,
        client_number=row.client.number,
        client_name=row.client.name,
        client_name_zh=row.client.name_zh,
        scheme_code=row.scheme_code,
        outcome=CreditOutcome(row.outcome),
        state=DecisionState(row.state),
        grade=row.grade or None,
        limit_minor=row.recommended_minor if row.limit_minor is None else row.limit_minor,
        currency=row.currency,
        recommended_minor=row.recommended_minor,
        asked_minor=row.asked_minor,
        conditions=assessment.conditions,
        adverse_reasons=assessment.adverse_reasons,
        needs_authority=Authority(row.authority) if row.authority else assessment.authority,
        is_override=row.is_override,
        is_barred=assessment.is_barred,
        policy_version=row.policy.version,
        policy_id=row.policy_id,
        inputs=rules.inputs_from_json(row.inputs),
        assessment=assessment,
        feature_set_id=row.feature_set_id,
        score_id=row.score_id,
        decided_on=row.decided_on,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        proposed_by=row.proposed_by,
        proposal=row.proposal,
        approval_id=row.approval_id,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        closing_note=row.closing_note,
        expires_on=row.expires_on,
    )


def _row(row: CreditDecision) -> DecisionRow:
    values: dict[str, Any] = {
        "client_number": row.client.number,
        "client_name": row.client.name,
        "client_name_zh": row.client.name_zh,
        "limit_minor": row.recommended_minor if row.limit_minor is None else row.limit_minor,
        "outcome": CreditOutcome(row.outcome),
        "state": DecisionState(row.state),
    }
    same = ("id", "client_id", "scheme_code", "currency", "asked_minor", "grade", "is_override", "decided_on")
    return DecisionRow(**values, **{name: getattr(row, name) for name in same}, expires_on=row.expires_on)
