"""The paper bank's payments: it moves money between accounts it keeps for the desk, in the manner it was told."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.treasury.adapters.paper_bank import PaperBank, PaymentRefused
from reefpoint.records.treasury.models import PaperBankManner, PaperBankOrder
from reefpoint.records.treasury.rules import ANSWER_WITHIN
from reefpoint.records.treasury.types import (
    AnswerBatch,
    BankAnswer,
    PaperBehaviour,
    PaymentInstruction,
    PaymentOutcome,
)

ARRIVAL = "-IN"
"""Ends the reference of a transfer's second line: the statement shows the money leave one account and reach another."""


class PaperPayments:
    """Books at once, but for what it rejects, and answers when it is asked."""

    name = "paper"

    @transaction.atomic
    def send(self, instruction: PaymentInstruction) -> None:
        """Take a payment, once for each reference. Raises `PaymentRefused` for one that named another payment."""
        manner = PaperBankManner.objects.first()
        order, is_new = PaperBankOrder.objects.get_or_create(
            reference=instruction.reference,
            defaults={
                "amount_minor": instruction.amount_minor,
                "currency": instruction.currency,
                "behaviour": manner.behaviour if manner else PaperBehaviour.CONFIRM.value,
                "told_on": instruction.on,
            },
        )
        if (order.amount_minor, order.currency) != (instruction.amount_minor, instruction.currency):
            raise PaymentRefused("Reference {reference} already named another payment.", reference=order.reference)
        if is_new and order.behaviour != PaperBehaviour.REJECT:
            bank, amount, on = PaperBank(), instruction.amount_minor, instruction.on
            bank.debit(reference=order.reference, amount_minor=amount, on=on, text=instruction.text)
            bank.credit(reference=order.reference + ARRIVAL, amount_minor=amount, on=on, text=instruction.text)

    @transaction.atomic
    def collect(self, references: Collection[str], *, at: datetime) -> Sequence[AnswerBatch]:
        """What the bank says now, when asked."""
        orders = PaperBankOrder.objects.filter(reference__in=references)
        orders.filter(first_asked_at=None).update(first_asked_at=at)
        said = []
        for order in orders.order_by("id"):
            assert order.first_asked_at is not None
            is_late = order.behaviour == PaperBehaviour.LATE and at < order.first_asked_at + ANSWER_WITHIN
            if order.behaviour != PaperBehaviour.SILENT and not is_late:
                said += [_answer(order)] * (2 if order.behaviour == PaperBehaviour.TWICE else 1)
        return [AnswerBatch("paper bank", tuple(said))] if said else []

    def put_away(self, batch: AnswerBatch, *, refusal: str = "") -> None:
        """Nothing: the paper bank answers as often as it is asked."""


def _answer(order: PaperBankOrder) -> BankAnswer:
    if order.behaviour == PaperBehaviour.REJECT:
        return BankAnswer(
            order.reference,
            PaymentOutcome.REJECTED,
            order.amount_minor,
            reason=str(Sentence("The receiving account is closed.")),
        )
    return BankAnswer(order.reference, PaymentOutcome.CONFIRMED, order.amount_minor, f"PB{order.pk:08d}")


def set_manner(behaviour: PaperBehaviour) -> None:
    """Tell the paper bank how to treat the next payments."""
    PaperBankManner.objects.update_or_create(id=1, defaults={"behaviour": behaviour.value})


def get_manner() -> PaperBehaviour:
    """How the paper bank treats the next payments."""
    manner = PaperBankManner.objects.first()
    return PaperBehaviour(manner.behaviour) if manner else PaperBehaviour.CONFIRM
