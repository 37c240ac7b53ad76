"""The whole book priced at once: what another grid would change, and whose rate may move."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from reefpoint.decisions.credit.selectors import load_credit_facts
from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.selectors.inputs import base_cost
from reefpoint.decisions.pricing.types import BookMove, BookWhatIf, PriceGrid, PriceInputs
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables.cells import Value
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.accounts.selectors.loans import list_open_loans
from reefpoint.records.accounts.types import AccountFacts, LoanFacts
from reefpoint.records.market.selectors.prices import closes_between, latest_prices
from reefpoint.records.parties.selectors.clients import visible_clients
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import RateKind, SchemeTerms
from reefpoint.records.treasury.selectors import list_pools


@dataclass(frozen=True, eq=False)
class PricedBook:
    """Open loans as columns: row i is `loans[i]`. `known` are the grid's inputs, -1 where not known."""

    loans: Sequence[LoanFacts]
    accounts: Sequence[AccountFacts]
    terms: Sequence[SchemeTerms]
    base: Mapping[str, tuple[int, str]]
    known: Mapping[str, rules.Int64s]

    def inputs(self, row: int) -> PriceInputs:
        """What one loan's price is made from."""
        terms = self.terms[row]
        base_bp, source = self.base[terms.currency]
        facts: dict[str, Value | None] = {}
        for name, column in self.known.items():
            value = int(column[row])
            choices = {"grade": rules.GRADES, "segment": rules.SEGMENTS}.get(name)
            facts[name] = None if value < 0 else choices[value] if choices else value
        return PriceInputs(base_bp, source, terms.rate_floor_bp, terms.rate_cap_bp, terms.rule_pack, facts)

    def rates(self, grid: PriceGrid) -> rules.Int64s:
        """The rate of each loan by a grid, between floor and cap, int64[N]; -1 where there is no price."""
        if not self.loans:
            return np.zeros(0, dtype=np.int64)
        base = _column([self.base[terms.currency][0] for terms in self.terms])
        total = rules.price_columns(grid, self.known, base)
        caps = _column(
            [grid.legal_caps[t.rule_pack].cap_bp if t.rule_pack in grid.legal_caps else -1 for t in self.terms]
        )
        cap = np.minimum(_column([terms.rate_cap_bp for terms in self.terms]), caps)
        floor = _column([terms.rate_floor_bp for terms in self.terms])
        return np.where(floor > cap, -1, np.maximum(floor, np.minimum(total, cap)))


def load_book(*, on: date, at: datetime) -> PricedBook:
    """Every open loan whose currency a pool lends, with what the grid asks of each. Six queries, whatever the size."""
    pools = list_pools()
    lent = {pool.currency for pool in pools}
    accounts = {account.id: account for account in load_accounts() if account.currency in lent}
    loans = [loan for loan in list_open_loans() if loan.account_id in accounts]
    owners = [accounts[loan.account_id] for loan in loans]
    facts = load_credit_facts({account.client_id for account in owners}, on)
    owing = list({account.id: account for account in owners}.values())
    measured = dict(zip([account.id for account in owing], zip(*_measure(owing, on, at), strict=True), strict=True))
    known = {
        "grade": _column([_place(rules.GRADES, facts.get(one.client_id, (None, None))[0]) for one in owners]),
        "volatility_bp": _column([measured[one.id][0] for one in owners]),
        "tenor_days": _column([(loan.matures_on - loan.drawn_on).days for loan in loans]),
        "concentration_bp": _column([measured[one.id][1] for one in owners]),
        "segment": _column([_place(rules.SEGMENTS, facts.get(one.client_id, (None, None))[1]) for one in owners]),
    }
    return PricedBook(
        loans=loans,
        accounts=owners,
        terms=[get_terms(account.scheme_version_id) for account in owners],
        base={currency: base_cost(currency, pools) for currency in lent},
        known=known,
    )


def _measure(accounts: Sequence[AccountFacts], on: date, at: datetime) -> tuple[list[int], list[int]]:
    """Volatility and largest name of each account's shares in basis points; -1 where prices are missing."""
    prices = latest_prices(as_of=at)
    ids = sorted({holding.instrument_id for account in accounts for holding in account.holdings})
    column = {one: place for place, one in enumerate(ids)}
    values = np.zeros((len(accounts), len(ids)))
    is_priced = np.ones(len(accounts), dtype=np.bool_)
    for row, account in enumerate(accounts):
        for holding in account.holdings:
            price = prices.get(holding.instrument_id)
            if price is None or price.is_stale:
                is_priced[row] = False
            else:
                values[row, column[holding.instrument_id]] = float(price.price_units) * holding.quantity
    total = values.sum(axis=1)
    is_priced &= total > 0
    weights = values / np.where(total > 0, total, 1.0)[:, None]
    swing = _volatilities(weights, ids, on)
    largest = np.minimum(np.ceil(weights.max(axis=1, initial=0.0) * 10_000 - 1e-6), 10_000)
    is_known = is_priced & np.isfinite(swing)
    volatility = np.where(is_known, np.ceil(np.where(is_known, swing, 0.0) * 10_000), -1)
    return (
        [int(one) for one in volatility],
        [int(one) for one in np.where(is_priced, largest, -1)],
    )


def _volatilities(weights: npt.NDArray[np.float64], ids: Sequence[int], on: date) -> npt.NDArray[np.float64]:
    """A year's swing of each portfolio from the names' covariances; NaN with a name that has too few closes."""
    if not ids:
        return np.full(len(weights), np.nan)
    rows = closes_between(ids, on - timedelta(days=rules.WINDOW_DAYS), on - timedelta(days=1))
    days = {day: place for place, day in enumerate(sorted({day for _, day, _ in rows}))}
    place = {one: row for row, one in enumerate(ids)}
    closes = np.zeros((len(ids), len(days)))
    for one, day, units in rows:
        closes[place[one], days[day]] = units
    has_history = (closes > 0).sum(axis=1) > rules.SESSIONS_MIN
    whole = closes[has_history][:, (closes[has_history] > 0).all(axis=0)]
    if whole.shape[0] == 0 or whole.shape[1] <= rules.SESSIONS_MIN:
        return np.full(len(weights), np.nan)
    covariance = np.atleast_2d(np.cov(np.diff(np.log(whole), axis=1), ddof=1))
    known = weights[:, has_history]
    daily = np.einsum("ij,jk,ik->i", known, covariance, known)
    swing = np.sqrt(np.maximum(daily, 0.0) * rules.SESSIONS_A_YEAR)
    return np.where((weights[:, ~has_history] > 0).any(axis=1), np.nan, swing)


def what_if(actor: Actor, *, old: PriceGrid, new: PriceGrid, on: date, at: datetime) -> BookWhatIf:
    """What another grid would change over the book in scope: who moves, and what a year's interest would be more."""
    require(actor, "pricing.view")
    book = _in_scope(actor, load_book(on=on, at=at))
    before, after = book.rates(old), book.rates(new)
    moves: list[int] = np.flatnonzero((before >= 0) & (after >= 0) & (before != after)).tolist()
    principal = _column([loan.principal_minor for loan in book.loans])
    income = principal * (after - before) // 10_000
    by_currency: dict[str, int] = defaultdict(int)
    if_all: dict[str, int] = defaultdict(int)
    can_move = 0
    for row in moves:
        terms = book.terms[row]
        if_all[terms.currency] += int(income[row])
        if terms.rate_kind is not RateKind.FIXED:
            can_move += 1
            by_currency[terms.currency] += int(income[row])
    largest_first = sorted(moves, key=lambda row: (-abs(int(income[row])), row))
    unknown = Counter({name: int((column < 0).sum()) for name, column in book.known.items()})
    return BookWhatIf(
        loans=len(book.loans),
        moved=len(moves),
        can_move=can_move,
        income=dict(by_currency),
        income_if_all=dict(if_all),
        unknown={name: count for name, count in unknown.items() if count},
        moves=tuple(
            BookMove(
                loan_id=book.loans[row].id,
                loan_number=book.loans[row].number,
                account_id=book.loans[row].account_id,
                currency=book.terms[row].currency,
                principal_minor=book.loans[row].principal_minor,
                rate_kind=book.terms[row].rate_kind.value,
                rate_bp=book.loans[row].rate_bp,
                old_bp=int(before[row]),
                new_bp=int(after[row]),
                income_minor=int(income[row]),
            )
            for row in largest_first
        ),
    )


def _in_scope(actor: Actor, book: PricedBook) -> PricedBook:
    if actor.sees_all_clients:
        return book
    seen = set(visible_clients(actor).values_list("id", flat=True))
    rows = [row for row, account in enumerate(book.accounts) if account.client_id in seen]
    return replace(
        book,
        loans=[book.loans[row] for row in rows],
        accounts=[book.accounts[row] for row in rows],
        terms=[book.terms[row] for row in rows],
        known={name: column[rows] for name, column in book.known.items()},
    )


def _place(choices: Sequence[str], value: str | None) -> int:
    return choices.index(value) if value in choices else -1


def _column(values: Sequence[int]) -> rules.Int64s:
    return np.array(values, dtype=np.int64)
