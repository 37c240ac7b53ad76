"""Long work of monitoring, done by the worker; it may be run again after a kill."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reefpoint.decisions.monitoring.services.backtests import run_backtest


@app.task(name="monitoring.backtest", queue="monitoring", retry=RetryStrategy(max_attempts=5, wait=5))
def run_backtest_job(*, backtest_id: int) -> None:
    """Run a version of a rule over history."""
    run_backtest(backtest_id=backtest_id)
