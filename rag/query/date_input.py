"""Parser for dates typed on a command line: ISO 8601 or words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rag.valid_dates import validate_date

_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_TIME_OF_DAY = re.compile(r"\d:\d|\b(?:hours?|minutes?|seconds?|now|noon|midnight)\b", re.I)


def parse_date_input(text: str, *, now: datetime | None = None) -> datetime:
    """Return the moment that a date names.

    Args:
        text: An ISO 8601 date or datetime, a year, a month, or words such as "last week".
        now: The moment from which relative dates are counted; the current time by default.

    Returns:
        An aware datetime in UTC; a day without a time is midnight UTC.

    Raises:
        ValueError: The text is not a date, is ambiguous, or is outside the years that an archive
            accepts. The message says what to write instead.
    """
    try:
        return validate_date(_moment(text, now)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is not a date: write 2024-10-24 or last week") from error


def _moment(text: str, now: datetime | None) -> datetime:
    iso = _iso_moment(text.strip())
    if iso is not None:
        return iso
    if re.fullmatch(r"[\d\s./-]*", text):
        # 10/11/2024 is in November or in October, depending on the country.
        raise ValueError(f"{text!r} is not a date for certain: write 2024-10-24 or 24 October 2024")
    import dateparser  # importing it takes 0.2 s, and only dates in words need it

    moment: datetime | None = dateparser.parse(
        text,
        languages=["en"],
        settings={
            "PREFER_DATES_FROM": "past",
            "PREFER_DAY_OF_MONTH": "first",
            "PREFER_MONTH_OF_YEAR": "first",
            "RELATIVE_BASE": (now or datetime.now().astimezone()).replace(tzinfo=None),
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    if moment is None:
        raise ValueError(f"{text!r} is not a date: write 2024-10-24, 24 October 2024 or last week")
    if _TIME_OF_DAY.search(text):
        return moment.astimezone(UTC)
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def _iso_moment(text: str) -> datetime | None:
    year_first = _YEAR_FIRST.fullmatch(text)
    try:
        if year_first:
            year, month, day = (int(part or 1) for part in year_first.groups())
            return datetime(year, month, day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
