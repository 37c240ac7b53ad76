"""One account under stress, term by term. Runs over the whole book are asked for under runs."""

from typing import Annotated

from ninja import Query
from pydantic import Field

from reefpoint.insight.collateral.selectors import explain_account_gap
from reefpoint.insight.collateral.types import AccountGap
from reefpoint.insight.stress.rules import usual_scenarios
from reefpoint.insight.stress.selectors.accounts import explain_account_stress
from reefpoint.insight.stress.types import AccountStress
from reefpoint.surfaces.api.base import Caller, Id, answers, now, router

stress = router("stress")


@stress.get("/accounts/{account_id}", response=answers(AccountStress))
def stress_account(request: Caller, account_id: Id) -> AccountStress:
    """One account under the usual scenarios, and its positions in the worst of them."""
    return explain_account_stress(request.auth, account_id, usual_scenarios(), at=now())


@stress.get("/accounts/{account_id}/gap-loss", response=answers(AccountGap))
def show_account_gap(
    request: Caller, account_id: Id, paths: Annotated[int, Query(), Field(ge=100, le=10_000)] = 2_000
) -> AccountGap:
    """The lender's expected loss on one account in a forced sale, by simulation: what each name fetches."""
    return explain_account_gap(request.auth, account_id, at=now(), paths=paths)
