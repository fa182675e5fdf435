"""Parse publication dates, in any common notation, into aware datetimes."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ingest.readers.calendars import find_era_date, without_buddhist_years
from ingest.readers.date_order import Order, date_order, region_of
from ingest.readers.time_zones import Zone, zone_after_clock, zone_at_end
from ingest.readers.times_of_day import find_clock
from rag.nlp.dates import MONTH_ABBREVIATIONS, MONTH_NUMBERS
from rag.valid_dates import is_valid_date

_EARLIEST = 1500  # year; the first newspapers appeared in 1605
_AHEAD = timedelta(days=366)  # magazines are dated months ahead at most
_PLACEHOLDERS = frozenset(
    "none null nan nat n/a na - unknown undated undefined 0 -1 0.0 -1.0 inf -inf infinity "
    "-infinity false true".split()
) | {""}
_LONGEST = 120  # characters of a date with the words around it
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z)?)?\Z")
_COMPACT_DAY = re.compile(r"(?<!\d)((?:1[5-9]|20)\d\d)([01]\d)([0-3]\d)(?!\d)")
_SINCE_1970 = re.compile(r"-?\d{9,10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19}")
_MICROSOFT = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/")  # ASP.NET's JSON
# "24/10/2024 18h30 - Atualizado 25/10/2024": the first date is the article's.
_THEN_CHANGED = re.compile(
    r"(?i)(?<=\d)[^\d]{1,12}\b(?:last |zuletzt )?(?:updated?|modified|edited|aktualisiert|geändert|"
    r"mis à jour|modifié|actualizado|modificado|atualizado|aggiornato|modificato|bijgewerkt|"
    r"обновлено|оновлено|изменено|güncelleme|aktualizacja|oppdatert|uppdaterad|opdateret|更新|수정)"
    r"\b.{0,100}\Z"
)
_LEVANTINE = {  # month names from Lebanon to Iraq, unknown to dateparser
    "كانون الثاني": "January", "شباط": "February", "آذار": "March", "نيسان": "April",
    "أيار": "May", "حزيران": "June", "تموز": "July", "آب": "August", "أيلول": "September",
    "تشرين الأول": "October", "تشرين الثاني": "November", "كانون الأول": "December",
}  # fmt: skip
_LEVANTINE_RE = re.compile(rf"\b(?:{'|'.join(sorted(_LEVANTINE, key=len, reverse=True))})\b")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]|\Z)")
_YEAR_FIRST = re.compile(r"(?<![\d.])(\d{4}) ?[-/.년年] ?(\d{1,2}) ?[-/.월月] ?(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<![\d.])(\d{1,2}) ?([-/.]) ?(\d{1,2}) ?[-/.] ?(\d{4}|\d{2})(?!\d)")
# Main country of a language without a region, for its time zone names.
_SPOKEN_IN = {"he": "il", "zh": "cn", "bn": "bd", "hy": "am", "ar": "sa", "ga": "ie", "ms": "my"}
_SHORT_YEAR_FIRST = frozenset(("ko", "ja", "zh", "hu"))  # 24.10.03
_MONTHS = MONTH_NUMBERS | MONTH_ABBREVIATIONS
_WORD = r"([^\W\d_][^\W\d]{2,11})\.?"
_DAY_MONTH = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\.?[ -](?:of )?{_WORD}"
    r",?[ -]['’]?(\d{4}|\d{2})(?!\d)"
)
_MONTH_DAY = re.compile(rf"(?<!\w){_WORD}[ -](\d{{1,2}})(?:st|nd|rd|th)?,?[ -]['’]?(\d{{4}})(?!\d)")
# For inflected or compounding languages: anything between the day and the year.
_DAY_TO_YEAR = re.compile(r"(?<!\d)\d{1,2}[^\d]{2,30}\d{4}(?!\d)")
_WORD_TO_YEAR = re.compile(r"[^\W\d_]{2,14}\.? \d{1,2}[^\d]{1,6}\d{4}(?!\d)")


@dataclass(frozen=True, slots=True)
class DateRead:
    """A parsed date, with a notice if it could not be read completely."""

    moment: datetime | None = None
    notice: str = ""


def read_date(
    value: Any, language: str = "", *, country: str = "", order: Order | None = None
) -> DateRead:
    """Parse a past date without ever raising.

    An unreadable date yields None and a notice; an unknown time zone yields UTC and a notice.

    Args:
        value: See `parse_moment`.
        language: See `parse_moment`.
        country: See `parse_moment`.
        order: See `parse_moment`.
    """
    try:
        moment, unknown = _moment(value, language, country, order)
        _check_not_ahead(moment, value)
    except ValueError as error:
        return DateRead(None, f"date ignored: {error}")
    if unknown:
        zone = f"{unknown!r} in {str(value)[:60]!r}"
        return DateRead(moment, f"unknown time zone {zone}: the time was read as UTC")
    return DateRead(moment)


def parse_date(
    value: Any, language: str = "", *, country: str = "", order: Order | None = None
) -> datetime | None:
    """Parse a past date: see `parse_moment`.

    Args:
        value: See `parse_moment`.
        language: See `parse_moment`.
        country: See `parse_moment`.
        order: See `parse_moment`.

    Raises:
        ValueError: It isn't a full date, or is more than a year ahead.
    """
    moment = parse_moment(value, language, country=country, order=order)
    _check_not_ahead(moment, value)
    return moment


def parse_moment(
    value: Any, language: str = "", *, country: str = "", order: Order | None = None
) -> datetime | None:
    """Parse a date, in the zone it names or in UTC.

    Accepts datetimes, ISO 8601, RFC 822 and 2822, Unix times in seconds or milliseconds, and dates
    in words in dateparser's languages, with local notations of time, Japanese eras, Buddhist and
    Persian years. A day without a time is midnight.

    Args:
        value: A string, a number or a datetime.
        language: Language of the article, such as "fr" or "en-GB".
        country: Country of the publisher, two letters; the region of `language` comes first. Both
            decide what an abbreviated zone means, and whether 03/04/2024 is in April.
        order: Order of day and month, if the file shows it.

    Returns:
        An aware datetime; None if no date is given.

    Raises:
        ValueError: It isn't a full date, such as "yesterday" or "October".
    """
    return _moment(value, language, country, order)[0]


def _check_not_ahead(moment: datetime | None, value: Any) -> None:
    if moment and moment > datetime.now(UTC) + _AHEAD:
        raise ValueError(f"{str(value)[:60]!r} is more than a year ahead: not a likely date")


def _moment(
    value: Any, language: str, country: str, order: Order | None
) -> tuple[datetime | None, str]:
    """Return the time, and the name of its zone if that is unknown."""
    if value is None or isinstance(value, bool):
        return None, ""
    if isinstance(value, datetime):
        return _validate(value, value), ""
    if isinstance(value, date):
        return _validate(datetime.combine(value, time()), value), ""
    if isinstance(value, int | float):
        return _from_timestamp(value), ""
    whole = " ".join(_INVISIBLE.sub("", str(value)).split())
    if whole.casefold() in _PLACEHOLDERS:
        return None, ""
    if len(whole) > _LONGEST:
        raise ValueError(f"{whole[:60]!r} is not a date")
    region = region_of(language) or country or _SPOKEN_IN.get(language.casefold()[:2], "")
    text = without_buddhist_years(_ascii_digits(whole), language.casefold()[:2])
    text = _THEN_CHANGED.sub("", text)
    try:
        moment, zone = _from_text(text, language, region, order)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"{whole[:60]!r} is not a date") from error
    if moment.tzinfo is None:
        moment = zone.apply(moment)
    return _validate(moment, whole), zone.unknown


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _validate(moment: datetime, value: object) -> datetime:
    if moment.year < _EARLIEST or not is_valid_date(moment):
        raise ValueError(f"{str(value)[:60]!r} is not a likely date")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    offset = moment.utcoffset() or timedelta()
    # Stored offsets are fixed and in whole minutes.
    return moment if offset.seconds % 60 == 0 else moment.astimezone(UTC)


def _from_timestamp(value: float) -> datetime | None:
    if not math.isfinite(value) or value in (0, -1):
        return None  # placeholders for a missing date
    try:
        if 0 < value < 1e7:  # a year, a count of days, or some other number
            raise ValueError(f"{value!r} is not a date")
        if 15_000_101_000_000 <= value <= 21_001_231_235_959:
            return _from_digits(
                str(int(value))
            )  # GDELT's digits; as milliseconds it would be centuries ahead
        if 15_000_101 <= value <= 21_001_231:
            return _validate(
                datetime.strptime(str(int(value)), "%Y%m%d").replace(tzinfo=UTC), value
            )
        unit = next((u for u in (1e9, 1e6, 1e3) if value / u > 1e8), 1)
        return _validate(datetime.fromtimestamp(value / unit, UTC), value)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{value!r} is not a date") from error


def _from_digits(text: str) -> datetime | None:
    """Parse GDELT's 20241024T103000Z, and Unix times in digits."""
    compact = _COMPACT.match(text)
    if compact:
        year, month, day, hour, minute, second = (int(part or 0) for part in compact.groups()[:6])
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    microsoft = _MICROSOFT.fullmatch(text)
    if microsoft:
        return datetime.fromtimestamp(int(microsoft.group(1)) / 1000, UTC)
    return _from_timestamp(float(text)) if _SINCE_1970.fullmatch(text) else None


def _from_text(text: str, language: str, region: str, order: Order | None) -> tuple[datetime, Zone]:
    """Parse a date in words or digits; naive if its zone is returned separately."""
    if _ISO.match(text) and text >= "15":
        try:
            return datetime.fromisoformat(text), Zone()
        except ValueError:
            pass
    found = _from_digits(text)
    if found is not None:
        return found, Zone()
    rest, clock, zone = _without_clock(text, region)
    at_end = zone_at_end(rest.strip(), region) if zone == Zone() else None
    if at_end and not find_era_date(rest):
        zone, rest = at_end[0], rest.strip()[: at_end[1]]
    day = _day(rest.strip(" ,;|·•–—-()[]"), language, region, order)
    return datetime.combine(day, clock), zone


def _without_clock(text: str, region: str) -> tuple[str, time, Zone]:
    """Return a date without its time of day and zone, and both of these."""
    clock = find_clock(text)
    if clock is None:
        return text, time(), Zone()
    named = zone_after_clock(text, clock.end, region)
    zone, end = named or (Zone(), clock.end)
    rest = f"{text[: clock.start]} {text[end:]}"
    for _ in range(2):  # "13:30 GMT (19:00 IST)": the same time in another zone
        other = find_clock(rest)
        if other is None:
            break
        again = zone_after_clock(rest, other.end, region)
        rest = f"{rest[: other.start]} {rest[again[1] if again else other.end :]}"
    return rest, clock.time, zone


def _day(text: str, language: str, region: str, order: Order | None) -> date:
    text = _LEVANTINE_RE.sub(lambda month: _LEVANTINE[month.group()], text)
    of_era = find_era_date(text)
    if of_era:
        return of_era[0]
    year_first = _YEAR_FIRST.search(text) or _COMPACT_DAY.search(text)
    if year_first and _is_alone(text, year_first):
        return date(*map(int, year_first.groups()))
    year_last = _YEAR_LAST.search(text)
    if year_last and _is_alone(text, year_last):
        return _from_day_and_month(year_last, language, region, order)
    for pattern, parts in ((_DAY_MONTH, (3, 2, 1)), (_MONTH_DAY, (3, 1, 2))):
        found = pattern.search(text)
        month = _MONTHS.get(found.group(parts[1]).casefold()) if found else None
        if found and month and _is_alone(text, found):
            return date(_year(found.group(3)), month, int(found.group(parts[2])))
    return _in_words(text)


def _is_alone(text: str, found: re.Match[str]) -> bool:
    """Return whether no other number is next to a date, which could be part of it."""
    return not re.search(r"\d", text[: found.start()] + text[found.end() :])


def _from_day_and_month(
    found: re.Match[str], language: str, region: str, order: Order | None
) -> date:
    one, mark, two, year = found.groups()
    if mark == "." and len(year) == 2 and language[:2].casefold() in _SHORT_YEAR_FIRST:
        return date(_year(one), int(two), int(year))
    first, second = int(one), int(two)
    if mark == "." or first > 12:
        day, month = first, second
    elif second > 12:
        day, month = second, first
    else:
        day_first = (order or date_order(language, region)) == "day first"
        day, month = (first, second) if day_first else (second, first)
    return date(_year(year), month, day)


def _year(digits: str) -> int:
    """Return the year of "2024" or "24"; two digits are never in the future."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return 2000 + year if year <= datetime.now(UTC).year % 100 + 1 else 1900 + year


def _in_words(text: str) -> date:
    """Parse a day in words with dateparser, from candidates between a day and a year."""
    text = re.sub(r"(?<=\d)[ºª°]", "", text)
    candidates = [text] if re.search(r"(?<!\d)\d{4}(?!\d)|['’]\d\d(?!\d)", text) else []
    for pattern in (_DAY_TO_YEAR, _WORD_TO_YEAR):
        candidates += [found.group() for found in pattern.finditer(text)]
    import dateparser  # 400 ms, mostly once; dates in words are rare

    for candidate in dict.fromkeys(candidates):
        found = dateparser.parse(
            candidate,
            settings={"REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]},
        )
        if isinstance(found, datetime):
            return found.date()
    raise ValueError("no day, month and year")
