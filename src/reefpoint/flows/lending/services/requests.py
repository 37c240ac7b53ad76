"""Asking for credit, changing, handing in and taking back the ask."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import CreditLot, CreditRequest
from reefpoint.flows.lending.services.steps import end_papers, lock_own, move, note_step, require_gates, tell
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.contracts.types import ContractState
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.parties.selectors.clients import require_open_for_business, require_own_or
from reefpoint.records.products.selectors import published_version
from reefpoint.records.products.types import VersionView


class AskMalformed(Refusal):
    """An ask that names no amount, no collateral, or collateral that the scheme does not take. `field` says where."""

    code = "ask_malformed"

    def __init__(self, words: str, *, field: str, **facts: object) -> None:
        super().__init__(words, field=field, **facts)
        self.field = field


class AlreadyAsked(Refusal):
    """The client has a live request under this scheme."""

    code = "already_asked"


@transaction.atomic
def begin_request(
    *,
    actor: Actor,
    client_id: int,
    scheme_code: str,
    amount_minor: int,
    tenor_days: int,
    lots: Sequence[tuple[int, int]],
    on: date,
    at: datetime,
) -> int:
    """Begin an ask for credit, for oneself or by staff for a client. Returns its id; nothing is decided yet.

    `lots` are (instrument id, shares) that will come in as collateral. Raises `AskMalformed`, `AlreadyAsked`,
    `ClientNotOpen`, `SchemeVersionNotFound`.
    """
    require_own_or(actor, "lending.request", client_id)
    require_open_for_business(client_id)
    version = published_version(scheme_code, on)
    _check_ask(version, amount_minor, tenor_days, lots)
    try:
        with transaction.atomic():
            row = CreditRequest.objects.create(
                client_id=client_id,
                scheme_code=scheme_code,
                currency=version.terms.currency,
                amount_minor=amount_minor,
                tenor_days=tenor_days,
                begun_at=at,
                begun_by=actor.ref,
                waits_since=at,
                lapses_on=rules.lapses_on(CreditState.DRAFT, at.date(), decided_until=None, offered_until=None),
            )
    except IntegrityError as error:
        if "lending_one_live_request" not in str(error):
            raise
        raise AlreadyAsked(
            "There is already a request under this scheme. Go on with it, or withdraw it first.", client_id=client_id
        ) from error
    _write_lots(row, lots)
    note_step(actor, row, "begin", "", at)
    record(
        actor=actor,
        action="lending.begin",
        subject=f"credit_request:{row.pk}",
        inputs={
            "client": client_id,
            "scheme": scheme_code,
            "amount_minor": amount_minor,
            "tenor_days": tenor_days,
            "lots": [list(lot) for lot in lots],
        },
        at=at,
    )
    return row.pk


@transaction.atomic
def change_request(
    *,
    actor: Actor,
    request_id: int,
    amount_minor: int,
    tenor_days: int,
    lots: Sequence[tuple[int, int]],
    on: date,
    at: datetime,
) -> None:
    """Change an ask that was not handed in. Raises `InvalidTransition` afterwards, and what `begin_request` raises."""
    row = lock_own(actor, request_id)
    rules.CREDIT_STATES.check(CreditState(row.state), CreditState.REQUESTED)
    _check_ask(published_version(row.scheme_code, on), amount_minor, tenor_days, lots)
    row.amount_minor, row.tenor_days = amount_minor, tenor_days
    row.save(update_fields=["amount_minor", "tenor_days"])
    row.lots.all().delete()
    _write_lots(row, lots)
    note_step(actor, row, "change", "", at)


@transaction.atomic
def submit_request(*, actor: Actor, request_id: int, on: date, at: datetime) -> None:
    """Hand an ask in: from now on it is decided on. Refused by the gates of `require_gates`."""
    row = lock_own(actor, request_id)
    version = published_version(row.scheme_code, on)
    require_gates(row, version, on=on, at=at)
    row.requested_at = at
    move(actor=actor, row=row, new=CreditState.REQUESTED, action="submit", at=at)
    tell(actor=actor, row=row, letter="requested", at=at)


@transaction.atomic
def withdraw_request(*, actor: Actor, request_id: int, reason: str, at: datetime) -> None:
    """Take a request back, by its client before it is signed, or by staff until money is on its way."""
    row = lock_own(actor, request_id)
    state = CreditState(row.state)
    if actor.user_id == row.client.portal_user_id and state not in rules.CLIENT_CAN_WITHDRAW:
        rules.CREDIT_STATES.check(state, CreditState.DRAFT)
    end_papers(row, ContractState.WITHDRAWN, "the request was withdrawn", at)
    move(actor=actor, row=row, new=CreditState.WITHDRAWN, action="withdraw", words=reason, at=at)
    tell(actor=actor, row=row, letter="withdrawn", at=at)


def add_lots(row: CreditRequest, version: VersionView, lots: Sequence[tuple[int, int]]) -> None:
    """Add shares to those of a locked request, under the rules of an ask. Raises `AskMalformed`."""
    if not lots:
        raise AskMalformed("Say how many more shares will come in.", field="holdings")
    merged = dict(row.lots.values_list("instrument_id", "quantity"))
    for instrument_id, quantity in lots:
        if quantity <= 0:
            raise AskMalformed("Shares can only be added: a whole number above zero.", field="holdings")
        merged[instrument_id] = merged.get(instrument_id, 0) + quantity
    _check_ask(version, row.amount_minor, row.tenor_days, list(merged.items()))
    row.lots.all().delete()
    _write_lots(row, sorted(merged.items()))


def named_lots(lots: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
    """Lots by symbol, for the step that says what was added."""
    symbols = {one.id: one.symbol for one in list_instruments()}
    return [(symbols[instrument_id], quantity) for instrument_id, quantity in lots]


def _check_ask(version: VersionView, amount_minor: int, tenor_days: int, lots: Sequence[tuple[int, int]]) -> None:
    terms = version.terms
    if not 0 < amount_minor <= min(terms.limit_minor, rules.AMOUNT_MINOR_MAX):
        raise AskMalformed("The amount must be above zero and within the scheme's limit.", field="amount")
    if not 0 < tenor_days <= terms.tenor_days:
        raise AskMalformed("The term must be 1 to {tenor_days} days.", field="tenor", tenor_days=terms.tenor_days)
    if not 0 < len(lots) <= rules.LOTS_MAX or len({one for one, _ in lots}) != len(lots):
        raise AskMalformed(
            "Name 1 to {lots_max} different securities that will come in.", field="holdings", lots_max=rules.LOTS_MAX
        )
    known = {one.id: one for one in list_instruments()}
    for instrument_id, quantity in lots:
        one = known.get(instrument_id)
        if one is None or not terms.accepts(one.symbol):
            symbol = one.symbol if one else "?"
            raise AskMalformed("This scheme does not take {symbol} as collateral.", field="holdings", symbol=symbol)
        if not 0 < quantity <= rules.QUANTITY_MAX:
            raise AskMalformed(
                "How many {symbol} will come in? A whole number above zero.", field="holdings", symbol=one.symbol
            )


def _write_lots(row: CreditRequest, lots: Sequence[tuple[int, int]]) -> None:
    CreditLot.objects.bulk_create(
        CreditLot(request=row, instrument_id=instrument_id, quantity=quantity) for instrument_id, quantity in lots
    )
