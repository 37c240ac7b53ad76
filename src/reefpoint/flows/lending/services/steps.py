"""What every step of a request for credit shares: the gates, the lock, the move, the letter, the end of its papers."""

from datetime import date, datetime

from reefpoint.decisions.credit.selectors.decisions import decided_until
from reefpoint.decisions.relations.services import require_group_limit
from reefpoint.decisions.suitability.services import require_suitable
from reefpoint.flows.lending import rules
from reefpoint.flows.lending.events import CreditMoved
from reefpoint.flows.lending.models import CreditRequest, CreditStep
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
from reefpoint.platform.notifications.services import send_letter
from reefpoint.records.contracts.services import end_unused_contract
from reefpoint.records.contracts.types import ContractState
from reefpoint.records.parties.selectors.clients import require_open_for_business, require_own_or
from reefpoint.records.parties.services import require_licence
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.types import VersionState, VersionView

LENDER = system_actor("lending")


class SchemeGone(Refusal):
    """The version of the scheme that was agreed is no longer offered."""

    code = "scheme_gone"


def end_papers(row: CreditRequest, state: ContractState, reason: str, at: datetime) -> None:
    """End what hangs on a locked request that comes to nothing: a second person's word that is asked, and the contract.

    Nothing was paid: a request moves so only before money is on its way, or after it came back.
    """
    if row.approval_id is not None and get_approval(row.approval_id).state is ApprovalState.PENDING:
        withdraw(actor=LENDER, approval_id=row.approval_id, reason=reason, at=at)
        row.approval_id = None
    if row.contract_id is not None:
        end_unused_contract(actor=LENDER, contract_id=row.contract_id, state=state, reason=reason, at=at)


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
    note_step(actor, row, action, words or problem, at)
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
    note_step(actor, row, action, words, at)
    record(actor=actor, action=f"lending.{action}", subject=f"credit_request:{row.pk}", reason=words[:500], at=at)


def tell(*, actor: Actor, row: CreditRequest, letter: str, at: datetime, words: str = "") -> None:
    """Queue what the client is told of their request, in their language."""
    send_letter(
        actor=actor,
        to=row.client,
        texts=letters.lapsing(letters.LETTERS[letter], row.lapses_on),
        words={"number": row.number, "amount": letters.amount(row.amount_minor, row.currency), "words": words},
        key=f"credit_request:{row.pk}:{row.steps.count()}:{letter}",
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


def note_step(actor: Actor, row: CreditRequest, action: str, words: str, at: datetime) -> None:
    CreditStep.objects.create(
        request=row,
        at=at,
        actor=actor.ref,
        actor_name=actor.name,
        action=action,
        state=row.state,
        words=words.strip()[:500],
    )
