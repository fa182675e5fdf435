"""Message catalogues read from .po files, and the format of dates, numbers and lists."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files

# Takes about 0.1 s: import this module when showing results, not when parsing commands.
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

FALLBACK = "en"
NOTICE = "notice"  # gettext context of the notices' messages


class Texts:
    """Messages of one language, and its format of dates, numbers and lists.

    Call it with the key of a message and the values of its placeholders; `count` selects the
    plural form.

    Args:
        language: Language code, such as "de".
        locale: Locale that formats dates, numbers and lists.
        messages: Compiled catalogue.
    """

    def __init__(self, language: str, locale: Locale, messages: GNUTranslations) -> None:
        self.language = language
        self.locale = locale
        self._messages = messages

    def __call__(self, key: str, **values: object) -> str:
        """Return the message `key` with its placeholders filled in."""
        count, text = values.get("count"), key
        if isinstance(count, int):
            values["count"] = self.number(count)
            text = self._messages.ngettext(key, key, count)
        if text == key:  # the message has no plural forms
            text = self._messages.gettext(key)
        return text.format(**values)

    def notice(self, code: str, **values: object) -> str:
        """Return the message of a notice code with its placeholders filled in."""
        return self._messages.pgettext(NOTICE, code).format(**values)

    def number(self, value: float) -> str:
        """Return a number in the format of the language, such as "1,234.5"."""
        return format_decimal(value, locale=self.locale)

    def list_of(self, items: Sequence[str]) -> str:
        """Return the items as a phrase, such as "A, B or C"."""
        return format_list(items, style="or", locale=self.locale)

    def day(self, moment: date | None) -> str:
        """Return a day, or the UTC day of a datetime, as "24 October 2024"; "" for None."""
        if moment is None:
            return ""
        return format_date(_to_utc_date(moment), "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        """Return a day in short, such as "24 Oct 2024"."""
        return format_date(_to_utc_date(day), "medium", locale=self.locale)

    def weekday(self, day: date) -> str:
        """Return a day with its weekday, such as "Thursday, 24 October 2024"."""
        return format_date(day, "full", locale=self.locale)

    def month(self, day: date) -> str:
        """Return the month of a day, such as "October 2024"."""
        return format_skeleton("yMMMM", day, locale=self.locale)

    def moment(self, moment: datetime | None) -> str:
        """Return the day and time of `moment` in UTC; without the time if it is midnight."""
        if moment is None:
            return ""
        time = moment.astimezone(UTC).replace(tzinfo=None).time()
        if not (time.hour or time.minute or time.second):
            return self.day(moment)
        return f"{self.day(moment)}, {format_time(time, 'HH:mm', locale=self.locale)} UTC"

    def period(self, first: datetime | None, last: datetime | None) -> str:
        """Return "21 October 2024 to 24 October 2024"; a single day once, "" without dates."""
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
    """Read the catalogue of `language`, which must be one of `languages()`."""
    source = files(__package__).joinpath(f"{language}.po").read_bytes()
    return read_po(io.BytesIO(source), abort_invalid=True)


@cache
def texts_in(language: str) -> Texts:
    """Return the texts of a language; English if it has no catalogue.

    Raises:
        UnknownLocaleError: The catalogue's header names no locale.
    """
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
    """Return the messages without plural forms by key, for the labels of Gradio components."""
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
