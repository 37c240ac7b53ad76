"""Jobs of the desk's day. Each makes one service call."""

from datetime import date, datetime

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reefpoint.flows.operations.services.day_run import run_day


@app.task(name="operations.run_day", queue="day", lock="day-run", retry=RetryStrategy(max_attempts=20, wait=1))
def run_day_job(*, on: str, at: str) -> None:
    """End a business day. `on` is its date, `at` the instant it ends at, both ISO 8601."""
    run_day(on=date.fromisoformat(on), at=datetime.fromisoformat(at))
