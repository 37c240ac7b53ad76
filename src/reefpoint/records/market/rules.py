"""What makes a price believable, and when it has become too old.

A line is rejected when it cannot be a price of that name on that day, and held when it can be read but is not believed.
Nothing is dropped: every line ends accepted, held or rejected, under its row number.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from reefpoint.platform.basics.money import MINOR_DIGITS, price_units, round_half_up
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.market.types import (
    Accepted,
    FxFlaw,
    FxMove,
    FxView,
    Held,
    HeldState,
    InstrumentFacts,
    ListingDraft,
    ListingView,
    PendingHeld,
    PriceLine,
    Reason,
    Reference,
    Rejected,
    SessionCalendar,
    SessionOverride,
    Verdict,
)

HELD_PRICE_STATES = StateTable(
    subject="held price",
    initial=HeldState.HELD,
    moves={HeldState.HELD: frozenset({HeldState.CONFIRMED, HeldState.DISCARDED})},
)

SECOND_SOURCE_TOLERANCE_BP = 100
"""How far a second source may be from a held price and still confirm it."""

HUNDREDFOLD = 50
"""From this factor on, up or down, a move looks like cents for dollars or a missed split: only a person confirms it."""

STALE_AFTER_SESSIONS = 1
"""A price is stale once this many sessions have ended without a newer one."""

PRICE_UNITS_MAX = 10**12
"""A hundred million a share: beyond it no price is read, so that no product of price and quantity overflows."""

_SATURDAY = 5

_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_SPECIAL_NUMBER = re.compile(r"[+-]?(?:s?nan\d*|inf|infinity|n/?a|null|none|#n/a|#div/0!|-)", re.ASCII | re.IGNORECASE)


def is_stale(missed_sessions: int) -> bool:
    """Whether a price is too old, given how many sessions ended after the one it belongs to."""
    return missed_sessions >= STALE_AFTER_SESSIONS


def is_outside_band(units: int, reference_units: int, band_bp: int) -> bool:
    """Whether a move is at least `band_bp` of the reference: at 2000 bp, 80 on a 100 name is outside, 81 is not."""
    return abs(units - reference_units) * 10_000 >= band_bp * reference_units


def is_hundredfold(units: int, reference_units: int) -> bool:
    """Whether a move is so large that the unit, not the market, must have changed."""
    return units >= reference_units * HUNDREDFOLD or units * HUNDREDFOLD <= reference_units


def agrees(units: int, other_units: int) -> bool:
    """Whether a second source's price confirms a held one: no further from it than the tolerance."""
    return abs(units - other_units) * 10_000 <= SECOND_SOURCE_TOLERANCE_BP * other_units


def read_price(price: str | Decimal | float | int) -> int | Reason:
    """A price in units of 1e-4, half up, or why it cannot be one.

    Strings must be plain decimal numbers in ASCII digits: no thousands marks, exponents or underscores.
    """
    value = _decimal(price)
    if isinstance(value, Reason):
        return value
    if value < 0:
        return Reason.NEGATIVE_PRICE
    if value > Decimal(PRICE_UNITS_MAX).scaleb(-4):
        return Reason.ABSURD_PRICE
    return price_units(value) or Reason.ZERO_PRICE


def _decimal(price: str | Decimal | float | int) -> Decimal | Reason:
    if isinstance(price, str):
        return _decimal_of_text(price.strip())
    if isinstance(price, bool):
        return Reason.MALFORMED_PRICE
    value = Decimal(repr(price)) if isinstance(price, float) else Decimal(price)
    return value if value.is_finite() else Reason.NOT_A_NUMBER


def _decimal_of_text(text: str) -> Decimal | Reason:
    if not text:
        return Reason.MISSING_PRICE
    if _SPECIAL_NUMBER.fullmatch(text):
        return Reason.NOT_A_NUMBER
    return Decimal(text) if _PLAIN_NUMBER.fullmatch(text) else Reason.MALFORMED_PRICE


def read_lines(
    lines: Iterable[PriceLine],
    *,
    instruments: Mapping[str, InstrumentFacts],
    calendars: Mapping[str, SessionCalendar],
    on: date,
    received_at: datetime,
) -> list[Accepted | Rejected]:
    """Each line on its own: a readable price of that name on the batch's date `on`, or why it cannot be one.

    `calendars` holds every venue of `instruments`. Raises `BeyondCalendar` if no calendar reaches `on`.
    """
    return [_read_line(line, instruments, calendars, on, received_at) for line in lines]


def _read_line(
    line: PriceLine,
    instruments: Mapping[str, InstrumentFacts],
    calendars: Mapping[str, SessionCalendar],
    on: date,
    received_at: datetime,
) -> Accepted | Rejected:
    instrument = instruments.get(line.symbol)
    if line.flaw is not None or instrument is None:
        return Rejected(line, line.flaw or Reason.UNKNOWN_SYMBOL)
    if line.currency != instrument.currency:
        return Rejected(line, Reason.WRONG_CURRENCY)
    units = read_price(line.price)
    if isinstance(units, Reason):
        return Rejected(line, units)
    at = _instant(line, calendars[instrument.venue], on, received_at)
    if isinstance(at, Reason):
        return Rejected(line, at)
    return Accepted(line=line, instrument_id=instrument.id, price_units=units, on=on, at=at)


def _instant(line: PriceLine, calendar: SessionCalendar, on: date, received_at: datetime) -> datetime | Reason:
    """When the line's price was made, or what is wrong with its date or time."""
    if line.on is None or (line.at is not None and line.at.tzinfo is None):
        return Reason.MALFORMED_DATE
    if line.on > received_at.astimezone(calendar.zone).date() or (line.at is not None and line.at > received_at):
        return Reason.IN_THE_FUTURE
    if line.on != on or (line.at is not None and line.at.astimezone(calendar.zone).date() != on):
        return Reason.WRONG_DATE
    if not calendar.is_session(on):
        return Reason.NOT_A_SESSION
    at = line.at or calendar.close(on)
    return at if at <= received_at else Reason.IN_THE_FUTURE


def judge_lines(
    readable: Sequence[Accepted],
    *,
    bands_bp: Mapping[int, int],
    references: Mapping[tuple[int, datetime], Reference],
    pending: Sequence[PendingHeld],
) -> list[Verdict]:
    """Whether each readable price is believed, whatever the order of the lines (I04, I13, I14).

    `bands_bp` by instrument; `references` by instrument and instant, absent for a name that never had a price;
    `pending` are held prices of other sources, which this batch may confirm.
    """
    by_instrument: dict[int, dict[datetime, list[Accepted]]] = defaultdict(lambda: defaultdict(list))
    for line in readable:
        by_instrument[line.instrument_id][line.at].append(line)
    verdicts: list[Verdict] = []
    for instrument_id, by_instant in by_instrument.items():
        waiting = [held for held in pending if held.instrument_id == instrument_id]
        newest: Reference | None = None
        for at, same_instant in sorted(by_instant.items()):
            recorded = references.get((instrument_id, at))
            if newest is None or (recorded is not None and recorded.at >= newest.at):
                newest = recorded
            unique = {line.price_units: line for line in reversed(same_instant)}
            verdicts += [
                Rejected(line.line, Reason.DUPLICATE_ROW)
                for line in same_instant
                if line is not unique[line.price_units]
            ]
            for line in unique.values():
                verdict = (
                    _held(line, Reason.CONFLICTING_ROWS, newest)
                    if len(unique) > 1
                    else _judge(line, newest, bands_bp[instrument_id], waiting)
                )
                if isinstance(verdict, Accepted):
                    newest = Reference(verdict.price_units, at)
                verdicts.append(verdict)
    return sorted(verdicts, key=lambda verdict: verdict.line.row_number)


def _judge(line: Accepted, reference: Reference | None, band_bp: int, waiting: Sequence[PendingHeld]) -> Verdict:
    if reference is not None and reference.at == line.at:
        if reference.price_units == line.price_units:
            return Rejected(line.line, Reason.ALREADY_RECORDED)
        return _held(line, Reason.CONFLICTS_WITH_RECORD, reference)
    if reference is None or not is_outside_band(line.price_units, reference.price_units, band_bp):
        return line
    if is_hundredfold(line.price_units, reference.price_units):
        return _held(line, Reason.HUNDREDFOLD, reference)
    confirmed = tuple(held.id for held in waiting if held.on == line.on and agrees(line.price_units, held.price_units))
    return replace(line, agrees_with_held=confirmed) if confirmed else _held(line, Reason.OUTSIDE_BAND, reference)


def _held(line: Accepted, reason: Reason, reference: Reference | None) -> Held:
    return Held(
        line=line.line,
        instrument_id=line.instrument_id,
        price_units=line.price_units,
        on=line.on,
        at=line.at,
        reason=reason,
        reference_units=reference.price_units if reference else None,
    )


def with_overrides(calendar: SessionCalendar, overrides: Collection[SessionOverride]) -> SessionCalendar:
    """The calendar with what was recorded about single days.

    Past its end it reaches as far as every weekday has an override; weekends need none.
    """
    if not overrides:
        return calendar
    by_day = {override.on: override for override in overrides if override.on >= calendar.first}
    last = calendar.last
    while (following := last + timedelta(days=1)) in by_day or following.weekday() >= _SATURDAY:
        last = following
    closes = dict(calendar.closes)
    for day, override in by_day.items():
        if day > last:
            continue
        if override.close_at is None:
            closes.pop(day, None)
        else:
            closes[day] = override.close_at
    days = tuple(sorted(closes))
    return replace(calendar, last=last, days=days, closes={day: closes[day] for day in days})


NEXT_SESSION_VENUES = frozenset({"XSHG", "XSHE"})
"""Venues where what was bought in a session is sold in the next one at the earliest (trading rules of the Shanghai and
Shenzhen exchanges: no sale before delivery, but for products of same-day turnover, which the desk does not take)."""
_WIDE_LIMIT_PREFIXES = ("688", "689", "300", "301")
"""Codes of the STAR market and of ChiNext, whose limit is twice that of the main boards."""


def day_limit_bp(venue: str, symbol: str) -> int | None:
    """How far a name may move from its last close in a session, basis points; None where its venue sets no limit.

    The trading rules of the Shanghai and Shenzhen exchanges: 10%, and 20% on the STAR market and ChiNext. What is
    on record of a single listing (`ListingFacts.limit_bp`: special treatment, first days) counts before this.
    """
    if venue not in NEXT_SESSION_VENUES:
        return None
    return 2_000 if symbol.startswith(_WIDE_LIMIT_PREFIXES) else 1_000


def limit_down_units(close_units: int, limit_bp: int) -> int:
    """The day's lowest price from the last close, both in 1e-4: rounded half up to the cent, as the exchanges do."""
    return round_half_up(close_units * (10_000 - limit_bp), 10_000 * 100) * 100


FX_MOVE_MAX_BP = 2_500
"""A rate that moved by a quarter since the last version is not believed: its version waits for a second person."""
FX_AGE_DAYS_MAX = 4
"""Calendar days after which a version of the rates is stale: a long weekend passes."""
_RATE_E8_MAX = 10**14


def read_rate(currency: str, base: str, rate: Decimal | str) -> int | FxFlaw:
    """A rate in 1e-8, or why it cannot be one."""
    if currency not in MINOR_DIGITS or base not in MINOR_DIGITS:
        return FxFlaw.UNKNOWN_CURRENCY
    if currency == base:
        return FxFlaw.BASE
    if isinstance(rate, str) and not _PLAIN_NUMBER.fullmatch(rate):
        return FxFlaw.UNREADABLE
    value = Decimal(rate)
    if not value.is_finite() or value <= 0:
        return FxFlaw.NOT_ABOVE_ZERO
    scaled = value.scaleb(8)
    if scaled != scaled.to_integral_value() or scaled > _RATE_E8_MAX:
        return FxFlaw.OUT_OF_RANGE
    return int(scaled)


def fx_moves(before: FxView | None, base: str, rates_e8: Mapping[str, int]) -> tuple[FxMove, ...]:
    """Each rate beside the last one, crossed through the last version's base if that was another."""
    moves = []
    for currency, rate in sorted(rates_e8.items()):
        last = 0 if before is None else before.rate_e8(base, currency)
        moves.append(FxMove(currency, last, rate, bool(last) and is_outside_band(rate, last, FX_MOVE_MAX_BP)))
    return tuple(moves)


def is_fx_stale(on: date, today: date) -> bool:
    """Whether a version of the rates is too old to lend or sell by."""
    return (today - on).days > FX_AGE_DAYS_MAX


HAIRCUT_FACTS = (
    "kind",
    "board",
    "has_risk_warning",
    "is_index_member",
    "is_pe_excluded",
    "limit_bp",
    "daily_volume",
    "shares_issued",
)
"""Facts of a listing that law, the house's table or the model read for a haircut: changing one takes two people."""


def facts_of(listing: ListingView) -> ListingDraft:
    """What is known of a listing as a record would hold it: an assumed volume is none."""
    return ListingDraft(
        effective_on=listing.effective_on or date.min,
        source=listing.source,
        kind=listing.kind,
        board=listing.board,
        has_risk_warning=listing.has_risk_warning,
        is_index_member=listing.is_index_member,
        is_pe_excluded=listing.is_pe_excluded,
        limit_bp=listing.limit_bp,
        daily_volume=None if listing.is_volume_assumed else listing.daily_volume,
        shares_issued=listing.shares_issued,
        issuer=listing.issuer,
    )


def moves_haircuts(before: ListingDraft, after: ListingDraft) -> bool:
    """Whether a change touches a fact that haircuts rest on."""
    return any(getattr(before, name) != getattr(after, name) for name in HAIRCUT_FACTS)
