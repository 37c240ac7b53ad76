"""Loans that are late past their grace, on the way to a sale for them, and the proof that each was told first."""

from collections.abc import Collection, Iterable

from reefpoint.flows.lending.models import LoanDefault
from reefpoint.flows.lending.rules import DEFAULT_STATES
from reefpoint.flows.lending.selectors.loans import find_visible_loan
from reefpoint.flows.lending.types import DefaultHold, DefaultState, DefaultView
from reefpoint.flows.liquidation.selectors import load_default_sales
from reefpoint.platform.audit.selectors import load_histories
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding


class DefaultNotFound(NotFound):
    """No default, or no loan, has this id, or it is not this person's to see."""


def list_defaults(actor: Actor, loan_id: int) -> list[DefaultView]:
    """Every default of a loan, newest first, for its client or for staff. Raises `DefaultNotFound`."""
    if find_visible_loan(actor, loan_id) is None:
        raise DefaultNotFound("There is no such loan, or it is not yours to see.")
    return [view_of(row) for row in LoanDefault.objects.filter(loan_id=loan_id).order_by("-id")]


def newest_defaults(loan_ids: Collection[int]) -> dict[int, DefaultView]:
    """The newest default of each of these loans, for pages that their reader may see."""
    rows: Iterable[LoanDefault] = (
        LoanDefault.objects.filter(loan_id__in=loan_ids).order_by("loan_id", "-id").distinct("loan_id")
    )
    return {row.loan_id: view_of(row) for row in rows}


def view_of(row: LoanDefault) -> DefaultView:
    """A default as pages show it."""
    return DefaultView(
        id=row.pk,
        loan_id=row.loan_id,
        client_id=row.client_id,
        state=DefaultState(row.state),
        matured_on=row.matured_on,
        due_minor=row.due_minor,
        reason=row.reason,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        approval_id=row.approval_id,
        announced_at=row.announced_at,
        deadline_at=row.deadline_at,
        sale_from=row.sale_from,
        liquidation_id=row.liquidation_id,
        waits_for=DefaultHold(row.waits_for) if row.waits_for else None,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def verify_defaults() -> list[Finding]:
    """Each default came to its state by the table; each sale for a loan has its default, and was opened after the
    deadline that its client was told.
    """
    steps = {f"lending.default_{state.value}": state for state in DefaultState}
    histories = load_histories(steps.keys())
    rows = list(LoanDefault.objects.order_by("id"))
    findings = []
    for row in rows:
        walk = [steps[action] for action in histories.get(f"loan_default:{row.pk}", [])]
        if not walk or walk[-1].value != row.state or not DEFAULT_STATES.is_walk(walk):
            told = f"it is {row.state}; the audit log tells {' > '.join(walk)}"
            findings.append(Finding("lending.default", f"loan_default:{row.pk}", told))
    by_sale = {row.liquidation_id: row for row in rows if row.liquidation_id}
    for sale in load_default_sales():
        found = by_sale.get(sale.id)
        if found is None or found.loan_id != sale.loan_id:
            findings.append(Finding("lending.default", f"liquidation:{sale.id}", "no default of its loan led to it"))
        elif found.deadline_at is None or sale.opened_at < found.deadline_at:
            findings.append(Finding("lending.default", f"liquidation:{sale.id}", "it was opened before the day told"))
    return findings
