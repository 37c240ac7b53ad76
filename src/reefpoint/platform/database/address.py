"""Database addresses, as people and Django write them."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def django_database(url: str) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name`; a `host` query names a socket folder."""
    parts = urlsplit(url)
    socket_folder = parse_qs(parts.query).get("host", [""])[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": socket_folder or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
    }
