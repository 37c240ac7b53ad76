"""Ticks as they arrive, verdicts on them, prices as they are kept, and the session calendar of a venue."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import round_half_up

VENUE = "XNYS"
"""The venue whose sessions are the desk's business days, and on whose calendar the deadlines of calls run."""

InstrumentId = NewType("InstrumentId", int)


class HeldState(StrEnum):
    """What became of a price that was held back."""

    HELD = "held"
    CONFIRMED = "confirmed"
    DISCARDED = "discarded"


class InstrumentKind(StrEnum):
    """What sort of security it is, as rules on collateral tell them apart."""

    SHARE = "share"
    ETF = "etf"
    FUND = "fund"
    BOND = "bond"
    GOVERNMENT_BOND = "government_bond"
    CASH_FUND = "cash_fund"
    WARRANT = "warrant"


class Board(StrEnum):
    """The part of a venue on which a name is listed: STAR, ChiNext and BSE in China, GEM in Hong Kong, else main."""

    MAIN = "main"
    STAR = "star"
    CHINEXT = "chinext"
    BSE = "bse"
    GEM = "gem"


class FxFlaw(StrEnum):
    """Why a rate between currencies cannot be one, as a phrase after the currency."""

    UNKNOWN_CURRENCY = "the desk keeps no such currency"
    BASE = "the base needs no rate to itself"
    UNREADABLE = "the rate cannot be read"
    NOT_ABOVE_ZERO = "a rate is a number above zero"
    OUT_OF_RANGE = "a rate has at most 8 decimals and is at most 1,000,000"


class Reason(StrEnum):
    """Why a price line was not taken as it came. The words are stored with the line and shown to people."""

    WRONG_COLUMNS = "wrong_columns"
    UNKNOWN_SYMBOL = "unknown_symbol"
    WRONG_CURRENCY = "wrong_currency"
    MISSING_PRICE = "missing_price"
    MALFORMED_PRICE = "malformed_price"
    NOT_A_NUMBER = "not_a_number"
    ZERO_PRICE = "zero_price"
    NEGATIVE_PRICE = "negative_price"
    ABSURD_PRICE = "absurd_price"
    MALFORMED_DATE = "malformed_date"
    WRONG_DATE = "wrong_date"
    NOT_A_SESSION = "not_a_session"
    IN_THE_FUTURE = "in_the_future"
    DUPLICATE_ROW = "duplicate_row"
    ALREADY_RECORDED = "already_recorded"
    CONFLICTING_ROWS = "conflicting_rows"
    CONFLICTS_WITH_RECORD = "conflicts_with_record"
    OUTSIDE_BAND = "outside_band"
    HUNDREDFOLD = "hundredfold"


@dataclass(frozen=True)
class Tick:
    """One quoted price. `on` is the session it belongs to, `at` its instant (aware), `price` in major units."""

    symbol: str
    price: str | Decimal | float | int
    on: date
    at: datetime
    currency: str = "USD"


@dataclass(frozen=True)
class PriceLine:
    """One line of a batch before judgement. Without `at` it is a closing price; `flaw` is what reading it ran into."""

    row_number: int
    raw: str
    symbol: str
    price: str | Decimal | float | int
    on: date | None
    at: datetime | None
    currency: str
    flaw: Reason | None = None


@dataclass(frozen=True)
class InstrumentFacts:
    """What judging a price needs to know of an instrument. `price_band_bp` is a move that is no longer believed."""

    id: int
    symbol: str
    currency: str
    venue: str
    price_band_bp: int


@dataclass(frozen=True)
class InstrumentDraft:
    """An instrument to be listed. `assumed_daily_volume` is in shares and, without volume data, an assumption."""

    symbol: str
    name: str
    name_zh: str
    sector: str
    assumed_daily_volume: int
    currency: str = "USD"
    venue: str = "XNYS"
    lot_size: int = 1
    price_band_bp: int = 2000


@dataclass(frozen=True)
class Accepted:
    """A line that became a price. `price_units` in 1e-4; `agrees_with_held` names held lines that it confirms."""

    line: PriceLine
    instrument_id: int
    price_units: int
    on: date
    at: datetime
    agrees_with_held: tuple[int, ...] = ()


@dataclass(frozen=True)
class Held:
    """A readable price that nobody believes yet. `reference_units` is the accepted price it was measured against."""

    line: PriceLine
    instrument_id: int
    price_units: int
    on: date
    at: datetime
    reason: Reason
    reference_units: int | None = None


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be a price."""

    line: PriceLine
    reason: Reason


Verdict = Accepted | Held | Rejected


@dataclass(frozen=True)
class Reference:
    """The newest accepted price of an instrument at or before some instant. `price_units` in 1e-4."""

    price_units: int
    at: datetime


@dataclass(frozen=True)
class PendingHeld:
    """A held price of another source, which a line of this batch may confirm."""

    id: int
    instrument_id: int
    on: date
    price_units: int


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: `accepted + held + rejected` is the number of its lines."""

    batch_id: int
    on: date
    accepted: int
    held: int
    rejected: int
    is_repeat: bool = False

    @property
    def lines(self) -> int:
        return self.accepted + self.held + self.rejected


@dataclass(frozen=True, eq=False)
class LatestColumns:
    """The newest accepted price of every instrument, by id, as columns of one length.

    `price_units` int64, 0 where there is none; `is_stale` and `is_suspended` bool; `lot` int64 in shares.
    """

    instrument_id: npt.NDArray[np.int64]
    price_units: npt.NDArray[np.int64]
    is_stale: npt.NDArray[np.bool_]
    is_suspended: npt.NDArray[np.bool_]
    lot: npt.NDArray[np.int64]


@dataclass(frozen=True)
class LatestPrice:
    """An accepted price. The greatest `(at, price_id)` of an instrument is its latest, in whatever order they came."""

    instrument_id: int
    symbol: str
    price_units: int
    at: datetime
    on: date
    batch_id: int
    price_id: int
    is_stale: bool = False


@dataclass(frozen=True)
class InstrumentView:
    """An instrument as other parts see it."""

    id: int
    symbol: str
    name: str
    name_zh: str
    currency: str
    venue: str
    sector: str
    lot_size: int
    price_band_bp: int
    assumed_daily_volume: int
    is_suspended: bool
    suspended_at: datetime | None = None
    delisted_on: date | None = None


@dataclass(frozen=True)
class InstrumentTerms:
    """What may change of an instrument. `price_band_bp` is the move that is no longer believed."""

    name: str
    name_zh: str
    sector: str
    lot_size: int
    price_band_bp: int
    assumed_daily_volume: int


@dataclass(frozen=True)
class InstrumentEntry:
    """What was on record of an instrument from `at` on. `checked_by` is empty where no second person was needed."""

    id: int
    at: datetime
    terms: InstrumentTerms
    delisted_on: date | None
    reason: str
    recorded_by: str
    checked_by: str
    approval_id: int | None


@dataclass(frozen=True)
class Stretch:
    """A stretch without trading; `until` is None while it lasts. `reason` is empty where the desk kept none."""

    since: datetime
    until: datetime | None
    reason: str
    recorded_by: str
    resumed_because: str
    resumed_by: str


@dataclass(frozen=True)
class ListingDraft:
    """What is known of a listing from `effective_on` on, and where it is from.

    - `has_risk_warning`: under risk warning (ST) or in its delisting period
    - `is_index_member`: of an index that the exchange's rules name; `is_pe_excluded`: its static P/E is negative or 300
      and more
    - `limit_bp`: how far the price may move in a day, None where there is no limit
    - `daily_volume`, `shares_issued`: shares; None is not known. `issuer`: one word for all names of one issuer group
    """

    effective_on: date
    source: str
    kind: InstrumentKind = InstrumentKind.SHARE
    board: Board = Board.MAIN
    has_risk_warning: bool = False
    is_index_member: bool = False
    is_pe_excluded: bool = False
    limit_bp: int | None = None
    daily_volume: int | None = None
    shares_issued: int | None = None
    issuer: str = ""


@dataclass(frozen=True)
class NewInstrument:
    """A name to be put on record, with what a source says of its listing."""

    draft: InstrumentDraft
    facts: ListingDraft


@dataclass(frozen=True)
class ListingView:
    """A listing as known on a day. Without a record (`source` is empty) it is a share of the main board.

    `daily_volume` is the instrument's assumed one, and `is_volume_assumed`, where no volume is on record.
    """

    instrument_id: int
    symbol: str
    venue: str
    kind: InstrumentKind
    board: Board
    has_risk_warning: bool
    is_index_member: bool
    is_pe_excluded: bool
    limit_bp: int | None
    daily_volume: int
    is_volume_assumed: bool
    shares_issued: int | None
    issuer: str
    effective_on: date | None
    source: str


@dataclass(frozen=True)
class ListingRecord:
    """One record of a listing as it stands in its history. `checked_by` is empty where no second person was needed."""

    id: int
    facts: ListingDraft
    recorded_at: datetime
    recorded_by: str
    checked_by: str
    approval_id: int | None


@dataclass(frozen=True)
class ListingOutcome:
    """What became of changes of listings: ids of records, and the approval that the others wait for."""

    recorded: tuple[int, ...]
    approval_id: int | None


@dataclass(frozen=True)
class HeldPriceView:
    """A held price as a person decides on it."""

    id: int
    batch_id: int
    source: str
    received_by: str
    instrument_id: int
    symbol: str
    price_units: int
    reference_units: int | None
    on: date
    at: datetime
    reason: Reason
    row_number: int
    raw: str
    state: HeldState
    decided_by: str
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True)
class RejectedRowView:
    """A line that was refused, with where it stood and why."""

    row_number: int
    raw: str
    reason: Reason


@dataclass(frozen=True)
class BatchView:
    """A batch with every line that was not simply accepted."""

    id: int
    source: str
    key: str
    content_hash: str
    on: date
    received_at: datetime
    received_by: str
    accepted: int
    held: int
    rejected: int
    held_prices: tuple[HeldPriceView, ...]
    rejected_rows: tuple[RejectedRowView, ...]


@dataclass(frozen=True)
class FeedHealth:
    """How well prices arrive: counts of names by the state of their latest price, and how old the oldest is."""

    fresh: int
    stale: int
    suspended: int
    missing: int
    oldest_on: date | None
    newest_at: datetime | None


class BeyondCalendar(Refusal):
    """A question about a date for which no session calendar is known."""

    code = "beyond_calendar"


class NotASession(Refusal):
    """A closing time was asked for a day without trading."""

    code = "not_a_session"


@dataclass(frozen=True)
class SessionOverride:
    """What a person recorded about one day: no session, or a session that closes at `close_at` (aware)."""

    on: date
    close_at: datetime | None


@dataclass(frozen=True)
class SessionCalendar:
    """The trading sessions of a venue from `first` to `last`, both inclusive; nothing is said of other days.

    `days` are the sessions in order, `closes` the instant each of them ends, in UTC.
    """

    venue: str
    zone: ZoneInfo
    first: date
    last: date
    days: tuple[date, ...]
    closes: Mapping[date, datetime] = field(hash=False)

    def check(self, on: date) -> None:
        """Raise `BeyondCalendar` for a day outside the calendar."""
        if not self.first <= on <= self.last:
            raise BeyondCalendar(
                "The {venue} calendar is known from {first} to {last}, and {on} is outside. "
                "Record calendar overrides for the days you need.",
                venue=self.venue,
                on=on,
                first=self.first,
                last=self.last,
            )

    def is_session(self, on: date) -> bool:
        self.check(on)
        return on in self.closes

    def close(self, on: date) -> datetime:
        """The instant at which session `on` ends. Raises `NotASession`, `BeyondCalendar`."""
        if not self.is_session(on):
            raise NotASession("{venue} does not trade on {on}.", venue=self.venue, on=on)
        return self.closes[on]

    def between(self, start: date, end: date) -> list[date]:
        """Sessions from `start` to `end`, both inclusive."""
        self.check(start)
        self.check(end)
        return list(self.days[bisect_left(self.days, start) : bisect_right(self.days, end)])

    def shift(self, on: date, count: int) -> date:
        """The `count`-th session after `on`, or before it when negative; 0 is `on` itself, which must be a session."""
        self.check(on)
        if count == 0:
            self.close(on)
            return on
        index = bisect_right(self.days, on) + count - 1 if count > 0 else bisect_left(self.days, on) + count
        if not 0 <= index < len(self.days):
            raise BeyondCalendar(
                "The {venue} calendar is known from {first} to {last}, and session {count:+d} "
                "from {on} is outside. Record calendar overrides for the days you need.",
                venue=self.venue,
                on=on,
                first=self.first,
                last=self.last,
                count=count,
            )
        return self.days[index]

    def last_closed(self, at: datetime) -> date:
        """The newest session that has ended at the instant `at` (aware)."""
        day = at.astimezone(self.zone).date()
        self.check(day)
        if day in self.closes and self.closes[day] <= at:
            return day
        return self.shift(day, -1)

    def missed(self, after: date, until: date) -> int:
        """Sessions later than `after` and no later than `until`."""
        return max(bisect_right(self.days, until) - bisect_right(self.days, after), 0)


@dataclass(frozen=True)
class FxView:
    """One version of the rates: `rates_e8` is money of `base` for one unit of each currency, in 1e-8."""

    id: int
    source: str
    base: str
    on: date
    at: datetime
    recorded_by: str
    rates_e8: Mapping[str, int]

    @property
    def name(self) -> str:
        """How figures name the version that they rest on."""
        return f"FX-{self.id:06d}"

    def rate_e8(self, home: str, foreign: str) -> int:
        """Money of `home` for one unit of `foreign`, in 1e-8, rounded down; 0 where the version does not have it."""
        if home == foreign:
            return 10**8
        worth = {self.base: 10**8, **self.rates_e8}
        if home not in worth or foreign not in worth:
            return 0
        return worth[foreign] * 10**8 // worth[home]


@dataclass(frozen=True)
class FxRecorded:
    """What became of a version of the rates: it counts as `version_id`, or waits for a second person as `held_id`."""

    version_id: int | None
    held_id: int | None = None


@dataclass(frozen=True)
class FxMove:
    """One rate of a held version beside the last one that counts, both in 1e-8; `last_e8` is 0 where there was none."""

    currency: str
    last_e8: int
    rate_e8: int
    is_too_far: bool

    @property
    def move_bp(self) -> int | None:
        """The move in basis points of the last rate, half up; None without one."""
        return None if self.last_e8 == 0 else round_half_up((self.rate_e8 - self.last_e8) * 10_000, self.last_e8)


@dataclass(frozen=True)
class HeldFxView:
    """A held version of the rates as a person decides on it."""

    id: int
    source: str
    base: str
    on: date
    at: datetime
    moves: tuple[FxMove, ...]
    against: str
    received_by: str
    state: HeldState
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
