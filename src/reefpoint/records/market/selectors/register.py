"""What was on record of an instrument, and when it was not traded."""

from datetime import UTC, date, datetime, time, timedelta

from reefpoint.records.market.models import InstrumentRecord, TradingHalt
from reefpoint.records.market.types import InstrumentEntry, InstrumentTerms, Stretch


def instrument_history(instrument_id: int) -> list[InstrumentEntry]:
    """Every record of an instrument, the newest first, in one query."""
    rows = InstrumentRecord.objects.filter(instrument_id=instrument_id).order_by("-id")
    return [
        InstrumentEntry(
            id=row.pk,
            at=row.at,
            terms=InstrumentTerms(
                row.name, row.name_zh, row.sector, row.lot_size, row.price_band_bp, row.assumed_daily_volume
            ),
            delisted_on=row.delisted_on,
            reason=row.reason,
            recorded_by=row.recorded_by,
            checked_by=row.checked_by,
            approval_id=row.approval_id,
        )
        for row in rows
    ]


def trading_history(instrument_id: int) -> list[Stretch]:
    """Every stretch without trading, the newest first, in one query."""
    stretches: list[Stretch] = []
    for row in TradingHalt.objects.filter(instrument_id=instrument_id).order_by("at", "id"):
        if row.is_suspended:
            stretches.append(Stretch(row.at, None, row.reason, row.recorded_by, "", ""))
        elif stretches and stretches[-1].until is None:
            last = stretches[-1]
            stretches[-1] = Stretch(last.since, row.at, last.reason, last.recorded_by, row.reason, row.recorded_by)
    return stretches[::-1]


def entry_on(history: list[InstrumentEntry], on: date) -> InstrumentEntry | None:
    """What was on record at the end of a day (UTC); None for a day before the desk's first record."""
    end = datetime.combine(on + timedelta(days=1), time(), UTC)
    return next((one for one in history if one.at < end), None)


def was_suspended(stretches: list[Stretch], on: date) -> bool:
    """Whether a name was not traded at the end of a day (UTC)."""
    end = datetime.combine(on + timedelta(days=1), time(), UTC)
    return any(one.since < end and (one.until is None or one.until >= end) for one in stretches)
