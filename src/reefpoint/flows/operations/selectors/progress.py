"""Counts over the whole desk, for a progress line and a summary."""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class DeskCounts:
    """How many there are of each, since the desk began."""

    calls: int
    open_calls: int
    liquidations: int
    running: int
    prices: int
    held_prices: int
    journals: int
    audit_entries: int
    open_breaks: int


def desk_counts() -> DeskCounts:
    """All counts in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM margin_margincall),
                   (SELECT count(*) FROM margin_margincall WHERE state = 'open'),
                   (SELECT count(*) FROM liquidation_liquidation),
                   (SELECT count(*) FROM liquidation_liquidation WHERE closed_at IS NULL),
                   (SELECT count(*) FROM market_price),
                   (SELECT count(*) FROM market_heldprice),
                   (SELECT count(*) FROM ledger_journal),
                   (SELECT count(*) FROM audit_entry),
                   (SELECT count(*) FROM treasury_bankbreak WHERE cleared_on IS NULL)
                       + (SELECT count(*) FROM execution_brokerbreak WHERE cleared_on IS NULL)
            """
        )
        return DeskCounts(*cursor.fetchone())
