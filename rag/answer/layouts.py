"""Layouts that need searches of their own: comparisons, courses of events, changing counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answer.asked_figure import AskedFigure, asked_figure
from rag.answer.comparisons import Comparison, choose_sides, parse_comparison
from rag.answer.events import find_events
from rag.answer.extractive import ComposedAnswer, figure_series, order_by_date
from rag.answer.figures import newest_first
from rag.answer.refusal import refusal_reason
from rag.answer.sentence_scoring import SentenceCandidate, score_sentences
from rag.answer.short_answers import Lead
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, retrieve, understand_question
from rag.schema import Filters, Hit, Notice

PASSAGES = 40  # passages to search for: a course of events needs more articles than an answer
SENTENCES = 60  # sentences to score: its steps have few of the question's words
MOST_EVENTS = 8  # events of a course in an answer
LEAST_EVENTS = 2  # events that are a course
COUNT_PASSAGES = 24  # passages to search for a count: its newest report may rank below the best
COUNT_SENTENCES = 40  # sentences to score for a count


@dataclass(frozen=True, slots=True)
class LaidOutAnswer:
    """Composed answer with the search result from which it was made."""

    shown: ComposedAnswer
    found: RetrievalResult


def lay_out(
    archive: SearchBackend, asked: ParsedQuery, k: int, filters: Filters
) -> LaidOutAnswer | None:
    """Return the answer of a comparison, a course of events or a count that changes.

    Args:
        archive: The archive.
        asked: The parsed question.
        k: The most passages to return with the answer.
        filters: The filters that the articles must pass.

    Returns:
        The answer; None if the question asks for none of them, or nothing relevant is found.
    """
    if k < 1:
        return None
    if asked.expected.layout == "by date":
        return _course_of_events(archive, asked, k, filters)
    figure = asked_figure(asked)
    if figure is not None and (figure.fate or (figure.unit == "count" and not figure.attributed)):
        return _running_story(archive, asked, figure, k, filters)
    comparison = None if asked.expected.sides else parse_comparison(asked.text)
    return _compare(archive, asked, comparison, k, filters) if comparison else None


def search_events(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters
) -> tuple[RetrievalResult, list[SentenceCandidate]]:
    """Return the passages about a story, whenever published, and their scored sentences.

    Args:
        archive: The archive.
        asked: The parsed question.
        filters: The filters that the articles must pass.
    """
    found = retrieve(archive, asked, PASSAGES, filters=filters, evenly=True)
    return found, score_sentences(archive, found, SENTENCES)


def _course_of_events(
    archive: SearchBackend, asked: ParsedQuery, k: int, filters: Filters
) -> LaidOutAnswer | None:
    found, ranked = search_events(archive, asked, filters)
    if refusal_reason(found.question, ranked):
        return None
    events = find_events(found.question, ranked, MOST_EVENTS)
    if len(events) < LEAST_EVENTS:
        return None
    shown = order_by_date(events)
    return LaidOutAnswer(shown, replace(found, hits=_hits_of(shown, found.hits, k)))


def _running_story(
    archive: SearchBackend, asked: ParsedQuery, figure: AskedFigure, k: int, filters: Filters
) -> LaidOutAnswer | None:
    """Return the newest figure of a running story with earlier ones; None without any of these."""
    found = retrieve(archive, asked, COUNT_PASSAGES, filters=filters)
    ranked = score_sentences(archive, found, COUNT_SENTENCES)
    if refusal_reason(found.question, ranked):
        return None
    figures = newest_first(figure, ranked)
    if len(figures) < 2:
        return None
    shown = figure_series(figures)
    return LaidOutAnswer(shown, replace(found, hits=_hits_of(shown, found.hits, k)))


def _compare(
    archive: SearchBackend, asked: ParsedQuery, comparison: Comparison, k: int, filters: Filters
) -> LaidOutAnswer | None:
    """Return the answer of a comparison, each side searched for separately."""
    results = []
    for side in comparison.sides:
        question = understand_question(
            archive, side.question, asked_on=asked.asked_on, access=filters.access
        )
        results.append(retrieve(archive, question, k, filters=filters))
    ranked = [score_sentences(archive, found) for found in results]
    chosen = choose_sides(comparison, ranked)
    if not any(chosen):
        return None
    picked: list[tuple[SentenceCandidate, Lead]] = []
    for candidate in chosen:
        if candidate is not None and all(candidate is not other for other, _ in picked):
            picked.append((candidate, _label(candidate)))
    missing = [
        side.name
        for side, candidate in zip(comparison.sides, chosen, strict=True)
        if candidate is None
    ]
    notices = (Notice("sides_missing", sides=missing),) if missing else ()
    shown = ComposedAnswer(tuple(picked), notices=notices, answering=len(picked))
    hits = [hit for found in results for hit in found.hits]
    considered = sum(found.considered for found in results)
    return LaidOutAnswer(shown, RetrievalResult(asked, _hits_of(shown, hits, k), considered))


def _label(candidate: SentenceCandidate) -> Lead:
    published, publisher = candidate.hit.metadata.published, candidate.hit.metadata.publisher
    if published and publisher:
        return Notice("dated_source", day=published, publisher=publisher)
    return Notice("dated", day=published) if published else None


def _hits_of(shown: ComposedAnswer, hits: Sequence[Hit], k: int) -> tuple[Hit, ...]:
    """Return the cited hits and the best others, at most `k` unless more are cited."""
    cited = {candidate.hit.passage for candidate in shown.candidates}
    first = {hit.passage: hit for hit in reversed(hits)}
    kept = [hit for hit in first.values() if hit.passage in cited]
    others = [hit for hit in dict.fromkeys(h.passage for h in hits) if hit not in cited]
    kept += [first[passage] for passage in others[: max(0, k - len(kept))]]
    order = {hit.passage: place for place, hit in reversed(list(enumerate(hits)))}
    return tuple(sorted(kept, key=lambda hit: order[hit.passage]))
