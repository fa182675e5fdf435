"""Times of day in dates, in the notations of many languages."""

from __future__ import annotations

import re
from datetime import time
from typing import NamedTuple

_AFTERNOON = (
    r"p\. ?m\b\.?|pm\b|오후|下午|午後|晚上|傍晚|مساءً|مساء|بعدازظهر|ب\.ظ|م\b|μ\.?μ\.?|öğleden sonra|"
    r"ös\b|शाम|अपराह्न|रात|दोपहर|chiều|tối|de la tarde|de la noche|da tarde|da noite|du soir|"
    r"de l['’]après-midi|abends|nachmittags|вечера|дня|จ\.ล\."
)
_MORNING = (
    r"a\. ?m\b\.?|am\b|오전|上午|午前|凌晨|早上|清晨|صباحًا|صباحاً|صباحا|ق\.ظ|ص\b|π\.?μ\.?|öö\b|सुबह|"
    r"पूर्वाह्न|sáng|de la mañana|da manhã|du matin|morgens|vormittags|утра"
)
_HALF = rf"(?:(?P<pm>{_AFTERNOON})|(?P<am>{_MORNING}))"
_BEFORE = rf"(?:{_HALF} ?)?"
_AFTER = rf"(?: ?(?:(?P<pm2>{_AFTERNOON})|(?P<am2>{_MORNING})))?"
_UNITS = r"(?: ?(?:uhr|hrs?|hs|hours|h|น\.|บ\.|बजे|giờ|год\.?|ч\.?)(?![\w]))?"
_HOUR = r"(?P<hour>[01]?\d|2[0-4])"
_MINUTE = r"(?P<minute>[0-5]\d)"
_SECOND = r"(?P<second>[0-5]\d|60)"
# Words between a date and its time.
_LINK_WORDS = (
    r"(?:\b(?:at|um|à|a las|a la|às|as|alle ore|alle|ore|om|kl\.?|klo|godz\.?|o godz\.?|o godzinie|"
    r"saat|saat:|ora|ur|lúc|pukul|pkl\.?|w|в|о|об|ve|στις|la ora|u|v|ob|los)|เวลา|الساعة|ساعت|बजे)?"
)
_CLOCKS = tuple(
    re.compile(rf"(?i){pattern}", re.UNICODE)
    for pattern in (
        # 18:30, 18:30:15.123, 6:30 p.m., 오후 6:30
        rf"{_BEFORE}(?<![\d:/.-]){_HOUR}[:：∶]{_MINUTE}(?:[:：∶]{_SECOND}(?:[.,]\d{{1,9}})?)?"
        rf"(?![\d:]){_AFTER}{_UNITS}",
        # 18時30分, 下午6点半, 18시 30분
        rf"{_BEFORE}(?<![\d:/.-]){_HOUR} ?[时時点點시](?: ?{_MINUTE} ?[分분]?|(?P<half>[半반]))?"
        rf"(?: ?{_SECOND} ?[秒초])?",
        # 18h30, 18 h 30, 18H, 18h30min
        rf"(?<![\d:/.-]){_HOUR} ?h(?: ?{_MINUTE}(?: ?min\.?)?)?(?:(?<=\d)m)?"
        r"(?: ?[0-5]\ds)?(?![\w])",
        # 18.30 Uhr, kl. 18.30, ore 18.30; and at the end, or before a zone
        rf"{_BEFORE}(?<![\d:/.-]){_HOUR}\.{_MINUTE}(?:\.{_SECOND})?(?![\d.]){_AFTER}{_UNITS}",
        # 6 p.m., 18 Uhr, 上午6
        rf"(?<![\d:/.-]){_HOUR} ?(?:(?P<pm2>{_AFTERNOON})|(?P<am2>{_MORNING})|uhr\b|ч\b|बजे)",
        # 1830 GMT, 1830 hrs, 1830Z
        r"(?<![\d:/.+-])(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)"
        r"(?= ?(?:gmt|utc|z|hrs|hours|uhr|[bcejm]es?t|[ecmp][ds]t)\b)(?: ?(?:hrs|hours|uhr))?",
    )
)
_POINTED = 3  # the pattern with a point between hour and minute, which also matches dates
_LINK_BEFORE = re.compile(rf"(?i)[ ,]{{0,3}}{_LINK_WORDS}[ ,]{{0,3}}\Z")
_LEAD_UP_TO = 20  # characters between a date and its time
_TIME_MARK = re.compile(r"(?i)uhr|น\.|hrs|ora\b|kl|ore|alle|klo|godz|pm|am|om |um |at ")


class Clock(NamedTuple):
    """A time of day, and its span in the text including the words around it."""

    time: time
    start: int
    end: int


def find_clock(text: str) -> Clock | None:
    """Return the time of day stated in a date, or None."""
    for number, pattern in enumerate(_CLOCKS):
        for found in pattern.finditer(text):
            read = _time(found)
            before = text[max(0, found.start() - _LEAD_UP_TO) : found.start()]
            link = _LINK_BEFORE.search(before)
            start = found.start() - (len(link.group()) if link else 0)
            if number == _POINTED and not _is_clock(text, start, found.end()):
                continue
            if read is not None:
                return Clock(read, start, found.end())
    return None


def _is_clock(text: str, start: int, end: int) -> bool:
    """Return whether 18.30 is a time: it is marked as one, or follows a complete date."""
    return bool(_TIME_MARK.search(text[start:end])) or bool(
        re.search(r"\d{2}\.?,?\Z", text[:start])
    )


def _time(found: re.Match[str]) -> time | None:
    groups = found.groupdict()
    hour, minute = int(groups["hour"]), int(groups.get("minute") or 0)
    second = min(59, int(groups.get("second") or 0))
    if groups.get("half"):
        minute = 30
    if (groups.get("pm") or groups.get("pm2")) and hour < 12:
        hour += 12
    if (groups.get("am") or groups.get("am2")) and hour == 12:
        hour = 0
    if hour == 24 and minute == 0:  # the end of the day, which must not become the next day
        return time(23, 59, 59)
    return time(hour, minute, second) if hour < 24 else None
