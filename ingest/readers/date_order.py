"""Order of day and month in 03/04/2024: by file, then locale and country.

A file follows one convention, which its unambiguous dates (25/04/2024) show; a file of mixed
locales shows it for each locale. If none does, the locale's region decides (en-GB, en-US), then the
publisher's country, then the language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Order = Literal["day first", "month first"]

_SLASHED = re.compile(r"(?<![\d/-])(\d{1,2})([/-])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")
# Languages, and for English countries, that put the month before the day.
_MONTH_FIRST = frozenset(("", "en", "fil", "tl", "ja", "ko", "zh"))
_MONTH_FIRST_COUNTRIES = frozenset(("us", "ph", "pr", "gu", "as", "fm", "mh", "pw"))
# Country domains used by sites anywhere.
_ANYWHERES = frozenset("co tv io me ai fm ly to cc ws nu st gg la sh vc am".split())


def region_of(locale: str) -> str:
    """Return the region of "en-GB" or "en_GB" in lower case; "" if it has none."""
    found = re.match(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?![A-Za-z])", locale)
    region = found.group(1).casefold() if found else ""
    return "gb" if region == "uk" else region


def country_of(host: str) -> str:
    """Return the country of a host's top-level domain; "" if it has none."""
    domain = host.casefold().rstrip(".").rpartition(".")[2]
    if not re.fullmatch(r"[a-z]{2}", domain) or domain in _ANYWHERES:
        return ""
    return "gb" if domain == "uk" else domain


def date_order(locale: str, country: str = "") -> Order:
    """Return the order that a locale or, failing that, a publisher's country implies."""
    region = region_of(locale) or country
    language = re.split(r"[-_]", locale.casefold())[0]
    if language in ("", "en") and region:
        return "month first" if region in _MONTH_FIRST_COUNTRIES else "day first"
    return "month first" if language in _MONTH_FIRST else "day first"


@dataclass(frozen=True, slots=True)
class FileOrder:
    """Order shown by the unambiguous dates of one file, per locale and overall."""

    by_locale: tuple[tuple[str, Order], ...] = field(default=())
    of_all: Order | None = None

    @classmethod
    def from_dates(cls, dates: Iterable[tuple[str, str]]) -> FileOrder:
        """Return the order that dates show, each given with a locale ("" if unknown)."""
        shown: dict[str, Counter[Order]] = {}
        for locale, text in dates:
            found = _SLASHED.search(text[:120])
            order = _infer_order(int(found.group(1)), int(found.group(3))) if found else None
            if order:
                shown.setdefault(locale.casefold(), Counter())[order] += 1
        total = sum(shown.values(), Counter())
        by_locale = {locale: order for locale, n in shown.items() if (order := _majority(n))}
        return cls(tuple(by_locale.items()), _majority(total))

    def for_locale(self, locale: str) -> Order | None:
        """Return the order of dates in a locale; None if the file doesn't show it.

        A locale with a region that the file's other rows don't show keeps its own order.
        """
        known = dict(self.by_locale).get(locale.casefold())
        return known or (None if region_of(locale) else self.of_all)


UNKNOWN_ORDER = FileOrder()


def _infer_order(first: int, second: int) -> Order | None:
    if 12 < first <= 31 and second <= 12:
        return "day first"
    return "month first" if 12 < second <= 31 and first <= 12 else None


def _majority(counted: Counter[Order]) -> Order | None:
    ranked = counted.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
