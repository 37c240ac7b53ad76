"""How the conditions of decisions stand, by the figures of an account or of what would be pledged."""

from collections.abc import Callable
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet

from reefpoint.decisions.credit.models import ConditionWaiver, CreditCondition, CreditDecision
from reefpoint.decisions.credit.rules.conditions import binds, judge, require_met
from reefpoint.decisions.credit.selectors.decisions import read_decision
from reefpoint.decisions.credit.types import (
    Act,
    Condition,
    ConditionFigures,
    ConditionKind,
    ConditionMoment,
    ConditionStanding,
    DecisionState,
    WaiverState,
    WaiverView,
)
from reefpoint.decisions.margin.selectors.standing import Sheet, load_sheet, measure_on
from reefpoint.decisions.margin.types import Standing
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.money import held_minor
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, Holding
from reefpoint.records.parties.selectors.clients import can_see_client

Figures = Callable[[date], ConditionFigures]
"""Figures, given the day of the newest approval."""


class ConditionNotFound(NotFound):
    """There is no such condition, or it is not this person's to see."""


def require_conditions(
    *, decision_id: int, act: Act, is_first: Callable[[], bool] = lambda: False, figures: Figures
) -> None:
    """Refuse an act on an account whose decision is bound to what does not hold then. Raises `ConditionNotMet`.

    One query for a decision without conditions; `is_first` and `figures` are asked for only where some bind.
    """
    rows = list(_conditions(decision_id))
    if not rows:
        return
    is_first_one = act is Act.DRAWDOWN and is_first()
    binding = [row for row in rows if binds(ConditionMoment(row.moment), act, is_first=is_first_one)]
    if binding:
        by = figures(_reviewed_on(decision_id))
        require_met(_standing(row, by) for row in binding)


def binding_conditions(decision_id: int) -> list[Condition]:
    """The conditions of a decision that nobody waived, in order."""
    granted = ConditionWaiver.objects.filter(state=WaiverState.GRANTED).values("condition_id")
    rows = CreditCondition.objects.filter(decision_id=decision_id).exclude(id__in=granted).order_by("id")
    return [condition_of(row) for row in rows]


def list_renewal_standings(decision_id: int, figures: Figures) -> list[ConditionStanding]:
    """The conditions of a decision that a renewal is bound to, and how far each is met. One query without any."""
    rows = [row for row in _conditions(decision_id) if binds(ConditionMoment(row.moment), Act.RENEWAL, is_first=False)]
    if not rows:
        return []
    by = figures(_reviewed_on(decision_id))
    return [_standing(row, by) for row in rows]


def list_standings(decision_id: int, figures: Figures) -> list[ConditionStanding]:
    """Every condition of a decision, how far it is met, and its newest waiver. One query without conditions."""
    rows = list(_conditions(decision_id))
    if not rows:
        return []
    by = figures(_reviewed_on(decision_id))
    return [_standing(row, by) for row in rows]


def list_decision_standings(actor: Actor, decision_id: int, *, on: date, at: datetime) -> list[ConditionStanding]:
    """The same by what was offered as collateral, at prices of now. Raises `DecisionNotFound`."""
    found = read_decision(actor, decision_id)
    ask = found.inputs.ask
    return list_standings(
        decision_id,
        lambda reviewed_on: ask_figures(
            portfolio=ask.portfolio,
            amount_minor=found.limit_minor or 0,
            currency=ask.currency,
            scheme_version_id=found.inputs.scheme_version_id,
            on=on,
            at=at,
            reviewed_on=reviewed_on,
        ),
    )


def account_figures(
    sheet: Sheet, account: AccountFacts, standing: Standing, *, on: date, reviewed_on: date
) -> ConditionFigures:
    """What conditions are judged by, of an account and how it is measured on a sheet."""
    values: dict[str, int | None] = {}
    for holding in account.holdings:
        column = sheet.column_of(holding.instrument_id, account.currency)
        units = int(sheet.marks.price_units[column])
        is_priced = units > 0 and not sheet.marks.is_stale[column]
        values[sheet.instruments[column].symbol] = (
            held_minor(units * holding.quantity, account.currency) if is_priced else None
        )
    return ConditionFigures(values, standing.ratio_bp, not standing.is_unknown, on, reviewed_on)


def ask_figures(
    *,
    portfolio: tuple[tuple[int, int], ...],
    amount_minor: int,
    currency: str,
    scheme_version_id: int,
    on: date,
    at: datetime,
    reviewed_on: date,
) -> ConditionFigures:
    """The same of an account that would hold what is offered and have drawn the amount."""
    sheet = load_sheet([scheme_version_id], at=at)
    account = AccountFacts(
        id=0,
        number="",
        client_id=0,
        scheme_version_id=scheme_version_id,
        currency=currency,
        status=AccountStatus.ACTIVE,
        change_no=0,
        cash_minor=amount_minor,
        principal_minor=amount_minor,
        interest_minor=0,
        fees_minor=0,
        holdings=tuple(Holding(one, many) for one, many in sorted(portfolio)),
    )
    return account_figures(sheet, account, measure_on(sheet, [account])[0], on=on, reviewed_on=reviewed_on)


def read_condition(actor: Actor, condition_id: int) -> CreditCondition:
    """A condition as a row for the app's own services. Raises `ConditionNotFound` for a client out of scope (I66)."""
    require(actor, "credit.view")
    row = CreditCondition.objects.select_related("decision__client").filter(id=condition_id).first()
    if row is None or not can_see_client(actor, row.decision.client_id):
        raise ConditionNotFound("There is no condition {condition_id}.", condition_id=condition_id)
    return row


def condition_of(row: CreditCondition) -> Condition:
    """A condition as it is judged and said."""
    return Condition(row.code, ConditionKind(row.kind), row.figure, ConditionMoment(row.moment))


def _conditions(decision_id: int) -> QuerySet[CreditCondition]:
    newest = Prefetch("waivers", ConditionWaiver.objects.order_by("-id"))
    return CreditCondition.objects.filter(decision_id=decision_id).prefetch_related(newest).order_by("id")


def _reviewed_on(decision_id: int) -> date:
    """The day of the newest approval of the same client and scheme; a decision that nobody approved is its own."""
    own = CreditDecision.objects.only("client_id", "scheme_code", "decided_on").get(id=decision_id)
    newest = (
        CreditDecision.objects.filter(
            client_id=own.client_id, scheme_code=own.scheme_code, state=DecisionState.APPROVED, id__gte=own.pk
        )
        .order_by("-id")
        .values_list("decided_on", flat=True)
        .first()
    )
    return newest or own.decided_on


def _standing(row: CreditCondition, figures: ConditionFigures) -> ConditionStanding:
    condition = condition_of(row)
    is_met, actual = judge(condition, figures)
    waiver = next(iter(row.waivers.all()), None)
    return ConditionStanding(
        row.pk, row.decision_id, condition, is_met, actual, None if waiver is None else _waiver(waiver)
    )


def _waiver(row: ConditionWaiver) -> WaiverView:
    return WaiverView(
        id=row.pk,
        condition_id=row.condition_id,
        reason=row.reason,
        state=WaiverState(row.state),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        approval_id=row.approval_id,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
