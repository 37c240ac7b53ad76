"""Forced sales: what runs, and one sale with its plans and their proof."""

from typing import Annotated

from ninja import Query, Schema

from reefpoint.flows.liquidation import selectors
from reefpoint.flows.liquidation.types import LiquidationFacts, PlanView
from reefpoint.surfaces.api.base import Caller, Id, Limit, answers, router

liquidations = router("liquidations")


class LiquidationOut(Schema):
    """A forced sale and its plans, one a session; each plan with its terms and the bound that certifies it."""

    sale: LiquidationFacts
    plans: list[PlanView]


@liquidations.get("", response=answers(list[LiquidationFacts]))
def list_liquidations(
    request: Caller, live_only: bool = False, limit: Annotated[Limit, Query()] = 50
) -> list[LiquidationFacts]:
    """Forced sales of the accounts that the caller may see, newest first. Right: liquidation.view."""
    return selectors.list_liquidations(request.auth, live_only=live_only, limit=limit)


@liquidations.get("/{liquidation_id}", response=answers(LiquidationOut))
def read_liquidation(request: Caller, liquidation_id: Id) -> LiquidationOut:
    """One forced sale: its plans as they were made, why each sells what it sells, and the least it could have been."""
    sale = selectors.get_liquidation(request.auth, liquidation_id)
    return LiquidationOut(sale=sale, plans=selectors.list_plans(liquidation_id))
