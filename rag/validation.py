"""Checks of the values that callers construct: moments, names, text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime
from typing import Any

from rag.errors import InvalidValueError
from rag.valid_dates import EARLIEST_YEAR, LATEST_YEAR, is_valid_date


def validate_moment(value: Any, name: str) -> datetime | None:
    """Return `value` as an aware datetime; None stays None.

    A naive datetime is UTC, and a date is its midnight in UTC.

    Raises:
        InvalidValueError: `value` is neither a datetime nor a date. `name` says which value it is.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise InvalidValueError(
        f"{name} is {_shown(value)}, not a datetime or a date. "
        "Parse text with datetime.fromisoformat first."
    )


def validate_question_time(value: Any, name: str) -> datetime | None:
    """Return the moment at which, or as of which, a question is asked: see `moment`.

    Raises:
        InvalidValueError: `value` is no moment, or outside the years that an archive holds.
    """
    found = validate_moment(value, name)
    if found is not None and not is_valid_date(found):
        raise InvalidValueError(
            f"{name} is {found.isoformat()}, outside the years {EARLIEST_YEAR} to {LATEST_YEAR}"
        )
    return found


def validate_names(value: Any, name: str) -> tuple[str, ...]:
    """Return `value` as a tuple of names without space around them, each once: see `strings`."""
    if type(value) is tuple and not value:
        return value
    return tuple(dict.fromkeys(one.strip() for one in validate_strings(value, name)))


def validate_strings(value: Any, name: str) -> tuple[str, ...]:
    """Return `value` as a tuple of strings, in order.

    One string is a tuple of it (an empty one if it is blank), None is none, and a set is sorted.

    Raises:
        InvalidValueError: `value` is neither a string nor an iterable of strings.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidValueError(f"{name} is {_shown(value)}, not a name or several names.")
    found = tuple(value)
    for one in found:
        if not isinstance(one, str):
            raise InvalidValueError(f"{name} has {_shown(one)} in it, which is not a string.")
    return tuple(sorted(found)) if isinstance(value, Set) else found


def validate_text(value: Any, name: str) -> str:
    """Return `value`, a string.

    Raises:
        InvalidValueError: `value` is not a string.
    """
    if not isinstance(value, str):
        raise InvalidValueError(f"{name} is {_shown(value)}, not a string.")
    return value


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
