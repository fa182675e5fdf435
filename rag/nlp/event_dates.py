"""Day of an event that a news sentence reports: "on Monday night" is the Monday before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rag.nlp.dates import WEEKDAYS
from rag.nlp.numbers import DateMention, find_dates
from rag.nlp.quotations import REPORTING_VERBS

_SAID = "|".join(sorted(REPORTING_VERBS, key=len, reverse=True))
# "police said on Monday", "the agency reported late Tuesday": the day of the report.
_REPORT = re.compile(
    rf"\b(?:{_SAID}|according to|statement)(?: [\w’'-]{{1,30}}){{0,3}},?"
    r"(?: (?:on|late|early|earlier|in|by|at))? ?$",
    re.IGNORECASE,
)
# Words before a date that is not the day of the event itself.
_OTHER_TIME = re.compile(
    r"\b(?:until|till|by|before|from|through|next|coming|due|after|following|every|each|than"
    r"|(?:election|attack|vote|meeting|deadline)s? (?:of|on))(?: the)? ?$",
    re.IGNORECASE,
)
_RELATIVE_CLAUSE = re.compile(r", (?:who|whom|whose|which|where)\b")
_DAY_WORD = re.compile(r"\b(?P<word>today|tonight|yesterday)\b", re.IGNORECASE)
_SHIFTS = {"today": 0, "tonight": 0, "yesterday": -1}
_LAST = re.compile(r"\blast $", re.IGNORECASE)
_BEFORE = 60  # characters before a date in which its preposition or reporting verb is looked for
# The place and day before a wire report: "LUND, Oct 12 (Wire) - ".
_DATELINE = re.compile(r"[A-Z][A-Z .'’-]{2,40}(?:,[^–—()]{0,40})?(?: \([^()]{1,40}\))? [-–—] ")
DAYS_OF_A_WEEK = 7
TIME_ZONES = timedelta(days=1)  # a day may already be the next one where the event happened


@dataclass(frozen=True, slots=True)
class EventDate:
    """Day that a sentence states.

    Attributes:
        day: The day.
        reported: Whether it is the day of the report: "police said on Monday".
        start: Position of its words in the sentence.
        text: Its words.
    """

    day: date
    reported: bool
    start: int
    text: str


def find_event_dates(text: str, published: datetime) -> list[EventDate]:
    """Return the past days that a sentence states, in order.

    A weekday is the last one up to a day after publication, because of time zones, and a day
    without a year lies in the year before it. Times to come, deadlines and days in relative clauses
    are left out.

    Args:
        text: The sentence.
        published: Publication date of its article.
    """
    found = []
    dateline = _DATELINE.match(text)
    opened = dateline.end() if dateline else 0
    for mention in find_dates(text):
        day = resolve_date(mention, text, published)
        if day is not None and mention.start >= opened:
            found.append((mention.start, mention.text, day))
    for match in _DAY_WORD.finditer(text):
        shift = timedelta(_SHIFTS[match["word"].lower()])
        found.append((match.start(), match[0], published.date() + shift))
    clauses = _relative_clauses(text)
    latest = (published + TIME_ZONES).date()
    dates = []
    for start, words, day in sorted(found):
        before = text[max(0, start - _BEFORE) : start]
        if day > latest or _OTHER_TIME.search(before) or any(a <= start < b for a, b in clauses):
            continue
        dates.append(EventDate(day, bool(_REPORT.search(before)), start, words))
    return dates


def _relative_clauses(text: str) -> list[tuple[int, int]]:
    """Return the spans from ", who" or ", which" to the next comma or the end."""
    spans = []
    for match in _RELATIVE_CLAUSE.finditer(text):
        end = text.find(",", match.end())
        spans.append((match.start(), end if end > 0 else len(text)))
    return spans


def resolve_date(mention: DateMention, text: str, published: datetime) -> date | None:
    """Return the day that a date or weekday means in an article; None for a whole month.

    Args:
        mention: The date in the text.
        text: The text.
        published: Publication date of the article.
    """
    if mention.weekday:
        back = (published.weekday() - WEEKDAYS.index(mention.weekday)) % 7
        if _LAST.search(text[: mention.start]):
            back = back or 7
        elif back == DAYS_OF_A_WEEK - 1:
            back = -1  # it was that day already where it happened
        return published.date() - timedelta(back)
    if not mention.day:
        return None
    year = mention.year or published.year
    day = _date(year, mention.month, mention.day)
    if day and not mention.year and day > (published + TIME_ZONES).date():
        day = _date(year - 1, mention.month, mention.day)
    return day


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def event_date(text: str, published: datetime) -> EventDate | None:
    """Return the day of the event that a sentence reports; None if it states none.

    Of several days it is the last one, because earlier ones are background; the day of a report
    counts only if there is no other.

    Args:
        text: The sentence.
        published: Publication date of its article.
    """
    dates = find_event_dates(text, published)
    return max(dates, key=lambda each: (not each.reported, each.day), default=None)


def report_day(text: str, published: datetime) -> date:
    """Return the day to which a sentence's figures apply.

    It is the last day of the week before publication that the sentence states, else the day of
    publication: "31 were arrested on Saturday" in an article of Wednesday is of Saturday.

    Args:
        text: The sentence.
        published: Publication date of its article.
    """
    week = published.date() - timedelta(7)
    stated = [each.day for each in find_event_dates(text, published) if each.day >= week]
    return max(stated, default=published.date())
