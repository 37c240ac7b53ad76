"""How the conditions of a request's decision stand: by its account once there is one, else by what will come in."""

from datetime import date, datetime

from reefpoint.decisions.credit.selectors.conditions import (
    Figures,
    account_figures,
    ask_figures,
    list_standings,
    require_conditions,
)
from reefpoint.decisions.credit.selectors.decisions import get_decision
from reefpoint.decisions.credit.types import Act, ConditionFigures, ConditionStanding
from reefpoint.decisions.margin.selectors.standing import load_sheet, measure_on
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.selectors.requests import read_request
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.accounts import get_account


def list_request_conditions(actor: Actor, request_id: int, *, on: date, at: datetime) -> list[ConditionStanding]:
    """Every condition of a request, met or not yet, with the figure. For its client too.

    Raises `CreditRequestNotFound`.
    """
    row = read_request(actor, request_id)
    return [] if row.decision_id is None else list_standings(row.decision_id, _figures(row, on, at))


def require_first_drawdown(row: CreditRequest, *, on: date, at: datetime) -> None:
    """Refuse to ask for money that the drawdown itself would refuse. Raises `ConditionNotMet`."""
    assert row.decision_id is not None
    require_conditions(
        decision_id=row.decision_id, act=Act.DRAWDOWN, is_first=lambda: True, figures=_figures(row, on, at)
    )


def _figures(row: CreditRequest, on: date, at: datetime) -> Figures:
    def of(reviewed_on: date) -> ConditionFigures:
        if row.account_id is not None:
            account = get_account(row.account_id)
            sheet = load_sheet([account.scheme_version_id], at=at)
            return account_figures(sheet, account, measure_on(sheet, [account])[0], on=on, reviewed_on=reviewed_on)
        return ask_figures(
            portfolio=tuple(row.lots.order_by("instrument_id").values_list("instrument_id", "quantity")),
            amount_minor=row.amount_minor,
            currency=row.currency,
            scheme_version_id=row.scheme_version_id or get_decision(row.decision_id or 0).inputs.scheme_version_id,
            on=on,
            at=at,
            reviewed_on=reviewed_on,
        )

    return of
