"""Candidate search: ask the indexes of passages, vectors and articles, and score the union."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.ranking import Evidence, score_candidate
from rag.retrieval.side_by_side import run_all
from rag.schema import Filters, PassageCandidate
from rag.valid_dates import shift

Key = TypeVar("Key", int, str)

CANDIDATES = 100  # passages from each search
ARTICLES = 50  # from the index of articles; 100 find nothing more, and cost a sixth of the time
# BM25 is searched again in the days before the question: in a large archive the best matches of
# all time are old.
RECENT_DAYS = 30
PASSAGES_OF_A_MATCH = 2  # passages searched for each article that only the index of articles found
LEAST_SPAN = 0.3  # of cosines: a hundred candidates have .4, and among few nuances mustn't decide
PART_WEIGHT = 0.7  # weight of a passage's best score for a part of the question. Swept .5-1


def find_candidates(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, *, wider: int = 1
) -> list[PassageCandidate]:
    """Return the candidates for a question and its parts with their scores, unsorted.

    Args:
        archive: The archive.
        asked: The parsed question.
        filters: The filters, narrowed by the question.
        wider: How many times CANDIDATES to ask for.
    """
    found = {one.number: one for one in _search(archive, asked, filters, wider)}
    if not asked.parts:
        return list(found.values())
    for_parts: dict[int, float] = {}
    for part in asked.parts:
        for one in _search(archive, part, filters, wider):
            found.setdefault(one.number, one.with_score(0.0))
            for_parts[one.number] = max(one.score, for_parts.get(one.number, 0.0))
    return [
        one.with_score(one.score + PART_WEIGHT * for_parts.get(number, 0.0))
        for number, one in found.items()
    ]


def _search(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, wider: int
) -> list[PassageCandidate]:
    """Return the passages that any index finds, each once, scored."""
    query, k = asked.query, wider * CANDIDATES
    near, words, recent, articles = run_all(
        [
            lambda: archive.vector_candidates(query, k, filters=filters),
            lambda: archive.bm25_candidates(query, k, filters=filters, phrases=asked.phrases),
            lambda: _search_recent(archive, asked, filters, k),
            lambda: archive.article_candidates(query, wider * ARTICLES, filters=filters),
        ]
    )
    words = words + recent
    matches = {one.metadata.article_id: one.score for one in articles}
    have = {one.metadata.article_id for one in (*words, *near)}
    missing = tuple(article_id for article_id in matches if article_id not in have)
    if missing:
        of_missing = replace(filters, article_ids=missing)
        most = PASSAGES_OF_A_MATCH * len(missing)
        words = words + archive.bm25_candidates(
            query, most, filters=of_missing, phrases=asked.phrases
        )

    by_article = _scale(matches)
    by_words = _scale(_best(words))
    cosines = _best(near)
    only_words = {one.number: one for one in words if one.number not in cosines}
    cosines.update(
        zip(only_words, archive.similarities(query, list(only_words.values())), strict=True)
    )
    by_meaning = _scale(cosines, least=_least_cosine(cosines))
    found = {one.number: one for one in (*words, *near)}
    texts = load_texts(archive, found.values(), filters) if asked.excluded else {}
    return [
        score_candidate(
            one,
            Evidence(
                article=by_article.get(one.metadata.article_id, 0.0),
                words=by_words.get(number, 0.0),
                meaning=by_meaning.get(number, 0.0),
            ),
            asked,
            texts.get(number, ""),
        )
        for number, one in found.items()
    ]


def load_texts(
    archive: SearchBackend, found: Iterable[PassageCandidate], filters: Filters
) -> dict[int, str]:
    """Return the texts of the passages that are still in the archive, by number."""
    hits = archive.load_hits(found, access=filters.access)
    return {number: hit.passage.text for number, hit in hits.items()}


def _search_recent(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, k: int
) -> list[PassageCandidate]:
    recent = _limit_to_recent(filters, asked)
    if recent is None:
        return []
    return archive.bm25_candidates(asked.query, k, filters=recent, phrases=asked.phrases)


def _limit_to_recent(filters: Filters, asked: ParsedQuery) -> Filters | None:
    """Return the filters limited to the days before the question.

    None if nothing can pass both, or if the question has a time range of its own.
    """
    if asked.time_range is not None and asked.time_range.hard:
        return None
    first = shift(asked.asked_on, -timedelta(days=RECENT_DAYS))
    after = max(filter(None, (filters.after, first)))
    before = min(filter(None, (filters.before, shift(asked.asked_on, timedelta(days=1)))))
    return replace(filters, after=after, before=before) if after < before else None


def _best(found: Iterable[PassageCandidate]) -> dict[int, float]:
    """Return the best score of each passage, by number."""
    scores: dict[int, float] = {}
    for one in found:
        scores[one.number] = max(one.score, scores.get(one.number, one.score))
    return scores


def _least_cosine(cosines: Mapping[int, float]) -> float:
    """Return the cosine that counts as no match: the lowest one, well below the best one."""
    lowest, best = min(cosines.values(), default=0.0), max(cosines.values(), default=0.0)
    return min(lowest, best - LEAST_SPAN)


def _scale(scores: Mapping[Key, float], *, least: float = 0.0) -> dict[Key, float]:
    """Return the scores scaled so that `least` is 0 and the best one 1."""
    span = max(scores.values(), default=0.0) - least
    return {key: (score - least) / span if span > 0 else 1.0 for key, score in scores.items()}
