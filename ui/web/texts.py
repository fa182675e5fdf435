"""What the page says, in the reader's language: a file of texts for each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from rag.nlp.dates import MONTHS

FALLBACK = "en"
SUPPORTS = {  # how far a statement is borne out, and the key of what is said of it
    "supported": "supported",
    "partly": "partly",
    "not supported": "not_supported",
    "contradicted": "contradicted",
}
_DAY = re.compile(rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(MONTHS)}) (?P<year>\d{{1,4}})")
_DATED = re.compile(r"^\[(?P<later>later, )?(?P<rest>[^\]]*):\]")
_BLANK = re.compile(r"\\{(\w+)\\}")  # in a pattern, where its braces are escaped
_SENTENCE = re.compile(r".*?[.!?](?= |$)|.+", re.DOTALL)


class Texts:
    """The texts of one language: called with a key and what is to be filled in."""

    def __init__(self, language: str, words: Mapping[str, Any]) -> None:
        self.language = language
        self._words = words
        self._told = _patterns(words["told"])

    def __call__(self, key: str, **given: object) -> str:
        """Return the text for `key`; with `count`, the one for one or for many."""
        if "count" in given:
            count = given["count"]
            key = f"{key}_one" if count == 1 and f"{key}_one" in self._words else key
            given["count"] = self.number(count) if isinstance(count, int) else count
        return str(self._words[key]).format(**given)

    def told(self, english: str) -> str:
        """Return what the archive's code says in English; what is not known stays as it is."""
        said, left = [], english
        while left and self._told:
            for pattern, template in self._told:
                found = pattern.match(left)
                if found:
                    blanks = {name: self._filled(text) for name, text in found.groupdict().items()}
                    said.append(template.format(**blanks))
                    break
            else:
                found = _SENTENCE.match(left)
                assert found is not None  # there is something left
                said.append(found[0])
            left = left[found.end() :].lstrip()
        return " ".join(said) if self._told else english

    def dated(self, statement: str) -> str:
        """Return a statement with the day that stands before it in this language."""
        if not self._told:
            return statement
        return _DATED.sub(self._before, statement)

    def _before(self, found: re.Match[str]) -> str:
        later = self("later") if found["later"] else ""
        return f"[{later}{self._filled(found['rest'])}:]"

    def _filled(self, text: str) -> str:
        """Return what fills a blank: names as they are, days and what joins them translated."""
        text = _DAY.sub(lambda found: self._day(found["day"], found["month"], found["year"]), text)
        return text.replace(" or ", f" {self('or')} ")

    def _day(self, day: str, month: str, year: str) -> str:
        return self("day", day=day, month=self._words["months"][MONTHS.index(month)], year=year)

    def number(self, value: int) -> str:
        """Return `value` with its thousands apart."""
        return f"{value:,}".replace(",", self("thousands"))

    def day(self, moment: datetime | None) -> str:
        """Return the day of `moment`, in UTC; nothing for none."""
        if moment is None:
            return ""
        moment = moment.astimezone(UTC)
        return self(
            "day", day=moment.day, month=self._words["months"][moment.month - 1], year=moment.year
        )

    def date(self, moment: datetime | None) -> str:
        """Return the day of `moment` and, unless it is a day at midnight, its time in UTC."""
        if moment is None:
            return ""
        moment = moment.astimezone(UTC)
        time = moment.replace(tzinfo=None).time()
        whole = not (time.hour or time.minute or time.second)
        return self.day(moment) + ("" if whole else f", {moment:%H:%M} UTC")

    def period(self, first: datetime | None, last: datetime | None) -> str:
        """Return "21 October 2024 to 24 October 2024"; nothing where there are no dates."""
        if first is None or last is None:
            return ""
        start, end = self.day(first), self.day(last)
        return start if start == end else self("period", start=start, end=end)


def _patterns(told: Mapping[str, str]) -> list[tuple[re.Pattern[str], str]]:
    """Return what to look for, the longest first, and the text that takes its place."""
    found = []
    for english, other in sorted(told.items(), key=lambda item: -len(item[0])):
        end = "(?= |$)" if english.endswith(".") else "$"  # more may follow on a sentence alone
        found.append((re.compile(_BLANK.sub(_any, re.escape(english)) + end, re.DOTALL), other))
    return found


def _any(blank: re.Match[str]) -> str:
    return f"(?P<{blank[1]}>.+?)"


@cache
def all_texts() -> dict[str, dict[str, Any]]:
    """Return the texts of every language, by its code: one file each, beside this module."""
    folder = files("ui.web") / "texts"
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


@cache
def texts_in(language: str) -> Texts:
    """Return the texts of `language`, or of the fallback where there are none."""
    known = all_texts()
    return Texts(language, known[language]) if language in known else texts_in(FALLBACK)


def wanted_language(accepted: str) -> str:
    """Return the first language of an `Accept-Language` header that there are texts for."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        if language in all_texts():
            return language
    return FALLBACK
