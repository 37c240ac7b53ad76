"""Waits until the test run that started it has ended, in whatever way, and removes that run's PostgreSQL.

Its standard input is a pipe that only the run holds: the end of it is the end of the run.
"""

import shutil
import sys
from pathlib import Path

from reefpoint.platform.database.embedded import EmbeddedPostgres

home = Path(sys.argv[1])
sys.stdin.read()
EmbeddedPostgres(home).remove()
shutil.rmtree(home)
