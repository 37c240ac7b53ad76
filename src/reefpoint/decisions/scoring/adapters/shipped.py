"""The models that come with the program, as the register of models takes them."""

import json
from functools import cache
from importlib import resources
from typing import Any

from reefpoint.decisions.scoring.rules.cards import read_card
from reefpoint.decisions.scoring.rules.trees import read_boosted
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.governance.types import ModelKind, ModelState, ShippedModel, Tier


def check_card(artifact: str) -> None:
    """Raise `MalformedCard` for a scorecard that cannot be used."""
    read_card(artifact)


def check_boosted(artifact: str) -> None:
    """Raise `MalformedTrees` for a text that is no model of boosted trees."""
    read_boosted(artifact)


CARD, BOOSTED = ModelKind("scorecard", check_card), ModelKind("boosted", check_boosted)
KINDS: tuple[ModelKind, ...] = (CARD, BOOSTED)


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
        owner=str(Sentence("Head of credit")),
        state=ModelState.CHAMPION,
        artifact=lambda: read_data("margin_expert.json"),
        facts=lambda: _facts("margin_expert.facts.json"),
    ),
    ShippedModel(
        code="german_card",
        use="german",
        kind=CARD,
        tier=Tier.LOW,
        name="German credit data, scorecard",
        name_zh="德国信贷数据评分卡",
        purpose="Shows on real outcomes that a scorecard comes whole from training to the desk. Decides on no client.",
        purpose_zh="以真实结果证明评分卡从训练到运行完整无误；不对任何客户作决定。",
        owner=str(Sentence("Model development")),
        state=ModelState.CHAMPION,
        artifact=lambda: read_data("german_card.json"),
        facts=lambda: _facts("german_card.facts.json"),
    ),
    ShippedModel(
        code="german_boosted",
        use="german",
        kind=BOOSTED,
        tier=Tier.LOW,
        name="German credit data, boosted trees",
        name_zh="德国信贷数据提升树",
        purpose="Challenges the scorecard in shadow: its answer is kept beside, with what each input adds, and decides"
        " nothing.",
        purpose_zh="在影子模式下挑战评分卡：结果与各输入的贡献并列保存，不作决定。",
        owner=str(Sentence("Model development")),
        state=ModelState.SHADOW,
        artifact=lambda: read_data("german_boosted.txt"),
        facts=lambda: _facts("german_boosted.facts.json"),
    ),
)
