"""Conversion of matched time expressions to day ranges.

Each function returns the days `start <= d < end` of a match, relative to the day of asking, or None
if the match is not a valid time.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from rag.nlp.dates import MONTH_ABBREVIATIONS
from rag.valid_dates import FIRST_DAY, LAST_DAY

DAY = timedelta(days=1)
# Length of soft ranges such as "recently", in days before the day of asking.
NOW_DAYS, RECENT_DAYS, MONTHS_DAYS = 7, 30, 180

_WEEKDAYS = "mon tue wed thu fri sat sun".split()
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
FEASTS = {
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "boxing day": (12, 26),
    "new year's eve": (12, 31),
    "new year’s eve": (12, 31),
    "new year's day": (1, 1),
    "new year’s day": (1, 1),
    "valentine's day": (2, 14),
    "valentine’s day": (2, 14),
    "halloween": (10, 31),
    "the fourth of july": (7, 4),
}


@dataclass(frozen=True, slots=True)
class ReferenceDate:
    """Day of asking, and whether the question is about the future ("will", "upcoming")."""

    day: date
    ahead: bool = False

    def latest(self, month: int, day: int = 1) -> date:
        """Return the latest such day that has begun; the next one if `ahead` is set."""
        for year in range(self.day.year + (1 if self.ahead else 0), self.day.year - 9, -1):
            if day > monthrange(year, month)[1]:
                continue
            found = date(year, month, day)
            if self.ahead and date(year - 1, month, min(day, 28)) >= self.day:
                continue
            if self.ahead or found <= self.day:
                return found
        return self.day


Read = Callable[[re.Match[str], ReferenceDate], "tuple[date, date] | None"]


def month_end(start: date, months: int = 1) -> date:
    """Return the first day of the month that is `months` months after that of `start`."""
    count = start.year * 12 + start.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def months_back(day: date, months: int) -> date:
    """Return the same day `months` months earlier, or the month's last day if it is shorter."""
    first = month_end(day, -months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


def year_of_month(day: date, year: int) -> date:
    """Return the same day of another year; 28 February for 29 February in a common year."""
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def _month(name: str) -> int:
    return MONTH_ABBREVIATIONS[name[:3].lower()]


def _nth(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def parse_number(text: str) -> int:
    """Return the number that digits or a word express ("3", "three", "a")."""
    text = text.lower()
    if text.isdigit():
        return int(text)
    return 1 if text in ("a", "an") else NUMBERS.index(text)


def _make_date(year: str | None, month: int, day: int, asking: ReferenceDate) -> date | None:
    if day < 1:
        return None
    if not year:
        return asking.latest(month, day)
    return date(int(year), month, day) if day <= monthrange(int(year), month)[1] else None


def resolve_day(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a day: "5 May 2023", "5 May", "5 May last year"."""
    found = _make_date(m["year"], _month(m["month"]), _nth(m["day"]), asking)
    if found is not None and (relative := m.groupdict().get("relative")):
        year = asking.day.year - (relative.lower() == "last")
        found = date(year, found.month, min(found.day, 28) if found.month == 2 else found.day)
    return (found, found + DAY) if found else None


def resolve_days(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of days within a month: "5-7 May"."""
    month = _month(m["month"])
    last = _make_date(m["year"], month, _nth(m["last"]), asking)
    first = _nth(m["first"])
    if last is None or not 0 < first <= last.day:
        return None
    return last.replace(day=first), last + DAY


def resolve_months(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range from one month to another: "March to May 2023"."""
    last = _make_date(m["year"], _month(m["to"]), 1, asking)
    first = _month(m["from"])
    if last is None:
        return None
    return date(last.year - (first > last.month), first, 1), month_end(last)


def resolve_month(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a month or part of one: "May 2023", "early May"."""
    month, groups = _month(m["month"]), m.groupdict()
    if groups.get("relative"):
        first = date(asking.day.year - (m["relative"].lower() == "last"), month, 1)
    else:
        first = _make_date(m["year"], month, 1, asking) or asking.day
    return _resolve_part(groups.get("part"), first, month_end(first))


def resolve_year(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a year or part of one: "2023", "last year", "late 2023"."""
    text = m["year"].lower()
    years = {"last year": asking.day.year - 1, "the year": asking.day.year}
    year = int(text) if text.isdigit() else years.get(text, asking.day.year)
    return _resolve_part(m.groupdict().get("part"), date(year, 1, 1), date(year + 1, 1, 1))


def resolve_years(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range from one year to another: "2020-2022"."""
    first, last = int(m["from"]), int(m["to"])
    return (date(first, 1, 1), date(last + 1, 1, 1)) if first < last else None


def _resolve_part(part: str | None, start: date, end: date) -> tuple[date, date]:
    """Return a range's early, middle or late third; of a month days 1-10, 11-20 or the rest."""
    if not part:
        return start, end
    third = 0 if re.search("early|start|beginning", part, re.I) else 1
    third = 2 if re.search("late|end", part, re.I) else third
    if end - start > timedelta(days=31):
        cuts = [month_end(start, n) for n in (0, 4, 8, 12)]
    else:
        cuts = [start, start.replace(day=11), start.replace(day=21), end]
    return cuts[third], cuts[third + 1]


def resolve_range(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the days of a half, quarter or numbered week: "the second half of 2022"."""
    words = re.sub(r"\s+", " ", m["which"].lower())
    ordinal = next(
        (n for n, w in enumerate(("first", "second", "third", "fourth")) if w in words), 0
    )
    if words[0] == "q":
        ordinal = int(words[1]) - 1
    if "week" in words:
        start = _make_date(m["year"], _month(m["month"]), 1, asking) if m["month"] else None
        if start is None:
            return None
        end = month_end(start)
        first = end - 7 * DAY if "last" in words else start + ordinal * 7 * DAY
        return first, min(first + 7 * DAY, end)
    if m["month"]:
        return None
    length = 6 if "half" in words else 3
    ordinal = 12 // length - 1 if "last" in words else ordinal
    year = int(m["year"]) if m["year"] else asking.latest(ordinal * length + 1).year
    start = date(year, ordinal * length + 1, 1)
    return start, month_end(start, length)


def resolve_season(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a season, three whole months: "last summer"."""
    month, which = _SEASONS[m["season"].lower()], (m["which"] or "").lower()
    if m["year"]:
        start = date(int(m["year"]), month, 1)
    elif which == "this":
        start = date(asking.day.year, month, 1)
    else:
        start = asking.latest(month)
        if which in ("last", "past") and month_end(start, 3) > asking.day:
            start = start.replace(year=start.year - 1)
    return start, month_end(start, 3)


def resolve_holiday(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a holiday: "Christmas Day 2023"."""
    found = _make_date(m["year"], *FEASTS[m["feast"].lower()], asking)
    return (found, found + DAY) if found else None


def resolve_numeric(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a numeric date: "10/24/2024"."""
    year, month, day = int(m["year"]), int(m["b"]), int(m["a"])
    if m["a"] != m["b"] and month <= 12 and day <= 12:
        month, day = day, month  # month first if ambiguous, as dateparser does
    elif month > 12:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    return date(year, month, day), date(year, month, day) + DAY


def resolve_iso(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of an ISO 8601 date; None outside the accepted years."""
    try:
        found = date.fromisoformat(m[0])
    except ValueError:
        return None
    return (found, found + DAY) if FIRST_DAY <= found <= LAST_DAY else None


def resolve_weekday(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a weekday: "Monday", "last Friday", "Tuesday last week"."""
    which = " ".join(filter(None, (m["which"], m["week"]))).lower()
    monday = asking.day - asking.day.weekday() * DAY
    target = _WEEKDAYS.index(m["weekday"][:3].lower())
    if "week" in which:
        found = monday + (target - 7 * ("last" in which)) * DAY
    else:
        back = (asking.day.weekday() - target) % 7
        found = asking.day - (back or (7 if which == "last" else 0)) * DAY
        if which in ("next", "coming") or (asking.ahead and not which):
            found += 7 * DAY
    return found, found + DAY


def resolve_ago(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a time ago: "three days ago", "two weeks ago"."""
    count, unit, day = parse_number(m["count"]), m["unit"].lower(), asking.day
    if unit == "day":
        return day - count * DAY, day - (count - 1) * DAY
    if unit == "week":
        found = day - 7 * count * DAY
        start = found - found.weekday() * DAY
        whole = (start, start + 7 * DAY)
    elif unit == "month":
        found = months_back(day, count)
        whole = (found.replace(day=1), month_end(found))
    else:
        found = months_back(day, 12 * count)
        whole = (date(found.year, 1, 1), date(found.year + 1, 1, 1))
    return (found, found + DAY) if m["exact"] else whole


def resolve_past(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range from a time ago up to the day of asking: "past three weeks"."""
    count, unit = parse_number(m["count"] or "a"), m["unit"].lower()
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}.get(unit)
    if months:
        start = months_back(asking.day, min(count * months, 12 * (asking.day.year - 1)))
    else:
        days = {
            "hour": math.ceil(count / 24),
            "day": count,
            "week": 7 * count,
            "fortnight": 14 * count,
        }[unit]
        start = asking.day - days * DAY
    return start, asking.day + DAY


def resolve_calendar_period(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the days of the current ("this") or previous ("last") week, month, quarter or year."""
    back, unit, day = int(m["which"].lower() in ("last", "previous")), m["unit"].lower(), asking.day
    if unit in ("week", "weekend"):
        monday = day - (day.weekday() + 7 * back) * DAY
        return monday + 5 * DAY * (unit == "weekend"), monday + 7 * DAY
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(day.year, (day.month - 1) // length * length + 1, 1)
    start = month_end(first, -length * back)
    return start, month_end(start, length)


def resolve_weekend(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of the latest weekend that has begun."""
    monday = asking.day - asking.day.weekday() * DAY
    begun = 0 if asking.day.weekday() > 4 else 7
    return monday + (5 - begun) * DAY, monday + (7 - begun) * DAY


def resolve_week_of(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of the week, from Monday, that contains a day."""
    found = resolve_day(m, asking)
    if found is None:
        return None
    monday = found[0] - found[0].weekday() * DAY
    return monday, monday + 7 * DAY


def resolve_decade(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a decade: "the 1990s", "the 90s"."""
    year = int(m["year"]) if m["year"] else 1900 + int(m["short"])
    return date(year, 1, 1), date(year + 10, 1, 1)


def shift_back(days: int) -> Read:
    """Return a resolver of the last `days` days, including the day of asking."""
    return lambda m, asking: (asking.day - days * DAY, asking.day + DAY)


def resolve_few(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return the range of a vague time: "the last few days", "recent weeks"."""
    days = {"day": NOW_DAYS, "week": RECENT_DAYS, "month": MONTHS_DAYS}.get(m["unit"].lower())
    return shift_back(days)(m, asking) if days else None


def days_from(first: int, last: int) -> Read:
    """Return a resolver of days counted from the day of asking, `last` exclusive."""
    return lambda m, asking: (asking.day + first * DAY, asking.day + last * DAY)


def resolve_none(m: re.Match[str], asking: ReferenceDate) -> tuple[date, date] | None:
    """Return None, for expressions that are recognised but limit nothing."""
    return None
