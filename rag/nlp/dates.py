"""Format dates in words, independent of the locale."""

from __future__ import annotations

from datetime import date

# strftime's names would follow the program's locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, start=1)}
MONTH_ABBREVIATIONS = {name[:3]: number for name, number in MONTH_NUMBERS.items()} | {"sept": 9}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CALENDAR_WORDS = frozenset({*WEEKDAYS, *MONTH_NUMBERS})


def format_date(day: date) -> str:
    """Format a date, or the date of a time, as "24 October 2024"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
