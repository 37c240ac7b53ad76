"""The instant at which a person acts in the console."""

from datetime import datetime

from django.utils import timezone


def desk_now() -> datetime:
    """Now, as the desk counts it."""
    return timezone.now()
