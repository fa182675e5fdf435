"""HTML of the chips below the question: filters in use, each with its panel."""

from __future__ import annotations

from datetime import timedelta

from rag.schema import Filters
from ui.i18n import Texts
from ui.web.state import AskRequest
from ui.web.views.markup import escape, escape_line


def chips_html(asked: AskRequest, texts: Texts, wrong: tuple[str, ...] = ()) -> str:
    """Return the chips of a request's filters.

    Args:
        asked: The request; only its filters and its day count.
        texts: Language of the labels.
        wrong: Values of date fields that are no dates.
    """
    filters = asked.filters
    publishers = ", ".join(publishers_in_words(filters, texts))
    more = (*filters.authors, *filters.sections, *filters.languages)
    if asked.asked_on:
        more = (*more, texts("answer_as_of", day=texts.short_day(asked.asked_on)))
    chips = (
        _chip("date", texts("date"), _dates(asked, texts), texts),
        _chip("publisher", texts("publisher"), publishers, texts),
        _chip("more", texts("more"), ", ".join(more), texts),
    )
    is_set = bool(filters) or asked.asked_on is not None or asked.order != "relevance" or wrong
    clear = (
        f'<button type="button" class="bf-clear" data-do="clear">{escape(texts("clear"))}</button>'
        if is_set
        else ""
    )
    errors = "".join(
        f'<p class="bf-error" role="alert" dir="auto" data-wrong="{escape_line(text)}">'
        f"{escape_line(texts('bad_date', text=text))}</p>"
        for text in wrong
    )
    return f'<div class="bf-chips">{"".join(chips)}{clear}</div>{errors}'


def publishers_in_words(filters: Filters, texts: Texts) -> tuple[str, ...]:
    """Return the publishers of filters, and those that they exclude."""
    excluded = (texts("without_publisher", name=name) for name in filters.excluded_publishers)
    return (*filters.publishers, *excluded)


def filter_words(asked: AskRequest, texts: Texts) -> list[str]:
    """Return the filters of a request in words."""
    filters = asked.filters
    dates = _dates(asked, texts)
    names = (*filters.authors, *filters.sections, *filters.languages)
    names = (*publishers_in_words(filters, texts), *names)
    return [dates, *names] if dates else [*names]


def _chip(panel: str, name: str, value: str, texts: Texts) -> str:
    words = escape_line(value or name)
    label = f"{escape(name)}&#58; {escape_line(value or texts('any'))}"
    return (
        f'<button type="button" class="bf-chip{" bf-on" if value else ""}" data-panel="{panel}" '
        f'aria-expanded="false" aria-controls="bf-panel-{panel}" aria-label="{label}">'
        f'<span dir="auto">{words}</span></button>'
    )


def _dates(asked: AskRequest, texts: Texts) -> str:
    after, before = asked.filters.after, asked.filters.before
    last = before - timedelta(days=1) if before else None
    if after and last:
        first, end = texts.short_day(after), texts.short_day(last)
        return first if first == end else f"{first} – {end}"
    if after:
        return texts("since", day=texts.short_day(after))
    return texts("until", day=texts.short_day(last)) if last else ""
