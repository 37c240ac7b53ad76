"""What can be done to market records."""

from reefpoint.records.market.services.files import PriceFileRefused, import_price_file, parse_price_file
from reefpoint.records.market.services.instruments import (
    CalendarOverrideRefused,
    add_instruments,
    override_session,
    resume_instrument,
    suspend_instrument,
)
from reefpoint.records.market.services.prices import (
    BatchLabelRefused,
    PriceBatchConflict,
    SecondPersonNeeded,
    confirm_held_price,
    discard_held_price,
    record_prices,
)

__all__ = [
    "BatchLabelRefused",
    "CalendarOverrideRefused",
    "PriceBatchConflict",
    "PriceFileRefused",
    "SecondPersonNeeded",
    "add_instruments",
    "confirm_held_price",
    "discard_held_price",
    "import_price_file",
    "override_session",
    "parse_price_file",
    "record_prices",
    "resume_instrument",
    "suspend_instrument",
]
