"""The indicative overview: an example portfolio and a loan, put before the same engine as a real account."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from reefpoint.decisions.margin.rules import DAILY_FALL_LIMIT_BP
from reefpoint.decisions.margin.selectors.standing import Sheet, book_of, current_price, load_sheet
from reefpoint.engine.cures import (
    fall_to_line_bp,
    fall_to_requirement_bp,
    limit_days_to_line,
    price_alone_at_line,
    price_alone_at_requirement,
    prices_at_value,
    ratio_bp,
    repayment_to_reach,
    value_at_line,
    value_at_requirement,
)
from reefpoint.engine.explain import Explanation, explain_account
from reefpoint.engine.interest import MICRO, PRINCIPAL_MINOR_MAX, accrue
from reefpoint.engine.liquidation import SalePlan
from reefpoint.flows.liquidation.selectors.planning import plan_account
from reefpoint.flows.liquidation.types import SaleAim
from reefpoint.flows.origination.rules.overview import (
    OFFERING,
    OUTCOME_CHANGES_BP,
    lines_of,
    loan_most_minor,
    standing_at,
)
from reefpoint.flows.origination.types.overview import (
    Overview,
    OverviewCost,
    OverviewHolding,
    OverviewLine,
    OverviewLineName,
    OverviewOutcome,
    WhyNot,
)
from reefpoint.platform.basics.daycount import DayCount, year_days
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import ceil_div, held_minor, owed_minor, price_units_per_minor
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, Holding
from reefpoint.records.market.types import InstrumentView
from reefpoint.records.parties.services import require_licence
from reefpoint.records.products.selectors import list_schemes, published_version
from reefpoint.records.products.types import FeeMoment, SchemeTerms, VersionState, VersionView

BP = 10_000
YEAR_DAYS = 365
QUANTITY_MAX = 10**9


class ExampleRefused(Refusal):
    """An example that cannot be worked out: no names, an unknown one, or amounts that are none."""

    code = "example_refused"


@dataclass(frozen=True)
class OfferedScheme:
    """A scheme that may be shown to somebody who is not a client yet."""

    code: str
    name: str
    name_zh: str
    currency: str
    symbols: tuple[str, ...]


def list_offered_schemes(on: date) -> list[OfferedScheme]:
    """Schemes with a version in force on a day, by code, newest version. Two queries."""
    offered = []
    for scheme in list_schemes():
        in_force = [one for one in scheme.versions if one.state is VersionState.PUBLISHED and one.effective_from <= on]
        if in_force:
            terms = max(in_force, key=lambda one: (one.effective_from, one.version)).terms
            offered.append(
                OfferedScheme(scheme.code, scheme.name, scheme.name_zh, terms.currency, terms.accepted_symbols)
            )
    return offered


def indicative_overview(
    *,
    scheme_code: str,
    loan_minor: int,
    on: date,
    at: datetime,
    holdings: Mapping[str, int] | None = None,
    amount_minor: int = 0,
    mix_bp: Mapping[str, int] | None = None,
) -> Overview:
    """What a loan against an example portfolio would cost and risk under the scheme in force on `on`.

    The example is shares by symbol (`holdings`), or an amount divided by `mix_bp` (parts of 10,000 by symbol) into
    whole lots at the prices known at `at`, the rest staying cash. The loan is owed against it and has left the account.

    Refused without a licence to offer in the scheme's jurisdiction (`LicenceRefused`), without a current price
    (`NoUsablePrice`), and for an example that is none (`ExampleRefused`).
    """
    return overview_of(
        version=published_version(scheme_code, on),
        loan_minor=loan_minor,
        on=on,
        at=at,
        holdings=holdings,
        amount_minor=amount_minor,
        mix_bp=mix_bp,
    )


def overview_of(
    *,
    version: VersionView,
    loan_minor: int,
    on: date,
    at: datetime,
    holdings: Mapping[str, int] | None = None,
    amount_minor: int = 0,
    mix_bp: Mapping[str, int] | None = None,
) -> Overview:
    """The same under the terms of one version, which may hold a rate that was quoted to somebody."""
    terms = version.terms
    licence = require_licence(jurisdiction=terms.rule_pack, activity=OFFERING, on=on, at=at)
    sheet = load_sheet([version.id], at=at)
    names = {one.symbol: one for one in sheet.instruments}
    shares = dict(holdings or {})
    cash_minor = 0
    if mix_bp:
        shares, cash_minor = _divide(amount_minor, mix_bp, names, sheet, terms)
    _check(shares, loan_minor, names, terms, sheet)
    account = AccountFacts(
        id=0,
        number="",
        client_id=0,
        scheme_version_id=version.id,
        currency=terms.currency,
        status=AccountStatus.ACTIVE,
        change_no=0,
        cash_minor=cash_minor,
        principal_minor=loan_minor,
        interest_minor=0,
        fees_minor=0,
        holdings=tuple(Holding(names[symbol].id, shares[symbol]) for symbol in sorted(shares)),
    )
    explained = explain_account(book_of([account], sheet), sheet.marks, sheet.lines, limit_bp=DAILY_FALL_LIMIT_BP)
    if explained.is_unknown:
        raise ExampleRefused("The example is too large to be worked out. Choose smaller quantities.")
    return _tell(version, licence.number, account, sheet, explained, at)


def overview_of_account(*, version: VersionView, account: AccountFacts, on: date, at: datetime) -> Overview:
    """What the whole debt of a real account costs in a year under these terms and risks, on its live portfolio.

    Nothing is drawn, so no fee of a drawdown is in it. Raises `LicenceRefused`, `ExampleRefused` where the account
    cannot be valued.
    """
    drawn = tuple(fee for fee in version.terms.fees if fee.moment is not FeeMoment.DRAWDOWN)
    version = replace(version, terms=replace(version.terms, fees=drawn))
    licence = require_licence(jurisdiction=version.terms.rule_pack, activity=OFFERING, on=on, at=at)
    sheet = load_sheet([version.id], at=at)
    explained = explain_account(book_of([account], sheet), sheet.marks, sheet.lines, limit_bp=DAILY_FALL_LIMIT_BP)
    if explained.is_unknown:
        raise ExampleRefused("The account cannot be valued at the moment: a price is missing.")
    return _tell(version, licence.number, account, sheet, explained, at)


def _divide(
    amount_minor: int, mix_bp: Mapping[str, int], names: Mapping[str, InstrumentView], sheet: Sheet, terms: SchemeTerms
) -> tuple[dict[str, int], int]:
    """Whole lots of each name for its part of the amount, and the cash that is left."""
    if amount_minor <= 0 or any(part <= 0 for part in mix_bp.values()) or sum(mix_bp.values()) != BP:
        raise ExampleRefused("An amount is divided into parts above zero that add up to the whole.")
    _check_names(mix_bp, names, terms)
    per_minor = price_units_per_minor(terms.currency)
    shares, spent_minor = {}, 0
    for symbol in sorted(mix_bp):
        one = names[symbol]
        price = current_price(sheet.prices, one.id).price_units
        lots = amount_minor * mix_bp[symbol] // BP * per_minor // (price * one.lot_size)
        if lots:
            shares[symbol] = lots * one.lot_size
            spent_minor += owed_minor(shares[symbol] * price, terms.currency)
    return shares, amount_minor - spent_minor


def _check_names(symbols: Mapping[str, int], names: Mapping[str, InstrumentView], terms: SchemeTerms) -> None:
    unknown = sorted(symbol for symbol in symbols if symbol not in names or not terms.accepts(symbol))
    if unknown:
        raise ExampleRefused(
            "The scheme lends nothing on {unknown}. Choose names it accepts.", symbols=unknown, unknown=unknown[:3]
        )


def _check(
    shares: Mapping[str, int],
    loan_minor: int,
    names: Mapping[str, InstrumentView],
    terms: SchemeTerms,
    sheet: Sheet,
) -> None:
    if not shares or any(not 0 < quantity <= QUANTITY_MAX for quantity in shares.values()):
        raise ExampleRefused("An example needs at least one name with a quantity above zero.")
    if not 0 < loan_minor <= PRINCIPAL_MINOR_MAX:
        raise ExampleRefused("The loan must be above zero.", loan_minor=loan_minor)
    _check_names(shares, names, terms)
    for symbol in shares:
        current_price(sheet.prices, names[symbol].id)


def _tell(
    version: VersionView, licence_number: str, account: AccountFacts, sheet: Sheet, explained: Explanation, at: datetime
) -> Overview:
    terms, currency = version.terms, account.currency
    market, cash, debt = explained.market_units, explained.cash_units, explained.debt_units
    cost = _cost(terms, account.principal_minor)
    value_minor = held_minor(market, currency)
    lendable_minor = held_minor(explained.lendable_units, currency)
    assets_minor = held_minor(explained.assets_units, currency)
    requirement_minor = owed_minor(explained.requirement_units, currency)
    most_minor = loan_most_minor(
        assets_minor=assets_minor, lendable_minor=lendable_minor, requirement_minor=requirement_minor, terms=terms
    )
    at_call = value_at_line(cash, debt, terms.call_bp)
    called = 0 if at_call is None else repayment_to_reach(at_call + cash, debt, terms.cure_bp)
    plan = _plan_just_under(account, sheet, terms, explained)
    return Overview(
        scheme_code=version.scheme_code,
        scheme_name=version.scheme_name,
        scheme_name_zh=version.scheme_name_zh,
        scheme_version=version.version,
        jurisdiction=terms.rule_pack,
        licence_number=licence_number,
        currency=currency,
        at=at,
        value_minor=value_minor,
        cash_minor=account.cash_minor,
        loan_minor=account.principal_minor,
        own_minor=assets_minor - account.debt_minor,
        ratio_bp=explained.ratio_bp,
        lendable_minor=lendable_minor,
        loan_most_minor=most_minor,
        why_not=_why_not(account, terms, explained),
        lines=tuple(_line(name, bp, explained, currency) for name, bp in lines_of(terms)),
        requirement_minor=requirement_minor,
        requirement_fall_bp=fall_to_requirement_bp(market, explained.assets_units, debt, explained.requirement_units),
        holdings=_holdings(sheet, terms, explained, plan, currency),
        cost=cost,
        call_minor=owed_minor(called, currency),
        call_deadline_sessions=terms.call_deadline_sessions,
        sold_minor=held_minor(plan.sold_units, currency),
        outcomes=tuple(_outcome(change, terms, explained, cost, currency) for change in OUTCOME_CHANGES_BP),
    )


def _cost(terms: SchemeTerms, loan_minor: int) -> OverviewCost:
    day, year = (interest_minor(loan_minor, terms, days) for days in (1, YEAR_DAYS))
    return OverviewCost(
        rate_bp=terms.rate_bp,
        penalty_rate_bp=terms.penalty_rate_bp,
        day_count=terms.day_count.value,
        interest_day_minor=day,
        interest_year_minor=year,
        drawdown_fee_minor=terms.charges_minor(FeeMoment.DRAWDOWN, loan_minor),
        month_fees_minor=terms.charges_minor(FeeMoment.MONTH_END, loan_minor),
        is_early_repayment_allowed=terms.is_early_repayment_allowed,
    )


def interest_minor(loan_minor: int, terms: SchemeTerms, days: int) -> int:
    """Interest over so many days, rounded up as it is posted. A year of a 30/360 contract has 360 of them."""
    counted = min(days, year_days(terms.day_count)) if terms.day_count is DayCount.THIRTY_360 else days
    principal, rate, period, year, carry = np.array(
        [[loan_minor], [terms.rate_bp], [counted], [year_days(terms.day_count)], [0]], dtype=np.int64
    )
    micro, _ = accrue(principal, rate, period, year, carry)
    return ceil_div(int(micro[0]), MICRO)


def _why_not(account: AccountFacts, terms: SchemeTerms, explained: Explanation) -> tuple[WhyNot, ...]:
    loan, assets = account.principal_minor, held_minor(explained.assets_units, account.currency)
    largest = max(held_minor(term.value_units, account.currency) for term in explained.terms)
    checks = {
        WhyNot.BELOW_INITIAL: explained.ratio_bp < terms.initial_bp,
        WhyNot.ABOVE_LENDABLE: loan > held_minor(explained.lendable_units, account.currency),
        WhyNot.ABOVE_LIMIT: loan > terms.limit_minor,
        WhyNot.TOO_LITTLE_EQUITY: assets - loan < terms.min_equity_minor,
        WhyNot.BELOW_MAINTENANCE: explained.assets_units - explained.debt_units < explained.requirement_units,
        WhyNot.TOO_CONCENTRATED: largest * BP > terms.concentration_cap_bp * assets,
    }
    return tuple(reason for reason, applies in checks.items() if applies)


def _line(name: OverviewLineName, line_bp: int, explained: Explanation, currency: str) -> OverviewLine:
    market, cash, debt = explained.market_units, explained.cash_units, explained.debt_units
    fall = fall_to_line_bp(market, cash, debt, line_bp)
    return OverviewLine(
        name=name,
        line_bp=line_bp,
        fall_bp=BP if fall is None else fall,
        value_minor=owed_minor(value_at_line(cash, debt, line_bp) or 0, currency),
        limit_days=limit_days_to_line(market, cash, debt, line_bp, DAILY_FALL_LIMIT_BP),
    )


def _plan_just_under(account: AccountFacts, sheet: Sheet, terms: SchemeTerms, explained: Explanation) -> SalePlan:
    """What would be sold if all prices had fallen by the same part to just under the close-out line."""
    value = value_at_line(explained.cash_units, explained.debt_units, terms.close_out_bp)
    price = sheet.marks.price_units
    if value is not None and value <= explained.market_units:
        price = price * (value - 1) // explained.market_units
    fallen = replace(sheet, marks=replace(sheet.marks, price_units=np.maximum(price, 1)))
    sellable = {holding.instrument_id: holding.quantity for holding in account.holdings}
    return plan_account(account, fallen, sellable, SaleAim(terms.target_bp))


def _holdings(
    sheet: Sheet, terms: SchemeTerms, explained: Explanation, plan: SalePlan, currency: str
) -> tuple[OverviewHolding, ...]:
    market, cash, debt = explained.market_units, explained.cash_units, explained.debt_units
    requirement_e8 = sum(term.requirement_e8 for term in explained.terms)
    spare_e8 = BP * (market + cash - debt) - requirement_e8
    at_call = max(
        value_at_line(cash, debt, terms.call_bp) or 0, value_at_requirement(market, cash, debt, requirement_e8) or 0
    )
    prices = [term.price_units for term in explained.terms]
    called = prices_at_value(prices, market, at_call)
    closed = prices_at_value(prices, market, value_at_line(cash, debt, terms.close_out_bp) or 0)
    sold = {line.instrument: line for line in plan.lines}
    rows = []
    for term, call, close in zip(explained.terms, called, closed, strict=True):
        one, sale = sheet.instruments[term.instrument], sold.get(term.instrument)
        alone = (term.price_units, term.quantity, market, cash, debt)
        missing = price_alone_at_requirement(term.price_units, term.quantity, term.maintenance_bp, spare_e8)
        rows.append(
            OverviewHolding(
                symbol=one.symbol,
                name=one.name,
                name_zh=one.name_zh,
                quantity=term.quantity,
                price_units=term.price_units,
                value_minor=held_minor(term.value_units, currency),
                share_bp=term.share_bp,
                haircut_bp=term.haircut_bp,
                lendable_minor=held_minor(term.lendable_units, currency),
                call_price_units=call,
                close_out_price_units=close,
                call_alone_units=max(price_alone_at_line(*alone, terms.call_bp) or 0, missing or 0) or None,
                close_out_alone_units=price_alone_at_line(*alone, terms.close_out_bp),
                sold_quantity=sale.quantity if sale else 0,
                sold_minor=held_minor(sale.value_units, currency) if sale else 0,
            )
        )
    return tuple(rows)


def _outcome(
    change_bp: int, terms: SchemeTerms, explained: Explanation, cost: OverviewCost, currency: str
) -> OverviewOutcome:
    value = explained.market_units * (BP + change_bp) // BP
    debt_minor = owed_minor(explained.debt_units, currency)
    cash_minor = held_minor(explained.cash_units, currency)
    ratio = ratio_bp(value + explained.cash_units, explained.debt_units) or 0
    is_short = BP * (value + explained.cash_units - explained.debt_units) < explained.requirement_units * (
        BP + change_bp
    )
    own_minor = held_minor(value, currency) + cash_minor - debt_minor - cost.first_year_minor
    before_minor = held_minor(explained.assets_units, currency) - debt_minor
    return OverviewOutcome(
        change_bp=change_bp,
        value_minor=held_minor(value, currency),
        own_minor=own_minor,
        result_minor=own_minor - before_minor,
        ratio_bp=ratio,
        standing=standing_at(ratio, terms, is_short_of_maintenance=is_short),
    )
