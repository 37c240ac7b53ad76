"""New credit rests only on names that the desk still takes."""

from dataclasses import replace
from datetime import datetime

from reefpoint.decisions.collateral.selectors.caps import names_without_credit
from reefpoint.decisions.margin.selectors.standing import Sheet, measure_on
from reefpoint.flows.servicing import rules
from reefpoint.records.accounts.types import AccountFacts


def check_new_credit(sheet: Sheet, after: AccountFacts, *, at: datetime) -> None:
    """Refuse a debt that would rest on names which the desk takes no more of. Raises `CreditRefused` naming them."""
    if not after.debt_minor:
        return
    held = [one.instrument_id for one in after.holdings]
    excluded = names_without_credit(held, scheme_version_id=after.scheme_version_id, at=at)
    if not excluded:
        return
    kept = tuple(one for one in after.holdings if one.instrument_id not in excluded)
    lendable_minor = measure_on(sheet, [replace(after, holdings=kept)])[0].lendable_minor
    if after.debt_minor > lendable_minor:
        reasons = [excluded[one] for one in sorted(excluded)]
        raise rules.CreditRefused(
            "The debt would rest on names against which nothing more is lent: {reasons}.",
            debt_minor=after.debt_minor,
            lendable_minor=lendable_minor,
            reasons=reasons,
        )
