"""Long work of screening, done by the worker. Each makes one service call and may be run again after a kill."""

from datetime import datetime

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reefpoint.decisions.screening.services.clients import rescreen_all
from reefpoint.decisions.screening.services.lists import load_received
from reefpoint.platform.basics.actors import system_actor

SCREENING = system_actor("screening")


@app.task(name="screening.load_list", queue="screening", lock="screening", retry=RetryStrategy(max_attempts=5, wait=5))
def load_list_job(*, version_id: int, at: str) -> None:
    """Read a received list. `at` is ISO 8601."""
    load_received(actor=SCREENING, version_id=version_id, at=datetime.fromisoformat(at))


@app.task(name="screening.rescreen", queue="screening", lock="screening", retry=RetryStrategy(max_attempts=5, wait=5))
def rescreen_job(*, version_id: int, at: str) -> None:
    """Hold all clients against what a version changed. `at` is ISO 8601."""
    rescreen_all(actor=SCREENING, version_id=version_id, at=datetime.fromisoformat(at))
