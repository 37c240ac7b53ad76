"""Instruments, and the ones that come with the program."""

from datetime import date
from typing import Any

from django.db import connection

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.models import Instrument, ListingFacts
from reefpoint.records.market.types import (
    Board,
    InstrumentFacts,
    InstrumentKind,
    InstrumentView,
    ListingDraft,
    ListingRecord,
    ListingView,
)


class InstrumentNotFound(Refusal):
    """No instrument has this id or symbol."""

    code = "not_found"


def list_instruments() -> list[InstrumentView]:
    """All instruments, by id."""
    with connection.cursor() as cursor:  # with every price and every order: a third of the time of model instances
        cursor.execute(
            """
            SELECT id, symbol, name, name_zh, currency, venue, sector, lot_size, price_band_bp, assumed_daily_volume,
                   is_suspended, suspended_at, delisted_on
              FROM market_instrument ORDER BY id
            """
        )
        return [InstrumentView(*row) for row in cursor.fetchall()]


def get_instrument(instrument_id: int) -> InstrumentView:
    """One instrument. Raises `InstrumentNotFound`."""
    row = Instrument.objects.filter(id=instrument_id).first()
    if row is None:
        raise InstrumentNotFound("There is no instrument {instrument_id}.", instrument_id=instrument_id)
    return _view(row)


def find_instrument(symbol: str) -> InstrumentView:
    """One instrument by its symbol. Raises `InstrumentNotFound`."""
    row = Instrument.objects.filter(symbol=symbol).first()
    if row is None:
        raise InstrumentNotFound("There is no instrument {symbol}.", symbol=symbol)
    return _view(row)


def instrument_facts() -> dict[str, InstrumentFacts]:
    """What judging prices needs of every instrument, by symbol."""
    return {
        row.symbol: InstrumentFacts(row.pk, row.symbol, row.currency, row.venue, row.price_band_bp)
        for row in Instrument.objects.all()
    }


def _view(row: Instrument) -> InstrumentView:
    return InstrumentView(
        id=row.pk,
        symbol=row.symbol,
        name=row.name,
        name_zh=row.name_zh,
        currency=row.currency,
        venue=row.venue,
        sector=row.sector,
        lot_size=row.lot_size,
        price_band_bp=row.price_band_bp,
        assumed_daily_volume=row.assumed_daily_volume,
        is_suspended=row.is_suspended,
        suspended_at=row.suspended_at,
        delisted_on=row.delisted_on,
    )


_LISTINGS = """
SELECT i.id, i.symbol, i.venue, i.assumed_daily_volume, f.kind, f.board, f.has_risk_warning, f.is_index_member,
       f.is_pe_excluded, f.limit_bp, f.daily_volume, f.shares_issued, f.issuer, f.effective_on, f.source
  FROM market_instrument i
  LEFT JOIN LATERAL (
       SELECT * FROM market_listingfacts
        WHERE instrument_id = i.id AND effective_on <= %s
        ORDER BY effective_on DESC, id DESC LIMIT 1) f ON true
 ORDER BY i.id
"""


def list_listings(on: date) -> dict[int, ListingView]:
    """What is known of every listing on a day, by instrument id, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LISTINGS, [on])
        return {row[0]: _listing(row) for row in cursor.fetchall()}


def _listing(row: tuple[Any, ...]) -> ListingView:
    instrument_id, symbol, venue, assumed, kind, board, warning, member, excluded, limit, volume, issued, *rest = row
    issuer, effective_on, source = rest
    return ListingView(
        instrument_id=instrument_id,
        symbol=symbol,
        venue=venue,
        kind=InstrumentKind(kind or InstrumentKind.SHARE),
        board=Board(board or Board.MAIN),
        has_risk_warning=bool(warning),
        is_index_member=bool(member),
        is_pe_excluded=bool(excluded),
        limit_bp=limit,
        daily_volume=assumed if volume is None else volume,
        is_volume_assumed=volume is None,
        shares_issued=issued,
        issuer=issuer or "",
        effective_on=effective_on,
        source=source or "",
    )


def listing_history(instrument_id: int) -> list[ListingRecord]:
    """Every record of a listing, the latest day first, in one query."""
    rows = ListingFacts.objects.filter(instrument_id=instrument_id).order_by("-effective_on", "-id")
    return [
        ListingRecord(
            id=row.pk,
            facts=ListingDraft(
                effective_on=row.effective_on,
                source=row.source,
                kind=InstrumentKind(row.kind),
                board=Board(row.board),
                has_risk_warning=row.has_risk_warning,
                is_index_member=row.is_index_member,
                is_pe_excluded=row.is_pe_excluded,
                limit_bp=row.limit_bp,
                daily_volume=row.daily_volume,
                shares_issued=row.shares_issued,
                issuer=row.issuer,
            ),
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
            checked_by=row.checked_by,
            approval_id=row.approval_id,
        )
        for row in rows
    ]
