"""Numbers and dates in a text, and when one supports another: 3,000 is three thousand."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from rag.nlp.dates import MONTH_ABBREVIATIONS, MONTH_NUMBERS, WEEKDAYS

_ONES = {
    word: n
    for n, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen""".split()
    )
}
_TENS = {
    w: 10 * n
    for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_ORDINALS = {
    w: n
    for n, w in enumerate(
        """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
        thirteenth""".split(),
        1,
    )
}
_SCALES = {
    "hundred": 100.0, "thousand": 1e3, "k": 1e3, "million": 1e6, "mn": 1e6, "m": 1e6,
    "billion": 1e9, "bn": 1e9, "b": 1e9, "trillion": 1e12, "tn": 1e12, "dozen": 12.0,
}  # fmt: skip
_UNITS = {"%": "%", "percent": "%", "per cent": "%", "percentage": "%", "pc": "%"}
_MONEY = {"$": "$", "£": "£", "€": "€", "¥": "¥", "dollars": "$", "dollar": "$", "pounds": "£",
          "euros": "€", "euro": "€", "yen": "¥"}  # fmt: skip

_SPELT = "|".join(sorted([*_ONES, *_TENS, *_ORDINALS], key=len, reverse=True))
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))
FIGURE = re.compile(
    rf"(?P<money>US\$|[$£€¥])?\s?(?<![\w.])(?P<sign>[-−](?=\d))?"
    rf"(?:(?P<clock>\d{{1,2}}:\d\d|\d{{1,2}}(?= ?[ap]\.?m\b))"
    rf"|(?P<pair>\d+(?:[-–]| to )\d+(?![\d,%]))"
    rf"|(?P<digits>\d+(?:,\d{{3}})*(?:\.\d+)?)(?P<ordinal>st|nd|rd|th)?"
    rf"|(?P<spelt>(?:a|{_SPELT}|hundred|dozen)(?:[ -](?:and )?(?:{_SPELT}))*))"
    rf"(?P<scale>(?:[ -]?(?:{_SCALE})s?\b(?:(?: and)? (?:{_SPELT})(?:[ -](?:{_SPELT}))*)?)*)"
    rf"(?P<unit>\s?(?:%|percentage|percent|per cent|pc\b)|\s(?:dollars?|pounds|euros?|yen)\b)?"
    rf"(?![\w])",
    re.IGNORECASE,
)

_MONTH = "|".join([*MONTH_NUMBERS, *(rf"{m}\.?" for m in MONTH_ABBREVIATIONS)])
_DAY = (
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{_MONTH})\b(?:,? (?P<y>(?:19|20)\d\d))?"
    rf"|(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!,\d)(?:,? (?P<y2>(?:19|20)\d\d))?"
    rf"|(?P<y4>(?:19|20)\d\d)-(?P<m4>\d\d)-(?P<d4>\d\d)"
    rf"|(?P<m3>{_MONTH})(?:,? (?P<y3>(?:19|20)\d\d))?\b"
)
DAY = re.compile(rf"\b(?:{_DAY})", re.IGNORECASE)
WEEKDAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
RELATIVE = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text; `unit` is "%", a currency sign, "o'clock", "to" for a range, or empty."""

    value: float
    unit: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date, month or weekday in a text; parts that are not mentioned are 0."""

    year: int
    month: int
    day: int
    weekday: str
    text: str
    start: int
    end: int


def find_dates(text: str) -> list[DateMention]:
    """Return the dates, months and weekdays in a text, in order."""
    found = []
    for m in DAY.finditer(text):
        month = (m["m"] or m["m2"] or m["m3"] or m["m4"]).lower().rstrip(".")
        if not m["d"] and not m["d2"] and not m["m4"] and not _is_surely_month(m):
            continue
        number = (
            int(month)
            if month.isdigit()
            else MONTH_NUMBERS.get(month) or MONTH_ABBREVIATIONS[month[:4].strip()]
        )
        day = int(m["d"] or m["d2"] or m["d4"] or 0)
        year = int(m["y"] or m["y2"] or m["y3"] or m["y4"] or 0)
        found.append(DateMention(year, number, day, "", m[0], m.start(), m.end()))
    for m in WEEKDAY.finditer(text):
        found.append(DateMention(0, 0, 0, m[0].lower(), m[0], m.start(), m.end()))
    return sorted(found, key=lambda day: day.start)


def _is_surely_month(match: re.Match[str]) -> bool:
    word = match["m3"]
    if word is None or not word[0].isupper():
        return False
    before = match.string[max(0, match.start() - 12) : match.start()]
    sure = word.lower().rstrip(".") not in {"may", "march", "mar", "jan", "dec", "sep"}
    return (
        sure
        or bool(match["y3"])
        or bool(re.search(r"\b(?:in|until|since|last|of) $", before, re.IGNORECASE))
    )


def find_numbers(text: str) -> list[Number]:
    """Return the numbers in a text, in digits or words, without those of dates."""
    taken = find_dates(text)  # in order
    starts = [day.start for day in taken]
    reach = list(accumulate((day.end for day in taken), max))
    found = []
    for m in FIGURE.finditer(text):
        before = bisect_left(starts, m.end())
        if before and reach[before - 1] > m.start():
            continue
        value = _value(m)
        if value is None:
            continue
        written = m[0].strip()
        start = text.index(written, m.start())
        found.append(Number(value, _unit(m), written, start, start + len(written)))
    return found


def _value(m: re.Match[str]) -> float | None:
    scales = (m["scale"] or "").lower()
    if m["clock"]:
        return float(m["clock"].replace(":", "."))
    if m["pair"]:
        first, last = re.findall(r"\d+", m["pair"])
        return float(first) * 1e6 + float(last)
    if m["digits"]:
        value = _apply_scales(float(m["digits"].replace(",", "")), scales)
    else:
        spelt = m["spelt"].lower()
        if spelt == "a" and len(scales.strip(" -")) <= 2:  # "a", and "am", which is no million
            return None
        value = _apply_scales(0.0, f"{spelt} {scales}")
    return -value if m["sign"] else value


def _apply_scales(current: float, text: str) -> float:
    """Return the number that `current` and the following words make: 4.5 and "billion"."""
    total = 0.0
    for word in re.findall(r"[a-z]+", text):
        scale = _SCALES.get(word) or _SCALES.get(word.removesuffix("s"), 0.0)
        if word == "a":
            current = 1.0
        elif scale >= 1000:
            total += max(current, 1.0) * scale
            current = 0.0
        elif scale:
            current = max(current, 1.0) * scale
        else:
            current += _ONES.get(word, 0) or _TENS.get(word, 0) or _ORDINALS.get(word, 0)
    return total + current


def _unit(m: re.Match[str]) -> str:
    if m["clock"]:
        return "o'clock"
    if m["pair"]:
        return "to"
    money = (m["money"] or "").upper().removeprefix("US")
    after = (m["unit"] or "").strip().lower()
    return _MONEY.get(money) or _UNITS.get(after) or _MONEY.get(after) or ""


def is_number_supported(figure: Number, shown: Iterable[Number]) -> bool:
    """Return True if `shown` has the same value, in the same unit if both have one."""
    return any(
        abs(figure.value - other.value) <= 1e-9 * max(1.0, abs(other.value))
        and (figure.unit == other.unit or _matches_loosely(figure.unit, other.unit))
        for other in shown
    )


def _matches_loosely(unit: str, other: str) -> bool:
    """Return True if a bare number can stand for one with a unit: 5 for $5, not for 5 o'clock."""
    return "" in (unit, other) and not {"o'clock", "to"} & {unit, other}


def is_date_supported(
    day: DateMention, shown: Sequence[DateMention], text: str, published: datetime | None
) -> bool:
    """Return True if a date is mentioned, or follows from a weekday and the publication date.

    Args:
        day: The date to look for.
        shown: The dates mentioned in `text`.
        text: The text.
        published: Publication date of its article.
    """
    for other in shown:
        if day.weekday and day.weekday == other.weekday:
            return True
        if (
            not day.weekday
            and day.month == other.month
            and (not day.day or day.day == other.day)
            and (not day.year or not other.year or day.year == other.year)
        ):
            return (
                not day.year
                or bool(other.year)
                or published is None
                or (abs(day.year - published.year) <= 1)
            )
    return published is not None and any(
        _agrees(day, moment) for moment in _moments(shown, text, published)
    )


def _moments(shown: Sequence[DateMention], text: str, published: datetime) -> list[datetime]:
    moments = [
        published - timedelta((published.weekday() - WEEKDAYS.index(d.weekday)) % 7)
        for d in shown
        if d.weekday
    ]
    low = text.lower()
    moments += [
        published + timedelta(shift)
        for word, shift in RELATIVE.items()
        if re.search(rf"\b{word}\b", low)
    ]
    return moments


def _agrees(day: DateMention, moment: datetime) -> bool:
    if day.weekday:
        return WEEKDAYS[moment.weekday()] == day.weekday
    return day.month == moment.month and day.day in (0, moment.day) and day.year in (0, moment.year)
