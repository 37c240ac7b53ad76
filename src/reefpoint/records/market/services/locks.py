"""The one lock of the market records."""

from django.db import connection


def lock_market() -> None:
    """Let one transaction at a time write prices and suspensions.

    So nothing is recorded between a batch's judgement and its rows, and the events of the stream `market` are in the
    order of what they tell.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('market'))")
