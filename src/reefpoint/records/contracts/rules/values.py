"""Terms as JSON values and back: dates as ISO text, nothing lost, nothing guessed."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """A dataclass as JSON values."""
    return cast(dict[str, Any], _plain(asdict(value)))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case date():
            return value.isoformat()
        case _:
            return value


def from_json(kind: type[T], values: Mapping[str, Any]) -> T:
    """The dataclass whose JSON values these are. Raises `KeyError`, `TypeError` or `ValueError` for others.

    A field with a default may be absent: values that were stored before there was the field keep their meaning.
    """
    hints = _hints(cast(Any, kind))
    return kind(
        **{
            field.name: _read(hints[field.name], values[field.name])
            for field in fields(cast(Any, kind))
            if field.default is MISSING or field.name in values
        }
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    if get_origin(kind) is UnionType:
        if value is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind):
        return from_json(cast(type, kind), value)
    if kind is datetime or kind is date:
        return kind.fromisoformat(value)
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of {kind}")
    return value
