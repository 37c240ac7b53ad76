"""A small market: two names, two sources, and a week of February 2020."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.records.market.services import add_instruments, record_prices
from reefpoint.records.market.types import BatchResult, InstrumentDraft, Tick

MONDAY = date(2020, 2, 24)
TUESDAY = date(2020, 2, 25)


def close_of(on: date) -> datetime:
    """16:00 in New York before the change to summer time."""
    return datetime(on.year, on.month, on.day, 21, tzinfo=UTC)


FEED = system_actor("feed")
OLIVIA = Actor(ref="user:1", name="Olivia", permissions=frozenset({"prices.record", "prices.confirm"}), user_id=1)
RAVI = Actor(ref="user:2", name="Ravi", permissions=frozenset({"prices.confirm"}), user_id=2)
OUTSIDER = Actor(ref="user:9", name="Otto", permissions=frozenset(), user_id=9)


def tick(symbol: str, price: str | Decimal | float, on: date = MONDAY, currency: str = "USD") -> Tick:
    return Tick(symbol, price, on, close_of(on), currency)


def record(
    *ticks: Tick, key: str, on: date = MONDAY, source: str = "feed-a", actor: Actor = FEED, at: datetime | None = None
) -> BatchResult:
    return record_prices(actor=actor, source=source, key=key, ticks=ticks, at=at or close_of(on), on=on)


@pytest.fixture
def names(db: None) -> dict[str, int]:
    """AAA and BBB, listed in New York in dollars, with a band of 20%."""
    drafts = [InstrumentDraft(symbol, symbol, symbol, "Test", 1_000_000) for symbol in ("AAA", "BBB")]
    return add_instruments(actor=FEED, drafts=drafts, at=close_of(MONDAY))
