"""The features: what each is, where it comes from, and how it is made from the facts that were gathered.

Facts are plain JSON: they are kept with the set, and `compute` gives the same values from them years later (I60). A
fact that is not there makes its features missing, with the reason, and never zero (I61).

Not among the features: age, sex, nationality, marital state, and what stands for them. Regulation B (12 CFR 1002.6)
lets no judgement rest on them, and an expert scorecard is judgement.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from reefpoint.decisions.scoring.types import (
    FeatureDefinition,
    FeatureKind,
    FeatureScalar,
    FeatureValue,
    Missing,
    SourceKind,
    SourceRef,
    Unit,
)
from reefpoint.engine.haircuts import volatilities
from reefpoint.platform.basics.money import ceil_div, held_minor, round_half_up

VERSION = 1
"""The version of the definitions below; a changed transform is a new version, and the old one stays readable."""

WHOLE_BP = 10_000
SESSIONS_A_YEAR = 252
WINDOW_SESSIONS = 252
RETURNS_MIN = 120
"""Fewer daily returns than this say little about a year's volatility."""
DECAY = 0.94
"""Of the EWMA of squared returns, as RiskMetrics has it."""
PARTICIPATION_BP = 2_000
"""The part of a day's volume that a sale may take, for the days that selling takes."""
REPORT_DAYS = 90
"""A bureau report older than this says nothing about today."""
SEASONED_DAYS = 90
"""An account younger than this has no history of calls and flows to speak of."""
HISTORY_DAYS = 365
FLOW_DAYS = 180

Facts = Mapping[str, Any]
"""What was gathered for one client on one day; see `gather` in the services for its parts."""
Found = tuple[FeatureScalar | Missing, tuple[SourceRef, ...]]
_K, _U, _S = FeatureKind, Unit, SourceKind

_SAID = ("the client did not say", "客户未填写")
_REPORTED = ("no report within 90 days, or it does not say", "90 天内没有报告，或报告未载")
_HELD = ("nothing is held, or a price or a year of closes is missing", "没有持仓，或缺少价格或一年收盘价")
_SEASONED = ("no account, or none older than 90 days", "没有账户，或账户未满 90 天")


def _define(
    code: str,
    words: tuple[str, str],
    source: SourceKind,
    unit: Unit,
    transform: tuple[str, str],
    missing: tuple[str, str],
    since: int = 1,
) -> FeatureDefinition:
    return FeatureDefinition(code, *words, FeatureKind.WHOLE, unit, source, *transform, *missing, since)


FEATURES: tuple[FeatureDefinition, ...] = (
    # what the client says
    _define("annual_income", ("Annual income", "年收入"), _S.PROFILE, _U.MINOR, ("as declared", "按申报"), _SAID),
    _define("liquid_assets", ("Liquid assets", "流动资产"), _S.PROFILE, _U.MINOR, ("as declared", "按申报"), _SAID),
    _define("net_worth", ("Net worth", "净资产"), _S.PROFILE, _U.MINOR, ("as declared", "按申报"), _SAID),
    _define("trading_years", ("Years of trading", "交易年限"), _S.PROFILE, _U.YEARS, ("as declared", "按申报"), _SAID),
    _define(
        "trades_per_year", ("Trades a year", "每年交易次数"), _S.PROFILE, _U.NONE, ("as declared", "按申报"), _SAID
    ),
    _define(
        "debt_to_liquid",
        ("Debt here to liquid assets", "本机构负债占流动资产"),
        _S.PROFILE,
        _U.BP,
        ("debt on all accounts here / declared liquid assets", "在本机构全部账户负债 / 申报流动资产"),
        ("liquid assets are not declared, or in another currency", "未申报流动资产，或币种不同"),
    ),
    # what the bureau reports
    _define("bureau_score", ("Bureau score", "征信评分"), _S.BUREAU, _U.NONE, ("as reported", "按报告"), _REPORTED),
    _define(
        "bureau_delinquencies",
        ("Delinquencies in 24 months", "24 个月内逾期次数"),
        _S.BUREAU,
        _U.NONE,
        ("as reported", "按报告"),
        _REPORTED,
    ),
    _define(
        "bureau_days_late",
        ("Worst days late in 24 months", "24 个月内最长逾期天数"),
        _S.BUREAU,
        _U.DAYS,
        ("as reported", "按报告"),
        _REPORTED,
    ),
    _define(
        "bureau_utilisation",
        ("Use of credit lines", "信用额度使用率"),
        _S.BUREAU,
        _U.BP,
        ("as reported", "按报告"),
        _REPORTED,
    ),
    _define(
        "bureau_enquiries",
        ("Enquiries in 6 months", "6 个月内查询次数"),
        _S.BUREAU,
        _U.NONE,
        ("as reported", "按报告"),
        _REPORTED,
    ),
    _define(
        "bureau_age",
        ("Age of the oldest account", "最早账户年龄"),
        _S.BUREAU,
        _U.MONTHS,
        ("as reported", "按报告"),
        _REPORTED,
    ),
    _define(
        "bureau_public_records",
        ("Public records", "公共记录"),
        _S.BUREAU,
        _U.NONE,
        ("bankruptcies, judgments and liens as reported", "报告所载破产、判决与留置"),
        _REPORTED,
    ),
    _define(
        "bureau_debt_to_income",
        ("Debt elsewhere to income", "外部负债占年收入"),
        _S.BUREAU,
        _U.BP,
        ("total debt as reported / declared annual income", "报告总负债 / 申报年收入"),
        ("the report or the income is missing, or in another currency", "缺少报告或收入，或币种不同"),
    ),
    # what happened on the accounts here
    _define(
        "account_age",
        ("Age of the oldest account here", "本机构最早账户天数"),
        _S.ACCOUNTS,
        _U.DAYS,
        ("days since the first margin account was opened", "自首个融资账户开立起的天数"),
        ("no account here", "没有账户"),
    ),
    _define(
        "calls",
        ("Margin calls in a year", "一年内追保次数"),
        _S.ACCOUNTS,
        _U.NONE,
        ("calls opened in the last 365 days", "过去 365 天发出的追保"),
        _SEASONED,
    ),
    _define(
        "calls_expired",
        ("Calls not answered in a year", "一年内未响应的追保"),
        _S.ACCOUNTS,
        _U.NONE,
        ("calls of the last 365 days that ran out", "过去 365 天逾期的追保"),
        _SEASONED,
    ),
    _define(
        "overdue_days",
        ("Days overdue in a year", "一年内逾期天数"),
        _S.ACCOUNTS,
        _U.DAYS,
        (
            "days by which calls were answered late, and loans stand past maturity",
            "追保迟复天数与贷款到期未还天数之和",
        ),
        _SEASONED,
    ),
    _define(
        "forced_sales",
        ("Forced sales in a year", "一年内强制卖出"),
        _S.ACCOUNTS,
        _U.NONE,
        ("orders of the desk's own to close out, last 365 days", "过去 365 天由机构发出的平仓订单"),
        _SEASONED,
    ),
    # money in and out
    _define(
        "deposits",
        ("Paid in, 180 days", "180 天存入"),
        _S.FLOWS,
        _U.MINOR,
        ("sum of deposits of the last 180 days", "过去 180 天存入合计"),
        _SEASONED,
    ),
    _define(
        "withdrawals",
        ("Paid out, 180 days", "180 天支出"),
        _S.FLOWS,
        _U.MINOR,
        ("sum of withdrawals of the last 180 days", "过去 180 天支出合计"),
        _SEASONED,
    ),
    _define(
        "third_party_deposits",
        ("Deposits by others, 180 days", "180 天他人存入次数"),
        _S.FLOWS,
        _U.NONE,
        ("deposits of the last 180 days that somebody else paid", "过去 180 天由他人支付的存入"),
        _SEASONED,
    ),
    # what is or would be the collateral
    _define(
        "portfolio_value",
        ("Value of the portfolio", "组合市值"),
        _S.PORTFOLIO,
        _U.MINOR,
        ("shares held or offered at the last close", "持有或拟质押股数乘最近收盘价"),
        _HELD,
    ),
    _define(
        "volatility",
        ("Volatility of the portfolio", "组合波动率"),
        _S.PORTFOLIO,
        _U.BP,
        (
            "a year's: the greater of the standard deviation and the EWMA (.94) of daily log returns of the portfolio"
            " as it is now, over 252 sessions, times the root of 252",
            "年化：按现有组合过去 252 个交易日对数收益的标准差与 EWMA（0.94）之大者，乘以 252 的平方根",
        ),
        _HELD,
    ),
    _define(
        "beta",
        ("Beta of the portfolio", "组合贝塔"),
        _S.PORTFOLIO,
        _U.HUNDREDTHS,
        (
            "sum of the names' betas by their share of the value; each against the mean return of all names",
            "各股票贝塔按市值权重之和；基准为全部股票平均收益",
        ),
        _HELD,
    ),
    _define(
        "sale_days",
        ("Days to sell the portfolio", "卖出组合所需天数"),
        _S.PORTFOLIO,
        _U.HUNDREDTHS,
        (
            "the most days that any one name takes at 20% of its volume",
            "以成交量的 20% 卖出单一股票所需的最多天数",
        ),
        _HELD,
    ),
    _define(
        "concentration",
        ("Largest name", "最大持仓占比"),
        _S.PORTFOLIO,
        _U.BP,
        ("share of the largest name in the value", "最大单一股票占市值比例"),
        _HELD,
    ),
    _define(
        "portfolio_to_liquid",
        ("Portfolio to liquid assets", "组合占流动资产"),
        _S.PORTFOLIO,
        _U.BP,
        ("value of the portfolio / declared liquid assets", "组合市值 / 申报流动资产"),
        ("the portfolio or the liquid assets are not known", "组合或流动资产未知"),
    ),
    # who stands beside the client
    _define(
        "group_size",
        ("Clients in the group", "关联组客户数"),
        _S.LINKS,
        _U.NONE,
        ("clients linked by what they have in common, this one among them", "因共同特征相关联的客户数，含本人"),
        ("never: a client alone is one", "不会缺失：独立客户计为 1"),
    ),
    _define(
        "group_debt",
        ("Debt of the group", "关联组负债"),
        _S.LINKS,
        _U.MINOR,
        ("debt here of all clients of the group", "关联组全部客户在本机构的负债"),
        ("some of it is in another currency", "部分负债为其他币种"),
    ),
)
"""Every feature of the present version, in the order of a set."""

DEFINITIONS: Mapping[str, FeatureDefinition] = {one.code: one for one in FEATURES}


def to_bytes(content: object) -> bytes:
    """JSON in the one form that is hashed and sealed: keys in order, no spaces, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(values: Sequence[FeatureValue]) -> str:
    """The SHA-256 (hex) of values with their lineage."""
    return hashlib.sha256(to_bytes(values_to_json(values))).hexdigest()


def values_to_json(values: Sequence[FeatureValue]) -> list[Any]:
    """Values as they are kept."""
    return [
        [
            one.code,
            one.value,
            one.missing.value if one.missing else None,
            [[s.table, s.key, s.as_of] for s in one.sources],
        ]
        for one in values
    ]


def values_from_json(content: Sequence[Any]) -> tuple[FeatureValue, ...]:
    """Values as they were kept."""
    return tuple(
        FeatureValue(code, value, Missing(missing) if missing else None, tuple(SourceRef(*one) for one in sources))
        for code, value, missing, sources in content
    )


def known_of(values: Sequence[FeatureValue]) -> dict[str, FeatureScalar | None]:
    """What a scorecard is given: the values by code, None where one is missing."""
    return {one.code: one.value for one in values}


def compute(facts: Facts) -> tuple[FeatureValue, ...]:
    """Every feature from the facts, in the order of `FEATURES`."""
    found = [(one.code, _TRANSFORMS[one.code](facts)) for one in FEATURES]
    return tuple(
        FeatureValue(code, None, what, sources)
        if isinstance(what, Missing)
        else FeatureValue(code, what, None, sources)
        for code, (what, sources) in found
    )


# What the client says, and the bureau


def _profile(facts: Facts, field: str) -> Found:
    profile = facts["profile"]
    if profile is None:
        return Missing.NOT_ASKED, ()
    value = profile[field]
    return (Missing.NOT_SAID if value is None else value), (_ref(profile["ref"]),)


def _profile_amount(facts: Facts, field: str) -> Found:
    value, sources = _profile(facts, field)
    if isinstance(value, Missing) or facts["profile"]["currency"] == facts["currency"]:
        return value, sources
    return Missing.OTHER_CURRENCY, sources


def _bureau(facts: Facts, field: str) -> Found:
    report = facts["bureau"]
    if report is None:
        return Missing.NO_REPORT, ()
    sources = (_ref(report["ref"]),)
    if (date.fromisoformat(facts["on"]) - date.fromisoformat(report["report_on"])).days > REPORT_DAYS:
        return Missing.STALE_REPORT, sources
    value = report["values"].get(field)
    return (Missing.NOT_REPORTED if value is None else value), sources


def _bureau_debt_to_income(facts: Facts) -> Found:
    debt, sources = _bureau(facts, "total_debt")
    income, others = _profile_amount(facts, "annual_income_minor")
    if isinstance(debt, Missing):
        return debt, sources
    if facts["bureau"]["values"]["currency"] != facts["currency"]:
        return Missing.OTHER_CURRENCY, sources
    return _share(debt, income, (*sources, *others))


def _share(part: FeatureScalar | Missing, whole: FeatureScalar | Missing, sources: tuple[SourceRef, ...]) -> Found:
    """Basis points of a whole, rounded up: what is owed counts in full. A whole of nothing gives no share."""
    if isinstance(part, Missing):
        return part, sources
    if isinstance(whole, Missing):
        return whole, sources
    if not int(whole):
        return Missing.NOT_SAID, sources
    return ceil_div(int(part) * WHOLE_BP, int(whole)), sources


def _own_debt(facts: Facts) -> Found:
    debts = [debt for debt in facts["debts"] if debt["client_id"] == facts["client_id"]]
    sources = tuple(SourceRef("accounts_marginaccount", str(one["id"]), facts["at"]) for one in facts["accounts"])
    if any(debt["currency"] != facts["currency"] for debt in debts):
        return Missing.OTHER_CURRENCY, sources
    return sum(debt["debt_minor"] for debt in debts), sources


def _debt_to_liquid(facts: Facts) -> Found:
    debt, sources = _own_debt(facts)
    liquid, others = _profile_amount(facts, "liquid_assets_minor")
    return _share(debt, liquid, (*sources, *others))


# What happened on the accounts here


def _age(facts: Facts) -> tuple[int | None, tuple[SourceRef, ...]]:
    accounts = facts["accounts"]
    sources = tuple(SourceRef("accounts_marginaccount", str(one["id"]), one["opened_on"]) for one in accounts)
    if not accounts:
        return None, ()
    first = min(date.fromisoformat(one["opened_on"]) for one in accounts)
    return (date.fromisoformat(facts["on"]) - first).days, sources


def _account_age(facts: Facts) -> Found:
    age, sources = _age(facts)
    return (Missing.NO_ACCOUNT if age is None else age), sources


def _seasoned(read: Callable[[Facts], tuple[int, list[SourceRef]]]) -> Callable[[Facts], Found]:
    """A figure of history: missing without an account of some age. Without rows its source is the accounts."""

    def found(facts: Facts) -> Found:
        age, accounts = _age(facts)
        if age is None:
            return Missing.NO_ACCOUNT, ()
        if age < SEASONED_DAYS:
            return Missing.TOO_YOUNG, accounts
        value, rows = read(facts)
        return value, tuple(rows) or accounts

    return found


def _calls(facts: Facts) -> tuple[int, list[SourceRef]]:
    return len(facts["calls"]), [_call_ref(call) for call in facts["calls"]]


def _calls_expired(facts: Facts) -> tuple[int, list[SourceRef]]:
    expired = [call for call in facts["calls"] if call["state"] == "expired"]
    return len(expired), [_call_ref(call) for call in facts["calls"]]


def _overdue_days(facts: Facts) -> tuple[int, list[SourceRef]]:
    on, at = date.fromisoformat(facts["on"]), datetime.fromisoformat(facts["at"])
    days, rows = 0, []
    for call in facts["calls"]:
        ended = datetime.fromisoformat(call["closed_at"]) if call["closed_at"] else at
        late = (ended - datetime.fromisoformat(call["deadline_at"])).total_seconds()
        days += max(ceil_div(int(late), 86_400), 0)
        rows.append(_call_ref(call))
    for loan in facts["loans"]:
        days += max((on - date.fromisoformat(loan["matures_on"])).days, 0)
        rows.append(SourceRef("accounts_loan", str(loan["id"]), loan["matures_on"]))
    return days, rows


def _forced_sales(facts: Facts) -> tuple[int, list[SourceRef]]:
    orders = facts["forced"]
    return len(orders), [SourceRef("execution_order", str(one["id"]), one["session_on"]) for one in orders]


def _call_ref(call: Mapping[str, Any]) -> SourceRef:
    return SourceRef("margin_margincall", str(call["id"]), call["opened_on"])


def _flows(kind: str) -> Callable[[Facts], tuple[int, list[SourceRef]]]:
    def read(facts: Facts) -> tuple[int, list[SourceRef]]:
        rows = [one for one in facts["flows"] if one["kind"] == kind]
        return sum(one["amount_minor"] for one in rows), [_flow_ref(one) for one in rows]

    return read


def _third_party_deposits(facts: Facts) -> tuple[int, list[SourceRef]]:
    deposits = [one for one in facts["flows"] if one["kind"] == "deposit"]
    return sum(one["is_third_party"] == 1 for one in deposits), [_flow_ref(one) for one in deposits]


def _flow_ref(flow: Mapping[str, Any]) -> SourceRef:
    return SourceRef("monitoring_activity", str(flow["id"]), flow["at"])


def _in_one_currency(read: Callable[[Facts], Found]) -> Callable[[Facts], Found]:
    """Amounts of several accounts are added up only if they are all in the currency of the set."""

    def found(facts: Facts) -> Found:
        if any(account["currency"] != facts["currency"] for account in facts["accounts"]):
            return Missing.OTHER_CURRENCY, _age(facts)[1]
        return read(facts)

    return found


# What is or would be the collateral


def _positions(facts: Facts) -> tuple[list[tuple[Mapping[str, Any], int]] | Missing, tuple[SourceRef, ...]]:
    """The names held with their value in price units, or why that is not known."""
    held = facts["holdings"]
    sources = tuple(SourceRef(one["table"], one["key"], one["last_on"] or facts["on"]) for one in held)
    if not held:
        return Missing.NO_HOLDINGS, ()
    if any(one["currency"] != facts["currency"] for one in held):
        return Missing.OTHER_CURRENCY, sources
    if any(not one["is_current"] for one in held):
        return Missing.NO_PRICE, sources
    return [(one, one["quantity"] * one["price_units"]) for one in held], sources


def _portfolio_value(facts: Facts) -> Found:
    positions, sources = _positions(facts)
    if isinstance(positions, Missing):
        return positions, sources
    return held_minor(sum(value for _, value in positions), facts["currency"]), sources


def _volatility(facts: Facts) -> Found:
    positions, sources = _positions(facts)
    if isinstance(positions, Missing):
        return positions, sources
    closes = np.array([one["closes"] for one, _ in positions], dtype=np.int64)
    closes = closes[:, (closes > 0).all(axis=0)]
    if closes.shape[1] <= RETURNS_MIN:
        return Missing.SHORT_HISTORY, sources
    value = np.array([value for _, value in positions], dtype=np.float64)
    line = np.rint((value / closes[:, -1]) @ closes).astype(np.int64)
    historical, ewma = volatilities(line[None, :], DECAY)
    daily = max(float(historical[0]), float(ewma[0]))
    return round(daily * SESSIONS_A_YEAR**0.5 * WHOLE_BP), sources


def _beta(facts: Facts) -> Found:
    positions, sources = _positions(facts)
    if isinstance(positions, Missing):
        return positions, sources
    if any(one["beta_e4"] is None for one, _ in positions):
        return Missing.SHORT_HISTORY, sources
    total = sum(value for _, value in positions)
    weighted = sum(one["beta_e4"] * value for one, value in positions)
    return round_half_up(weighted, total * 100), sources


def _sale_days(facts: Facts) -> Found:
    positions, sources = _positions(facts)
    if isinstance(positions, Missing):
        return positions, sources
    if any(one["daily_volume"] <= 0 for one, _ in positions):
        return Missing.SHORT_HISTORY, sources
    a_day = [(one["quantity"], one["daily_volume"] * PARTICIPATION_BP) for one, _ in positions]
    return max(ceil_div(quantity * 100 * WHOLE_BP, volume) for quantity, volume in a_day), sources


def _concentration(facts: Facts) -> Found:
    positions, sources = _positions(facts)
    if isinstance(positions, Missing):
        return positions, sources
    values = [value for _, value in positions]
    return ceil_div(max(values) * WHOLE_BP, sum(values)), sources


def _portfolio_to_liquid(facts: Facts) -> Found:
    value, sources = _portfolio_value(facts)
    liquid, others = _profile_amount(facts, "liquid_assets_minor")
    return _share(value, liquid, (*sources, *others))


# Who stands beside the client


def _group_size(facts: Facts) -> Found:
    return len(facts["group"]["members"]), _group_refs(facts)


def _group_debt(facts: Facts) -> Found:
    if any(debt["currency"] != facts["currency"] for debt in facts["debts"]):
        return Missing.OTHER_CURRENCY, _group_refs(facts)
    return sum(debt["debt_minor"] for debt in facts["debts"]), _group_refs(facts)


def _group_refs(facts: Facts) -> tuple[SourceRef, ...]:
    group = facts["group"]
    if group["id"] is None:
        return (SourceRef("parties_client", str(facts["client_id"]), facts["at"]),)
    return (SourceRef("relations_group", str(group["id"]), facts["at"]),)


def _ref(parts: Sequence[str]) -> SourceRef:
    return SourceRef(*parts)


_TRANSFORMS: Mapping[str, Callable[[Facts], Found]] = {
    "annual_income": lambda facts: _profile_amount(facts, "annual_income_minor"),
    "liquid_assets": lambda facts: _profile_amount(facts, "liquid_assets_minor"),
    "net_worth": lambda facts: _profile_amount(facts, "net_worth_minor"),
    "trading_years": lambda facts: _profile(facts, "trading_years"),
    "trades_per_year": lambda facts: _profile(facts, "trades_per_year"),
    "debt_to_liquid": _debt_to_liquid,
    "bureau_score": lambda facts: _bureau(facts, "score"),
    "bureau_delinquencies": lambda facts: _bureau(facts, "delinquencies_24m"),
    "bureau_days_late": lambda facts: _bureau(facts, "worst_days_late_24m"),
    "bureau_utilisation": lambda facts: _bureau(facts, "utilisation"),
    "bureau_enquiries": lambda facts: _bureau(facts, "enquiries_6m"),
    "bureau_age": lambda facts: _bureau(facts, "oldest_account_months"),
    "bureau_public_records": lambda facts: _bureau(facts, "public_records"),
    "bureau_debt_to_income": _bureau_debt_to_income,
    "account_age": _account_age,
    "calls": _seasoned(_calls),
    "calls_expired": _seasoned(_calls_expired),
    "overdue_days": _seasoned(_overdue_days),
    "forced_sales": _seasoned(_forced_sales),
    "deposits": _in_one_currency(_seasoned(_flows("deposit"))),
    "withdrawals": _in_one_currency(_seasoned(_flows("withdrawal"))),
    "third_party_deposits": _seasoned(_third_party_deposits),
    "portfolio_value": _portfolio_value,
    "volatility": _volatility,
    "beta": _beta,
    "sale_days": _sale_days,
    "concentration": _concentration,
    "portfolio_to_liquid": _portfolio_to_liquid,
    "group_size": _group_size,
    "group_debt": _group_debt,
}
