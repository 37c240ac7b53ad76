"""The desk's day, and a replay of past days, as the rest of the desk sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class DayRunState(StrEnum):
    RUNNING = "running"
    DONE = "done"


class StepName(StrEnum):
    """The steps of a day run, in the order in which they run."""

    END_ORDERS = "end_orders"
    SETTLE_TRADES = "settle_trades"
    ACCRUE_INTEREST = "accrue_interest"
    ACCRUE_FUNDING = "accrue_funding"
    COLLECT_INTEREST = "collect_interest"
    SNAPSHOT_MARGIN = "snapshot_margin"
    RECONCILE_BANK = "reconcile_bank"
    RECONCILE_BROKER = "reconcile_broker"
    SEAL = "seal"
    CLOSE_DAY = "close_day"


@dataclass(frozen=True)
class StepView:
    """One step of a day run: what it did, in counts and minor units, and how long it took on the wall clock."""

    name: StepName
    is_done: bool
    figures: Mapping[str, int]
    seconds: float | None


@dataclass(frozen=True)
class DayRunView:
    """A business day's end."""

    on: date
    state: DayRunState
    at: datetime
    steps: tuple[StepView, ...]


@dataclass(frozen=True)
class ClockView:
    """What time the desk takes it to be. `is_replay`: a past market is being replayed."""

    at: datetime
    business_date: date | None
    is_replay: bool


@dataclass(frozen=True)
class DayReport:
    """What one replayed business day brought."""

    on: date
    number: int
    of: int
    prices: int
    held: int
    figures: Mapping[str, int] = field(default_factory=dict)
