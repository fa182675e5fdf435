"""What the page says, in the reader's language: a file of texts for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

FALLBACK = "en"


class Texts:
    """The texts of one language: called with a key and what is to be filled in."""

    def __init__(self, language: str, words: Mapping[str, Any]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **given: object) -> str:
        """Return the text for `key`; with `count`, the one for one or for many."""
        if "count" in given:
            count = given["count"]
            key = f"{key}_one" if count == 1 and f"{key}_one" in self._words else key
            given["count"] = self.number(count) if isinstance(count, int) else count
        return str(self._words[key]).format(**given)

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


@cache
def all_texts() -> dict[str, dict[str, Any]]:
    """Return the texts of every language, by its code: one file each, beside this module."""
    folder = files("ui.page") / "texts"
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


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
