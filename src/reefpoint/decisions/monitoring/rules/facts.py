"""The facts that a rule may ask for: a fixed, typed table. Each is a column over activities, as of each row's time.

`FACTS` names every fact with its unit and what it is; an expression that names anything else is refused. Windows are
part of a fact (`in_7d_minor`: 7 days, `out_3s_minor`: this session and the 3 before it); figures that a person may
want to change are parameters of the rule, and a fact that needs some says which (`parameters`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from reefpoint.decisions.monitoring.rules.columns import DAY_SECONDS, Activities
from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.types import KIND_CODES, UNKNOWN, ActivityKind
from reefpoint.engine.columns import Bools, Int64s
from reefpoint.engine.windows import (
    NEVER,
    NO_RANK,
    Partition,
    last_before,
    make_partition,
    mirrored_trades,
    window_distinct,
    window_max,
    window_percentile,
    window_sum,
)

HOURS_NEVER = 999_999
"""Hours since something that never happened."""
TRADES_OF_GROUP = 20
"""Sessions over which trades inside a group are looked at."""
Settings: TypeAlias = Mapping[str, int]

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


class FactSheet:
    """The facts of a set of activities, each computed when it is first asked for and then kept."""

    def __init__(self, rows: Activities) -> None:
        self.rows = rows
        self._columns: dict[tuple[str, tuple[int, ...]], Column] = {}
        self._parts: dict[tuple[str, ...], Partition] = {}
        self._flows: dict[tuple[str, ...], Int64s] = {}

    def column(self, name: str, settings: Settings) -> Column:
        """A fact of every row; `settings` are the rule's parameters. Raises `KeyError` for what is not in the table."""
        fact = FACTS[name]
        key = (name, tuple(settings[parameter] for parameter in fact.parameters))
        if key not in self._columns:
            self._columns[key] = fact.compute(self, settings)
        return self._columns[key]

    def part(self, *keys: str) -> Partition:
        """The rows by these columns."""
        if keys not in self._parts:
            in_time = None if keys[0] == "client" else self._in_time
            self._parts[keys] = make_partition(*(getattr(self.rows, key) for key in keys), in_time=in_time)
        return self._parts[keys]

    @cached_property
    def _in_time(self) -> Int64s:
        """The rows of all clients in one order of time."""
        return np.lexsort((self.rows.id, self.rows.at)).astype(np.int64)

    @cached_property
    def row_number(self) -> Int64s:
        return np.arange(len(self.rows), dtype=np.int64)

    def is_kind(self, *kinds: ActivityKind) -> Bools:
        found: Bools = self.rows.kind == KIND_CODES[kinds[0]]
        for kind in kinds[1:]:
            found |= self.rows.kind == KIND_CODES[kind]
        return found

    def money(self, *kinds: ActivityKind) -> Int64s:
        """The amounts of rows of these kinds, 0 elsewhere."""
        if kinds not in self._flows:
            self._flows[kinds] = np.where(self.is_kind(*kinds), self.rows.amount, 0)
        return self._flows[kinds]

    def days(self, value: Int64s, days: int, *keys: str) -> Int64s:
        """The sum over the last so many times 24 hours, of the client unless other keys are given."""
        return window_sum(self.part(*(keys or ("client",))), self.rows.at, value, days * DAY_SECONDS)

    def sessions(self, value: Int64s, sessions: int, *keys: str) -> Int64s:
        """The sum over this session and so many before it."""
        return window_sum(self.part(*(keys or ("client",))), self.rows.session, value, sessions + 1)


@dataclass(frozen=True)
class Fact:
    """One fact of the table. `unit`: money (minor units), count, shares, bp, hours, days, or nothing."""

    name: str
    kind: Kind
    unit: str
    what: str
    what_zh: str
    compute: Callable[[FactSheet, Settings], Column]
    parameters: tuple[str, ...] = ()


def _flag(values: Bools) -> Int64s:
    return values.astype(np.int64)


def _plain(take: Callable[[FactSheet], Int64s]) -> Callable[[FactSheet, Settings], Column]:
    return lambda sheet, _: Column(take(sheet))


def _told(name: str) -> Callable[[FactSheet, Settings], Column]:
    """A column that is missing where nobody told."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        values = getattr(sheet.rows, name)
        return Column(np.maximum(values, 0), values != UNKNOWN)

    return compute


def _present(name: str) -> Callable[[FactSheet, Settings], Column]:
    """A column that is missing where it is 0."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        values = getattr(sheet.rows, name)
        return Column(values, values != 0)

    return compute


def _declared(name: str) -> Callable[[FactSheet, Settings], Column]:
    """What the client had declared by then: its latest profile before the row, missing without one."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        told = sheet.is_kind(ActivityKind.PROFILE_CHANGE)
        latest = last_before(sheet.part("client"), sheet.row_number, told)
        values = getattr(sheet.rows, name)[np.maximum(latest, 0)]
        return Column(np.maximum(values, 0), (latest != NEVER) & (values != UNKNOWN))

    return compute


def _third(sheet: FactSheet, kind: ActivityKind) -> Bools:
    is_third: Bools = sheet.is_kind(kind) & (sheet.rows.third == 1)
    return is_third


def _today(sheet: FactSheet, value: Int64s, *keys: str) -> Int64s:
    return window_sum(sheet.part(*(keys or ("client",))), sheet.rows.day, value, 1)


def _near(kind: ActivityKind, days: int, *, is_sum: bool = False) -> Callable[[FactSheet, Settings], Column]:
    def compute(sheet: FactSheet, settings: Settings) -> Column:
        amount = sheet.rows.amount
        near = sheet.is_kind(kind) & (amount >= settings["near_from_minor"]) & (amount < settings["near_below_minor"])
        return Column(sheet.days(np.where(near, amount, 0) if is_sum else _flag(near), days))

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
    deposits = _flag(sheet.is_kind(ActivityKind.DEPOSIT))
    return sheet.days(deposits, 180) - sheet.days(deposits, 7)


def _distinct(sheet: FactSheet, code: Int64s, is_counted: Bools, days: int, *keys: str) -> Int64s:
    return window_distinct(sheet.part(*keys), sheet.rows.at, np.where(is_counted, code, 0), days * DAY_SECONDS)


def _of_some(key: str, take: Callable[[FactSheet], Int64s]) -> Callable[[FactSheet, Settings], Column]:
    """A count among rows that share `key`; 0 where the row has none."""
    return lambda sheet, _: Column(np.where(getattr(sheet.rows, key) != 0, take(sheet), 0))


def _idle_days(sheet: FactSheet) -> Int64s:
    last = last_before(sheet.part("client"), sheet.rows.at, sheet.is_kind(*_INITIATED))
    return np.where(last == NEVER, 0, (sheet.rows.at - last) // DAY_SECONDS)


def _hours_since(*kinds: ActivityKind) -> Callable[[FactSheet], Int64s]:
    def take(sheet: FactSheet) -> Int64s:
        last = last_before(sheet.part("client"), sheet.rows.at, sheet.is_kind(*kinds))
        return np.where(last == NEVER, HOURS_NEVER, np.minimum((sheet.rows.at - last) // 3600, HOURS_NEVER))

    return take


def _received(sessions: int) -> Callable[[FactSheet, Settings], Column]:
    """The value of shares received, at the close before; missing while one of them had no price."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        came = sheet.is_kind(ActivityKind.SECURITIES_IN)
        value = np.where(came, sheet.rows.quantity * sheet.rows.close // 100, 0)
        unpriced = sheet.sessions(_flag(came & (sheet.rows.close == 0)), sessions)
        return Column(sheet.sessions(value, sessions), unpriced == 0)

    return compute


def _days_of_volume(sheet: FactSheet, quantity: Int64s) -> Int64s:
    """Tenths of a day's volume."""
    return quantity * 10 // np.maximum(sheet.rows.volume, 1)


def _received_volume(sheet: FactSheet) -> Int64s:
    came = sheet.is_kind(ActivityKind.SECURITIES_IN)
    tenths = np.where(came, _days_of_volume(sheet, sheet.rows.quantity), 0)
    return window_max(sheet.part("client"), sheet.rows.session, tenths, 6)


def _side(sheet: FactSheet) -> Int64s:
    return _flag(sheet.is_kind(ActivityKind.BUY)) - _flag(sheet.is_kind(ActivityKind.SELL))


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
    return Column(sheet.sessions(_flag(ramped), 9, "client", "instrument"))


def _late_bought(sheet: FactSheet, settings: Settings) -> Column:
    late = sheet.is_kind(ActivityKind.BUY) & (sheet.rows.to_close <= settings["late_seconds"])
    return Column(sheet.sessions(np.where(late, sheet.rows.quantity, 0), 9, "client", "instrument"))


def _sold_shares(sheet: FactSheet) -> Int64s:
    sold = np.where(sheet.is_kind(ActivityKind.SELL), sheet.rows.quantity, 0)
    return sheet.sessions(sold, 3, "client", "instrument")


def _held_before_sale(sheet: FactSheet) -> Int64s:
    held = np.where(sheet.is_kind(ActivityKind.SELL), sheet.rows.held, 0)
    return window_max(sheet.part("client", "instrument"), sheet.rows.session, held, 4)


def _transfer_gap(sheet: FactSheet, _: Settings) -> Column:
    close = sheet.rows.close
    gap = np.abs(sheet.rows.price - close) * 10_000 // np.maximum(close, 1)
    return Column(gap, (close > 0) & (sheet.rows.price > 0))


def _payee_is_new(sheet: FactSheet, _: Settings) -> Column:
    paid = sheet.is_kind(ActivityKind.WITHDRAWAL)
    last = last_before(sheet.part("client", "counterparty"), sheet.rows.at, paid)
    return Column(_flag(last == NEVER), sheet.rows.counterparty != 0)


def _count(kind: ActivityKind, days: int, *keys: str) -> Callable[[FactSheet], Int64s]:
    return lambda sheet: sheet.days(_flag(sheet.is_kind(kind)), days, *keys)


def _sum(kind: ActivityKind, *, days: int = 0, sessions: int = 0) -> Callable[[FactSheet], Int64s]:
    def take(sheet: FactSheet) -> Int64s:
        return sheet.days(sheet.money(kind), days) if days else sheet.sessions(sheet.money(kind), sessions)

    return take


_FLOWS = (ActivityKind.DEPOSIT, ActivityKind.WITHDRAWAL, ActivityKind.BUY, ActivityKind.SELL)
_K = ActivityKind
_NUMBER, _FLAG = Kind.NUMBER, Kind.FLAG

_TABLE: Sequence[Fact] = (
    # the row itself
    Fact("amount_minor", _NUMBER, "money", "amount of this activity", "本次金额", _plain(lambda s: s.rows.amount)),
    Fact("country", Kind.COUNTRY, "", "country of the other side", "对方所在国家或地区", _present("country")),
    Fact(
        "payer_score_bp",
        _NUMBER,
        "bp",
        "how well the payer's name fits a holder",
        "付款人与账户持有人姓名的相符程度",
        _told("score"),
    ),
    Fact(
        "payer_is_verified",
        _FLAG,
        "",
        "paid from a verified account of the client",
        "由客户已核实的账户付款",
        _told("verified"),
    ),
    Fact("operator_may_instruct", _FLAG, "", "whoever gave the order may instruct", "下单人获授权", _told("verified")),
    Fact("hit_score_bp", _NUMBER, "bp", "score of the screening hit", "名单命中得分", _told("score")),
    Fact(
        "hit_has_identifier",
        _FLAG,
        "",
        "an identifier of the list entry matched",
        "名单中的证件号码相符",
        _told("verified"),
    ),
    Fact(
        "group_size",
        _NUMBER,
        "count",
        "members of the client's group",
        "关联组成员数",
        _plain(lambda s: s.rows.quantity),
    ),
    Fact(
        "shared_details",
        _NUMBER,
        "count",
        "other clients with the same document, identifier, phone or bank account",
        "证件、电话或银行账户相同的其他客户数",
        _plain(lambda s: s.rows.quantity),
    ),
    Fact(
        "instrument_volume",
        _NUMBER,
        "shares",
        "assumed daily volume of the name",
        "该证券假定日成交量",
        _present("volume"),
    ),
    Fact(
        "fall_bp",
        _NUMBER,
        "bp",
        "how far the name fell that day",
        "该证券当日跌幅",
        _plain(lambda s: np.maximum(-s.rows.move, 0)),
    ),
    Fact(
        "transfer_gap_bp",
        _NUMBER,
        "bp",
        "price of a transfer away from the close before",
        "转让价偏离前收盘价的幅度",
        _transfer_gap,
    ),
    # what the client declared
    Fact("declared_liquid_minor", _NUMBER, "money", "declared liquid assets", "申报的流动资产", _declared("liquid")),
    Fact("declared_income_minor", _NUMBER, "money", "declared yearly income", "申报的年收入", _declared("income")),
    Fact("declared_worth_minor", _NUMBER, "money", "declared net worth", "申报的净资产", _declared("worth")),
    # cash in and out
    Fact("in_7d_minor", _NUMBER, "money", "cash in over 7 days", "7日内入金", _plain(_sum(_K.DEPOSIT, days=7))),
    Fact("in_365d_minor", _NUMBER, "money", "cash in over 365 days", "365日内入金", _plain(_sum(_K.DEPOSIT, days=365))),
    Fact(
        "in_3s_minor",
        _NUMBER,
        "money",
        "cash in, this session and 3 before",
        "本交易日及前3日入金",
        _plain(_sum(_K.DEPOSIT, sessions=3)),
    ),
    Fact(
        "out_3s_minor",
        _NUMBER,
        "money",
        "cash out, this session and 3 before",
        "本交易日及前3日出金",
        _plain(_sum(_K.WITHDRAWAL, sessions=3)),
    ),
    Fact(
        "out_10s_minor",
        _NUMBER,
        "money",
        "cash out, this session and 10 before",
        "本交易日及前10日出金",
        _plain(_sum(_K.WITHDRAWAL, sessions=10)),
    ),
    Fact(
        "in_7d_usual_minor",
        _NUMBER,
        "money",
        "95th percentile of the client's cash in over 7 days, from 180 days to 7 days ago",
        "过去180日至7日前7日入金的第95百分位",
        _usual_inflow,
    ),
    Fact(
        "deposits_before",
        _NUMBER,
        "count",
        "deposits from 180 days to 7 days ago",
        "180日至7日前的入金次数",
        _plain(_earlier_deposits),
    ),
    Fact(
        "near_deposits_7d",
        _NUMBER,
        "count",
        "deposits in the band under the threshold over 7 days",
        "7日内略低于门槛的入金次数",
        _near(_K.DEPOSIT, 7),
        _NEAR,
    ),
    Fact(
        "near_deposits_7d_minor", _NUMBER, "money", "their sum", "其合计金额", _near(_K.DEPOSIT, 7, is_sum=True), _NEAR
    ),
    Fact(
        "near_withdrawals_30d",
        _NUMBER,
        "count",
        "withdrawals in the band under the limit over 30 days",
        "30日内略低于限额的出金次数",
        _near(_K.WITHDRAWAL, 30),
        _NEAR,
    ),
    Fact(
        "withdrawals_30d",
        _NUMBER,
        "count",
        "withdrawals over 30 days",
        "30日内出金次数",
        _plain(_count(_K.WITHDRAWAL, 30)),
    ),
    Fact(
        "idle_days",
        _NUMBER,
        "days",
        "days since the client last did anything; 0 if never",
        "客户上次活动至今的天数",
        _plain(_idle_days),
    ),
    Fact(
        "turnover_30d_minor",
        _NUMBER,
        "money",
        "cash in and out, bought and sold over 30 days",
        "30日内出入金与买卖总额",
        _plain(lambda s: s.days(s.money(*_FLOWS), 30)),
    ),
    # third parties
    Fact(
        "third_in_1d_minor",
        _NUMBER,
        "money",
        "cash from third parties that day",
        "当日第三方入金",
        _plain(lambda s: _today(s, np.where(_third(s, _K.DEPOSIT), s.rows.amount, 0))),
    ),
    Fact(
        "third_in_same_1d_minor",
        _NUMBER,
        "money",
        "of it, from this same counterparty",
        "其中来自同一对手方",
        _plain(lambda s: _today(s, np.where(_third(s, _K.DEPOSIT), s.rows.amount, 0), "client", "counterparty")),
    ),
    Fact(
        "third_out_1d_minor",
        _NUMBER,
        "money",
        "cash to third parties that day",
        "当日付予第三方",
        _plain(lambda s: _today(s, np.where(_third(s, _K.WITHDRAWAL), s.rows.amount, 0))),
    ),
    Fact(
        "third_payers_30d",
        _NUMBER,
        "count",
        "different third-party payers over 30 days",
        "30日内不同第三方付款人数",
        _plain(lambda s: _distinct(s, s.rows.counterparty, _third(s, _K.DEPOSIT), 30, "client")),
    ),
    Fact(
        "payer_clients_90d",
        _NUMBER,
        "count",
        "clients funded by this payer account over 90 days",
        "90日内由该付款账户入金的客户数",
        _of_some("counterparty", lambda s: _distinct(s, s.rows.client, s.is_kind(_K.DEPOSIT), 90, "counterparty")),
    ),
    # lending
    Fact(
        "drawn_5s_minor",
        _NUMBER,
        "money",
        "drawn down, this session and 5 before",
        "本交易日及前5日提款",
        _plain(_sum(_K.DRAWDOWN, sessions=5)),
    ),
    Fact(
        "bought_5s_minor",
        _NUMBER,
        "money",
        "bought, this session and 5 before",
        "本交易日及前5日买入",
        _plain(_sum(_K.BUY, sessions=5)),
    ),
    Fact(
        "drawn_30d_minor", _NUMBER, "money", "drawn down over 30 days", "30日内提款", _plain(_sum(_K.DRAWDOWN, days=30))
    ),
    Fact(
        "repaid_30d_minor", _NUMBER, "money", "repaid over 30 days", "30日内还款", _plain(_sum(_K.REPAYMENT, days=30))
    ),
    Fact(
        "unverified_in_30d_minor",
        _NUMBER,
        "money",
        "cash in over 30 days from accounts that are not verified as the client's",
        "30日内来自未核实账户的入金",
        _plain(lambda s: s.days(np.where(s.is_kind(_K.DEPOSIT) & (s.rows.verified != 1), s.rows.amount, 0), 30)),
    ),
    # shares that came in
    Fact(
        "receipts_90d",
        _NUMBER,
        "count",
        "deliveries of shares free of payment over 90 days",
        "90日内无付款过户次数",
        _plain(lambda s: _distinct(s, s.rows.reference, s.is_kind(_K.SECURITIES_IN), 90, "client")),
    ),
    Fact(
        "received_5s_minor",
        _NUMBER,
        "money",
        "value of shares received, this session and 5 before",
        "本交易日及前5日转入证券市值",
        _received(5),
    ),
    Fact(
        "received_10s_minor",
        _NUMBER,
        "money",
        "value of shares received, this session and 10 before",
        "本交易日及前10日转入证券市值",
        _received(10),
    ),
    Fact(
        "received_volume_tenths",
        _NUMBER,
        "count",
        "the least liquid of them, in tenths of a day's volume",
        "其中流动性最差者，以日成交量的十分之一计",
        _plain(_received_volume),
    ),
    Fact(
        "sold_10s_minor",
        _NUMBER,
        "money",
        "sold, this session and 10 before",
        "本交易日及前10日卖出",
        _plain(_sum(_K.SELL, sessions=10)),
    ),
    # trading
    Fact(
        "traded_3s_minor",
        _NUMBER,
        "money",
        "bought and sold, this session and 3 before",
        "本交易日及前3日买卖额",
        _plain(lambda s: s.sessions(s.money(_K.BUY, _K.SELL), 3)),
    ),
    Fact("bought_30d_minor", _NUMBER, "money", "bought over 30 days", "30日内买入", _plain(_sum(_K.BUY, days=30))),
    Fact(
        "bought_name_30d_minor",
        _NUMBER,
        "money",
        "of it, in this name",
        "其中该证券",
        _plain(lambda s: s.days(s.money(_K.BUY), 30, "client", "instrument")),
    ),
    Fact(
        "position_volume_tenths",
        _NUMBER,
        "count",
        "the position after it, in tenths of a day's volume",
        "成交后持仓，以日成交量的十分之一计",
        lambda s, _: Column(_days_of_volume(s, s.rows.held + s.rows.quantity), s.rows.volume != 0),
    ),
    Fact(
        "matched_trades_20s",
        _NUMBER,
        "count",
        "trades of the group that mirror each other, this session and 20 before",
        "本交易日及前20日组内对敲笔数",
        _matched,
        ("match_seconds", "match_tolerance_pct"),
    ),
    Fact(
        "group_net_shares_20s",
        _NUMBER,
        "shares",
        "shares by which the group's holding of the name changed",
        "组内该证券净变动股数",
        _plain(lambda s: _group_shares(s, is_net=True)),
    ),
    Fact(
        "group_traded_shares_20s",
        _NUMBER,
        "shares",
        "shares of the name that the group traded",
        "组内该证券成交股数",
        _plain(lambda s: _group_shares(s, is_net=False)),
    ),
    Fact(
        "group_buyers_20s",
        _NUMBER,
        "count",
        "members of the group that bought the name",
        "组内买入该证券的成员数",
        _plain(_group_sides(_K.BUY)),
    ),
    Fact(
        "group_sellers_20s",
        _NUMBER,
        "count",
        "members of the group that sold the name",
        "组内卖出该证券的成员数",
        _plain(_group_sides(_K.SELL)),
    ),
    Fact(
        "ramp_days_10s",
        _NUMBER,
        "count",
        "of 10 sessions, those with a late purchase on which the name closed up",
        "10个交易日中尾盘买入且收涨的天数",
        _ramp_days,
        ("ramp_move_bp",),
    ),
    Fact(
        "late_bought_shares_10s",
        _NUMBER,
        "shares",
        "shares bought late over those sessions",
        "其间尾盘买入股数",
        _late_bought,
        ("late_seconds",),
    ),
    Fact(
        "sold_3s_shares",
        _NUMBER,
        "shares",
        "shares of the name sold, this session and 3 before",
        "本交易日及前3日卖出该证券股数",
        _plain(_sold_shares),
    ),
    Fact(
        "held_3s_shares",
        _NUMBER,
        "shares",
        "shares of the name held before those sales",
        "卖出前持有该证券股数",
        _plain(_held_before_sale),
    ),
    # who acts, and where it goes
    Fact(
        "hours_since_change",
        _NUMBER,
        "hours",
        "hours since bank, phone, e-mail or device changed; 999,999 if never",
        "银行账户、电话、邮箱或设备变更后的小时数",
        _plain(_hours_since(_K.BANK_CHANGE, _K.CONTACT_CHANGE)),
    ),
    Fact("payee_is_new", _FLAG, "", "nothing was paid to this account before", "此前未向该账户付款", _payee_is_new),
    Fact(
        "bank_changes_30d",
        _NUMBER,
        "count",
        "changes of bank accounts over 30 days",
        "30日内银行账户变更次数",
        _plain(_count(_K.BANK_CHANGE, 30)),
    ),
    Fact(
        "same_bank_changes_30d",
        _NUMBER,
        "count",
        "of it, to this same account",
        "其中变更为同一账户",
        _plain(_count(_K.BANK_CHANGE, 30, "client", "counterparty")),
    ),
    Fact(
        "device_clients_30d",
        _NUMBER,
        "count",
        "clients for whom this device ordered or signed in over 30 days",
        "30日内使用该设备下单或登录的客户数",
        _of_some("device", lambda s: _distinct(s, s.rows.client, s.is_kind(_K.ORDER, _K.SIGN_IN), 30, "device")),
    ),
    Fact(
        "device_applicants_30d",
        _NUMBER,
        "count",
        "applicants on this device over 30 days",
        "30日内使用该设备的申请人数",
        _of_some("device", lambda s: _distinct(s, s.rows.client, s.is_kind(_K.APPLICATION), 30, "device")),
    ),
)

FACTS: Mapping[str, Fact] = {fact.name: fact for fact in _TABLE}
