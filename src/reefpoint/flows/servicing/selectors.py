"""What an action on an account would lead to, before anybody does it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from reefpoint.decisions.margin.selectors.calls import has_open_call
from reefpoint.decisions.margin.selectors.standing import current_price, load_sheet, measure
from reefpoint.decisions.margin.types import Standing
from reefpoint.flows.servicing.rules import allocate_payment, early_principal_minor
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import held_minor, owed_minor
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.accounts.selectors.owners import get_owner
from reefpoint.records.accounts.types import AccountFacts, Holding
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import Due, FeeMoment, SchemeTerms


class Action(StrEnum):
    """What a person can do on an account."""

    DEPOSIT = "deposit"
    REPAY = "repay"
    WITHDRAW = "withdraw"
    DRAW_DOWN = "draw-down"
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True)
class WhatIf:
    """An account before and after an action. `fee_minor` is what the action costs beside its amount.

    `required_bp` is the ratio that the account must hold after it, beside the maintenance of its names; None where any
    ratio will do.
    """

    account: AccountFacts
    before: Standing
    account_after: AccountFacts
    after: Standing
    fee_minor: int
    required_bp: int | None

    @property
    def is_enough(self) -> bool:
        """Whether ratio and maintenance after it hold what is required, and the cash does not end below zero."""
        holds_line = self.required_bp is None or self.after.ratio_bp is None or self.after.ratio_bp >= self.required_bp
        return holds_line and not self.falls_short and self.account_after.cash_minor >= 0 and not self.after.is_unknown

    @property
    def falls_short(self) -> bool:
        """Whether it is refused because equity after it would be below the maintenance of the names."""
        return self.required_bp is not None and self.after.is_short_of_maintenance


def what_if(
    actor: Actor,
    account_id: int,
    action: Action,
    *,
    amount_minor: int = 0,
    instrument_id: int = 0,
    quantity: int = 0,
    at: datetime,
) -> WhatIf:
    """Measure the account as it would stand on the prices known at `at`; trades at the latest price, before costs.

    The service itself has the last word: it checks everything again under the account's lock. Raises `NotFound`
    outside the actor's scope, and `NoUsablePrice` for a trade without a current price.
    """
    get_owner(actor, account_id)
    account = get_account(account_id)
    terms = get_terms(account.scheme_version_id)
    changed = {
        Action.DEPOSIT: lambda: (replace(account, cash_minor=account.cash_minor + amount_minor), 0),
        Action.WITHDRAW: lambda: (replace(account, cash_minor=account.cash_minor - amount_minor), 0),
        Action.DRAW_DOWN: lambda: _drawn(account, terms, amount_minor),
        Action.REPAY: lambda: _repaid(account, terms, amount_minor, at.date()),
        Action.BUY: lambda: (_traded(account, instrument_id, quantity, at), 0),
        Action.SELL: lambda: (_traded(account, instrument_id, -quantity, at), 0),
    }
    apply: Callable[[], tuple[AccountFacts, int]] = changed[action]
    after, fee = apply()
    required = {
        Action.WITHDRAW: terms.withdrawal_bp,
        Action.DRAW_DOWN: terms.initial_bp,
        Action.BUY: terms.initial_bp,
    }
    measured = replace(after, cash_minor=max(after.cash_minor, 0))  # more than there is: refused, whatever it is worth
    return WhatIf(account, measure(account, at=at), after, measure(measured, at=at), fee, required.get(action))


def _drawn(account: AccountFacts, terms: SchemeTerms, amount_minor: int) -> tuple[AccountFacts, int]:
    fee = terms.charges_minor(FeeMoment.DRAWDOWN, amount_minor)
    after = replace(
        account,
        cash_minor=account.cash_minor + amount_minor - fee,
        principal_minor=account.principal_minor + amount_minor,
    )
    return after, fee


def _repaid(account: AccountFacts, terms: SchemeTerms, amount_minor: int, on: date) -> tuple[AccountFacts, int]:
    dues = {Due.FEES: account.fees_minor, Due.INTEREST: account.interest_minor, Due.PRINCIPAL: account.principal_minor}
    paid = allocate_payment(amount_minor, dues, terms.payment_order).paid
    fee = 0
    if terms.fees_at(FeeMoment.EARLY_REPAYMENT) and not has_open_call(account.id):
        early = early_principal_minor(paid.get(Due.PRINCIPAL, 0), list_loans(account.id), on)
        fee = terms.charges_minor(FeeMoment.EARLY_REPAYMENT, early)
    after = replace(
        account,
        cash_minor=account.cash_minor - sum(paid.values()) - fee,
        fees_minor=account.fees_minor - paid.get(Due.FEES, 0),
        interest_minor=account.interest_minor - paid.get(Due.INTEREST, 0),
        principal_minor=account.principal_minor - paid.get(Due.PRINCIPAL, 0),
    )
    return after, fee


def _traded(account: AccountFacts, instrument_id: int, quantity: int, at: datetime) -> AccountFacts:
    sheet = load_sheet([account.scheme_version_id], at=at)
    units = quantity * sheet.home_price_units(current_price(sheet.prices, instrument_id), account.currency)
    paid = owed_minor(units, account.currency) if quantity > 0 else -held_minor(-units, account.currency)
    held = {holding.instrument_id: holding.quantity for holding in account.holdings}
    held[instrument_id] = max(held.get(instrument_id, 0) + quantity, 0)
    holdings = tuple(Holding(key, held[key]) for key in sorted(held) if held[key])
    return replace(account, cash_minor=account.cash_minor - paid, holdings=holdings)
