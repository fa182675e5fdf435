"""What happened when: one dated sentence of each article that bears on a question, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.answers.arrangement import quoted, with_statement
from rag.answers.extraction import BEARS_FROM, SAYS_THE_SAME, Candidate, candidates, overlap
from rag.answers.refusal import refusal, refuses
from rag.retrieval import Searchable, retrieve
from rag.schema import Answer, Filters, Hit
from rag.text.days import in_words

PASSAGES = 40  # read for it: a course of events is spread over more articles than an answer
MOST_ENTRIES = 12


class Newsroom(Searchable, Protocol):
    """What a timeline needs of an archive beside the search."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]: ...


def timeline(
    archive: Newsroom,
    question: str,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
) -> Answer:
    """Return dated statements in the order of their articles' days, each cited word for word.

    What has no date has no place in it; what says the same as another is left out.
    """
    found = retrieve(
        archive, question, PASSAGES, filters=filters, asked_on=asked_on, history=history
    )
    articles = _texts(archive, found.hits)
    ranked = candidates(found.question.query, found.hits, embed=archive.embed, articles=articles)
    why = refuses(found.question, ranked)
    if why:
        refused = refusal(found.question, found.hits, why, filters)
        return replace(refused, question=question, considered=found.considered)
    answer = Answer(
        question,
        hits=found.hits,
        understood=found.question.described(),
        considered=found.considered,
    )
    for candidate, published in _entries(ranked):
        article = articles.get(candidate.hit.passage.article_id, "")
        answer = with_statement(answer, quoted(candidate, article, in_words(published)))
    return answer


def _entries(ranked: Sequence[Candidate]) -> list[tuple[Candidate, datetime]]:
    """The best sentence of each dated article that bears on the question, oldest first."""
    picked: list[tuple[Candidate, datetime]] = []
    for candidate in sorted(ranked, key=lambda c: -c.relevance):
        published = candidate.hit.head.published
        if published is None or len(picked) == MOST_ENTRIES:
            continue
        if candidate.features["fragment"] or (picked and candidate.relevance < BEARS_FROM):
            continue
        if not any(_repeats(candidate, other) for other, _ in picked):
            picked.append((candidate, published))
    return sorted(picked, key=lambda entry: (entry[1], entry[0].span.start))


def _repeats(candidate: Candidate, other: Candidate) -> bool:
    same = candidate.hit.passage.article_id == other.hit.passage.article_id
    return same or overlap(candidate.text, other.text) >= SAYS_THE_SAME


def _texts(archive: Searchable, hits: Sequence[Hit]) -> dict[str, str]:
    texts = {}
    for hit in hits:
        article = archive.article(hit.passage.article_id)
        if article is not None and article.revision == hit.passage.revision:
            texts[article.id] = article.text
    return texts
