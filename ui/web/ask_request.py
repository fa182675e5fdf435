"""Convert form fields and links to an AskRequest, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args
from urllib.parse import urlencode

from rag.query.date_input import parse_date_input
from rag.schema import Filters
from rag.valid_dates import shift
from ui.web.state import AskRequest, Mode, Order

LONGEST_DAY = 40  # characters of a date field
LONGEST_VALUE = 4000  # characters of a value in a link; too long a question is reported later
MOST_NAMES = 200  # selected in a dropdown

PRESETS = {
    "any": 0,
    "day": 1,
    "week": 7,
    "month": 31,
    "year": 366,
}  # days before the newest article
NAME_FIELDS = ("publishers", "authors", "sections", "languages", "excluded")
FIELDS = ("after", "before", "asked_on", *NAME_FIELDS)


def request_from_fields(
    question: str, mode: str, order: str, fields: Mapping[str, object]
) -> tuple[AskRequest, list[str]]:
    """Build a request from the form fields of the page.

    Args:
        question: The question.
        mode: The answer type; "answer" if unknown.
        order: The order of passages; "relevance" if unknown.
        fields: Values of `FIELDS`. `before` is the last day that is included.

    Returns:
        The request, and the dates that could not be read; these are ignored as filters.
    """
    moments: dict[str, datetime | None] = {}
    wrong = []
    for name in ("asked_on", "after", "before"):
        text = str(fields.get(name) or "").strip()
        try:
            moments[name] = _moment(text, moments.get("asked_on")) if text else None
        except (ValueError, OverflowError):
            moments[name] = None
            wrong.append(text[:LONGEST_DAY])
    before = moments["before"]
    filters = Filters(
        after=moments["after"],
        before=shift(before, timedelta(days=1)) if before else None,
        publishers=_names(fields.get("publishers")),
        authors=_names(fields.get("authors")),
        sections=_names(fields.get("sections")),
        languages=_names(fields.get("languages")),
        excluded_publishers=_names(fields.get("excluded")),
    )
    asked = AskRequest(
        question,
        filters,
        moments["asked_on"],
        mode if mode in get_args(Mode) else "answer",  # type: ignore[arg-type]
        order if order in get_args(Order) else "relevance",  # type: ignore[arg-type]
    )
    return asked, wrong


def _moment(text: str, now: datetime | None) -> datetime:
    if len(text) > LONGEST_DAY:
        raise ValueError("too long for a date")
    return parse_date_input(text, now=now)


def fields_from_request(asked: AskRequest) -> dict[str, str | list[str]]:
    """Return the form fields of a request, in the order of `FIELDS`."""
    filters = asked.filters
    last = filters.before - timedelta(days=1) if filters.before else None
    return {
        "after": _day(filters.after),
        "before": _day(last),
        "asked_on": _day(asked.asked_on),
        "publishers": list(filters.publishers),
        "authors": list(filters.authors),
        "sections": list(filters.sections),
        "languages": list(filters.languages),
        "excluded": list(filters.excluded_publishers),
    }


def preset_days(preset: str, newest: datetime) -> tuple[str, str]:
    """Return the fields "after" and "before" of a preset, counted back from the newest article."""
    days = PRESETS.get(preset, 0)
    if not days:
        return "", ""
    return _day(shift(newest, timedelta(days=1 - days))), _day(newest)


def limit_dates(asked: AskRequest, first: datetime, last: datetime) -> AskRequest:
    """Return the request limited to articles from the day of `first` to the day of `last`."""
    midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    after = first.replace(**midnight)  # type: ignore[arg-type]
    before = shift(last.replace(**midnight), timedelta(days=1))  # type: ignore[arg-type]
    return replace(asked, filters=replace(asked.filters, after=after, before=before))


def permalink(asked: AskRequest) -> str:
    """Return the query string of a link that repeats the request, with its question mark."""
    pairs: list[tuple[str, str]] = [("q", asked.question)]
    if asked.mode != "answer":
        pairs.append(("mode", asked.mode))
    if asked.order != "relevance":
        pairs.append(("order", asked.order))
    for name, value in fields_from_request(asked).items():
        pairs += [(name, text) for text in ([value] if isinstance(value, str) else value) if text]
    return f"?{urlencode(pairs)}"


def request_from_link(query: Sequence[tuple[str, str]]) -> AskRequest | None:
    """Return the request in the query parameters of a link; None if it has no question."""
    single = {name: value[:LONGEST_VALUE] for name, value in query}
    if not single.get("q", "").strip():
        return None
    fields: dict[str, object] = {name: single.get(name, "") for name in FIELDS[:3]}
    fields.update({name: [v for n, v in query if n == name] for name in FIELDS[3:]})
    asked, _ = request_from_fields(
        single["q"], single.get("mode", ""), single.get("order", ""), fields
    )
    return asked


def _names(value: object) -> tuple[str, ...]:
    """Return the selected names, without those beyond the limits of number and length."""
    named = value if isinstance(value, list | tuple) else ()
    return tuple(name for name in named[:MOST_NAMES] if isinstance(name, str) and len(name) <= 500)


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""
