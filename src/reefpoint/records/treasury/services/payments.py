"""Instructions to the bank: asked for once, told once or again under one reference, ended once by what the bank says.

A payment is told of in the transaction after the one that asked for it, and its answer is booked in one of its own:
whatever is killed in between is taken up by the next turn of `work_payments`, and the bank pays a reference once.
"""

from datetime import date, datetime

import structlog
from django.db import connection, transaction
from django.db.models import Q

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import ReasonNeeded, request_approval, require
from reefpoint.platform.access.types import ApprovalState, Payload
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.ledger.services import open_ledger_accounts, post_journals
from reefpoint.records.ledger.types import (
    BANK_IN_TRANSIT,
    BANK_SETTLEMENT,
    AccountKind,
    JournalDraft,
    LedgerAccountSpec,
    Line,
)
from reefpoint.records.treasury import rules
from reefpoint.records.treasury.adapters import payment_bank, settlement_bank
from reefpoint.records.treasury.adapters.paper_payments import ARRIVAL, set_manner
from reefpoint.records.treasury.events import PaymentConfirmed, PaymentRejected, PaymentRequested, PaymentUnknown
from reefpoint.records.treasury.models import FundingPool, Payment, PaymentAnswer, PaymentStep
from reefpoint.records.treasury.types import (
    AnswerBatch,
    BankAnswer,
    BankUnreachable,
    PaperBehaviour,
    PaymentInstruction,
    PaymentOutcome,
    PaymentState,
)

APPROVAL_KIND = "treasury.resolve_payment"
SUBJECT_PREFIX = "payment:"
BANK = system_actor("bank")
PAYMENTS_A_TURN = 200

log = structlog.get_logger(__name__)


class ConflictingPayment(Refusal):
    """A key that already named another payment."""

    code = "conflicting_payment"


class PaymentAmountRefused(Refusal):
    """A payment of nothing, or less, or from a pool that is not there."""

    code = "payment_amount_refused"


class NotResolvable(Refusal):
    """A payment whose end is known, or that a second person has been asked about."""

    code = "payment_not_resolvable"


class NoDrill(Refusal):
    """The bank is a real one: it cannot be told how to behave."""

    code = "no_drill"


def pay_out(*, reference: str, amount_minor: int, on: date, text: str) -> None:
    """Tell the bank to pay from the settlement account (minor units, positive); the same reference is one payment.

    Raises the bank's refusal for a reference that already named another amount.
    """
    settlement_bank().debit(reference=reference, amount_minor=amount_minor, on=on, text=text)


@transaction.atomic
def request_payment(
    *,
    actor: Actor,
    key: str,
    subject: str,
    pool_code: str,
    account_id: int,
    amount_minor: int,
    text: str,
    on: date,
    at: datetime,
) -> int:
    """Ask for money of a pool to be moved to the clients' money account. Returns the payment's id; a key is one.

    `subject` says what it is for (`credit_request:7`); the events of the payment carry it. Raises
    `PaymentAmountRefused`, `ConflictingPayment`.
    """
    require(actor, "treasury.pay")
    pool = FundingPool.objects.filter(code=pool_code).first()
    if pool is None or amount_minor <= 0:
        raise PaymentAmountRefused("A payment needs a pool and an amount above zero.", pool_code=pool_code)
    payment, is_new = Payment.objects.get_or_create(
        key=key,
        defaults={
            "reference": _next_reference(),
            "subject": subject,
            "pool": pool,
            "account_id": account_id,
            "amount_minor": amount_minor,
            "currency": pool.currency,
            "from_account": rules.pool_bank_account(pool_code),
            "to_account": rules.CLIENT_MONEY,
            "text": "".join(char if char.isprintable() else " " for char in text)[:140],
            "on": on,
            "requested_by": actor.ref,
            "requested_at": at,
            "waits_since": at,
        },
    )
    if not is_new:
        if (payment.subject, payment.pool_id, payment.account_id, payment.amount_minor) != (
            subject,
            pool.pk,
            account_id,
            amount_minor,
        ):
            raise ConflictingPayment("Key {key} already named another payment.", key=key)
        return payment.pk
    _step(payment, actor.ref, "request", "", at)
    record(
        actor=actor,
        action="treasury.request_payment",
        subject=f"{SUBJECT_PREFIX}{payment.pk}",
        inputs={"amount_minor": amount_minor, "pool": pool_code, "account": account_id, "for": subject},
        at=at,
    )
    publish(PaymentRequested(payment_id=payment.pk, subject=subject, at=at))
    return payment.pk


@transaction.atomic
def send_payment(*, payment_id: int, at: datetime) -> bool:
    """Tell the bank of a payment that waits to be told. False if it was told before. Raises `BankUnreachable`.

    Killed after the bank was told, it is told again under the same reference, which the bank pays once.
    """
    payment = Payment.objects.select_for_update().get(id=payment_id)
    if payment.state != PaymentState.REQUESTED:
        return False
    _tell(payment, BANK, "send", at)
    return True


@transaction.atomic
def resend_payment(*, actor: Actor, payment_id: int, at: datetime) -> None:
    """Tell the bank once more of a payment it has not answered, under the same reference. Raises `NotResolvable`."""
    require(actor, "treasury.pay")
    payment = _lock_open(payment_id)
    _tell(payment, actor, "resend", at)
    record(actor=actor, action="treasury.resend_payment", subject=f"{SUBJECT_PREFIX}{payment.pk}", at=at)


def _tell(payment: Payment, actor: Actor, action: str, at: datetime) -> None:
    payment_bank().send(
        PaymentInstruction(
            reference=payment.reference,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            from_account=payment.from_account,
            to_account=payment.to_account,
            on=payment.on,
            text=payment.text,
        )
    )
    payment.attempts += 1
    if payment.state == PaymentState.REQUESTED:
        payment.answer_by = at + rules.ANSWER_WITHIN
        _move(payment, PaymentState.SENT, at)
    payment.save()
    _step(payment, actor.ref, action, "", at)


@transaction.atomic
def take_answer(*, answer: BankAnswer, source: str, on: date, at: datetime) -> bool:
    """Book what the bank says of a payment, in the books of `on`. False if it was heard before. One answer, one effect.

    After the payment has ended, or about another amount, it is kept, moves nothing, and marks the payment for a person
    to look at. Raises `NotResolvable` for a reference that no payment has.
    """
    payment = Payment.objects.select_for_update(of=("self",)).filter(reference=answer.reference).first()
    if payment is None:
        raise NotResolvable(
            "No payment has the reference {named}.",
            reference=answer.reference,
            named=answer.reference[:24],
        )
    _, is_new = PaymentAnswer.objects.get_or_create(
        payment=payment,
        outcome=answer.outcome.value,
        amount_minor=answer.amount_minor,
        bank_reference=answer.bank_reference,
        defaults={"reason": answer.reason, "source": source, "heard_at": at},
    )
    if not is_new:
        return False
    record(
        actor=BANK,
        action="treasury.take_answer",
        subject=f"{SUBJECT_PREFIX}{payment.pk}",
        reason=answer.reason,
        inputs={
            "outcome": answer.outcome,
            "amount_minor": answer.amount_minor,
            "bank_reference": answer.bank_reference,
            "source": source,
        },
        at=at,
    )
    is_open = PaymentState(payment.state) in rules.PAYMENT_STATES.live
    if is_open and answer.amount_minor == payment.amount_minor:
        payment.bank_reference, payment.reason = answer.bank_reference, answer.reason
        _end(payment, answer.outcome, BANK, on, at)
    elif is_open or payment.state != answer.outcome.value or payment.amount_minor != answer.amount_minor:
        payment.is_contradicted = True
        payment.save(update_fields=["is_contradicted"])
        words = f"{answer.outcome.value} {answer.amount_minor} {answer.bank_reference}".strip()
        _step(payment, BANK.ref, "contradiction", words, at)
    elif not payment.bank_reference:
        payment.bank_reference = answer.bank_reference
        payment.save(update_fields=["bank_reference"])
        _step(payment, BANK.ref, "bear_out", answer.bank_reference, at)
    return True


def _end(payment: Payment, outcome: PaymentOutcome, actor: Actor, on: date, at: datetime) -> None:
    """End a locked payment; money that moved is booked out of one account and into the other."""
    if payment.state == PaymentState.REQUESTED:
        payment.answer_by = at
        _move(payment, PaymentState.SENT, at)
    _move(payment, PaymentState(outcome.value), at)
    payment.save()
    _step(payment, actor.ref, outcome.value, payment.reason, at)
    if outcome is PaymentOutcome.REJECTED:
        publish(PaymentRejected(payment_id=payment.pk, subject=payment.subject, reason=payment.reason, at=at))
        return
    open_ledger_accounts(
        [LedgerAccountSpec(code=BANK_IN_TRANSIT, kind=AccountKind.ASSET, currency=payment.currency, floor_minor=None)]
    )
    post_journals(
        actor=actor,
        drafts=[
            JournalDraft(
                kind="payment",
                key=f"payment:{payment.pk}:{side}",
                lines=(Line(debit, credit, payment.amount_minor),),
                memo=payment.text,
                source=payment.reference + ending,
            )
            for side, debit, credit, ending in (
                ("out", BANK_IN_TRANSIT, BANK_SETTLEMENT, ""),
                ("in", BANK_SETTLEMENT, BANK_IN_TRANSIT, ARRIVAL),
            )
        ],
        effective_on=on,
        at=at,
    )
    publish(PaymentConfirmed(payment_id=payment.pk, subject=payment.subject, at=at))


def work_payments(*, on: date, at: datetime) -> int:
    """One turn of the bank's rail: tell what waits, hear what was said, give up waiting. Returns how many answers
    were new. What the bank does not take or answer now is tried at the next turn.
    """
    try:
        _send_waiting(at)
        heard = _collect(on, at)
    except BankUnreachable as error:
        log.warning("bank_unreachable", error=str(error))
        heard = 0
    _expire(at)
    return heard


def _send_waiting(at: datetime) -> None:
    waiting = Payment.objects.filter(state=PaymentState.REQUESTED).order_by("id")
    for payment_id in list(waiting.values_list("id", flat=True)[:PAYMENTS_A_TURN]):
        send_payment(payment_id=payment_id, at=at)


def _collect(on: date, at: datetime) -> int:
    """Ask about all that has no end, or one that people gave it, and book what is said, a batch all or none."""
    asked = Payment.objects.filter(
        Q(state__in=[PaymentState.SENT, PaymentState.UNKNOWN]) | Q(approval_id__isnull=False, is_contradicted=False)
    )
    references = list(asked.order_by("id").values_list("reference", flat=True)[:PAYMENTS_A_TURN])
    bank, heard = payment_bank(), 0
    for batch in bank.collect(references, at=at):
        refusal = batch.refusal
        if not refusal:
            try:
                heard += _take_batch(batch, on, at)
            except NotResolvable as error:
                refusal = error.message
        if refusal:
            _note_refused(batch, refusal, at)
        bank.put_away(batch, refusal=refusal)
    return heard


@transaction.atomic
def _take_batch(batch: AnswerBatch, on: date, at: datetime) -> int:
    return sum(take_answer(answer=answer, source=batch.source, on=on, at=at) for answer in batch.answers)


@transaction.atomic
def _note_refused(batch: AnswerBatch, refusal: str, at: datetime) -> None:
    record(actor=BANK, action="treasury.refuse_answers", subject=f"answers:{batch.source}", reason=refusal, at=at)


def _expire(at: datetime) -> None:
    overdue = Payment.objects.filter(state=PaymentState.SENT, answer_by__lte=at)
    for payment_id in list(overdue.order_by("id").values_list("id", flat=True)[:PAYMENTS_A_TURN]):
        _give_up_waiting(payment_id, at)


@transaction.atomic
def _give_up_waiting(payment_id: int, at: datetime) -> None:
    payment = Payment.objects.select_for_update().get(id=payment_id)
    if payment.state != PaymentState.SENT:
        return
    _move(payment, PaymentState.UNKNOWN, at)
    payment.save()
    _step(payment, BANK.ref, "no_answer", "", at)
    publish(PaymentUnknown(payment_id=payment.pk, subject=payment.subject, at=at))


@transaction.atomic
def request_resolution(*, actor: Actor, payment_id: int, outcome: PaymentOutcome, evidence: str, at: datetime) -> int:
    """Ask a second person to end a payment that the bank does not answer. Returns the approval's id.

    `evidence` says how it is known that the money moved, or did not. Raises `ReasonNeeded`, `NotResolvable`.
    """
    require(actor, "treasury.pay")
    payment = _lock_open(payment_id)
    if not evidence.strip():
        raise ReasonNeeded("Say how it is known what became of this payment: who at the bank said so, and when.")
    return request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{SUBJECT_PREFIX}{payment_id}",
        payload=_payload(payment, outcome, evidence.strip()[:300]),
        reason=evidence.strip()[:300],
        at=at,
    )


@transaction.atomic
def resolve_approved(*, approval_id: int, on: date, at: datetime) -> None:
    """End the payment as two people say it ended; if the bank has answered meanwhile, its word stands."""
    approval = get_approval(approval_id)
    assert (approval.kind, approval.state) == (APPROVAL_KIND, ApprovalState.APPROVED)
    payment = Payment.objects.select_for_update(of=("self",)).get(id=int(approval.subject.removeprefix(SUBJECT_PREFIX)))
    outcome, evidence = PaymentOutcome(str(approval.payload["outcome"])), str(approval.payload["evidence"])
    if PaymentState(payment.state) not in rules.PAYMENT_STATES.live:
        return
    assert approval.payload == _payload(payment, outcome, evidence)
    payment.approval_id, payment.reason = approval_id, evidence
    actor = Actor(approval.requested_by, approval.requested_by_name, frozenset({"treasury.pay"}))
    _end(payment, outcome, actor, on, at)


def set_paper_manner(*, actor: Actor, behaviour: PaperBehaviour, at: datetime) -> None:
    """For drills: how the paper bank treats the next payments. Raises `NoDrill` where the bank is a real one."""
    require(actor, "treasury.pay")
    if payment_bank().name != "paper":
        raise NoDrill("The bank is a real one; only the paper bank can be told how to behave.")
    with transaction.atomic():
        set_manner(behaviour)
        record(
            actor=actor,
            action="treasury.paper_manner",
            subject="bank:paper",
            inputs={"behaviour": behaviour},
            at=at,
        )


def _payload(payment: Payment, outcome: PaymentOutcome, evidence: str) -> Payload:
    return {
        "reference": payment.reference,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "for": payment.subject,
        "outcome": outcome.value,
        "evidence": evidence,
    }


def _lock_open(payment_id: int) -> Payment:
    payment = Payment.objects.select_for_update(of=("self",)).filter(id=payment_id).first()
    if payment is None:
        raise NotResolvable("There is no such payment.", payment_id=payment_id)
    if PaymentState(payment.state) not in rules.PAYMENT_STATES.live:
        raise NotResolvable(
            "Payment {reference} is {state}: its end is known.",
            payment_id=payment_id,
            reference=payment.reference,
            state=PaymentState(payment.state),
        )
    return payment


def _next_reference() -> str:
    """A reference that no payment has had; one that names none is no loss."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('treasury_payment_reference')")
        return f"P-{cursor.fetchone()[0]:06d}"


def _move(payment: Payment, new: PaymentState, at: datetime) -> None:
    rules.PAYMENT_STATES.check(PaymentState(payment.state), new)
    payment.state, payment.waits_since = new.value, at


def _step(payment: Payment, actor_ref: str, action: str, words: str, at: datetime) -> None:
    PaymentStep.objects.create(
        payment=payment, at=at, actor=actor_ref, action=action, state=payment.state, words=words[:300]
    )
