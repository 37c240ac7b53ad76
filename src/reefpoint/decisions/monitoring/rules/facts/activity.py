"""Facts of the activity itself, and of what its client declared by then."""

from collections.abc import Callable, Sequence

import numpy as np

from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.rules.facts.sheet import Fact, FactSheet, Settings, plain, present, told
from reefpoint.decisions.monitoring.types import UNKNOWN, ActivityKind
from reefpoint.engine.windows import NEVER, last_before


def _declared(name: str) -> Callable[[FactSheet, Settings], Column]:
    """What the client had declared by then: its latest profile before the row, missing without one."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        told = sheet.is_kind(ActivityKind.PROFILE_CHANGE)
        latest = last_before(sheet.part("client"), sheet.row_number, told)
        values = getattr(sheet.rows, name)[np.maximum(latest, 0)]
        return Column(np.maximum(values, 0), (latest != NEVER) & (values != UNKNOWN))

    return compute


def _transfer_gap(sheet: FactSheet, _: Settings) -> Column:
    close = sheet.rows.close
    gap = np.abs(sheet.rows.price - close) * 10_000 // np.maximum(close, 1)
    return Column(gap, (close > 0) & (sheet.rows.price > 0))


ACTIVITY: Sequence[Fact] = (
    # the row itself
    Fact("amount_minor", Kind.NUMBER, "money", "amount of this activity", "本次金额", plain(lambda s: s.rows.amount)),
    Fact("country", Kind.COUNTRY, "", "country of the other side", "对方所在国家或地区", present("country")),
    Fact(
        "payer_score_bp",
        Kind.NUMBER,
        "bp",
        "how well the payer's name fits a holder",
        "付款人与账户持有人姓名的相符程度",
        told("score"),
    ),
    Fact(
        "payer_is_verified",
        Kind.FLAG,
        "",
        "paid from a verified account of the client",
        "由客户已核实的账户付款",
        told("verified"),
    ),
    Fact(
        "operator_may_instruct", Kind.FLAG, "", "whoever gave the order may instruct", "下单人获授权", told("verified")
    ),
    Fact("hit_score_bp", Kind.NUMBER, "bp", "score of the screening hit", "名单命中得分", told("score")),
    Fact(
        "hit_has_identifier",
        Kind.FLAG,
        "",
        "an identifier of the list entry matched",
        "名单中的证件号码相符",
        told("verified"),
    ),
    Fact(
        "group_size",
        Kind.NUMBER,
        "count",
        "members of the client's group",
        "关联组成员数",
        plain(lambda s: s.rows.quantity),
    ),
    Fact(
        "shared_details",
        Kind.NUMBER,
        "count",
        "other clients with the same document, identifier, phone or bank account",
        "证件、电话或银行账户相同的其他客户数",
        plain(lambda s: s.rows.quantity),
    ),
    Fact(
        "instrument_volume",
        Kind.NUMBER,
        "shares",
        "assumed daily volume of the name",
        "该证券假定日成交量",
        present("volume"),
    ),
    Fact(
        "fall_bp",
        Kind.NUMBER,
        "bp",
        "how far the name fell that day",
        "该证券当日跌幅",
        plain(lambda s: np.maximum(-s.rows.move, 0)),
    ),
    Fact(
        "transfer_gap_bp",
        Kind.NUMBER,
        "bp",
        "price of a transfer away from the close before",
        "转让价偏离前收盘价的幅度",
        _transfer_gap,
    ),
    # what the client declared
    Fact(
        "declared_liquid_minor", Kind.NUMBER, "money", "declared liquid assets", "申报的流动资产", _declared("liquid")
    ),
    Fact("declared_income_minor", Kind.NUMBER, "money", "declared yearly income", "申报的年收入", _declared("income")),
    Fact("declared_worth_minor", Kind.NUMBER, "money", "declared net worth", "申报的净资产", _declared("worth")),
)
