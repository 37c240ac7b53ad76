"""Requests for credit as pages, lists and the board show them."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import CreditLot, CreditRequest, CreditStep
from reefpoint.flows.lending.selectors.defaults import verify_defaults
from reefpoint.flows.lending.selectors.renewals import verify_renewals
from reefpoint.flows.lending.types import (
    CreditRequestView,
    CreditState,
    CreditStepView,
    FundingFacts,
    Lot,
    NextStep,
    StageCount,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut
from reefpoint.platform.database.searching import holding
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.parties.selectors.clients import client_texts, find_own_client, visible_clients
from reefpoint.records.products.selectors import get_version
from reefpoint.records.treasury.selectors import payment_states
from reefpoint.records.treasury.types import PaymentState

ORDERS = frozenset({"number", "name", "amount_minor", "state", "waits_since", "scheme_code"})
APPEND_ONLY_TABLES = ("lending_reminder",)
ERASABLE_TABLES = ("lending_step",)
BOARD_CARDS_MAX = 30


class CreditRequestNotFound(NotFound):
    """No request for credit has this id, or this person may not know it."""


class NothingToFund(Refusal):
    """A request that has not come as far as a price."""

    code = "nothing_to_fund"


def read_request(actor: Actor, request_id: int) -> CreditRequest:
    """The row, for its client or for staff in whose scope the client is. Raises `CreditRequestNotFound` (I66)."""
    row = CreditRequest.objects.select_related("client").filter(id=request_id).first()
    if row is not None:
        own = find_own_client(actor)
        if own is not None and own.id == row.client_id:
            return row
        if (own is None or "lending.view" in actor.permissions) and _may_view(actor, row.client_id):
            return row
    raise CreditRequestNotFound("There is no such request for credit.")


def _may_view(actor: Actor, client_id: int) -> bool:
    require(actor, "lending.view")
    return visible_clients(actor).filter(id=client_id).exists()


def get_request(actor: Actor, request_id: int, *, at: datetime) -> CreditRequestView:
    """One request, with what will be pledged and what it waits for."""
    row = read_request(actor, request_id)
    lots = CreditLot.objects.filter(request=row).select_related("instrument").order_by("id")
    return _views([row], at, {row.pk: tuple(_lot(lot) for lot in lots)})[0]


def list_own_requests(actor: Actor, *, at: datetime) -> list[CreditRequestView]:
    """The requests of the client who asks, newest first."""
    own = find_own_client(actor)
    if own is None:
        return []
    rows = CreditRequest.objects.select_related("client").filter(client_id=own.id).order_by("-id")[:50]
    return _views(list(rows), at, {})


def find_requests(
    actor: Actor, *, text: str = "", state: str = "", order: str = "waits_since", offset: int, limit: int, at: datetime
) -> Listing[CreditRequestView]:
    """Requests in scope by number or name and state. Raises `ValueError` for an order that requests do not have."""
    require(actor, "lending.view")
    if order.lstrip("-") not in ORDERS:
        raise ValueError(f"requests for credit have no order {order!r}")
    rows = _in_scope(actor)
    if state:
        rows = rows.filter(state=state)
    rows = rows.filter(holding(text, "number", *client_texts()))
    key = order.replace("number", "id").replace("name", "client__name")
    return cut(rows.order_by(key, "id"), offset=offset, limit=limit, view=lambda found: _views(found, at, {}))


def load_board(actor: Actor, *, at: datetime) -> list[StageCount]:
    """Live requests by stage, those that wait longest first. Four queries."""
    require(actor, "lending.view")
    counts = {
        row["state"]: row["count"]
        for row in _in_scope(actor).values("state").annotate(count=Count("id")).order_by("state")
    }
    rows: list[CreditRequest] = []
    for state in rules.BOARD:
        if counts.get(state):
            rows += _in_scope(actor).filter(state=state).order_by("waits_since", "id")[:BOARD_CARDS_MAX]
    by_state: dict[CreditState, list[CreditRequestView]] = {}
    for view in _views(rows, at, {}):
        by_state.setdefault(view.state, []).append(view)
    return [
        StageCount(
            state=state,
            count=counts.get(state, 0),
            oldest=by_state[state][0].waits_since if state in by_state else None,
            requests=tuple(by_state.get(state, ())),
        )
        for state in rules.BOARD
    ]


def list_waiting(
    actor: Actor, steps: Collection[NextStep], *, at: datetime, limit: int = 20
) -> list[CreditRequestView]:
    """Live requests in scope that wait for one of these steps, longest first, for the page of today's work."""
    require(actor, "lending.view")
    rows = _in_scope(actor).filter(state__in=rules.LIVE).exclude(state=CreditState.DRAFT).order_by("waits_since", "id")
    return [view for view in _views(list(rows[:500]), at, {}) if view.next_step in steps][:limit]


def list_steps(actor: Actor, request_id: int) -> list[CreditStepView]:
    """All steps of a request, oldest first."""
    row = read_request(actor, request_id)
    return [
        CreditStepView(step.at, step.actor_name, step.action, CreditState(step.state), step.words)
        for step in row.steps.order_by("id")
    ]


def funding_facts(actor: Actor, request_id: int, pool_code: str) -> FundingFacts:
    """What a second person would be asked to approve, with money of this pool."""
    return gather_facts(read_request(actor, request_id), pool_code)


def gather_facts(row: CreditRequest, pool_code: str) -> FundingFacts:
    """What a second person is asked to approve, as it stands now."""
    if row.scheme_version_id is None:
        raise NothingToFund("This request has no price and no contract yet: there is nothing to fund.")
    return FundingFacts(
        number=row.number,
        client_number=row.client.number,
        scheme_code=row.scheme_code,
        scheme_version=get_version(row.scheme_version_id).version,
        amount_minor=row.amount_minor,
        currency=row.currency,
        rate_bp=row.rate_bp or 0,
        tenor_days=row.tenor_days,
        pool_code=pool_code,
        contract_id=row.contract_id or 0,
        decision_id=row.decision_id or 0,
        quote_id=row.quote_id or 0,
        attempt=row.attempt + 1,
        collateral=tuple(
            f"{quantity} {symbol}"
            for quantity, symbol in row.lots.order_by("instrument__symbol").values_list(
                "quantity", "instrument__symbol"
            )
        ),
    )


def request_of_contract(contract_id: int) -> int | None:
    """The id of the request that a contract belongs to."""
    return CreditRequest.objects.filter(contract_id=contract_id).values_list("id", flat=True).first()


def find_contract_of(loan: LoanFacts) -> int | None:
    """The id of the contract under which a loan was drawn; None where it was drawn without one of this register."""
    rows = CreditRequest.objects.filter(account_id=loan.account_id, contract_id__isnull=False)
    by_loan = rows.filter(loan_id=loan.id).values_list("contract_id", flat=True).first()
    return by_loan or rows.order_by("-id").values_list("contract_id", flat=True).first()


def verify_lending() -> list[Finding]:
    """Each request stands where its last step left it; what is funded has a confirmed payment, what is not has none;
    each renewal that is done is in force by its agreement, and no other is.
    """
    last = CreditStep.objects.filter(request=OuterRef("pk")).order_by("-id").values("state")[:1]
    wrong = CreditRequest.objects.annotate(last=Subquery(last)).exclude(last=F("state")).order_by("id")
    funded = {row.pk: row.payment_id or 0 for row in CreditRequest.objects.filter(state=CreditState.FUNDED)}
    states = payment_states(list(funded.values()))
    return [
        *(
            Finding(
                "lending.request", f"credit_request:{row.pk}", f"it is {row.state}, its last step left it {row.last}"
            )
            for row in wrong
        ),
        *(
            Finding(
                "lending.funding", f"credit_request:{request_id}", "it is funded by a payment that is not confirmed"
            )
            for request_id, payment_id in sorted(funded.items())
            if states.get(payment_id) is not PaymentState.CONFIRMED
        ),
        *verify_renewals(),
        *verify_defaults(),
        *verify_guards(
            APPEND_ONLY_TABLES,
            [
                ("lending_renewal", "lending_renewal_done"),
                ("accounts_loanextension", "lending_extension_by_paper"),
                *guards_of(ERASABLE_TABLES),
            ],
        ),
    ]


def _in_scope(actor: Actor) -> QuerySet[CreditRequest]:
    return CreditRequest.objects.select_related("client").filter(client__in=visible_clients(actor))


def _views(rows: Iterable[CreditRequest], at: datetime, lots: dict[int, tuple[Lot, ...]]) -> list[CreditRequestView]:
    rows = list(rows)
    payments = payment_states([row.payment_id for row in rows if row.payment_id and row.state == "funding"])
    return [_view(row, at, payments, lots.get(row.pk, ())) for row in rows]


def _lot(lot: CreditLot) -> Lot:
    one = lot.instrument
    return Lot(one.pk, lot.quantity, one.symbol, one.name, one.name_zh)


def _view(
    row: CreditRequest,
    at: datetime,
    payments: dict[int, PaymentState],
    lots: tuple[Lot, ...],
) -> CreditRequestView:
    step = rules.next_step(
        CreditState(row.state),
        is_accepted=row.accepted_at is not None,
        is_offer_over=row.offer_until is not None and at > row.offer_until,
        is_contract_signed=row.client_signed_at is not None,
        awaits_approval=row.approval_id is not None,
        is_payment_unknown=payments.get(row.payment_id or 0) is PaymentState.UNKNOWN,
    )
    return CreditRequestView(
        id=row.pk,
        number=row.number,
        client_id=row.client_id,
        client_number=row.client.number,
        name=row.client.name,
        name_zh=row.client.name_zh,
        language=row.client.language,
        scheme_code=row.scheme_code,
        scheme_version_id=row.scheme_version_id,
        currency=row.currency,
        amount_minor=row.amount_minor,
        tenor_days=row.tenor_days,
        state=CreditState(row.state),
        begun_at=row.begun_at,
        requested_at=row.requested_at,
        waits_since=row.waits_since,
        feature_set_id=row.feature_set_id,
        score_id=row.score_id,
        decision_id=row.decision_id,
        grade=row.grade,
        limit_minor=row.limit_minor,
        quote_id=row.quote_id,
        rate_bp=row.rate_bp,
        offer_until=row.offer_until,
        accepted_at=row.accepted_at,
        contract_id=row.contract_id,
        approval_id=row.approval_id,
        pool_code=row.pool_code,
        account_id=row.account_id,
        loan_id=row.loan_id,
        payment_id=row.payment_id,
        attempt=row.attempt,
        problem=row.problem,
        lapses_on=row.lapses_on,
        next_step=step,
        turn=rules.TURN_OF[step],
        lots=lots,
    )
