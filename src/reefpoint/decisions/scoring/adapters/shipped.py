"""The models that come with the program, as the register of models takes them."""

import json
from functools import cache
from importlib import resources
from typing import Any

from reefpoint.decisions.scoring.rules.cards import read_card
from reefpoint.platform.governance.types import ModelKind, ModelState, ShippedModel, Tier


def check_card(artifact: str) -> None:
    """Raise `MalformedCard` for a scorecard that cannot be used."""
    read_card(artifact)


CARD = ModelKind("scorecard", check_card)
KINDS: tuple[ModelKind, ...] = (CARD,)


@cache
def read_data(name: str) -> str:
    """A text file of this app's data."""
    return (resources.files("reefpoint.decisions.scoring") / "data" / name).read_text("utf-8")


def _facts(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_data(name))
    return found


MODELS: tuple[ShippedModel, ...] = (
    ShippedModel(
        code="margin_expert",
        use="margin",
        kind=CARD,
        tier=Tier.HIGH,
        name="Margin clients, expert scorecard",
        name_zh="融资客户专家评分卡",
        purpose="Grades clients who borrow against securities, for the credit policy to read. It does not price and"
        " does not set margin lines.",
        purpose_zh="为以证券作担保融资的客户评级，供信贷政策使用；不定价，也不决定保证金线。",
        owner="Head of credit",
        state=ModelState.CHAMPION,
        artifact=lambda: read_data("margin_expert.json"),
        facts=lambda: _facts("margin_expert.facts.json"),
    ),
)
