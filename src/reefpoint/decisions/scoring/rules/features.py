"""The features: what each is and where it comes from, and the form in which a set is kept.

Facts are plain JSON: they are kept with the set, and `transforms.compute` gives the same values from them years later
(I60). A fact that is not there makes its features missing, with the reason, and never zero (I61).

Not among the features: age, sex, nationality, marital state, and what stands for them. Regulation B (12 CFR 1002.6)
lets no judgement rest on them, and an expert scorecard is judgement.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

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

VERSION = 1
"""The version of the definitions below; a changed transform is a new version, and the old one stays readable."""

WINDOW_SESSIONS = 252
HISTORY_DAYS = 365
FLOW_DAYS = 180

Facts = Mapping[str, Any]
"""What was gathered for one client on one day; see `gather` in the services for its parts."""
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
