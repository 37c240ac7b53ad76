"""Counts over the whole desk: a few, cheap enough to ask every day, and all, for a summary."""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class ProgressCounts:
    """What a progress line tells, since the desk began."""

    calls: int
    open_calls: int
    liquidations: int
    running: int


@dataclass(frozen=True)
class DeskTotals:
    """How many rows the desk has written, since it began. Counting them takes longer the longer the desk has run."""

    prices: int
    held_prices: int
    journals: int
    audit_entries: int
    open_breaks: int


def progress_counts() -> ProgressCounts:
    """Calls and forced sales, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM margin_margincall),
                   (SELECT count(*) FROM margin_margincall WHERE state = 'open'),
                   (SELECT count(*) FROM liquidation_liquidation),
                   (SELECT count(*) FROM liquidation_liquidation WHERE closed_at IS NULL)
            """
        )
        return ProgressCounts(*cursor.fetchone())


def desk_totals() -> DeskTotals:
    """All totals, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM market_price),
                   (SELECT count(*) FROM market_heldprice),
                   (SELECT count(*) FROM ledger_journal),
                   (SELECT count(*) FROM audit_entry),
                   (SELECT count(*) FROM treasury_bankbreak WHERE cleared_on IS NULL)
                       + (SELECT count(*) FROM execution_brokerbreak WHERE cleared_on IS NULL)
            """
        )
        return DeskTotals(*cursor.fetchone())
