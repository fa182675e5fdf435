"""Message catalogues, read from .po files, and dates, numbers and lists per language."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files

# About 0.1 s: import this module where something is shown, not where a command is parsed.
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

FALLBACK = "en"
NOTICE = "notice"  # the context of the messages of notices


class Texts:
    """The messages of one language, and how it writes dates, numbers and lists.

    Call it with a message's key and what fills its blanks; `count` selects the plural form.
    """

    def __init__(self, language: str, locale: Locale, messages: GNUTranslations) -> None:
        self.language = language
        self.locale = locale
        self._messages = messages

    def __call__(self, key: str, **values: object) -> str:
        """Return the message `key` with its blanks filled in."""
        count, text = values.get("count"), key
        if isinstance(count, int):
            values["count"] = self.number(count)
            text = self._messages.ngettext(key, key, count)
        if text == key:  # without plural forms
            text = self._messages.gettext(key)
        return text.format(**values)

    def notice(self, code: str, **values: object) -> str:
        """Return the message of a notice's code with its blanks filled in."""
        return self._messages.pgettext(NOTICE, code).format(**values)

    def number(self, value: float) -> str:
        """Return a number as the language writes it: "1,234.5"."""
        return format_decimal(value, locale=self.locale)

    def list_of(self, items: Sequence[str]) -> str:
        """Return "A, B or C"."""
        return format_list(items, style="or", locale=self.locale)

    def day(self, moment: date | None) -> str:
        """Return a day, or the day of a moment in UTC, as "24 October 2024"; "" for None."""
        if moment is None:
            return ""
        return format_date(_to_utc_date(moment), "long", locale=self.locale)

    def weekday(self, day: date) -> str:
        """Return a day with its weekday: "Thursday, 24 October 2024"."""
        return format_date(day, "full", locale=self.locale)

    def moment(self, moment: datetime | None) -> str:
        """Return the day of `moment` and, unless that is midnight, its time in UTC."""
        if moment is None:
            return ""
        time = moment.astimezone(UTC).replace(tzinfo=None).time()
        if not (time.hour or time.minute or time.second):
            return self.day(moment)
        return f"{self.day(moment)}, {format_time(time, 'HH:mm', locale=self.locale)} UTC"

    def period(self, first: datetime | None, last: datetime | None) -> str:
        """Return "21 October 2024 to 24 October 2024", one day once; "" without dates."""
        if first is None or last is None:
            return ""
        start, end = self.day(first), self.day(last)
        return start if start == end else self("period", first=start, last=end)


def _to_utc_date(moment: date) -> date:
    return moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a catalogue, sorted."""
    names = (file.name for file in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".po") for name in names if name.endswith(".po")))


@cache
def catalogue(language: str) -> Catalog:
    """Return the catalogue of `language`, which is one of `languages()`."""
    source = files(__package__).joinpath(f"{language}.po").read_bytes()
    return read_po(io.BytesIO(source), abort_invalid=True)


@cache
def texts_in(language: str) -> Texts:
    """Return the texts of `language`, or English where there is no catalogue."""
    if language not in languages():
        return texts_in(FALLBACK)
    found = catalogue(language)
    compiled = io.BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    if found.locale is None:
        raise UnknownLocaleError(language)
    return Texts(language, found.locale, GNUTranslations(compiled))


def labels(language: str) -> dict[str, str]:
    """Return the messages without plural forms, by key: what Gradio puts on its components."""
    return {
        str(message.id): str(message.string)
        for message in catalogue(language)
        if message.id and not message.context and not message.pluralizable
    }


def preferred_language(accepted: str) -> str:
    """Return the first language of an `Accept-Language` header that has a catalogue."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        if language in languages():
            return language
    return FALLBACK
