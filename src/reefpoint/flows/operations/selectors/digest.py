"""The books in one fingerprint: two replays of the same days have the same one, or they differ in a cent somewhere."""

import hashlib
from dataclasses import dataclass
from datetime import date

from django.db import connection

BOOK_LINES = """
    SELECT 'account ' || account.number || ' ' || account.status AS line
      FROM accounts_marginaccount account
    UNION ALL
    SELECT 'position ' || account.number || ' ' || instrument.symbol || ' ' || position.quantity
      FROM accounts_position position
      JOIN accounts_marginaccount account ON account.id = position.account_id
      JOIN market_instrument instrument ON instrument.id = position.instrument_id
     WHERE position.quantity <> 0
    UNION ALL
    SELECT 'loan ' || account.number || ' ' || loan.drawn_on || ' ' || loan.drawn_minor || ' ' || loan.principal_minor
           || ' ' || loan.rate_bp || ' ' || loan.matures_on || ' ' || loan.state
      FROM accounts_loan loan JOIN accounts_marginaccount account ON account.id = loan.account_id
    UNION ALL
    SELECT 'ledger ' || ledger.code || ' ' || balance.debit_minor || ' ' || balance.credit_minor
           || ' ' || balance.held_minor
      FROM ledger_balance balance JOIN ledger_account ledger ON ledger.id = balance.account_id
    UNION ALL
    SELECT 'margin ' || account.number || ' ' || state.band || ' ' || state.assets_minor || ' ' || state.debt_minor
      FROM margin_marginstate state JOIN accounts_marginaccount account ON account.id = state.account_id
    UNION ALL
    SELECT 'call ' || call.number || ' ' || call.opened_on || ' ' || call.state || ' ' || call.amount_minor || ' '
           || coalesce((call.closed_at AT TIME ZONE 'UTC')::date::text, 'open')
      FROM margin_margincall call
    UNION ALL
    SELECT 'liquidation ' || liquidation.number || ' ' || liquidation.opened_on || ' ' || liquidation.cause || ' '
           || liquidation.state || ' ' || coalesce((liquidation.closed_at AT TIME ZONE 'UTC')::date::text, 'live')
      FROM liquidation_liquidation liquidation
    UNION ALL
    SELECT 'plan ' || liquidation.number || ' ' || plan.session_on || ' ' || plan.outcome || ' ' || plan.sold_minor
      FROM liquidation_liquidationplan plan
      JOIN liquidation_liquidation liquidation ON liquidation.id = plan.liquidation_id
    UNION ALL
    SELECT 'order ' || orders.client_order_id || ' ' || orders.quantity || ' ' || orders.filled_quantity || ' '
           || orders.state
      FROM execution_order orders
    UNION ALL
    SELECT 'price ' || instrument.symbol || ' ' || price.on || ' ' || price.price_units
      FROM market_price price JOIN market_instrument instrument ON instrument.id = price.instrument_id
"""


@dataclass(frozen=True)
class BooksDigest:
    """What the books say, line by line in code-point order, on the business date `on`.

    Left out is what may differ between two runs that came to the same: row numbers, wall-clock times, how the same
    notices and seals were batched.
    """

    on: date | None
    lines: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of the SHA-256 over all lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:12]


def books_digest() -> BooksDigest:
    """The final books: accounts, positions, loans, each ledger account's totals, calls, sales, orders and prices.

    Amounts are in minor units, prices in units of 1e-4.
    """
    with connection.cursor() as cursor:
        cursor.execute('SELECT max("on") FROM ledger_book_day')
        on = cursor.fetchone()[0]
        cursor.execute(f'SELECT line FROM ({BOOK_LINES}) AS book ORDER BY line COLLATE "C"')  # noqa: S608 - a constant
        return BooksDigest(on, tuple(line for (line,) in cursor.fetchall()))
