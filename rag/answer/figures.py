"""Figures that answer a question: of the same event, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag.answer.asked_figure import MODIFIER, AskedFigure, matching_numbers
from rag.answer.premise_conflicts import shared_words
from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.sentence_selection import RELEVANT_FROM
from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names, names_match
from rag.nlp.event_dates import report_day
from rag.nlp.numbers import Number
from rag.nlp.quotations import REPORTING_VERBS
from rag.nlp.tokens import word_overlap

NEAR_THE_BEST = 3.0  # largest difference in score at which a newer report of a figure leads
NEAR_A_TOLL = 6.0  # the same of a toll, which seldom repeats the question's words
SAME_EVENT = 0.5  # share of the question's other words that a sentence with its article must have
SAME_STORY = timedelta(days=60)  # a toll older than this is of another event
SAME_DAYS = timedelta(days=1)  # figures of the same days may disagree; others replace each other
SAME_SERIES = timedelta(days=500)  # the same for prices, shares and other figures
LEAST_SHARE = 0.8  # a newer toll below this share of an older one counts a part or something else
MOST_EARLIER = 2  # earlier figures shown
PARALLEL = 0.6  # share of the shorter sentence's words from which two measure the same thing
LARGEST_CHANGE = 4.0  # factor from which two figures, of no toll, measure different things
# Share of the most that a sentence with a figure has of the question: "moved" may be a part of
# those "sent".
SAYS_AS_MUCH = 0.9
BEFORE, AFTER = 240, 120  # characters around a sentence that tell of what event it is
_SPEAKING = frozenset(map(stem, REPORTING_VERBS))
NEARLY_ALL = 0.8  # share of the question's words, likewise


@dataclass(frozen=True, slots=True)
class FigureFound:
    """Figure of a sentence, with its words and the day to which it applies."""

    candidate: SentenceCandidate
    value: float
    words: str
    day: date | None


def find_figures(
    asked: AskedFigure, ranked: Sequence[SentenceCandidate]
) -> list[tuple[SentenceCandidate, Number, str]]:
    """Return the figures of the scored sentences that answer, each with its words.

    A sentence with several of them isn't clear, and gives none.

    Args:
        asked: The figure asked for.
        ranked: Scored sentences, best first.
    """
    found = []
    for candidate in ranked:
        if candidate.features["asks"] or not is_same_event(asked, candidate):
            continue
        here = matching_numbers(asked, candidate.text)
        if len({number.value for number, _ in here}) == 1:
            found.append((candidate, *here[0]))
    return found


def reported_figures(asked: AskedFigure, ranked: Sequence[SentenceCandidate]) -> list[FigureFound]:
    """Return the figures of the scored sentences that answer, each with the day it applies to.

    Args:
        asked: The figure asked for.
        ranked: Scored sentences, best first.
    """
    return [_figure_found(*found) for found in find_figures(asked, ranked)]


def is_same_event(asked: AskedFigure, candidate: SentenceCandidate) -> bool:
    """Return whether a sentence, with its article's title and passage, is about the asked event."""
    title, passage = candidate.hit.metadata.title, candidate.hit.passage.text
    around = f"{candidate.text} {title}"
    if not asked.event:
        return True
    near = f"{around} {_neighbours(candidate, passage)}"
    called = [name.text for name in find_names(f"{title}. {passage}")]
    return (
        shared_words(asked.event, asked.text, near) >= SAME_EVENT
        and shared_words(asked.event, asked.text, around) > 0
        and all(
            any(names_match(name, other) for other in called) or name.lower() in passage.lower()
            for name in asked.names
        )
    )


def _neighbours(candidate: SentenceCandidate, passage: str) -> str:
    start = candidate.span.start - candidate.hit.passage.start
    end = candidate.span.end - candidate.hit.passage.start
    return f"{passage[max(0, start - BEFORE) : start]} {passage[end : end + AFTER]}"


def find_disagreement(
    asked: AskedFigure, ranked: Sequence[SentenceCandidate], figure: FigureFound
) -> FigureFound | None:
    """Return another publisher's different figure of the same thing and the same days, if any.

    Figures of other days are earlier or later states of a story and no disagreement.

    Args:
        asked: The figure asked for.
        ranked: Scored sentences, best first.
        figure: The figure that is shown.
    """
    for each in (_figure_found(*found) for found in find_figures(asked, ranked)):
        one, other = figure.candidate.hit.metadata, each.candidate.hit.metadata
        if (
            one.publisher
            and other.publisher
            and one.publisher != other.publisher
            and figure.day is not None
            and each.day is not None
            and abs(figure.day - each.day) <= SAME_DAYS
            and each.value != figure.value
            and each.candidate.score >= figure.candidate.score - NEAR_THE_BEST
            and not (_is_bound(each) or _is_bound(figure))
            and _says_the_same(asked, each, figure)
        ):
            return each
    return None


def _is_bound(figure: FigureFound) -> bool:
    """Return whether a figure is only a bound or estimate: "at least 9" agrees with 10."""
    return not figure.words[:1].isdigit() and bool(MODIFIER.match(figure.words + " "))


def newest_first(
    asked: AskedFigure, ranked: Sequence[SentenceCandidate]
) -> tuple[FigureFound, ...]:
    """Return the newest report of the figure asked for, then earlier ones of other values.

    Args:
        asked: The figure asked for.
        ranked: Scored sentences, best first.

    Returns:
        The newest figure first; nothing if no clear sentence is close to the best one.
    """
    found = [_figure_found(*each) for each in find_figures(asked, ranked)]
    clear = [f for f in found if not f.candidate.features["fragment"]]
    reach = NEAR_A_TOLL if asked.fate else NEAR_THE_BEST
    if not clear or clear[0].candidate.score < ranked[0].score - reach:
        return ()
    best = clear[0]
    near = [f for f in clear if _is_near(f, best, reach)]
    if not asked.fate and not asked.attributed:
        said = [_share_said(asked, f) for f in near]
        near = [f for f, share in zip(near, said, strict=True) if share >= SAYS_AS_MUCH * max(said)]
        best = near[0]
    if not asked.fate:
        near = _same_series(asked, best, near)
    lead = max(near, key=lambda f: (f.day or date.min, f.value if asked.fate else 0, _score(f)))
    if asked.fate and any(lead.value < LEAST_SHARE * f.value for f in near if f.day):
        lead = best
    earlier: list[FigureFound] = []
    for figure in sorted(near, key=lambda f: f.day or date.min, reverse=True):
        if _is_earlier(figure, lead, asked) and all(figure.value != e.value for e in earlier):
            earlier.append(figure)
    return (lead, *earlier[:MOST_EARLIER])


def _same_series(
    asked: AskedFigure, best: FigureFound, near: Sequence[FigureFound]
) -> list[FigureFound]:
    """Return the figures that measure what the best one does, each by itself or by one between.

    From 1,500 to 10,000 is too large a change for one thing, unless 3,000 were reported between.
    """
    series, left = [best], [f for f in near if f is not best]
    for figure in series:  # grows meanwhile
        found = [f for f in left if _says_the_same(asked, f, figure)]
        left = [f for f in left if f not in found]
        series += found
    return series


def _share_said(asked: AskedFigure, figure: FigureFound) -> float:
    """Return the share of the question's words, those of speaking aside, that a sentence has."""
    wanted = (asked.event | asked.noun) - _SPEAKING
    return shared_words(wanted, asked.text, figure.candidate.text)


def _score(figure: FigureFound) -> float:
    return figure.candidate.score


def _figure_found(candidate: SentenceCandidate, number: Number, words: str) -> FigureFound:
    published = candidate.hit.metadata.published
    day = report_day(candidate.text, published) if published else None
    return FigureFound(candidate, number.value, words, day)


def _is_near(figure: FigureFound, best: FigureFound, reach: float) -> bool:
    return figure.candidate is best.candidate or (
        figure.candidate.score >= best.candidate.score - reach
        and figure.candidate.relevance >= RELEVANT_FROM
    )


def _says_the_same(asked: AskedFigure, figure: FigureFound, best: FigureFound) -> bool:
    """Return whether two sentences measure the same thing, apart from the figure.

    They do if both have nearly all of the question's words, or most of each other's.
    """
    if asked.unit in ("any", "duration", "age"):
        return False
    less, more = sorted((abs(figure.value), abs(best.value)))
    if more > LARGEST_CHANGE * less:
        return False
    texts = (figure.candidate.text, best.candidate.text)
    if word_overlap(*texts) >= PARALLEL:
        return True
    wanted = asked.event | asked.noun | asked.change
    return all(shared_words(wanted, asked.text, text) >= NEARLY_ALL for text in texts)


def _is_earlier(figure: FigureFound, lead: FigureFound, asked: AskedFigure) -> bool:
    if figure.day is None or lead.day is None or figure.value == lead.value:
        return False
    reach = SAME_STORY if asked.fate else SAME_SERIES
    rises = not asked.fate or figure.value <= lead.value / LEAST_SHARE
    return lead.day - reach <= figure.day < lead.day and rises
