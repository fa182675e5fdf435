"""Days as a reader is told them."""

from __future__ import annotations

from datetime import date

# Not strftime's names: they follow the locale that a program may have set.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def format_date(day: date) -> str:
    """Return a day, or a moment's, as "24 October 2024"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
