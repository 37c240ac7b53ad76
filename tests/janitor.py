"""Waits until the test run that started it has ended, in whatever way, and removes every server of that run.

Its standard input is a pipe that only the run holds: the end of it is the end of the run.
"""

import shutil
import sys
from pathlib import Path

from reefpoint.platform.database.embedded import EmbeddedPostgres
from reefpoint.scale.server import NatsServer

folder = Path(sys.argv[1])
sys.stdin.read()
for record in folder.rglob("postgres.json"):
    EmbeddedPostgres(record.parent).remove()
for record in folder.rglob("nats.json"):
    NatsServer(record.parent).stop()
shutil.rmtree(folder)
