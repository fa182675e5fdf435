"""Dates in words."""

from __future__ import annotations

from datetime import date

# strftime's names would follow the program's locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def format_date(day: date) -> str:
    """Format a date, or the date of a time, as "24 October 2024"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
