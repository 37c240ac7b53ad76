"""What may be sold in a session, and the plans of one account and of all that are sold in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from reefpoint.decisions.margin.selectors.currencies import CODES
from reefpoint.decisions.margin.selectors.standing import Sheet, book_of
from reefpoint.engine.book import Book
from reefpoint.engine.columns import Int64s
from reefpoint.engine.liquidation import PlanExplanation, SalePlan, explain_plan, plan_sale
from reefpoint.engine.plans import sellable_today
from reefpoint.engine.shared_volume import ShareMethod, share_volume
from reefpoint.flows.liquidation.rules import PAYING_TARGET_BP, SALE_COST_BP, debt_that_asks_for, sale_preference
from reefpoint.flows.liquidation.types import SaleAim
from reefpoint.platform.basics.money import price_units_per_minor
from reefpoint.records.accounts.selectors.positions import quantities_bought
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.execution.selectors import open_sell_quantities, sale_cap_by_instrument
from reefpoint.records.market.selectors.limits import kept_until_next_session, limits_down
from reefpoint.records.market.types import LatestPrice
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import LiquidationOrder


@dataclass(frozen=True)
class ForSale:
    """What may be sold in a session: shares, by account and instrument.

    `cap`: shares of each instrument that all accounts may still sell; `limit_down`: the lowest price that the venue
    allows on the day, where it limits it. `kept`: bought in the session itself on a venue that lets nobody sell that
    before the next; `given_out`: already ordered to be sold.
    """

    cap: Mapping[int, int]
    limit_down: Mapping[int, int]
    kept: Mapping[tuple[int, int], int] = field(default_factory=dict)
    given_out: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def less(self, reserved: Mapping[int, int]) -> "ForSale":
        """The same with that much of each instrument kept for others."""
        cap = {instrument: max(0, most - reserved.get(instrument, 0)) for instrument, most in self.cap.items()}
        return replace(self, cap=cap)


def load_for_sale(account_ids: Sequence[int], sheet: Sheet, on: date) -> ForSale:
    """What these accounts may sell on `on`: within the desk's share of the day's volume (I20), the venue's settlement
    rule and limits, and never what was already given out (I11).
    """
    next_day = kept_until_next_session(sheet.instruments)
    return ForSale(
        cap=sale_cap_by_instrument(on),
        limit_down=limits_down(sheet.instruments, on),
        kept=quantities_bought(account_ids, next_day, on) if next_day else {},
        given_out=open_sell_quantities(account_ids),
    )


def plan_account(
    account: AccountFacts,
    sheet: Sheet,
    sellable_by_instrument: Mapping[int, int],
    aim: SaleAim,
    limit_down: Mapping[int, int] | None = None,
) -> SalePlan:
    """The sale that brings an account to its aim, or would; `sellable_by_instrument` caps each name, in shares.

    Names at or below their `limit_down` (as in `ForSale`) are not sold. Of a sale that pays an amount, debts and ratios
    are those that it was planned with (`aimed_book`), and not the account's own.
    """
    book, target_bp = aimed_book([account], sheet, [aim])
    ids = [sheet.instruments[column].id for column in book.instrument]
    return plan_sale(
        book,
        replace(sheet.marks, limit_down_units=_limits(sheet, limit_down or {})),
        sellable=np.array([max(0, sellable_by_instrument.get(instrument, 0)) for instrument in ids], dtype=np.int64),
        cost_bp=np.full(len(ids), SALE_COST_BP, dtype=np.int64),
        target_bp=int(target_bp[0]),
        preference=_preference(book, [account], sheet),
        grain_units=price_units_per_minor(account.currency),
    )


def aimed_book(accounts: Sequence[AccountFacts], sheet: Sheet, aims: Sequence[SaleAim]) -> tuple[Book, Int64s]:
    """The engine's columns for sales with these aims, and the target of each account, int64[A]."""
    book = book_of(accounts, sheet)
    debts, targets = book.debt_units.copy(), np.array([aim.target_bp for aim in aims], dtype=np.int64)
    for row, (account, aim) in enumerate(zip(accounts, aims, strict=True)):
        if aim.pay_minor is not None:
            held = book.positions(row)
            price = sheet.marks.price_units[book.instrument[held]]
            cash = int(book.cash_units[row])
            pay = aim.pay_minor * price_units_per_minor(account.currency)
            debts[row] = debt_that_asks_for(pay, cash=cash, assets=cash + int(book.quantity[held] @ price))
            targets[row] = PAYING_TARGET_BP
    return replace(book, debt_units=debts), targets


def why_not_sold(sheet: Sheet, column: int, limit_down: Mapping[int, int]) -> str:
    """Why the name of a column cannot be sold now, or nothing if it can (`plans.cannot_be_sold`)."""
    if sheet.marks.is_suspended[column]:
        return "trading in it is suspended"
    if sheet.marks.is_stale[column]:
        return "it has no current price"
    if sheet.marks.price_units[column] <= _limits(sheet, limit_down)[column]:
        return "it is at its limit down, where nobody buys"
    return ""


def explain_account_plan(
    account: AccountFacts, sheet: Sheet, for_sale: ForSale, aim: SaleAim
) -> tuple[PlanExplanation, dict[int, int]]:
    """The plan of one account from what may be sold, with its proof; and by instrument id the shares that it could sell
    if no other account sold any.
    """
    book, target_bp = aimed_book([account], sheet, [aim])
    marks = replace(sheet.marks, limit_down_units=_limits(sheet, for_sale.limit_down))
    explained = explain_plan(
        book,
        marks,
        sellable=_sellable(book, [account], sheet, for_sale),
        cost_bp=np.full(book.position_count, SALE_COST_BP, dtype=np.int64),
        target_bp=int(target_bp[0]),
        preference=_preference(book, [account], sheet),
        grain_units=price_units_per_minor(account.currency),
    )
    alone = _sellable(book, [account], sheet, replace(for_sale, cap=dict.fromkeys(for_sale.cap, _ANY)))
    names = (instrument_id for _, instrument_id in _held(book, [account], sheet))
    return explained, dict(zip(names, alone.tolist(), strict=True))


@dataclass(frozen=True)
class SessionShare:
    """How the accounts of a session share the volume of the day.

    `order`: account ids, the lowest ratio first; `method`: how it was shared; `allotted`: shares by account and
    instrument that it gives each.
    """

    order: tuple[int, ...]
    method: ShareMethod
    allotted: Mapping[int, Mapping[int, int]]

    def reserved_after(self, place: int) -> dict[int, int]:
        """Shares by instrument that the accounts behind `place` (from 0) are to sell."""
        reserved: dict[int, int] = {}
        for account_id in self.order[place + 1 :]:
            for instrument_id, quantity in self.allotted[account_id].items():
                reserved[instrument_id] = reserved.get(instrument_id, 0) + quantity
        return reserved


def share_session(
    accounts: Sequence[AccountFacts], sheet: Sheet, aims: Mapping[int, SaleAim], on: date
) -> SessionShare:
    """Share a session's volume among the accounts that are to be sold in it, given the worst first.

    Accounts under contracts that fix an order of sale are served one after the other; where no contract does, the
    linear programme moves accounts off names that others need more (`engine.shared_volume`).
    """
    for_sale = load_for_sale([account.id for account in accounts], sheet, on)
    book, target_bp = aimed_book(accounts, sheet, [aims[account.id] for account in accounts])
    is_free = all(_order_of(account) is LiquidationOrder.LEAST_SALE for account in accounts)
    shared = share_volume(
        book,
        replace(sheet.marks, limit_down_units=_limits(sheet, for_sale.limit_down)),
        sellable=_sellable(book, accounts, sheet, for_sale),
        cost_bp=np.full(book.position_count, SALE_COST_BP, dtype=np.int64),
        target_bp=target_bp,
        volume_cap=_caps(sheet, for_sale),
        preference=None if is_free else _preference(book, accounts, sheet),
        grain_units=max((price_units_per_minor(account.currency) for account in accounts), default=1),
    )
    allotted: dict[int, dict[int, int]] = {account.id: {} for account in accounts}
    for row in np.flatnonzero(shared.plans.quantity).tolist():
        account = accounts[int(book.account_of_position[row])]
        allotted[account.id][sheet.instruments[int(book.instrument[row])].id] = int(shared.plans.quantity[row])
    return SessionShare(tuple(account.id for account in accounts), shared.method, allotted)


_ANY = 2**40
"""More shares than anybody holds."""


def _order_of(account: AccountFacts) -> LiquidationOrder:
    return get_terms(account.scheme_version_id).liquidation_order


def _held(book: Book, accounts: Sequence[AccountFacts], sheet: Sheet) -> list[tuple[int, int]]:
    """Account and instrument id of each position, in the book's order."""
    owners = (accounts[row].id for row in book.account_of_position.tolist())
    return [(owner, sheet.instruments[column].id) for owner, column in zip(owners, book.instrument, strict=True)]


def _preference(book: Book, accounts: Sequence[AccountFacts], sheet: Sheet) -> Int64s:
    """int64[P]: the contracts' order of sale, position by position."""
    rank: dict[tuple[int, int], int] = {}
    for account in accounts:
        terms = get_terms(account.scheme_version_id)
        ids = [holding.instrument_id for holding in account.holdings]
        prices = {one: _at_home(sheet, sheet.prices[one], account.currency) for one in ids if one in sheet.prices}
        ranks = sale_preference(terms.liquidation_order, account, sheet.instruments, prices, terms).tolist()
        rank.update({(account.id, instrument_id): one for instrument_id, one in zip(ids, ranks, strict=True)})
    return np.array([rank[key] for key in _held(book, accounts, sheet)], dtype=np.int64)


def _at_home(sheet: Sheet, price: LatestPrice, currency: str) -> LatestPrice:
    """A price in money of the account, so that names of two currencies can be put in order."""
    column = sheet.column_of(price.instrument_id, currency)
    return replace(price, price_units=int(sheet.marks.price_units[column])) if column >= len(sheet.column) else price


def _sellable(book: Book, accounts: Sequence[AccountFacts], sheet: Sheet, for_sale: ForSale) -> Int64s:
    """int64[P]: shares of each position that its account may sell in the session, the volume being its alone."""
    held = _held(book, accounts, sheet)
    return sellable_today(
        book,
        volume_cap=_caps(sheet, for_sale),
        bought_today=np.array([for_sale.kept.get(key, 0) for key in held], dtype=np.int64),
        given_out=np.array([for_sale.given_out.get(key, 0) for key in held], dtype=np.int64),
    )


def _caps(sheet: Sheet, for_sale: ForSale) -> Int64s:
    return np.array([for_sale.cap.get(one.id, 0) for one in sheet.instruments], dtype=np.int64)


def _limits(sheet: Sheet, limit_down: Mapping[int, int]) -> Int64s:
    """int64[S]: the lowest price of each column that its venue allows, in the column's own money."""
    units = np.array([limit_down.get(one.id, 0) for one in sheet.instruments], dtype=np.int64)
    for column in range(len(sheet.column), len(units)):
        home = CODES[sheet.columns.home[column]]
        units[column] = int(units[column]) * sheet.rate_e8(home, sheet.instruments[column].currency) // 10**8
    return units
