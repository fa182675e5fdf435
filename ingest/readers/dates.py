"""Dates as publishers write them: aware datetimes, or the plain word that it is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

from rag.dates import valid_moment

_EARLIEST = 1500  # year; the first newspapers are of 1605
_AHEAD = timedelta(days=366)  # magazines carry dates months ahead, and nothing carries one further
_NONE = frozenset({"", "none", "null", "nan", "nat", "n/a", "na", "-", "unknown", "undated"})
_LEAD = re.compile(
    r"(?i)\A\W*(?:(?:first |last )?(?:published|updated|posted|modified|created|date|on|at|"
    r"veröffentlicht|stand|publié|publicado|опубликовано|опубліковано|입력|발행)\b"
    r"[ :.]*(?:on |at |am |le |el )?)*"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?Z?)?\Z")
_CJK = re.compile(
    r"(\d{4})\s*[年년.]\s*(\d{1,2})\s*[月월.]\s*(\d{1,2})\s*[日일.]?"
    r"(?:\D{0,6}(\d{1,2}):(\d{2}))?"
)
# Points stand between day, month and year where the day comes first; slashes and hyphens also
# where the month does, and dateparser takes them so.
_POINTED = re.compile(r"(?<![\d.])\d{1,2}\.\s?\d{1,2}\.\s?(?:\d{4}|\d{2})(?!\d)")
_SLASHED = re.compile(r"(?<![\d/-])\d{1,2}([/-])\d{1,2}\1(?:\d{4}|\d{2})(?!\d)")
DAY_FIRST = frozenset("de fr es it pt nl pl cs ro el tr ru uk bg ar id vi da no fi".split())
_SINCE_C = re.compile(  # Thu Oct 24 18:30:00 +0000 2024: C's, and social networks'
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d\d:\d\d:\d\d) ([+-]\d{4}) (\d{4})\Z"
)
_MAIL = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? \S+\Z")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)|(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.]\d{2}(?!\d)|['’]\d{2}(?!\d)")


def parse_date(value: Any, language: str = "") -> datetime | None:
    """Return the moment of the past that `value` names: see `parse_moment`.

    Raises ValueError, too, where it is further ahead than any paper is dated.
    """
    moment = parse_moment(value, language)
    if moment and moment > datetime.now(UTC) + _AHEAD:
        raise ValueError(f"{str(value)[:60]!r} is more than a year ahead: not a likely date")
    return moment


def parse_moment(value: Any, language: str = "") -> datetime | None:
    """Return the moment that `value` names, in its own zone, UTC if it names none.

    Takes datetimes, ISO 8601, RFC 2822, seconds and milliseconds since 1970, and dates in words
    in the languages that dateparser knows. A day without a time is midnight. 03/04/2024 is in
    April where `language`, a code, puts the day first, else in March. None where nothing is given.
    Raises ValueError where it is no full date: "yesterday" and "October" are none.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return _checked(value, value)
    if isinstance(value, int | float):
        return _since_1970(value)
    text = " ".join(str(value).split())
    if text.casefold() in _NONE:
        return None
    day_first = bool(_POINTED.search(text)) or (language in DAY_FIRST and _SLASHED.search(text))
    words = _day_first if day_first else _in_words
    for parse in (datetime.fromisoformat, _from_digits, _from_mail, words):
        try:
            moment = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if moment is not None:
            return _checked(moment, text)
    raise ValueError(f"{text[:60]!r} is not a date")


def _checked(moment: datetime, value: object) -> datetime:
    if moment.year < _EARLIEST or not valid_moment(moment):
        raise ValueError(f"{str(value)[:60]!r} is not a likely date")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    offset = moment.utcoffset() or timedelta()
    # A fixed offset in whole minutes: what another zone's rules become when they are stored.
    return moment if offset.seconds % 60 == 0 else moment.astimezone(UTC)


def _since_1970(value: float) -> datetime | None:
    try:
        if 1500 <= value <= 2100:
            raise ValueError(f"{value!r} is a year, not a date")
        if 15_000_101_000_000 <= value <= 21_001_231_235_959:
            return _from_digits(str(int(value)))  # GDELT's: as milliseconds, centuries from now
        if 15_000_101 <= value <= 21_001_231:
            return _checked(datetime.strptime(str(int(value)), "%Y%m%d").replace(tzinfo=UTC), value)
        return _checked(datetime.fromtimestamp(value / (1000 if value > 1e11 else 1), UTC), value)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{value!r} is not a date") from error


def _from_digits(text: str) -> datetime | None:
    """GDELT's 20241024T103000Z, 10- and 13-digit Unix times, and East Asian dates."""
    compact = _COMPACT.match(text)
    if compact:
        year, month, day, hour, minute, second = (int(part or 0) for part in compact.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if re.fullmatch(r"\d{10}(?:\.\d+)?|\d{13}", text):
        return _since_1970(float(text))
    asian = _CJK.match(text)
    if asian:
        year, month, day, hour, minute = (int(part or 0) for part in asian.groups())
        afternoon = hour < 12 and re.search("오후|下午|午後", text)
        return datetime(year, month, day, hour + (12 if afternoon else 0), minute, tzinfo=UTC)
    return None


def _from_mail(text: str) -> datetime | None:
    """RFC 2822, as in feeds; the standard library's parser takes much else, and drops "PM"."""
    if as_c := _SINCE_C.match(text):
        month, day, time, zone, year = as_c.groups()
        text = f"{day} {month} {year} {time} {zone}"
    return parsedate_to_datetime(text) if _MAIL.match(text) else None


def _day_first(text: str) -> datetime | None:
    return _in_words(text, {"DATE_ORDER": "DMY"})


def _in_words(text: str, order: Mapping[str, str] = MappingProxyType({})) -> datetime | None:
    text = _LEAD.sub("", text)
    if not _YEAR.search(text) or len(text) > 80:
        return None
    import dateparser  # 400 ms, most of it once: dates in words are seldom in files

    found = dateparser.parse(
        text,
        settings={
            **order,
            "REQUIRE_PARTS": ["day", "month", "year"],
            "PARSERS": ["absolute-time"],
            "TIMEZONE": "UTC",
            "RETURN_AS_TIMEZONE_AWARE": True,
        },
    )
    return found if isinstance(found, datetime) else None
