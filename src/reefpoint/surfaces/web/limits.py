"""How often somebody may do something, counted over all processes."""

import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def this_window(seconds: int) -> int:
    """The number of the current window of so many seconds, by the real clock."""
    return int(time.time() // seconds)


def is_within(what: str, *, at_most: int, seconds: int) -> bool:
    """Count one more of `what` (say `enquiry:203.0.113.7`) in this window; False when it is one too many."""
    key = f"limit:{what}:{this_window(seconds)}"
    cache.add(key, 0, timeout=2 * seconds)
    try:
        return cache.incr(key) <= at_most
    except ValueError:  # swept between the two calls
        return True


def address_of(request: HttpRequest) -> str:
    """The network address of whoever asks, past as many proxies as the settings trust."""
    address: str = get_adapter(request).get_client_ip(request)
    return address
