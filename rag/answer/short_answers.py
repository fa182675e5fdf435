"""Short answers: the figure or day that answers, shown in brackets before a quotation."""

from __future__ import annotations

import re

from rag.answer.asked_figure import AskedFigure, asked_figure, matching_numbers
from rag.answer.figures import is_same_event
from rag.answer.sentence_scoring import SentenceCandidate
from rag.nlp.dates import WEEKDAYS
from rag.nlp.entities import find_names, names_match
from rag.nlp.event_dates import resolve_date
from rag.nlp.numbers import DateMention, find_dates
from rag.nlp.tokens import content_words, stem_words
from rag.query.parser import ParsedQuery
from rag.schema import Notice

Lead = str | Notice | None  # a short answer in the article's words, or a label

MOST_OF_IT = 0.75  # share of a question's words that a sentence with its title must have
SOME_OF_IT = 0.5  # share that the sentence must have itself
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_TO_COME = re.compile(r"\b(?:will|would|next|to be|plans?|scheduled|expected)\b", re.IGNORECASE)
_ASKS_YEAR = re.compile(r"\b(?:what|which) year\b", re.IGNORECASE)
_ASKS_MONTH = re.compile(r"\b(?:what|which) month\b", re.IGNORECASE)
# Dates that bound something and don't say when it happened.
_BOUND = re.compile(r"\b(?:since|until|till|by|before|after|from|than)(?: the)? ?$", re.IGNORECASE)
_BOUND_ASKED = re.compile(
    r"\b(?:since when|until when|by when|from when|deadline)\b", re.IGNORECASE
)


def short_answer(question: ParsedQuery, candidate: SentenceCandidate) -> Lead:
    """Return the figure or day that answers a question, in the sentence's own words.

    Args:
        question: The parsed question.
        candidate: The best sentence.

    Returns:
        The words, or a label with the date of a weekday; None unless the sentence has exactly one
        figure or date of what is asked.
    """
    if candidate.features["asks"] or not _is_of_asked_year(question, candidate):
        return None
    figure = asked_figure(question)
    if figure is not None:
        return _short_figure(figure, candidate)
    if question.expected.type == "day" and not question.expected.also:
        return _short_day(question, candidate)
    return None


def _is_of_asked_year(question: ParsedQuery, candidate: SentenceCandidate) -> bool:
    """Return whether a sentence or its article is of a year that the question names, if any."""
    published = candidate.hit.metadata.published
    years = {int(year) for year in _YEAR.findall(question.text)}
    named = {int(year) for year in _YEAR.findall(candidate.text)}
    return not years or bool(years & named) or (published is not None and published.year in years)


def _short_figure(asked: AskedFigure, candidate: SentenceCandidate) -> Lead:
    if asked.unit == "any" or not is_same_event(asked, candidate):
        return None
    found = matching_numbers(asked, candidate.text)
    if len(found) != 1 or not _is_close(asked.event, asked.text, candidate):
        return None
    return found[0][1]


def _is_close(wanted: frozenset[str], text: str, candidate: SentenceCandidate) -> bool:
    """Return whether a sentence has most of a question's words, the rest in its title."""
    passage = candidate.hit.passage.text
    named = [name.text for name in find_names(text) if name.text in passage]
    wanted -= frozenset[str]().union(*map(stem_words, named))
    own = stem_words(candidate.text)
    title = stem_words(candidate.hit.metadata.title)
    covered = {word for word in wanted if word in own}
    covered |= {
        word
        for name in find_names(text)
        for other in find_names(candidate.text)
        if names_match(name.text, other.text)
        for word in stem_words(name.text) & wanted
    }
    return len(covered) >= SOME_OF_IT * len(wanted) and len(
        covered | (wanted & title)
    ) >= MOST_OF_IT * len(wanted)


def _short_day(question: ParsedQuery, candidate: SentenceCandidate) -> Lead:
    text, sentence = question.text, candidate.text
    known = {day.text.lower() for day in find_dates(text)}
    days = find_dates(sentence)
    if len(days) != 1 or days[0].text.lower() in known or _has_year(sentence, days[0]):
        return None
    day = days[0]
    bound = _BOUND.search(sentence[: day.start]) and not _BOUND_ASKED.search(text)
    fits = day.year if _ASKS_YEAR.search(text) else day.month or not _ASKS_MONTH.search(text)
    wanted = stem_words(question.query) - _stems_of_asking(question.query)
    if bound or not fits or not _is_close(wanted, text, candidate):
        return None
    return date_of_weekday(day.text, candidate)


def _has_year(sentence: str, day: DateMention) -> bool:
    """Return whether a sentence names a year besides its date."""
    return bool(_YEAR.search(sentence[: day.start] + " " + sentence[day.end :]))


def _stems_of_asking(text: str) -> frozenset[str]:
    asking = {"year", "month", "date", "day", "time", "years", "months"}
    return frozenset(word.stem for word in content_words(text) if word.text.lower() in asking)


def date_of_weekday(short: str, candidate: SentenceCandidate) -> str | Notice:
    """Return the date of a bare weekday, the last one before the article; else the words as given.

    In a sentence about the future, a weekday may be of another week and stays as it is.
    """
    published = candidate.hit.metadata.published
    if short.lower() not in WEEKDAYS or published is None or _TO_COME.search(candidate.text):
        return short
    (mention,) = (day for day in find_dates(candidate.text) if day.text == short)
    day = resolve_date(mention, candidate.text, published)
    return Notice("weekday", weekday=day) if day else short
