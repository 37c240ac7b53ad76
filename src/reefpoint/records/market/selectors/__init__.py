"""Reads of market records: instruments, prices, what is held, and the session calendars."""

from reefpoint.records.market.adapters.us20 import load_us20, load_us20_instruments
from reefpoint.records.market.selectors.calendar import (
    add_sessions,
    deadline_at,
    get_calendar,
    is_session,
    last_closed_session,
    next_session,
    previous_session,
    session_close,
    sessions,
)
from reefpoint.records.market.selectors.instruments import (
    InstrumentNotFound,
    find_instrument,
    get_instrument,
    list_instruments,
    list_listings,
)
from reefpoint.records.market.selectors.prices import (
    get_feed_health,
    latest_prices,
    price_history,
    prices_of_batch,
    recent_closes,
)
from reefpoint.records.market.selectors.proof import verify_market
from reefpoint.records.market.selectors.quarantine import (
    BatchNotFound,
    HeldPriceNotFound,
    get_batch,
    get_held,
    list_batches,
    list_held,
)

__all__ = [
    "BatchNotFound",
    "HeldPriceNotFound",
    "InstrumentNotFound",
    "add_sessions",
    "deadline_at",
    "find_instrument",
    "get_batch",
    "get_calendar",
    "get_feed_health",
    "get_held",
    "get_instrument",
    "is_session",
    "last_closed_session",
    "latest_prices",
    "list_batches",
    "list_held",
    "list_instruments",
    "list_listings",
    "load_us20",
    "load_us20_instruments",
    "next_session",
    "previous_session",
    "price_history",
    "prices_of_batch",
    "recent_closes",
    "session_close",
    "sessions",
    "verify_market",
]
