"""Lossless conversion of value types to JSON-ready dicts and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from rag.errors import InvalidValueError


class Serializable:
    """Mixin for dataclasses that gives them `to_dict` and `from_dict`.

    The keys are the names of the fields. A tuple becomes a list, a nested value a dict, and a
    datetime a string in ISO 8601 with its own offset; midnight UTC is the day alone
    ("2024-10-24").
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the value as a dict of JSON's types.

        Returns:
            A dict that `json.dumps` takes, and from which `from_dict` makes an equal value.
        """
        return {name: _to_json(getattr(self, name)) for name in _hints(type(self))}  # type: ignore[arg-type]  # a class is hashable

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the value that `to_dict` converted to `data`.

        Args:
            data: The dict. Keys that are missing take the field's default; others are ignored, so
                that a newer version's dict can be read.

        Returns:
            The value.

        Raises:
            InvalidValueError: A key without a default is missing, or a value is of the wrong type;
                the message names it ("statements.0.text").
        """
        value: Self = _from_mapping(cls, data, cls.__name__)
        return value


@cache
def _hints(cls: Any) -> dict[str, Any]:
    """Return the type of each field of a dataclass, by name, in order."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


@cache
def _required_fields(cls: Any) -> frozenset[str]:
    return frozenset(
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    )


def _to_json(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_to_json(one) for one in value]
    if isinstance(value, datetime):
        text = value.isoformat()
        return text.removesuffix("T00:00:00+00:00")
    if isinstance(value, float):
        return float(value)  # numpy's, too
    return value


def _from_mapping(cls: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise InvalidValueError(f"{path} is {_format_value(data)}, not a dict.")
    hints = _hints(cls)
    if missing := _required_fields(cls) - data.keys():
        raise InvalidValueError(f"{path}.{min(missing)} is missing.")
    return cls(
        **{
            name: _from_json(hint, data[name], f"{path}.{name}")
            for name, hint in hints.items()
            if name in data
        }
    )


def _from_json(hint: Any, value: Any, path: str) -> Any:
    """Convert a JSON value to the type `hint`."""
    if get_origin(hint) in (Union, UnionType):
        if value is None and NoneType in get_args(hint):
            return None
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise InvalidValueError(f"{path} is {_format_value(value)}, not a list.")
        of_each = get_args(hint)[0]
        return tuple(_from_json(of_each, one, f"{path}.{i}") for i, one in enumerate(value))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            choices = ", ".join(map(repr, get_args(hint)))
            raise InvalidValueError(f"{path} is {_format_value(value)}. It may be {choices}.")
        return value
    if is_dataclass(hint):
        if not issubclass(hint, Serializable):  # type: ignore[arg-type]
            return hint.from_dict(value)  # type: ignore[union-attr]
        return _from_mapping(hint, value, path)
    return _PLAIN[hint](value, path)


def _of_type(kind: type, said: str) -> Callable[[Any, str], Any]:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InvalidValueError(f"{path} is {_format_value(value)}, not {said}.")
        return value

    return check


def _float(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise InvalidValueError(f"{path} is {_format_value(value)}, not a number.")
    return float(value)


def _datetime(value: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            f"{path} is {_format_value(value)}, not a date in ISO 8601."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_PLAIN: dict[Any, Callable[[Any, str], Any]] = {
    str: _of_type(str, "a string"),
    int: _of_type(int, "a whole number"),
    bool: _of_type(bool, "true or false"),
    float: _float,
    datetime: _datetime,
}


def _format_value(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
