"""How events become JSON and come back, and how often a failing delivery is tried."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

from reefpoint.platform.events.types import Event

ATTEMPTS_MAX = 8
"""After this many failed attempts a delivery is a dead letter and waits for a person."""

RETRY_DELAY_MAX = timedelta(minutes=5)


def retry_delay(attempts: int) -> timedelta:
    """How long a delivery rests after its n-th failed attempt: 1, 2, 4 ... seconds, at most five minutes."""
    return min(timedelta(seconds=2 ** (attempts - 1)), RETRY_DELAY_MAX)


def encode_event(event: Event) -> dict[str, object]:
    """An event's fields as JSON values; dates and instants as ISO text, decimals as text, tuples as lists."""
    kind = type(event)
    names = _FIELDS.get(kind) or _FIELDS.setdefault(kind, tuple(field.name for field in dataclasses.fields(kind)))
    return {name: _encode(getattr(event, name)) for name in names}


_FIELDS: dict[type[Event], tuple[str, ...]] = {}
"""The fields of each class of events, listed once: a storm of calls tells hundreds of thousands of one class."""


def _encode(value: object) -> object:
    if type(value) is int:  # most of what events tell: ids, by the hundred thousand
        return value
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case tuple():
            return [_encode(item) for item in value]
    raise TypeError(f"an event holds ids and primitives only, not {type(value).__name__}")


def decode_event(kind: type[Event], payload: Mapping[str, object]) -> Event:
    """The event that `encode_event` made this payload from, its types restored from the annotations.

    A field that the payload does not know (added since) takes its default.
    """
    hints = _HINTS.get(kind) or _HINTS.setdefault(kind, get_type_hints(kind))
    return kind(**{name: _restore(hints[name], value) for name, value in payload.items()})  # type: ignore[arg-type] # fields are known by name only


_HINTS: dict[type[Event], dict[str, object]] = {}
"""The annotations of each class of events, resolved once: a batch of the watch decodes thousands of one class."""

_FROM_TEXT: Mapping[object, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
}


def _restore(hint: object, value: object) -> object:
    if get_origin(hint) in (Union, UnionType) and value is not None:
        return _restore(next(option for option in get_args(hint) if option is not NoneType), value)
    if isinstance(value, list):
        return tuple(_restore(get_args(hint)[0], item) for item in value)
    if isinstance(value, str) and hint in _FROM_TEXT:
        return _FROM_TEXT[hint](value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
