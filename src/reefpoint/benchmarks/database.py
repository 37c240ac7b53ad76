"""A PostgreSQL to measure on: the one of the settings, or an embedded one that is removed afterwards."""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from reefpoint.platform.database.embedded import EmbeddedPostgres


@contextmanager
def database_at_hand() -> Iterator[None]:
    """Make the settings know a server, with keys of this process alone; models may be imported inside."""
    if "DATABASE_URL" in os.environ:
        _set_up()
        yield
        return
    with TemporaryDirectory(prefix="reefpoint-bench-") as home:
        Path(home).chmod(0o711)  # the account that runs PostgreSQL for root passes through
        server = EmbeddedPostgres(Path(home, "home"))
        try:
            os.environ["DATABASE_URL"] = server.start()
            _set_up()
            yield
        finally:
            server.remove()


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
    os.environ.setdefault("REEFPOINT_SECRET_KEY", "of a process that serves nothing")
    os.environ.setdefault("REEFPOINT_MASTER_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    import django  # noqa: PLC0415 - the settings must know the database first

    django.setup()
