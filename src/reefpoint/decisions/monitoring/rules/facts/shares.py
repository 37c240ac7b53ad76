"""Facts of shares that came in without payment."""

from collections.abc import Callable, Sequence

import numpy as np

from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.rules.facts.sheet import (
    Fact,
    FactSheet,
    Settings,
    days_of_volume,
    distinct,
    flag,
    plain,
    total_of,
)
from reefpoint.decisions.monitoring.types import ActivityKind
from reefpoint.engine.columns import Int64s
from reefpoint.engine.windows import window_max


def _received(sessions: int) -> Callable[[FactSheet, Settings], Column]:
    """The value of shares received, at the close before; missing while one of them had no price."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        came = sheet.is_kind(ActivityKind.SECURITIES_IN)
        value = np.where(came, sheet.rows.quantity * sheet.rows.close // 100, 0)
        unpriced = sheet.sessions(flag(came & (sheet.rows.close == 0)), sessions)
        return Column(sheet.sessions(value, sessions), unpriced == 0)

    return compute


def _received_volume(sheet: FactSheet) -> Int64s:
    came = sheet.is_kind(ActivityKind.SECURITIES_IN)
    tenths = np.where(came, days_of_volume(sheet, sheet.rows.quantity), 0)
    return window_max(sheet.part("client"), sheet.rows.session, tenths, 6)


SHARES: Sequence[Fact] = (
    Fact(
        "receipts_90d",
        Kind.NUMBER,
        "count",
        "deliveries of shares free of payment over 90 days",
        "90日内无付款过户次数",
        plain(lambda s: distinct(s, s.rows.reference, s.is_kind(ActivityKind.SECURITIES_IN), 90, "client")),
    ),
    Fact(
        "received_5s_minor",
        Kind.NUMBER,
        "money",
        "value of shares received, this session and 5 before",
        "本交易日及前5日转入证券市值",
        _received(5),
    ),
    Fact(
        "received_10s_minor",
        Kind.NUMBER,
        "money",
        "value of shares received, this session and 10 before",
        "本交易日及前10日转入证券市值",
        _received(10),
    ),
    Fact(
        "received_volume_tenths",
        Kind.NUMBER,
        "count",
        "the least liquid of them, in tenths of a day's volume",
        "其中流动性最差者，以日成交量的十分之一计",
        plain(_received_volume),
    ),
    Fact(
        "sold_10s_minor",
        Kind.NUMBER,
        "money",
        "sold, this session and 10 before",
        "本交易日及前10日卖出",
        plain(total_of(ActivityKind.SELL, sessions=10)),
    ),
)
