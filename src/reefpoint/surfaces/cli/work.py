"""`reefpoint work`: events are handled, jobs are run."""

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

import typer

from reefpoint.surfaces.cli.desk import open_desk

if TYPE_CHECKING:
    from procrastinate import App

RETRY_SECONDS = 2


def work() -> None:
    """Handle stored events and run jobs and schedules until Ctrl-C.

    Any number of these may run beside each other. One that is killed loses nothing: what it had not finished waits
    in the database for the next.
    """
    open_desk()

    from procrastinate.contrib.django import procrastinate_app

    typer.echo("Working: events and jobs are handled as they come (Ctrl-C stops it)")
    asyncio.run(_work_until_signal(procrastinate_app.current_app))


async def _work_until_signal(app: "App") -> None:
    from reefpoint.platform.events.services import run_dispatcher

    stop = threading.Event()
    jobs = asyncio.create_task(_run_jobs(app))

    def end() -> None:
        stop.set()
        jobs.cancel()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, end)
    try:
        await asyncio.to_thread(run_dispatcher, "worker", stop)
    finally:
        end()
        await asyncio.gather(jobs, return_exceptions=True)


async def _run_jobs(app: "App") -> None:
    """Run the job worker for ever; a lost database is waited for."""
    from procrastinate.contrib.django.django_connector import DjangoConnector
    from procrastinate.exceptions import ConnectorException

    assert isinstance(app.connector, DjangoConnector)
    while True:
        try:
            with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
                async with worker_app.open_async():
                    await worker_app.run_worker_async(install_signal_handlers=False)
        except ConnectorException as problem:
            typer.secho(f"The database does not answer ({problem}); trying again.", err=True, fg="yellow")
            await asyncio.sleep(RETRY_SECONDS)
