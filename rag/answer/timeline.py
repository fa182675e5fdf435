"""Timeline: one dated sentence of each relevant article, in order of publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rag.answer.corrections import add_correction_notes
from rag.answer.extractive import append_statement, quote_statement
from rag.answer.refusal import refusal_answer, refusal_reason
from rag.answer.sentence_scoring import SentenceCandidate, score_sentences, texts_of
from rag.answer.sentence_selection import RELEVANT_FROM, SAYS_THE_SAME, word_overlap
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import Answer, Filters, Notice

PASSAGES = 40  # passages to search for: a timeline needs more articles than an answer
SENTENCES = 30  # sentences to score
MOST_ENTRIES = 12


def build_timeline(
    archive: SearchBackend,
    question: str | ParsedQuery,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
) -> Answer:
    """Return dated quotations in the order of publication, each with its citation.

    Undated articles, repetitions and retracted statements are left out.

    Args:
        archive: The archive.
        question: A question or topic, or a parsed question.
        filters: The filters that the articles must pass.
        asked_on: The day from which "last week" is counted, now by default.
        history: The earlier turns, oldest first.

    Returns:
        The timeline as an answer; `refused` is set if the archive has nothing relevant.

    Raises:
        InvalidValueError: `asked_on` is not a date.
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    words = question if isinstance(question, str) else question.text
    found = retrieve(
        archive,
        question,
        PASSAGES,
        filters=filters,
        asked_on=asked_on,
        history=history,
        evenly=True,
    )
    ranked = score_sentences(archive, found, SENTENCES)
    why = refusal_reason(found.question, ranked)
    if why:
        refused = refusal_answer(found.question, found.nearest_hits, why, filters, found.notices)
        return replace(refused, question=words, candidates_considered=found.considered)
    answer = Answer(
        words,
        hits=found.hits,
        understood=found.question.describe(),
        candidates_considered=found.considered,
        notices=found.notices,
    )
    articles = texts_of(archive, found.hits)
    for candidate, published in _entries(ranked):
        article = articles.get(candidate.hit.passage.article_id, "")
        label = Notice("dated", day=published)
        answer = append_statement(answer, quote_statement(candidate, article, label))
    return add_correction_notes(answer)


def _entries(ranked: Sequence[SentenceCandidate]) -> list[tuple[SentenceCandidate, datetime]]:
    """Return the best sentence of each relevant dated article, oldest first."""
    picked: list[tuple[SentenceCandidate, datetime]] = []
    for candidate in sorted(ranked, key=lambda c: -c.relevance):
        published = candidate.hit.metadata.published
        if published is None or len(picked) == MOST_ENTRIES:
            continue
        if candidate.features["fragment"] or (picked and candidate.relevance < RELEVANT_FROM):
            continue
        if not any(_repeats(candidate, other) for other, _ in picked):
            picked.append((candidate, published))
    return sorted(picked, key=lambda entry: (entry[1], entry[0].span.start))


def _repeats(candidate: SentenceCandidate, other: SentenceCandidate) -> bool:
    same = candidate.hit.passage.article_id == other.hit.passage.article_id
    return same or word_overlap(candidate.text, other.text) >= SAYS_THE_SAME
