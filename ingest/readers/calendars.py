"""Years of other calendars: Japanese eras, the Republic of China, Buddhist and Persian years."""

from __future__ import annotations

import re
from datetime import date

_ERAS = {
    "令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867,
    "民國": 1911, "民国": 1911, "R": 2018, "H": 1988, "S": 1925,
}  # fmt: skip
_ERA = re.compile(
    r"(?:(令和|平成|昭和|大正|明治|民國|民国) ?(元|\d{1,3}) ?[年./-]|\b([RHS])(\d{1,2})[./年-])"
    r" ?(\d{1,2}) ?[月./-] ?(\d{1,2})"
)
_BUDDHIST = 543  # years ahead of the common era
_THAI = re.compile(r"[\u0e00-\u0e7f]")
_THAI_YEAR = re.compile(r"(?<!\d)(2[45]\d\d)(?!\d)")
_THAI_SHORT_YEAR = re.compile(r"(?<=[\u0e00-\u0e7f.] )(\d\d)(?!\d)(?![:.]\d)")
_SLASHED_SHORT_YEAR = re.compile(r"(?<=\d[/-])([4-9]\d)(?![\d/-])")  # 24/10/67
_BUDDHIST_LANGUAGES = frozenset(("th", "lo", "km"))
_PERSIAN_MONTHS = ("فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند").split()
_PERSIAN = re.compile(rf"(\d{{1,2}}) ({'|'.join(_PERSIAN_MONTHS)})(?: ماه)?,? (1[34]\d\d)")
_PERSIAN_DIGITS = re.compile(r"(?<!\d)(1[34]\d\d)[/.-](\d{1,2})[/.-](\d{1,2})(?!\d)")
_LETTERS = str.maketrans("يك", "یک")


def find_era_date(text: str) -> tuple[date, int, int] | None:
    """Find a date with an era or a Persian year.

    Returns:
        The day and the start and end of the date in `text`; None if there is no such date.

    Raises:
        ValueError: The day doesn't exist.
    """
    era = _ERA.search(text)
    if era:
        name, number, short, short_number, month, day = era.groups()
        count = 1 if number == "元" else int(number or short_number)
        return date(_ERAS[name or short] + count, int(month), int(day)), *era.span()
    plain = text.translate(_LETTERS)
    persian = _PERSIAN.search(plain)
    if persian:
        day, month, year = persian.groups()
        at = _PERSIAN_MONTHS.index(month) + 1
        return from_persian(int(year), at, int(day)), *persian.span()
    digits = _PERSIAN_DIGITS.search(plain)
    if digits:
        return from_persian(*map(int, digits.groups())), *digits.span()
    return None


def without_buddhist_years(text: str, language: str) -> str:
    """Return a date with its Buddhist year converted to the common era."""
    thai = bool(_THAI.search(text))
    if not thai and language not in _BUDDHIST_LANGUAGES:
        return text
    text = re.sub(r"(?:พ\.ศ\.|ค\.ศ\.|B\.?E\.?) ?", "", text)
    found = _THAI_YEAR.search(text)
    if found:
        return f"{text[: found.start()]}{int(found.group()) - _BUDDHIST}{text[found.end() :]}"
    short = _THAI_SHORT_YEAR if thai else _SLASHED_SHORT_YEAR
    return short.sub(lambda year: str(2500 + int(year.group()) - _BUDDHIST), text)


def from_persian(year: int, month: int, day: int) -> date:
    """Return the day of a Solar Hijri date, by the 33-year cycle (correct from 1206 to 1498).

    Raises:
        ValueError: The day doesn't exist.
    """
    if not (1 <= month <= 12 and 1 <= day <= (31 if month < 7 else 30)):
        raise ValueError(f"{year}-{month}-{day} is not a day of the Persian calendar")
    cycles, rest = divmod(year - 1206, 33)
    leaps = cycles * 8 + sum(1 for n in range(rest) if (1206 + n) % 33 in _LEAP_YEARS)
    days = (year - 1206) * 365 + leaps
    days += (month - 1) * 31 - max(0, month - 7) + day - 1
    return date.fromordinal(date(1827, 3, 22).toordinal() + days)


_LEAP_YEARS = frozenset((1, 5, 9, 13, 17, 22, 26, 30))  # of the 33-year cycle
