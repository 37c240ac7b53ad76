"""A console that answers many requests holds few connections."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import threading
import django
django.setup()
from django.db import connection
from reefpoint.platform.database.pooling import CONNECTIONS_MAX, pool_connections
pool_connections()
seen = set()

def answer():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        seen.add(cursor.fetchone()[0])
    connection.close()

for _ in range(5):
    threads = [threading.Thread(target=answer) for _ in range(20)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
connection.close_pool()
print(len(seen) <= CONNECTIONS_MAX and len(seen) > 0)
"""


@pytest.mark.django_db
def test_a_hundred_threads_share_a_dozen_connections(postgres_url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": postgres_url, "DJANGO_SETTINGS_MODULE": "reefpoint.config.settings"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.strip() == "True", ran.stderr
