"""Validation of values that callers pass: times, names, text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime
from typing import Any

from rag.errors import InvalidValueError
from rag.valid_dates import EARLIEST_YEAR, LATEST_YEAR, is_valid_date


def validate_moment(value: Any, name: str) -> datetime | None:
    """Return a value as a datetime with a time zone; None stays None.

    Args:
        value: A datetime, UTC if naive; a date, for midnight UTC; or None.
        name: Its name in the error message.

    Raises:
        InvalidValueError: The value is neither a datetime nor a date.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise InvalidValueError(
        f"{name} is {_format_value(value)}, not a datetime or a date. "
        "Parse text with datetime.fromisoformat first."
    )


def validate_question_time(value: Any, name: str) -> datetime | None:
    """Return the time of a question or snapshot, as `validate_moment` does.

    Args:
        value: A datetime, UTC if naive; a date, for midnight UTC; or None.
        name: Its name in the error message.

    Raises:
        InvalidValueError: The value is not a time, or is outside the valid years.
    """
    found = validate_moment(value, name)
    if found is not None and not is_valid_date(found):
        raise InvalidValueError(
            f"{name} is {found.isoformat()}, outside the years {EARLIEST_YEAR} to {LATEST_YEAR}"
        )
    return found


def validate_names(value: Any, name: str) -> tuple[str, ...]:
    """Return a value as a tuple of distinct trimmed names, as `validate_strings` does."""
    if type(value) is tuple and not value:
        return value
    return tuple(dict.fromkeys(one.strip() for one in validate_strings(value, name)))


def validate_strings(value: Any, name: str) -> tuple[str, ...]:
    """Return a value as a tuple of strings.

    Args:
        value: A string, for a tuple of it, or an empty one if it is blank; an iterable of strings;
            a set, which is sorted; or None, for an empty tuple.
        name: Its name in the error message.

    Raises:
        InvalidValueError: The value is neither a string nor an iterable of strings.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidValueError(f"{name} is {_format_value(value)}, not a name or several names.")
    found = tuple(value)
    for one in found:
        if not isinstance(one, str):
            raise InvalidValueError(
                f"{name} has {_format_value(one)} in it, which is not a string."
            )
    return tuple(sorted(found)) if isinstance(value, Set) else found


def validate_text(value: Any, name: str) -> str:
    """Return a value that must be a string.

    Raises:
        InvalidValueError: The value is not a string.
    """
    if not isinstance(value, str):
        raise InvalidValueError(f"{name} is {_format_value(value)}, not a string.")
    return value


def _format_value(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
