"""Grammar of time expressions ("last week", "5 May", "in the spring of 2023") as day ranges."""

# ruff: noqa: E501 - a pattern a line

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from rag.query.time_ranges import (
    FEASTS,
    NOW_DAYS,
    NUMBERS,
    RECENT_DAYS,
    Read,
    ReferenceDate,
    days_from,
    resolve_ago,
    resolve_calendar_period,
    resolve_day,
    resolve_days,
    resolve_decade,
    resolve_few,
    resolve_holiday,
    resolve_iso,
    resolve_month,
    resolve_months,
    resolve_numeric,
    resolve_past,
    resolve_range,
    resolve_season,
    resolve_week_of,
    resolve_weekday,
    resolve_weekend,
    resolve_year,
    resolve_years,
    shift_back,
)

MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)(?![a-z])"
)
WEEKDAY = (
    r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
    r"|(?-i:Mon|Tues?|Wed|Thurs?|Fri)(?![a-z]))"
)
YEAR = r"(?:1[5-9]|20)\d\d(?!\d|[.,:]\d|-\d\d\b)"
NTH = r"(?:[12]?\d|3[01])(?:st|nd|rd|th)?"
NUMBER = rf"(?:\d{{1,3}}|an?|{'|'.join(NUMBERS[1:])})"
_FEW = r"(?:a few|few|couple of|a couple of|several)"
_PART = r"(?:(?:early |late )?(?:morning|afternoon|evening|night)s?)"


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """Time expression in a text: its day range `start <= d < end`, its `words` and their `span`.

    A `bare` expression counts only after a preposition.
    """

    start: date
    end: date
    span: tuple[int, int]
    words: str
    hard: bool = True
    bare: bool = False
    grain: str = "day"


_OPTIONAL_YEAR = rf"(?:(?:,? of|,)? ?(?P<year>{YEAR}))?"
_DAY_FIRST = rf"(?:the )?(?P<day>{NTH}) (?:of )?(?P<month>{MONTH}){_OPTIONAL_YEAR}"
_MONTH_FIRST = rf"(?P<month>{MONTH}) (?:the )?(?P<day>{NTH})(?![\d:]|,\d){_OPTIONAL_YEAR}"
_RELATIVE = r"(?:,? (?:of )?(?P<relative>last|this) year)?"
_LEAD = rf"(?:(?:the )?{_PART} of )?(?:{WEEKDAY}(?: {_PART})?,? (?:the )?)?"
_EDGE = (
    r"(?P<part>early(?: in)? |mid[- ]|late(?: in)? |(?:the )?(?:start|beginning|middle|end) of )"
)
_RANGE = r" ?(?:-|–|to|and|until|till|through) ?"
_PAST = r"(?:(?:in|over|during|within|for) )?(?:the|these) (?:last|past|previous)"

# In order of precedence: a later pattern doesn't see the words that an earlier one matched.
_PATTERNS: list[tuple[str, Read, str]] = [
    (r"\d{4}-\d\d-\d\d\b", resolve_iso, "hard"),
    (
        r"(?<!\d)(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<year>(?:19|20)\d\d)\b",
        resolve_numeric,
        "hard",
    ),
    (rf"(?:the )?week (?:of|beginning) {_DAY_FIRST}", resolve_week_of, "hard wide"),
    (rf"(?:the )?week (?:of|beginning) {_MONTH_FIRST}", resolve_week_of, "hard wide"),
    (
        rf"(?:the )?(?P<first>{NTH}){_RANGE}(?:the )?(?P<last>{NTH}) (?:of )?(?P<month>{MONTH}){_OPTIONAL_YEAR}",
        resolve_days,
        "hard wide",
    ),
    (
        rf"(?P<month>{MONTH}) (?P<first>{NTH}){_RANGE}(?P<last>{NTH})(?! {MONTH}){_OPTIONAL_YEAR}",
        resolve_days,
        "hard wide",
    ),
    (rf"{_LEAD}{_DAY_FIRST}{_RELATIVE}", resolve_day, "hard"),
    (rf"{_LEAD}{_MONTH_FIRST}{_RELATIVE}", resolve_day, "hard"),
    (
        rf"(?P<from>{YEAR}|(?:1[5-9]|20)\d\d(?=-)){_RANGE}(?P<to>{YEAR})",
        resolve_years,
        "hard wide bare",
    ),
    (rf"(?P<from>{MONTH}){_RANGE}(?P<to>{MONTH}) (?P<year>{YEAR})", resolve_months, "hard wide"),
    (
        rf"(?:the )?(?P<which>(?:first|second|third|fourth|last) (?:half|quarter|week)|Q[1-4])(?:,? (?:of )?(?:(?P<month>{MONTH}) ?)?(?P<year>{YEAR})?)(?!\w)",
        resolve_range,
        "hard wide",
    ),
    (rf"{_EDGE}(?P<month>{MONTH})(?: (?P<year>{YEAR}))?", resolve_month, "hard wide"),
    (rf"(?P<month>{MONTH}),? (?:of )?(?P<relative>last|this) year", resolve_month, "hard wide"),
    (rf"(?P<month>{MONTH}),? (?:of )?(?P<year>{YEAR})", resolve_month, "hard wide"),
    (rf"(?:last|this past) (?P<month>{MONTH})(?P<year>)?", resolve_month, "hard wide"),
    (rf"{_EDGE}(?P<year>{YEAR}|last year|this year|the year)", resolve_year, "hard wide"),
    (
        rf"(?:the )?(?:(?P<which>last|this|past|this past) )?(?P<season>spring|summer|autumn|fall|winter)(?:,? (?:of )?(?P<year>{YEAR}))",
        resolve_season,
        "hard wide",
    ),
    (
        r"(?:this )?(?P<which>last|past) (?P<season>spring|summer|autumn|fall|winter)(?P<year>)?\b",
        resolve_season,
        "hard wide",
    ),
    (
        r"(?P<which>this) (?P<season>spring|summer|autumn|fall|winter)(?P<year>)?\b",
        resolve_season,
        "soft wide",
    ),
    (
        r"(?P<which>)(?<=in the )(?P<season>spring|summer|autumn|fall|winter)(?P<year>)?\b",
        resolve_season,
        "hard wide",
    ),
    (rf"(?P<feast>{'|'.join(FEASTS)}){_OPTIONAL_YEAR}", resolve_holiday, "hard"),
    (
        rf"(?:{_PAST} {_FEW}|in recent|{_FEW}(?= \w+ ago)) (?P<unit>hour|day|week|month|year|decade)s?(?: ago)?\b",
        resolve_few,
        "soft wide",
    ),
    (r"the other (?P<unit>day)\b", resolve_few, "soft wide"),
    (
        rf"{_PAST} (?:(?P<count>{NUMBER}) )?(?P<unit>hour|day|week|fortnight|month|quarter|year|decade)s?\b(?! of\b)",
        resolve_past,
        "hard wide",
    ),
    (
        rf"(?:in )?(?:last|past) (?P<count>{NUMBER}) (?P<unit>hour|day|week|month|year)s\b",
        resolve_past,
        "hard wide",
    ),
    (
        rf"(?P<count>{NUMBER}) (?P<unit>day|week|month|year)s? ago(?P<exact> today)?\b",
        resolve_ago,
        "hard wide",
    ),
    (
        rf"(?:(?P<which>last|this|next|coming) )?(?P<weekday>{WEEKDAY}) (?:of )?(?P<week>(?:last|this) week)\b",
        resolve_weekday,
        "hard",
    ),
    (
        rf"(?P<week>(?:last|this) week),? on (?P<weekday>{WEEKDAY})(?P<which>)?",
        resolve_weekday,
        "hard",
    ),
    (
        rf"(?:(?P<which>last|this|next|coming) )?(?P<weekday>{WEEKDAY})(?P<week>)?(?: {_PART})?",
        resolve_weekday,
        "hard",
    ),
    (r"the day before yesterday\b", days_from(-2, -1), "hard"),
    (rf"yesterday(?: {_PART})?\b", days_from(-1, 0), "hard"),
    (r"last night\b|overnight\b", days_from(-1, 1), "hard wide"),
    (
        r"(?:earlier )?(?-i:today\b)(?!['’]s)|^Today\b(?=,)|tonight\b|this (?:morning|afternoon|evening)\b",
        days_from(0, 1),
        "hard",
    ),
    (r"tomorrow\b", days_from(1, 2), "hard"),
    (
        r"(?:(?:earlier|later) )?(?:so far )?(?P<which>this) (?P<unit>weekend|week|month|quarter|year)\b",
        resolve_calendar_period,
        "soft wide",
    ),
    (r"(?P<which>last) (?P<unit>week|month|quarter|year)\b", resolve_calendar_period, "hard wide"),
    (r"last weekend\b|(?<=the )weekend\b", resolve_weekend, "hard wide"),
    (r"the (?:(?P<year>(?:1[5-9]|20)\d0)|['’](?P<short>\d0))s\b", resolve_decade, "hard wide bare"),
    (
        r"(?:today['’]s|the day['’]s)(?= (?:(?:main|top|biggest|big|major|most|important|key|latest) ){0,2}(?:news|headlines|stories|events|papers?|articles)\b)",
        days_from(0, 1),
        "hard",
    ),
    (
        r"(?:right now|at the moment|at present|currently|presently|latest|newest|most recent|up to date|today['’]s)\b",
        shift_back(NOW_DAYS),
        "soft wide",
    ),
    (r"(?<!until )(?<!till )(?<!by )now\b(?! that|-)", shift_back(NOW_DAYS), "soft wide"),
    (r"(?:recently|lately|of late|these days|recent)\b", shift_back(RECENT_DAYS), "soft wide"),
    (rf"(?P<month>{MONTH})(?P<year>)?(?![-’']| \d)", resolve_month, "hard wide bare"),
    (rf"(?P<year>{YEAR})", resolve_year, "hard wide bare"),
]

_COMPILED = [
    (re.compile(r"(?<![\w’'~-])(?<!\d,)" + p, re.IGNORECASE), read, flags)
    for p, read, flags in _PATTERNS
]


def find_time_expressions(text: str, asking: ReferenceDate) -> list[TimeExpression]:
    """Return the time expressions of a text, in order.

    Of two that overlap, only the one with the higher precedence is returned.

    Args:
        text: The text to search.
        asking: The day of asking, from which relative expressions are counted.
    """
    found: list[TimeExpression] = []
    for pattern, read, flags in _COMPILED:
        for m in pattern.finditer(text):
            days = read(m, asking)
            text = text[: m.start()] + "~" * len(m[0]) + text[m.end() :]
            if days is not None:
                grain = "wide" if "wide" in flags else "day"
                hard, bare = "hard" in flags, "bare" in flags
                found.append(
                    TimeExpression(*days, m.span(), m[0], hard=hard, bare=bare, grain=grain)
                )
    return sorted(found, key=lambda moment: moment.span)
