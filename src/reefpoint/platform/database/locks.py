"""Locks by name, for work that only one transaction at a time may do."""

from django.db import connection


def lock_name(name: str) -> None:
    """Wait until no other transaction holds this name, and hold it until the caller's transaction ends."""
    assert connection.in_atomic_block, "a lock is held for the length of a transaction"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def share_name(name: str) -> None:
    """Like `lock_name`, but beside others who share it: it keeps out, and waits for, whoever locks the name alone."""
    assert connection.in_atomic_block, "a lock is held for the length of a transaction"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [name])
