"""From an approved ask to a contract that both have signed: the price, the client's yes, the paper, the signatures."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.credit.rules.conditions import condition_words
from reefpoint.decisions.credit.selectors.conditions import binding_conditions
from reefpoint.decisions.credit.selectors.decisions import get_decision
from reefpoint.decisions.pricing.selectors.quotes import require_quote
from reefpoint.decisions.pricing.services import quote
from reefpoint.decisions.pricing.types import QuoteView
from reefpoint.decisions.suitability.selectors import find_segment
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.selectors.terms import build_terms
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.requests import add_lots, named_lots
from reefpoint.flows.lending.services.steps import (
    LENDER,
    agreed_version,
    lock_for,
    lock_own,
    lock_request,
    move,
    note,
    require_gates,
    tell,
)
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import percent
from reefpoint.records.contracts.services import offer_contract, prepare_contract, withdraw_contract
from reefpoint.records.contracts.types import Language
from reefpoint.records.products.selectors import published_version


class DecisionRanOut(Refusal):
    """The decision is older than it holds."""

    code = "decision_ran_out"


class OfferChanged(Refusal):
    """What the client said yes to is not what is offered."""

    code = "offer_changed"


class CollateralFixed(Refusal):
    """Shares were to be added at a stage that does not allow it."""

    code = "collateral_fixed"


class OfferStillHolds(Refusal):
    """A new price was asked for while the one that was told still holds."""

    code = "offer_still_holds"


@transaction.atomic
def make_offer(*, actor: Actor, request_id: int, on: date, at: datetime) -> int:
    """Price an approved ask on the scheme in force, and offer it to the client. Returns the quote's id.

    Raises `DecisionRanOut`, what the gates raise, and what `quote` raises.
    """
    row = lock_for(actor, "lending.offer", request_id)
    return _offer(actor, row, on, at)


@transaction.atomic
def renew_offer(*, actor: Actor, request_id: int, on: date, at: datetime) -> int:
    """Offer anew what ran out or whose scheme was withdrawn, for its client or by staff. Returns the new quote's id.

    The contract made on the old price is taken back. Raises `OfferStillHolds`, and what `make_offer` raises.
    """
    row = lock_own(actor, request_id)
    if row.state == CreditState.OFFERED and row.client_signed_at is None and _holds(row, at):
        raise OfferStillHolds("The offer still holds. There is no need for a new one.")
    _take_back(row, "a new price was told", at)
    if row.state == CreditState.OFFERED:
        move(actor=actor, row=row, new=CreditState.APPROVED, action="renew_offer", at=at)
    return _offer(LENDER, row, on, at)


def _holds(row: CreditRequest, at: datetime) -> bool:
    assert row.quote_id is not None
    try:
        require_quote(row.quote_id, at)
        agreed_version(row)
    except Refusal:
        return False
    return True


def _offer(actor: Actor, row: CreditRequest, on: date, at: datetime) -> int:
    rules.CREDIT_STATES.check(CreditState(row.state), CreditState.OFFERED)
    assert row.decision_id is not None, "what is approved was decided"
    if get_decision(row.decision_id).is_expired(on):
        raise DecisionRanOut("The decision on this request has run out. Decide again on what is known now.")
    version = published_version(row.scheme_code, on)
    require_gates(row, version, on=on, at=at)
    segment = find_segment(row.client_id, version.terms.rule_pack, on)
    priced = quote(
        actor=actor,
        client_id=row.client_id,
        scheme_version_id=version.id,
        amount_minor=row.amount_minor,
        tenor_days=row.tenor_days,
        grade=row.grade or None,
        segment=segment.segment.value if segment else None,
        portfolio=_portfolio(row),
        on=on,
        at=at,
    )
    _set_price(row, priced)
    move(actor=actor, row=row, new=CreditState.OFFERED, action="offer", at=at)
    until = letters.until_words(row.client.language, f"{priced.valid_until:%Y-%m-%d %H:%M}")
    tell(actor=LENDER, row=row, letter="offered", at=at, words=until)
    return priced.id


def _set_price(row: CreditRequest, priced: QuoteView) -> None:
    row.scheme_version_id, row.quote_id = priced.scheme_version_id, priced.id
    row.rate_bp, row.offer_until = priced.rate_bp, priced.valid_until
    row.accepted_at = row.client_signed_at = None


@transaction.atomic
def accept_offer(*, actor: Actor, request_id: int, quote_id: int, rate_bp: int, on: date, at: datetime) -> int:
    """The client says yes to exactly the price that was shown: the contract is prepared and offered for signature.

    Returns the contract's id. Raises `OfferChanged`, `QuoteExpired`, `SchemeWithdrawn`, `SchemeGone`, what the gates
    raise, and `MissingField` or `ContractMalformed` where the data do not make a contract; nothing is kept then.
    """
    row = lock_own(actor, request_id)
    if row.state != CreditState.OFFERED or row.quote_id != quote_id:
        raise OfferChanged("This is not the offer that holds now. Nothing was accepted; look again.")
    if row.contract_id is not None:
        return row.contract_id
    priced = require_quote(quote_id, at)
    if priced.rate_bp != rate_bp:
        raise OfferChanged("The price has changed since you looked. Nothing was accepted; look again.")
    version = agreed_version(row)
    require_gates(row, version, on=on, at=at)
    _set_price(row, priced)
    row.contract_id = prepare_contract(
        actor=LENDER,
        client_id=row.client_id,
        terms=build_terms(row, version, priced, on=on, at=at),
        language=Language.ZH if row.client.language == "zh-hans" else Language.EN,
        on=on,
        at=at,
        key=f"{row.number}:{quote_id}",
    )
    offer_contract(actor=LENDER, contract_id=row.contract_id, at=at)
    row.accepted_at = at
    note(actor=actor, row=row, action="accept_offer", at=at, words=percent(priced.rate_bp))
    return row.contract_id


def require_signable(*, contract_id: int, on: date, at: datetime) -> None:
    """Refuse a signature on the contract of a request whose price has run out, whose scheme was withdrawn, or that the
    gates stop (I68). A contract of no request passes.

    Raises `QuoteExpired`, `SchemeWithdrawn`, `SchemeGone`, and what the gates raise.
    """
    row = CreditRequest.objects.select_related("client").filter(contract_id=contract_id).first()
    if row is None:
        return
    assert row.quote_id is not None
    if row.client_signed_at is None:
        require_quote(row.quote_id, at)
    require_gates(row, agreed_version(row), on=on, at=at)


@transaction.atomic
def note_client_signature(*, contract_id: int, at: datetime) -> None:
    """The client has signed; the desk signs next."""
    row = _of_contract(contract_id)
    if row is not None and row.state == CreditState.OFFERED and row.client_signed_at is None:
        row.client_signed_at = at
        note(actor=LENDER, row=row, action="client_signed", at=at)


@transaction.atomic
def take_contract(*, contract_id: int, at: datetime) -> None:
    """Both have signed: the contract is in force, and the money may be asked for."""
    row = _of_contract(contract_id)
    if row is not None and row.state == CreditState.OFFERED:
        row.client_signed_at = row.client_signed_at or at
        move(actor=LENDER, row=row, new=CreditState.SIGNED, action="sign", at=at)
        assert row.decision_id is not None, "what was signed was decided"
        said = [condition_words(one) for one in binding_conditions(row.decision_id)]
        tell(actor=LENDER, row=row, letter="signed", at=at, words=letters.conditions_words(row.client.language, said))


@transaction.atomic
def drop_contract(*, contract_id: int, at: datetime) -> None:
    """The contract was taken back or not signed in time: the request waits for a new price."""
    row = _of_contract(contract_id)
    if row is not None and row.state == CreditState.OFFERED:
        row.contract_id = row.accepted_at = row.client_signed_at = None
        move(actor=LENDER, row=row, new=CreditState.APPROVED, action="contract_ended", at=at)


@transaction.atomic
def add_collateral(
    *, actor: Actor, request_id: int, lots: Sequence[tuple[int, int]], on: date, at: datetime
) -> CreditState:
    """Bring in more shares than were decided on, for its client or by staff, as a condition may ask. Returns the state.

    Shares are only added, so that the decision rests on no less than it did. An offer is made anew, as its price may
    change; a contract that the client has not signed is taken back with it. Raises `CollateralFixed`, `AskMalformed`.
    """
    row = lock_own(actor, request_id)
    if row.state not in rules.CAN_ADD_COLLATERAL or (
        row.client_signed_at is not None and row.state == CreditState.OFFERED
    ):
        raise CollateralFixed("The shares of this request cannot be changed at this stage. Nothing was changed.")
    if row.state == CreditState.SIGNED and row.approval_id is not None:
        raise CollateralFixed("A second person has the word on the payment. Wait for it, then add shares.")
    version = published_version(row.scheme_code, on) if row.state == CreditState.APPROVED else agreed_version(row)
    add_lots(row, version, lots)
    words = ", ".join(f"+{quantity} {symbol}" for symbol, quantity in named_lots(lots))
    if row.state != CreditState.OFFERED:
        note(actor=actor, row=row, action="add_collateral", at=at, words=words)
        return CreditState(row.state)
    _take_back(row, "shares were added", at)
    move(actor=actor, row=row, new=CreditState.APPROVED, action="add_collateral", at=at, words=words)
    _offer(LENDER, row, on, at)
    return CreditState(row.state)


def _of_contract(contract_id: int) -> CreditRequest | None:
    found = CreditRequest.objects.filter(contract_id=contract_id).values_list("id", flat=True).first()
    return lock_request(found) if found is not None else None


def _take_back(row: CreditRequest, reason: str, at: datetime) -> None:
    """Withdraw the contract of a price that no longer holds."""
    contract_id, row.contract_id = row.contract_id, None
    row.accepted_at = row.client_signed_at = None
    row.save()
    if contract_id is not None:
        withdraw_contract(actor=LENDER, contract_id=contract_id, reason=reason, at=at)


def _portfolio(row: CreditRequest) -> tuple[tuple[int, int], ...]:
    return tuple(row.lots.order_by("instrument_id").values_list("instrument_id", "quantity"))
