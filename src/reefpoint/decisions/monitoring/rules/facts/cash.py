"""Facts of cash in and out, and of third parties who pay or are paid."""

from collections.abc import Callable, Sequence

import numpy as np

from reefpoint.decisions.monitoring.rules.columns import DAY_SECONDS
from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.rules.facts.sheet import (
    Fact,
    FactSheet,
    Settings,
    count_of,
    distinct,
    flag,
    of_some,
    plain,
    total_of,
)
from reefpoint.decisions.monitoring.types import ActivityKind
from reefpoint.engine.columns import Bools, Int64s
from reefpoint.engine.windows import NEVER, NO_RANK, last_before, window_percentile, window_sum

_INITIATED = (
    ActivityKind.DEPOSIT,
    ActivityKind.WITHDRAWAL,
    ActivityKind.DRAWDOWN,
    ActivityKind.REPAYMENT,
    ActivityKind.ORDER,
    ActivityKind.PROFILE_CHANGE,
    ActivityKind.BANK_CHANGE,
    ActivityKind.CONTACT_CHANGE,
    ActivityKind.SIGN_IN,
)


def _third(sheet: FactSheet, kind: ActivityKind) -> Bools:
    is_third: Bools = sheet.is_kind(kind) & (sheet.rows.third == 1)
    return is_third


def _today(sheet: FactSheet, value: Int64s, *keys: str) -> Int64s:
    return window_sum(sheet.part(*(keys or ("client",))), sheet.rows.day, value, 1)


def _near(kind: ActivityKind, days: int, *, is_sum: bool = False) -> Callable[[FactSheet, Settings], Column]:
    def compute(sheet: FactSheet, settings: Settings) -> Column:
        amount = sheet.rows.amount
        near = sheet.is_kind(kind) & (amount >= settings["near_from_minor"]) & (amount < settings["near_below_minor"])
        return Column(sheet.days(np.where(near, amount, 0) if is_sum else flag(near), days))

    return compute


_NEAR = ("near_from_minor", "near_below_minor")


def _usual_inflow(sheet: FactSheet, _: Settings) -> Column:
    value = window_percentile(
        sheet.part("client"),
        sheet.rows.at,
        sheet.days(sheet.money(ActivityKind.DEPOSIT), 7),
        sheet.is_kind(ActivityKind.DEPOSIT),
        percent=95,
        length=180 * DAY_SECONDS,
        skip=7 * DAY_SECONDS,
    )
    return Column(np.where(value == NO_RANK, 0, value))


def _earlier_deposits(sheet: FactSheet) -> Int64s:
    deposits = flag(sheet.is_kind(ActivityKind.DEPOSIT))
    return sheet.days(deposits, 180) - sheet.days(deposits, 7)


def _idle_days(sheet: FactSheet) -> Int64s:
    last = last_before(sheet.part("client"), sheet.rows.at, sheet.is_kind(*_INITIATED))
    return np.where(last == NEVER, 0, (sheet.rows.at - last) // DAY_SECONDS)


_FLOWS = (ActivityKind.DEPOSIT, ActivityKind.WITHDRAWAL, ActivityKind.BUY, ActivityKind.SELL)

CASH: Sequence[Fact] = (
    # cash in and out
    Fact(
        "in_7d_minor",
        Kind.NUMBER,
        "money",
        "cash in over 7 days",
        "7日内入金",
        plain(total_of(ActivityKind.DEPOSIT, days=7)),
    ),
    Fact(
        "in_365d_minor",
        Kind.NUMBER,
        "money",
        "cash in over 365 days",
        "365日内入金",
        plain(total_of(ActivityKind.DEPOSIT, days=365)),
    ),
    Fact(
        "in_3s_minor",
        Kind.NUMBER,
        "money",
        "cash in, this session and 3 before",
        "本交易日及前3日入金",
        plain(total_of(ActivityKind.DEPOSIT, sessions=3)),
    ),
    Fact(
        "out_3s_minor",
        Kind.NUMBER,
        "money",
        "cash out, this session and 3 before",
        "本交易日及前3日出金",
        plain(total_of(ActivityKind.WITHDRAWAL, sessions=3)),
    ),
    Fact(
        "out_10s_minor",
        Kind.NUMBER,
        "money",
        "cash out, this session and 10 before",
        "本交易日及前10日出金",
        plain(total_of(ActivityKind.WITHDRAWAL, sessions=10)),
    ),
    Fact(
        "in_7d_usual_minor",
        Kind.NUMBER,
        "money",
        "95th percentile of the client's cash in over 7 days, from 180 days to 7 days ago",
        "过去180日至7日前7日入金的第95百分位",
        _usual_inflow,
    ),
    Fact(
        "deposits_before",
        Kind.NUMBER,
        "count",
        "deposits from 180 days to 7 days ago",
        "180日至7日前的入金次数",
        plain(_earlier_deposits),
    ),
    Fact(
        "near_deposits_7d",
        Kind.NUMBER,
        "count",
        "deposits in the band under the threshold over 7 days",
        "7日内略低于门槛的入金次数",
        _near(ActivityKind.DEPOSIT, 7),
        _NEAR,
    ),
    Fact(
        "near_deposits_7d_minor",
        Kind.NUMBER,
        "money",
        "their sum",
        "其合计金额",
        _near(ActivityKind.DEPOSIT, 7, is_sum=True),
        _NEAR,
    ),
    Fact(
        "near_withdrawals_30d",
        Kind.NUMBER,
        "count",
        "withdrawals in the band under the limit over 30 days",
        "30日内略低于限额的出金次数",
        _near(ActivityKind.WITHDRAWAL, 30),
        _NEAR,
    ),
    Fact(
        "withdrawals_30d",
        Kind.NUMBER,
        "count",
        "withdrawals over 30 days",
        "30日内出金次数",
        plain(count_of(ActivityKind.WITHDRAWAL, 30)),
    ),
    Fact(
        "idle_days",
        Kind.NUMBER,
        "days",
        "days since the client last did anything; 0 if never",
        "客户上次活动至今的天数",
        plain(_idle_days),
    ),
    Fact(
        "turnover_30d_minor",
        Kind.NUMBER,
        "money",
        "cash in and out, bought and sold over 30 days",
        "30日内出入金与买卖总额",
        plain(lambda s: s.days(s.money(*_FLOWS), 30)),
    ),
    # third parties
    Fact(
        "third_in_1d_minor",
        Kind.NUMBER,
        "money",
        "cash from third parties that day",
        "当日第三方入金",
        plain(lambda s: _today(s, np.where(_third(s, ActivityKind.DEPOSIT), s.rows.amount, 0))),
    ),
    Fact(
        "third_in_same_1d_minor",
        Kind.NUMBER,
        "money",
        "of it, from this same counterparty",
        "其中来自同一对手方",
        plain(
            lambda s: _today(s, np.where(_third(s, ActivityKind.DEPOSIT), s.rows.amount, 0), "client", "counterparty")
        ),
    ),
    Fact(
        "third_out_1d_minor",
        Kind.NUMBER,
        "money",
        "cash to third parties that day",
        "当日付予第三方",
        plain(lambda s: _today(s, np.where(_third(s, ActivityKind.WITHDRAWAL), s.rows.amount, 0))),
    ),
    Fact(
        "third_payers_30d",
        Kind.NUMBER,
        "count",
        "different third-party payers over 30 days",
        "30日内不同第三方付款人数",
        plain(lambda s: distinct(s, s.rows.counterparty, _third(s, ActivityKind.DEPOSIT), 30, "client")),
    ),
    Fact(
        "payer_clients_90d",
        Kind.NUMBER,
        "count",
        "clients funded by this payer account over 90 days",
        "90日内由该付款账户入金的客户数",
        of_some(
            "counterparty", lambda s: distinct(s, s.rows.client, s.is_kind(ActivityKind.DEPOSIT), 90, "counterparty")
        ),
    ),
)
