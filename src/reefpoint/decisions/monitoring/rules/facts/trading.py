"""Facts of trades: of the client, of its group, and late in the session."""

from collections.abc import Callable, Sequence

import numpy as np

from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.rules.facts.sheet import (
    Fact,
    FactSheet,
    Settings,
    days_of_volume,
    flag,
    plain,
    total_of,
)
from reefpoint.decisions.monitoring.types import ActivityKind
from reefpoint.engine.columns import Int64s
from reefpoint.engine.windows import mirrored_trades, window_distinct, window_max

TRADES_OF_GROUP = 20
"""Sessions over which trades inside a group are looked at."""


def _side(sheet: FactSheet) -> Int64s:
    return flag(sheet.is_kind(ActivityKind.BUY)) - flag(sheet.is_kind(ActivityKind.SELL))


def _matched(sheet: FactSheet, settings: Settings) -> Column:
    mirrors = mirrored_trades(
        sheet.part("group", "instrument"),
        sheet.rows.at,
        _side(sheet),
        sheet.rows.quantity,
        sheet.rows.account,
        length=settings["match_seconds"] + 1,
        tolerance_pct=settings["match_tolerance_pct"],
    )
    return Column(sheet.sessions(mirrors, TRADES_OF_GROUP, "group", "instrument"))


def _group_shares(sheet: FactSheet, *, is_net: bool) -> Int64s:
    shares = _side(sheet) * sheet.rows.quantity
    return np.abs(sheet.sessions(shares if is_net else np.abs(shares), TRADES_OF_GROUP, "group", "instrument"))


def _group_sides(kind: ActivityKind) -> Callable[[FactSheet], Int64s]:
    def take(sheet: FactSheet) -> Int64s:
        code = np.where(sheet.is_kind(kind), sheet.rows.client, 0)
        parts = sheet.part("group", "instrument")
        return window_distinct(parts, sheet.rows.session, code, TRADES_OF_GROUP + 1)

    return take


def _ramp_days(sheet: FactSheet, settings: Settings) -> Column:
    ramped = sheet.is_kind(ActivityKind.SESSION_CLOSE) & (sheet.rows.move >= settings["ramp_move_bp"])
    return Column(sheet.sessions(flag(ramped), 9, "client", "instrument"))


def _late_bought(sheet: FactSheet, settings: Settings) -> Column:
    late = sheet.is_kind(ActivityKind.BUY) & (sheet.rows.to_close <= settings["late_seconds"])
    return Column(sheet.sessions(np.where(late, sheet.rows.quantity, 0), 9, "client", "instrument"))


def _sold_shares(sheet: FactSheet) -> Int64s:
    sold = np.where(sheet.is_kind(ActivityKind.SELL), sheet.rows.quantity, 0)
    return sheet.sessions(sold, 3, "client", "instrument")


def _held_before_sale(sheet: FactSheet) -> Int64s:
    held = np.where(sheet.is_kind(ActivityKind.SELL), sheet.rows.held, 0)
    return window_max(sheet.part("client", "instrument"), sheet.rows.session, held, 4)


TRADING: Sequence[Fact] = (
    Fact(
        "traded_3s_minor",
        Kind.NUMBER,
        "money",
        "bought and sold, this session and 3 before",
        "本交易日及前3日买卖额",
        plain(lambda s: s.sessions(s.money(ActivityKind.BUY, ActivityKind.SELL), 3)),
    ),
    Fact(
        "bought_30d_minor",
        Kind.NUMBER,
        "money",
        "bought over 30 days",
        "30日内买入",
        plain(total_of(ActivityKind.BUY, days=30)),
    ),
    Fact(
        "bought_name_30d_minor",
        Kind.NUMBER,
        "money",
        "of it, in this name",
        "其中该证券",
        plain(lambda s: s.days(s.money(ActivityKind.BUY), 30, "client", "instrument")),
    ),
    Fact(
        "position_volume_tenths",
        Kind.NUMBER,
        "count",
        "the position after it, in tenths of a day's volume",
        "成交后持仓，以日成交量的十分之一计",
        lambda s, _: Column(days_of_volume(s, s.rows.held + s.rows.quantity), s.rows.volume != 0),
    ),
    Fact(
        "matched_trades_20s",
        Kind.NUMBER,
        "count",
        "trades of the group that mirror each other, this session and 20 before",
        "本交易日及前20日组内对敲笔数",
        _matched,
        ("match_seconds", "match_tolerance_pct"),
    ),
    Fact(
        "group_net_shares_20s",
        Kind.NUMBER,
        "shares",
        "shares by which the group's holding of the name changed",
        "组内该证券净变动股数",
        plain(lambda s: _group_shares(s, is_net=True)),
    ),
    Fact(
        "group_traded_shares_20s",
        Kind.NUMBER,
        "shares",
        "shares of the name that the group traded",
        "组内该证券成交股数",
        plain(lambda s: _group_shares(s, is_net=False)),
    ),
    Fact(
        "group_buyers_20s",
        Kind.NUMBER,
        "count",
        "members of the group that bought the name",
        "组内买入该证券的成员数",
        plain(_group_sides(ActivityKind.BUY)),
    ),
    Fact(
        "group_sellers_20s",
        Kind.NUMBER,
        "count",
        "members of the group that sold the name",
        "组内卖出该证券的成员数",
        plain(_group_sides(ActivityKind.SELL)),
    ),
    Fact(
        "ramp_days_10s",
        Kind.NUMBER,
        "count",
        "of 10 sessions, those with a late purchase on which the name closed up",
        "10个交易日中尾盘买入且收涨的天数",
        _ramp_days,
        ("ramp_move_bp",),
    ),
    Fact(
        "late_bought_shares_10s",
        Kind.NUMBER,
        "shares",
        "shares bought late over those sessions",
        "其间尾盘买入股数",
        _late_bought,
        ("late_seconds",),
    ),
    Fact(
        "sold_3s_shares",
        Kind.NUMBER,
        "shares",
        "shares of the name sold, this session and 3 before",
        "本交易日及前3日卖出该证券股数",
        plain(_sold_shares),
    ),
    Fact(
        "held_3s_shares",
        Kind.NUMBER,
        "shares",
        "shares of the name held before those sales",
        "卖出前持有该证券股数",
        plain(_held_before_sale),
    ),
)
