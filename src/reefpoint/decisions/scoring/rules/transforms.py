"""How each feature is made from a client's facts: what is not there is missing, with the reason, never zero (I61)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from reefpoint.decisions.scoring.rules.features import FEATURES, Facts
from reefpoint.decisions.scoring.types import (
    FeatureScalar,
    FeatureValue,
    Missing,
    SourceRef,
)
from reefpoint.engine.haircuts import volatilities
from reefpoint.platform.basics.money import ceil_div, held_minor, round_half_up

WHOLE_BP = 10_000
SESSIONS_A_YEAR = 252
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

Found = tuple[FeatureScalar | Missing, tuple[SourceRef, ...]]


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
