"""Asking for credit, changing and taking back the ask, and what every step shares: the move, the letter, the gates."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from reefpoint.decisions.credit.selectors.decisions import decided_until
from reefpoint.decisions.relations.services import require_group_limit
from reefpoint.decisions.suitability.services import require_suitable
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.events import CreditMoved
from reefpoint.flows.lending.models import CreditLot, CreditRequest, CreditStep
from reefpoint.flows.lending.selectors.requests import CreditRequestNotFound, read_request
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.types import CreditState
from reefpoint.flows.servicing.services.opening import LENDING
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import require, withdraw
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.platform.notifications.services import queue_notice
from reefpoint.records.contracts.services import end_unused_contract
from reefpoint.records.contracts.types import ContractState
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.parties.selectors.clients import require_open_for_business, require_own_or
from reefpoint.records.parties.services import require_licence
from reefpoint.records.products.selectors import get_version, published_version
from reefpoint.records.products.types import VersionState, VersionView


class AskMalformed(Refusal):
    """An ask that names no amount, no collateral, or collateral that the scheme does not take. `field` says where."""

    code = "ask_malformed"

    def __init__(self, words: str, *, field: str, **facts: object) -> None:
        super().__init__(words, field=field, **facts)
        self.field = field


class AlreadyAsked(Refusal):
    """The client has a live request under this scheme."""

    code = "already_asked"


class SchemeGone(Refusal):
    """The version of the scheme that was agreed is no longer offered."""

    code = "scheme_gone"


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
    _step(actor, row, "begin", "", at)
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
    _step(actor, row, "change", "", at)


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


def end_papers(row: CreditRequest, state: ContractState, reason: str, at: datetime) -> None:
    """End what hangs on a locked request that comes to nothing: a second person's word that is asked, and the contract.

    Nothing was paid: a request moves so only before money is on its way, or after it came back.
    """
    lender = system_actor("lending")
    if row.approval_id is not None and get_approval(row.approval_id).state is ApprovalState.PENDING:
        withdraw(actor=lender, approval_id=row.approval_id, reason=reason, at=at)
        row.approval_id = None
    if row.contract_id is not None:
        end_unused_contract(actor=lender, contract_id=row.contract_id, state=state, reason=reason, at=at)


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


# Shared with the other steps


def require_gates(row: CreditRequest, version: VersionView, *, on: date, at: datetime) -> None:
    """What must hold whenever something is offered, signed or paid: an expired licence, a blocked client, a scheme that
    no longer suits or a full group takes force at once (I68).

    Raises `ClientNotOpen`, `LicenceRefused`, `Unsuitable`, `GroupLimitExceeded`.
    """
    require_open_for_business(row.client_id)
    require_licence(jurisdiction=version.terms.rule_pack, activity=LENDING, on=on, at=at)
    require_suitable(client_id=row.client_id, scheme_code=row.scheme_code, on=on, terms=version.terms)
    require_group_limit(client_id=row.client_id, currency=row.currency, amount_minor=row.amount_minor)


def agreed_version(row: CreditRequest) -> VersionView:
    """The version of the scheme that was agreed, if it is still offered. Raises `SchemeGone`."""
    assert row.scheme_version_id is not None
    version = get_version(row.scheme_version_id)
    if version.state is not VersionState.PUBLISHED:
        raise SchemeGone(
            "Scheme {scheme_code}, version {version}, has been withdrawn. Nothing was paid under it; "
            "ask for a new offer.",
            scheme_code=row.scheme_code,
            version=version.version,
        )
    return version


def move(
    *, actor: Actor, row: CreditRequest, new: CreditState, action: str, at: datetime, words: str = "", problem: str = ""
) -> None:
    """Bring a locked request to a state by the table, with its step, audit entry and event."""
    old = CreditState(row.state)
    rules.CREDIT_STATES.check(old, new)
    row.state, row.waits_since, row.problem = new.value, at, problem[:500]
    row.lapses_on = rules.lapses_on(
        new,
        at.date(),
        decided_until=None if row.decision_id is None else decided_until(row.decision_id),
        offered_until=None if row.offer_until is None else row.offer_until.date(),
    )
    row.save()
    _step(actor, row, action, words or problem, at)
    record(
        actor=actor,
        action=f"lending.{action}",
        subject=f"credit_request:{row.pk}",
        reason=(words or problem)[:500],
        inputs={"old": old, "new": new},
        at=at,
    )
    publish(CreditMoved(request_id=row.pk, client_id=row.client_id, old=old, new=new, at=at))


def note(*, actor: Actor, row: CreditRequest, action: str, at: datetime, words: str = "") -> None:
    """Save a locked request that stays in its state, with the step that changed it."""
    row.save()
    _step(actor, row, action, words, at)
    record(actor=actor, action=f"lending.{action}", subject=f"credit_request:{row.pk}", reason=words[:500], at=at)


def tell(*, actor: Actor, row: CreditRequest, letter: str, at: datetime, words: str = "") -> None:
    """Queue what the client is told of their request, in their language."""
    client = row.client
    subject, body = letters.write(
        letter,
        language=client.language,
        name=client.name,
        name_zh=client.name_zh,
        number=row.number,
        amount_minor=row.amount_minor,
        currency=row.currency,
        words=words,
        lapses_on=row.lapses_on,
    )
    queue_notice(
        actor=actor,
        key=f"credit_request:{row.pk}:{row.steps.count()}:{letter}",
        client_id=client.pk,
        to=client.email,
        subject=subject,
        body=body,
        about=f"credit_request:{row.pk}",
        at=at,
    )


def lock_request(request_id: int) -> CreditRequest:
    """The row, locked, with its client. Raises `CreditRequestNotFound`."""
    row = CreditRequest.objects.select_for_update(of=("self",)).select_related("client").filter(id=request_id).first()
    if row is None:
        raise CreditRequestNotFound("There is no such request for credit.")
    return row


def lock_own(actor: Actor, request_id: int) -> CreditRequest:
    """Lock a request for its client, or for staff who help. Raises `CreditRequestNotFound` for anybody else (I66)."""
    read_request(actor, request_id)
    row = lock_request(request_id)
    require_own_or(actor, "lending.request", row.client_id)
    return row


def lock_for(actor: Actor, permission: str, request_id: int) -> CreditRequest:
    """Lock a request for staff with a right. Raises `CreditRequestNotFound` outside of their clients."""
    require(actor, permission)
    read_request(actor, request_id)
    return lock_request(request_id)


def _step(actor: Actor, row: CreditRequest, action: str, words: str, at: datetime) -> None:
    CreditStep.objects.create(
        request=row,
        at=at,
        actor=actor.ref,
        actor_name=actor.name,
        action=action,
        state=row.state,
        words=words.strip()[:500],
    )
