"""What an account's credit decision was bound to, asked before more is lent, paid out or bought."""

from datetime import date

from reefpoint.decisions.credit.selectors.conditions import account_figures, require_conditions
from reefpoint.decisions.credit.types import Act
from reefpoint.decisions.margin.selectors.standing import Sheet
from reefpoint.decisions.margin.types import Standing
from reefpoint.records.accounts.selectors.loans import has_drawn
from reefpoint.records.accounts.types import AccountFacts


def check_conditions(sheet: Sheet, after: AccountFacts, standing: Standing, *, act: Act, on: date) -> None:
    """Refuse an act after which a condition that binds it would not hold. Raises `ConditionNotMet`.

    An account that was opened without a credit decision costs nothing.
    """
    if after.decision_id is None:
        return
    require_conditions(
        decision_id=after.decision_id,
        act=act,
        is_first=lambda: not has_drawn(after.id),
        figures=lambda reviewed_on: account_figures(sheet, after, standing, on=on, reviewed_on=reviewed_on),
    )
