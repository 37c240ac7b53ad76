"""New rates for loans: decided by two people, told with notice as their terms say, in force from their day on."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.models import RateProposal
from reefpoint.decisions.pricing.selectors.book import load_book
from reefpoint.decisions.pricing.selectors.grid import GRID, read_grid
from reefpoint.decisions.pricing.types import Price, PriceGrid, PriceInputs, ProposalState
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import percent
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.notifications.services import send_letter
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.accounts.selectors.loans import list_open_loans
from reefpoint.records.accounts.types import AccountFacts, LoanFacts
from reefpoint.records.parties.selectors.clients import can_see_client, get_client
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import RateKind, SchemeTerms

REPRICING = "pricing.reprice"
"""The kind of approval."""
TOLD = "pricing.reprice"
"""The audited action of telling clients of new rates."""
LOANS_MAX = 2_000
"""Loans in one request: what a second person can still look at, and an approval hold."""

NOTICE = {
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


CANCELLED = {
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


class RatesRefused(Refusal):
    """A request for new rates without a reason, or for more loans than one person can look at."""

    code = "rates_refused"


@dataclass(frozen=True)
class _Move:
    """A new rate that a loan's terms allow: what it is worked out from, and from which day on it could be borne."""

    loan: LoanFacts
    account: AccountFacts
    inputs: PriceInputs
    priced: Price
    effective_on: date


@transaction.atomic
def request_rates(*, actor: Actor, on: date, at: datetime, reason: str, loan_ids: Collection[int] | None = None) -> int:
    """Ask a second person for new rates of the open loans (some of them) whose terms allow it. Returns the approval id.

    Nobody is told before the second person has decided. What they decide on is every loan with its old and new rate,
    and what a year's interest would be. A fixed rate never moves; one that is reset moves on its dates; a floating one
    after its notice. A loan whose grade is not known keeps its rate, and one that has a new rate coming waits for that.
    Raises `NothingToReprice`, `RatesRefused`, and `AlreadyAwaitingApproval` while another request waits.
    """
    require(actor, "pricing.reprice")
    if not reason.strip():
        raise RatesRefused("Say why the rates change: the second person reads it.")
    published = use_publication(kind=GRID, on=on, at=at)
    assert published.id is not None, "what is used is on record"
    moves = _moves(read_grid(published.id), on, at, loan_ids)
    if not moves:
        raise NothingToReprice("No open loan's rate may move now, or none would move enough. Nothing was changed.")
    if len(moves) > LOANS_MAX:
        raise RatesRefused(
            "{count} rates would move, more than {most} at once. Name the loans of a first part.",
            count=len(moves),
            most=LOANS_MAX,
        )
    approval_id = request_approval(
        actor=actor,
        kind=REPRICING,
        subject="pricing:rates",
        payload={
            "grid": published.id,
            "grid_version": published.version,
            "effect": [_effect(currency, moves) for currency in sorted({one.account.currency for one in moves})],
            "changes": [_change(one) for one in moves],
        },
        reason=reason.strip(),
        at=at,
    )
    record(
        actor=actor,
        action="pricing.ask_rates",
        subject=f"grid:{published.id}",
        reason=reason.strip(),
        inputs={"loans": len(moves), "approval": approval_id},
        at=at,
    )
    return approval_id


def _moves(grid: PriceGrid, on: date, at: datetime, loan_ids: Collection[int] | None) -> list[_Move]:
    book = load_book(on=on, at=at)
    waiting = set(RateProposal.objects.filter(state=ProposalState.NOTIFIED).values_list("loan_id", flat=True))
    rates = book.rates(grid)
    found = []
    for row, loan in enumerate(book.loans):
        is_asked = loan_ids is None or loan.id in loan_ids
        if loan.id in waiting or not is_asked or rates[row] < 0 or book.known["grade"][row] < 0:
            continue
        effective = _effective_day(book.terms[row], loan, on)
        if effective is None or not rules.moves(loan.rate_bp, int(rates[row]), grid.step_bp):
            continue
        inputs = book.inputs(row)
        priced = rules.price(grid, inputs)
        assert priced.rate_bp == rates[row], "one price, alone or in a book"
        found.append(_Move(loan, book.accounts[row], inputs, priced, effective))
    return found


def _effective_day(terms: SchemeTerms, loan: LoanFacts, on: date) -> date | None:
    """From when on a rate that is told on `on` would be borne; None if the terms or the maturity allow none."""
    if terms.rate_kind is RateKind.FIXED:
        return None
    effective = rules.effective_day(
        terms.rate_kind.value, loan.drawn_on, terms.rate_reset_days, terms.rate_notice_days, on
    )
    return None if effective is None or effective >= loan.matures_on else effective


def _effect(currency: str, moves: Sequence[_Move]) -> dict[str, Any]:
    """What these rates do to the book in one currency: how many rise and fall, a year's interest before and after."""
    ours = [one for one in moves if one.account.currency == currency]
    steps = [one.priced.rate_bp - one.loan.rate_bp for one in ours]
    principal = [one.loan.principal_minor for one in ours]
    return {
        "currency": currency,
        "loans": len(ours),
        "rise": sum(step > 0 for step in steps),
        "fall": sum(step < 0 for step in steps),
        "most_up_bp": max(0, *steps),
        "most_down_bp": min(0, *steps),
        "principal_minor": sum(principal),
        "year_before_minor": sum(p * one.loan.rate_bp for p, one in zip(principal, ours, strict=True)) // 10_000,
        "year_after_minor": sum(p * one.priced.rate_bp for p, one in zip(principal, ours, strict=True)) // 10_000,
    }


def _change(one: _Move) -> dict[str, Any]:
    return {
        "loan": one.loan.number,
        "loan_id": one.loan.id,
        "account": one.account.number,
        "old_bp": one.loan.rate_bp,
        "new_bp": one.priced.rate_bp,
        "not_before": one.effective_on.isoformat(),
        "inputs": json.dumps(rules.inputs_to_json(one.inputs), sort_keys=True),
    }


@transaction.atomic
def tell_approved_rates(*, actor: Actor, approval_id: int, on: date, at: datetime) -> list[int]:
    """Tell the clients of new rates that a second person approved: exactly those rates. Idempotent. Returns their ids.

    The notice runs from `on`. A loan that was repaid, got another rate or matures too soon since it was asked is left
    out, as is one that has a new rate coming.
    """
    require(actor, "pricing.reprice")
    approval = get_approval(approval_id)
    lock_name("pricing.reprice")
    if approval.kind != REPRICING or approval.state is not ApprovalState.APPROVED or _was_told(approval_id):
        return []
    asked_for: dict[str, Any] = dict(approval.payload)
    grid_id, changes = asked_for["grid"], asked_for["changes"]
    grid = read_grid(grid_id)
    loans = {loan.id: loan for loan in list_open_loans()}
    asked = [one for one in changes if one["loan_id"] in loans]
    owners = {one.id: one for one in load_accounts({loans[one["loan_id"]].account_id for one in asked})}
    waiting = set(RateProposal.objects.filter(state=ProposalState.NOTIFIED).values_list("loan_id", flat=True))
    made = []
    for one in asked:
        loan = loans[one["loan_id"]]
        effective = _effective_day(get_terms(owners[loan.account_id].scheme_version_id), loan, on)
        if effective is None or loan.id in waiting or loan.rate_bp != one["old_bp"]:
            continue
        inputs = json.loads(one["inputs"])
        priced = rules.price(grid, rules.inputs_from_json(inputs))
        assert priced.rate_bp == one["new_bp"], "what is told is what was approved"
        made.append(
            RateProposal(
                loan_id=loan.id,
                grid_id=grid_id,
                old_bp=loan.rate_bp,
                new_bp=priced.rate_bp,
                inputs=inputs,
                answer=rules.answer_text(priced),
                proposed_on=on,
                proposed_at=at,
                proposed_by=approval.requested_by,
                effective_on=effective,
            )
        )
    ids = [row.pk for row in RateProposal.objects.bulk_create(made)]
    for proposal in made:
        loan = loans[proposal.loan_id]
        _tell(actor, proposal, owners[loan.account_id].client_id, loan.number, at)
    record(
        actor=actor,
        action=TOLD,
        subject=f"approval:{approval_id}",
        inputs={
            "told": len(ids),
            "left_out": len(changes) - len(ids),
            "asked_by": approval.requested_by,
            "decided_by": approval.decided_by or "",
        },
        at=at,
    )
    return ids


def _was_told(approval_id: int) -> bool:
    return bool(list_entries(subject=f"approval:{approval_id}", action=TOLD))


def _tell(actor: Actor, proposal: RateProposal, client_id: int, loan: str, at: datetime) -> None:
    client = get_client(actor, client_id)
    is_chinese = client.language == "zh-hans"
    words = {
        "loan": loan,
        "day": proposal.effective_on.isoformat(),
        "old": percent(proposal.old_bp),
        "new": percent(proposal.new_bp),
        "parts": "\n".join(
            f"  {percent(part.bp)}  {part.words_zh if is_chinese else part.words}"
            for part in rules.price_from_text(proposal.answer).parts
        ),
    }
    send_letter(
        actor=actor,
        to=client,
        texts=NOTICE,
        words=words,
        key=f"rate:{proposal.pk}",
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
    words = {
        "loan": row.loan.number,
        "day": row.effective_on.isoformat(),
        "old": percent(row.old_bp),
        "new": percent(row.new_bp),
    }
    send_letter(
        actor=actor,
        to=client,
        texts=CANCELLED,
        words=words,
        key=f"rate:{row.pk}:cancelled",
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
