"""New rates for loans: told with notice as their terms say, in force from their day on."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.models import RateProposal
from reefpoint.decisions.pricing.selectors.book import load_book
from reefpoint.decisions.pricing.selectors.grid import GRID, read_grid
from reefpoint.decisions.pricing.types import ProposalState
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import percent
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.notifications.services import queue_notice
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.accounts import services as accounts
from reefpoint.records.parties.selectors import can_see_client, get_client
from reefpoint.records.products.types import RateKind

_NOTICE = {
    "en": (
        "The rate of your loan {loan} changes on {day}",
        "Dear {name},\n\nFrom {day} your loan {loan} bears {new} a year instead of {old}, as its contract allows.\n"
        "The new rate is made of:\n{parts}\nYou may repay the loan before that day.\n",
    ),
    "zh-hans": (
        "您的贷款 {loan} 的利率将于 {day} 调整",
        "尊敬的{name}：\n\n自 {day} 起，您的贷款 {loan} 的年利率按合同约定由 {old} 调整为 {new}。\n"
        "新利率构成如下：\n{parts}\n您可以在该日之前还款。\n",
    ),
}


_CANCELLED = {
    "en": (
        "The rate of your loan {loan} stays as it is",
        "Dear {name},\n\nWe told you that your loan {loan} would bear {new} a year from {day}. That is taken back: it "
        "goes on bearing {old}.\n",
    ),
    "zh-hans": (
        "您的贷款 {loan} 的利率维持不变",
        "尊敬的{name}：\n\n我们曾通知您，自 {day} 起您的贷款 {loan} 的年利率将调整为 {new}。"
        "该调整现已撤回，年利率仍为 {old}。\n",
    ),
}


class NothingToReprice(Refusal):
    """No loan's terms let its rate move now, or none would move enough."""

    code = "nothing_to_reprice"


@transaction.atomic
def propose_rates(*, actor: Actor, on: date, at: datetime, loan_ids: Collection[int] | None = None) -> list[int]:
    """Reprice the open loans (some of them) whose terms allow it, and tell each client in time. Returns the ids.

    A fixed rate never moves; one that is reset moves on its dates; a floating one after its notice. A loan whose grade
    is not known keeps its rate, and one that has a new rate coming waits for that. Raises `NothingToReprice`.
    """
    require(actor, "pricing.reprice")
    lock_name("pricing.reprice")
    published = use_publication(kind=GRID, on=on, at=at)
    assert published.id is not None, "what is used is on record"
    grid = read_grid(published.id)
    book = load_book(on=on, at=at)
    waiting = set(RateProposal.objects.filter(state=ProposalState.NOTIFIED).values_list("loan_id", flat=True))
    made: list[RateProposal] = []
    rates = book.rates(grid)
    for row, loan in enumerate(book.loans):
        terms = book.terms[row]
        if (
            terms.rate_kind is RateKind.FIXED
            or loan.id in waiting
            or (loan_ids is not None and loan.id not in loan_ids)
        ):
            continue
        if rates[row] < 0 or book.known["grade"][row] < 0:
            continue
        if not rules.moves(loan.rate_bp, int(rates[row]), grid.step_bp):
            continue
        effective = rules.effective_day(
            terms.rate_kind.value, loan.drawn_on, terms.rate_reset_days, terms.rate_notice_days, on
        )
        if effective is None or effective >= loan.matures_on:
            continue
        inputs = book.inputs(row)
        priced = rules.price(grid, inputs)
        assert priced.rate_bp == rates[row], "one price, alone or in a book"
        made.append(
            RateProposal(
                loan_id=loan.id,
                grid_id=published.id,
                old_bp=loan.rate_bp,
                new_bp=priced.rate_bp,
                inputs=rules.inputs_to_json(inputs),
                answer=rules.answer_text(priced),
                proposed_on=on,
                proposed_at=at,
                proposed_by=actor.ref,
                effective_on=effective,
            )
        )
    if not made:
        raise NothingToReprice("No open loan's rate may move now, or none would move enough. Nothing was changed.")
    ids = [row.pk for row in RateProposal.objects.bulk_create(made)]
    clients = {loan.id: account.client_id for loan, account in zip(book.loans, book.accounts, strict=True)}
    numbers = {loan.id: loan.number for loan in book.loans}
    for proposal in made:
        _tell(actor, proposal, clients[proposal.loan_id], numbers[proposal.loan_id], at)
    record(
        actor=actor,
        action="pricing.reprice",
        subject=f"grid:{published.id}",
        inputs={"proposals": len(ids), "first": ids[0], "last": ids[-1]},
        at=at,
    )
    return ids


def _tell(actor: Actor, proposal: RateProposal, client_id: int, loan: str, at: datetime) -> None:
    client = get_client(actor, client_id)
    is_chinese = client.language == "zh-hans"
    subject, body = _NOTICE.get(client.language, _NOTICE["en"])
    words = {
        "loan": loan,
        "day": proposal.effective_on.isoformat(),
        "name": client.name_zh or client.name if is_chinese else client.name,
        "old": percent(proposal.old_bp),
        "new": percent(proposal.new_bp),
        "parts": "\n".join(
            f"  {percent(part.bp)}  {part.words_zh if is_chinese else part.words}"
            for part in rules.price_from_text(proposal.answer).parts
        ),
    }
    queue_notice(
        actor=actor,
        key=f"rate:{proposal.pk}",
        client_id=client.id,
        to=client.email,
        subject=subject.format(**words),
        body=body.format(**words),
        about=f"loan:{proposal.loan_id}",
        at=at,
    )


@transaction.atomic
def cancel_proposal(*, actor: Actor, proposal_id: int, reason: str, at: datetime) -> None:
    """Take a new rate back before its day; the client is told that the old one stays.

    Raises `NothingToReprice` when it does not wait any more, or for a client out of scope (I66).
    """
    require(actor, "pricing.reprice")
    rows = RateProposal.objects.select_for_update(of=("self",)).select_related("loan__account")
    row = rows.filter(id=proposal_id, state=ProposalState.NOTIFIED).first()
    if row is None or not reason.strip() or not can_see_client(actor, row.loan.account.client_id):
        raise NothingToReprice("No such new rate waits, or no reason was given. Nothing was changed.")
    row.state, row.closed_at = ProposalState.CANCELLED, at
    row.save(update_fields=["state", "closed_at"])
    _tell_cancelled(actor, row, at)
    record(
        actor=actor,
        action="pricing.cancel_rate",
        subject=f"loan:{row.loan_id}",
        reason=reason.strip(),
        inputs={"proposal": proposal_id},
        at=at,
    )


def _tell_cancelled(actor: Actor, row: RateProposal, at: datetime) -> None:
    client = get_client(actor, row.loan.account.client_id)
    subject, body = _CANCELLED.get(client.language, _CANCELLED["en"])
    words = {
        "loan": row.loan.number,
        "day": row.effective_on.isoformat(),
        "name": client.name_zh or client.name if client.language == "zh-hans" else client.name,
        "old": percent(row.old_bp),
        "new": percent(row.new_bp),
    }
    queue_notice(
        actor=actor,
        key=f"rate:{row.pk}:cancelled",
        client_id=client.id,
        to=client.email,
        subject=subject.format(**words),
        body=body.format(**words),
        about=f"loan:{row.loan_id}",
        at=at,
    )


@transaction.atomic
def apply_due_rates(*, actor: Actor, on: date, at: datetime) -> int:
    """Put the new rates in force whose day has come. Returns how many; one query when there is none."""
    require(actor, "operations.run_day")
    due = list(
        RateProposal.objects.select_for_update(of=("self",))
        .filter(state=ProposalState.NOTIFIED, effective_on__lte=on)
        .order_by("id")
    )
    by_day: dict[date, list[RateProposal]] = {}
    for row in due:
        by_day.setdefault(row.effective_on, []).append(row)
    for since, rows in sorted(by_day.items()):
        accounts.change_loan_rates(
            actor=actor,
            changes=[(row.loan_id, row.new_bp, f"rate_proposal:{row.pk}") for row in rows],
            since=since,
            at=at,
        )
    if due:
        RateProposal.objects.filter(id__in=[row.pk for row in due]).update(state=ProposalState.APPLIED, closed_at=at)
    return len(due)
