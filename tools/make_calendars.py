"""Make the packaged session calendars from the installed exchange-calendars package.

    .venv/bin/python tools/make_calendars.py

To be run when the package is upgraded and a test says that it knows better by now.
"""

import sys
from pathlib import Path

from reefpoint.records.market.adapters.exchange_calendar import (
    PACKAGED,
    compute_calendar,
    packaged_name,
    write_calendar,
)

DATA = Path(__file__).resolve().parent.parent / "src/reefpoint/records/market/data"


def main() -> None:
    """Write one file a venue."""
    for venue in PACKAGED:
        calendar = compute_calendar(venue)
        (DATA / packaged_name(venue)).write_bytes(write_calendar(calendar))
        sys.stdout.write(f"{venue}: {len(calendar.days)} sessions, {calendar.first} to {calendar.last}\n")


if __name__ == "__main__":
    main()
