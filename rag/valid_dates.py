"""Range of valid dates: the one check for every date that enters an archive or a question."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

# Newspapers begin in 1605. The range stays centuries within Python's limits (1 and 9999), so that
# time zone conversions and date arithmetic can't overflow.
EARLIEST_YEAR, LATEST_YEAR = 1400, 2999
FIRST_DAY = date(EARLIEST_YEAR, 1, 1)
LAST_DAY = date(LATEST_YEAR, 12, 31)


def is_valid_date(moment: datetime) -> bool:
    """Return True if a time is in the years 1400 to 2999 in UTC; naive ones count as UTC."""
    try:
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except (OverflowError, ValueError):
        return False
    return EARLIEST_YEAR <= in_utc.year <= LATEST_YEAR


def validate_date(moment: datetime, name: str = "date") -> datetime:
    """Return a time with its time zone, or UTC if it has none.

    Args:
        moment: The time to check.
        name: Its name in the error message.

    Raises:
        ValueError: It is outside the range of `is_valid_date`.
    """
    if not is_valid_date(moment):
        raise ValueError(
            f"{name} {moment.isoformat()}: outside the years {EARLIEST_YEAR} to {LATEST_YEAR}"
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_stored_date(text: str | None) -> datetime | None:
    """Return the time of a stored ISO 8601 text; None if it is missing or invalid."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment and is_valid_date(moment) else None


def clamp_day(day: date) -> date:
    """Return a date, moved into the valid range if necessary."""
    return min(max(day, FIRST_DAY), LAST_DAY)


def shift(moment: datetime, by: timedelta) -> datetime:
    """Return a time moved by a time span, at most to the end of the valid range.

    Args:
        moment: A time with a time zone.
        by: The time span.
    """
    first = datetime.combine(FIRST_DAY, time.min, UTC)
    last = datetime.combine(LAST_DAY, time.max, UTC)
    try:
        return min(max(moment + by, first), last)
    except OverflowError:
        return last if by > timedelta() else first
