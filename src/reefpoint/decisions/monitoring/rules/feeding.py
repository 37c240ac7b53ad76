"""What the desk cannot watch for: rules whose facts nobody notes, and typologies that have no rule."""

from collections.abc import Mapping
from dataclasses import dataclass

from reefpoint.decisions.monitoring.types import ActivityKind

UNNOTED = frozenset({ActivityKind.TRANSFER_IN})
"""Kinds of activity that no service of the desk notes."""


@dataclass(frozen=True)
class Why:
    """A reason in both languages."""

    en: str
    zh: str


UNFED: Mapping[str, Why] = {
    "off_market_transfer": Why(
        "The desk has no transfers of shares between clients, so nothing asks this rule its question.",
        "本系统没有客户之间的证券划转，因此没有任何事件会触发该规则。",
    ),
    "instruction_outside_list": Why(
        "Every order is taken by registered staff, who are noted as entitled to instruct. No list of persons agreed "
        "with the client is kept, so an order from outside of one cannot be told.",
        "所有委托均由登记的员工录入，并被记为有权下达指令。系统没有与客户约定的下单人名单，因此无法识别名单以外的委托。",
    ),
}
"""Rules that are installed and tested but never fire, because the desk lacks what they look at, by code."""


@dataclass(frozen=True)
class Unwatched:
    """A typology without a rule."""

    number: int
    title: Why
    why: Why


UNWATCHED = (
    Unwatched(
        17,
        Why("Delayed-settlement ride", "利用延迟交收获利"),
        Why(
            "A purchase takes the client's cash at the fill, so nothing can be sold before it is paid.",
            "买入成交时即扣客户资金，不存在未付款先卖出的可能。",
        ),
    ),
    Unwatched(
        22,
        Why("Warehousing", "代持囤积"),
        Why(
            "It needs the free float of a name and holdings beyond this desk; the desk records neither.",
            "需要证券的自由流通量及本系统以外的持仓，系统均未记录。",
        ),
    ),
)
