"""`reefpoint serve`: the console."""

import socket
from typing import Annotated

import typer

from reefpoint.surfaces.cli.desk import open_desk

SHUTDOWN_SECONDS_MAX = 3


def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 also needs REEFPOINT_HOSTS.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The wanted port. When it is taken, a free one is used and printed.")
    ] = 8000,
) -> None:
    """Serve the console until Ctrl-C. Events and jobs are handled by `reefpoint work`.

    Example: reefpoint serve --port 8080
    """
    open_desk()

    import uvicorn

    from reefpoint.platform.database.pooling import pool_connections

    pool_connections()
    listener = listen(host, port)
    typer.echo(f"Reefpoint is at {address_of(listener)} (Ctrl-C stops it)")
    config = uvicorn.Config(
        "reefpoint.config.asgi:application", log_level="warning", timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX
    )
    uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to `port`, or to a free port when something else holds it."""
    try:
        return socket.create_server((host, port))
    except OSError:
        return socket.create_server((host, 0))


def address_of(listener: socket.socket) -> str:
    """What to type into a browser. Passkeys need a name, so this machine is called `localhost`."""
    host, port = listener.getsockname()[:2]
    return f"http://{'localhost' if host in {'127.0.0.1', '0.0.0.0'} else host}:{port}/"  # noqa: S104 - a name for it
