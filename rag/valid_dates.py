"""Which moments are dates: the one check for every date that enters an archive or a question."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

# Newspapers begin in 1605, and broadsides a century earlier. At both ends there are centuries
# between these years and Python's own limits (1 and 9999), so that a conversion to any zone, and
# the arithmetic of "999 weeks ago", stay within them.
EARLIEST_YEAR, LATEST_YEAR = 1400, 2999
FIRST_DAY = date(EARLIEST_YEAR, 1, 1)
LAST_DAY = date(LATEST_YEAR, 12, 31)


def is_valid_date(moment: datetime) -> bool:
    """Return whether `moment` is a date in every time zone: one of the years 1400 to 2999 in UTC.

    A naive moment counts as UTC.
    """
    try:
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except (OverflowError, ValueError):
        return False
    return EARLIEST_YEAR <= in_utc.year <= LATEST_YEAR


def validate_date(moment: datetime, name: str = "date") -> datetime:
    """Return `moment` as an aware datetime, UTC where it names no zone.

    Args:
        moment: The moment to check.
        name: What it is called in the error message.

    Raises:
        ValueError: It lies outside the years that `valid_moment` accepts.
    """
    if not is_valid_date(moment):
        raise ValueError(
            f"{name} {moment.isoformat()}: outside the years {EARLIEST_YEAR} to {LATEST_YEAR}"
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_stored_date(text: str | None) -> datetime | None:
    """Return the moment of a stored ISO 8601 text; None where it is none or not a valid one."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment and is_valid_date(moment) else None


def clamp_day(day: date) -> date:
    """Return `day`, or the first or last day that an archive accepts where it lies outside."""
    return min(max(day, FIRST_DAY), LAST_DAY)


def shift(moment: datetime, by: timedelta) -> datetime:
    """Return an aware `moment` moved by a time span, at most to the first or last valid one."""
    first = datetime.combine(FIRST_DAY, time.min, UTC)
    last = datetime.combine(LAST_DAY, time.max, UTC)
    try:
        return min(max(moment + by, first), last)
    except OverflowError:
        return last if by > timedelta() else first
