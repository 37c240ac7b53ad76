"""One small pool of connections for a process that answers requests.

Under ASGI every request has a thread of its own. Django keeps a connection for each thread until it is collected, so
a busy console would hold dozens of idle ones; a pool hands the same few from request to request.
"""

from django.db import connections

CONNECTIONS_MIN = 1
CONNECTIONS_MAX = 12
WAIT_SECONDS_MAX = 10


def pool_connections() -> None:
    """From now on take the default database's connections from a pool. Call it once, before the first request."""
    connections.close_all()
    given = connections.settings["default"]
    given["CONN_MAX_AGE"] = 0
    given["OPTIONS"] = {
        **given.get("OPTIONS", {}),
        "pool": {"min_size": CONNECTIONS_MIN, "max_size": CONNECTIONS_MAX, "timeout": WAIT_SECONDS_MAX},
    }
