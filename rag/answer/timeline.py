"""Timeline: dated statements about a story, in the order of their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rag.answer.corrections import add_correction_notes
from rag.answer.events import find_events
from rag.answer.extractive import grow_answer, order_by_date
from rag.answer.layouts import search_events
from rag.answer.refusal import refusal_answer, refusal_reason
from rag.answer.sentence_scoring import texts_of
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import understand_question
from rag.schema import Answer, Filters, Notice

MOST_ENTRIES = 12


def build_timeline(
    archive: SearchBackend,
    question: str | ParsedQuery,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
) -> Answer:
    """Return dated quotations in the order of their events, each with its citation.

    An event's day is the one that its sentence states, else the day of publication. Undated
    articles, headings, repetitions and retracted statements are left out.

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
    asked = (
        question
        if isinstance(question, ParsedQuery)
        else understand_question(
            archive, question, asked_on=asked_on, history=history, access=filters.access
        )
    )
    found, ranked = search_events(archive, asked, filters)
    events = find_events(found.question, ranked, MOST_ENTRIES)
    why = refusal_reason(found.question, ranked)
    if why or not events:
        why = why or Notice("nothing_relevant")
        refused = refusal_answer(found.question, found.nearest_hits, why, filters, found.notices)
        return replace(refused, question=words, candidates_considered=found.considered)
    answer = Answer(
        words,
        hits=found.hits,
        understood=found.question.describe(),
        candidates_considered=found.considered,
        notices=found.notices,
    )
    *_, answer = grow_answer(answer, order_by_date(events), texts_of(archive, found.hits))
    return add_correction_notes(answer)
