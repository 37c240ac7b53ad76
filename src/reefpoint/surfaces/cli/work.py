"""`reefpoint work`: events are handled, jobs are run."""

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from reefpoint.surfaces.cli.desk import open_desk

if TYPE_CHECKING:
    from procrastinate import App, JobContext
    from procrastinate.worker import Worker

RETRY_SECONDS = 0.5
HEARTBEAT_SECONDS = 1
STALLED_SECONDS = 4
"""After so long without a heartbeat a worker is taken for dead and its jobs for free. Jobs bear to be run twice."""


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
    import psycopg
    from procrastinate.contrib.django.django_connector import DjangoConnector
    from procrastinate.exceptions import ConnectorException

    assert isinstance(app.connector, DjangoConnector)
    while True:
        try:
            with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
                async with worker_app.open_async():
                    rescue = asyncio.create_task(_rescue_jobs(worker_app))
                    try:
                        await worker_app.run_worker_async(
                            install_signal_handlers=False,
                            fetch_job_polling_interval=HEARTBEAT_SECONDS,
                            update_heartbeat_interval=HEARTBEAT_SECONDS,
                            stalled_worker_timeout=STALLED_SECONDS,
                            delete_jobs="successful",
                            task_middleware=[_with_a_living_connection],
                        )
                    finally:
                        rescue.cancel()
        except (ConnectorException, psycopg.Error) as problem:
            typer.secho(f"The database does not answer ({problem}); trying again.", err=True, fg="yellow")
        await asyncio.sleep(RETRY_SECONDS)


async def _rescue_jobs(app: "App") -> None:
    """Let jobs wait anew that a dead worker had in hand: killed, or cut off from the database."""
    from procrastinate.exceptions import ConnectorException

    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                typer.echo(f"Taking up job {job.id} ({job.task_name}) of a dead worker")
                await app.job_manager.retry_job(job)
        except ConnectorException as problem:  # away, or another worker was quicker
            typer.secho(f"Looking for jobs of dead workers failed ({problem})", err=True, fg="yellow")
        await asyncio.sleep(HEARTBEAT_SECONDS)


def _with_a_living_connection(call_next: Callable[[], object], context: "JobContext", worker: "Worker") -> object:
    """Run a job, with a new database connection if the last one broke; what a request does in a web server."""
    from django.db import close_old_connections

    close_old_connections()
    try:
        return call_next()
    finally:
        close_old_connections()
