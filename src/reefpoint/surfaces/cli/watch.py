"""`reefpoint watch`: the margin monitor."""

import signal
import threading

import typer

from reefpoint.surfaces.cli.desk import open_desk


def watch() -> None:
    """Watch the margin of every account, on every price, until Ctrl-C.

    It holds the book in memory and writes bands, calls and breaches as they happen. One that is killed loses nothing:
    the next reads the book and goes on. A second one beside it waits in reserve.
    """
    open_desk()

    from reefpoint.decisions.margin.services.monitor import run_monitor

    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    typer.echo("Watching the book (Ctrl-C stops it)")
    run_monitor(stop)
