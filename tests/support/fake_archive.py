"""A small archive in memory for tests of answers: texts that share words are close."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from rag.nlp.sentences import split_sentences
from rag.nlp.tokens import stem_words
from rag.schema import (
    EVERYTHING,
    Access,
    Article,
    ArticleMetadata,
    Filters,
    Hit,
    Passage,
    PassageCandidate,
)

DIMENSIONS = 512


def bag_of_words(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return unit vectors whose cosine is the share of word stems two texts have in common."""
    out = np.zeros((len(texts), DIMENSIONS), np.float32)
    for row, text in zip(out, texts, strict=True):
        for stem in stem_words(text):
            row[int(hashlib.sha256(stem.encode()).hexdigest(), 16) % DIMENSIONS] = 1
        row /= max(1e-6, float(np.linalg.norm(row)))
    return out


class FakeArchive:
    """Articles in a list; passages of `length` sentences; both searches by words in common."""

    def __init__(self, *articles: Article, length: int = 6) -> None:
        self._articles = {article.id: article for article in articles}
        self.passages = [
            Hit(passage, article.metadata, 0.0)
            for article in articles
            for passage in _passages(article, length)
        ]

    reranker = None

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return bag_of_words(texts)

    def article(self, article_id: str, *, access: Access = ()) -> Article | None:
        found = self._articles.get(article_id)
        return found if found and Filters(access=access).may_read(found.metadata) else None

    def publishers(self, *, access: Access = ()) -> tuple[str, ...]:
        return tuple(sorted({a.publisher for a in self._articles.values() if a.publisher}))

    def authors(self, *, access: Access = ()) -> tuple[str, ...]:
        return ()

    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        numbered = [(n, hit) for n, hit in enumerate(self.passages) if _passes(hit, filters)]
        if not numbered:
            return []
        texts = (f"{hit.metadata.title}. {hit.passage.text}" for _, hit in numbered)
        vectors = bag_of_words([query, *texts])
        scores = vectors[1:] @ vectors[0]
        return [
            PassageCandidate(number, hit.passage.start, hit.metadata, float(scores[i]))
            for i in np.argsort(-scores)[:k]
            for number, hit in [numbered[i]]
        ]

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        return {}

    def similarities(self, query: str, found: Sequence[PassageCandidate]) -> list[float]:
        every = self.vector_candidates(query, len(self.passages), filters=EVERYTHING)
        near = {one.number: one.score for one in every}
        return [near[one.number] for one in found]

    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[PassageCandidate]:
        return [one for one in self.vector_candidates(query, k, filters=filters) if one.score > 0]

    def article_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the articles by their best passage's score, as their first passages."""
        best: dict[str, float] = {}
        for one in self.bm25_candidates(query, len(self.passages), filters=filters):
            best.setdefault(one.metadata.article_id, one.score)
        first: dict[str, PassageCandidate] = {}
        for one in sorted(
            self.vector_candidates(query, len(self.passages), filters=filters),
            key=lambda one: one.number,
        ):
            first.setdefault(one.metadata.article_id, one)
        return [first[article_id].with_score(score) for article_id, score in best.items()][:k]

    def dated_articles(
        self, k: int, *, filters: Filters = Filters(), order: str = "newest first"
    ) -> list[PassageCandidate]:
        dated = [
            PassageCandidate(number, 0, hit.metadata, 0.0)
            for number, hit in enumerate(self.passages)
            if hit.metadata.published and hit.passage.start == 0 and _passes(hit, filters)
        ]
        newest = order == "newest first"
        return sorted(dated, key=lambda one: str(one.metadata.published), reverse=newest)[:k]

    def passage_vectors(self, found: Sequence[PassageCandidate]) -> npt.NDArray[np.float32]:
        return bag_of_words([self.passages[one.number].passage.text for one in found])

    def spelling_candidates(
        self, words: Sequence[str], k: int, *, edits: int, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the passages with exactly these words; spelling is tested on real indexes."""
        name = " ".join(words).casefold()
        return [
            PassageCandidate(number, hit.passage.start, hit.metadata, 0.0)
            for number, hit in enumerate(self.passages)
            if not edits and name in f"{hit.metadata.title} {hit.passage.text}".casefold()
        ][:k]

    def publisher_domains(self, *, access: Access = ()) -> dict[str, tuple[str, ...]]:
        return {}

    def load_hits(
        self, found: Iterable[PassageCandidate], *, access: Access = ()
    ) -> dict[int, Hit]:
        return {
            one.number: replace(self.passages[one.number], score=one.score, copies=one.copies)
            for one in found
        }


def _passages(article: Article, length: int) -> list[Passage]:
    spans = split_sentences(article.text)
    groups = [spans[i : i + length] for i in range(0, len(spans), length)]
    return [
        Passage(article.id, 1, g[0].start, g[-1].end, article.text[g[0].start : g[-1].end])
        for g in groups
    ]


def _passes(hit: Hit, filters: Filters) -> bool:
    published = hit.metadata.published
    if filters.after and (published is None or published < filters.after):
        return False
    if filters.before and (published is None or published >= filters.before):
        return False
    if not filters.may_read(hit.metadata):
        return False
    if hit.metadata.publisher.lower() in {p.lower() for p in filters.excluded_publishers}:
        return False
    return not filters.publishers or hit.metadata.publisher.lower() in {
        p.lower() for p in filters.publishers
    }


def day(month: int, number: int, year: int = 2024) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


TROOPS = Article(
    id="harbour.example/troops",
    title="Seoul weighs its answer to troops in Russia",
    publisher="Harbour Post",
    published=day(10, 24),
    text=(
        "South Korea is weighing how to answer the arrival of North Korean soldiers in Russia.\n\n"
        "South Korean Foreign Minister Han Do Yun told parliament that his country would act. "
        "“We will not look away if our safety is at stake,” Han said in Seoul on Thursday. "
        "Asked about weapons for Ukraine, he said every option was open.\n\n"
        "According to South Korean intelligence, North Korea has sent 3,000 soldiers so far. "
        "South Korea has not supplied Ukraine with heavy weapons.\n\n"
        "The partnership treaty was signed in Pyongyang in June by Vladimir Putin and "
        "Kim Jong Un. “The treaty is clear. It names an attack. It names the answer,” "
        "said Pavel Orlov, who heads a committee of the Duma. “It is a beginning. "
        "There will be more.” Orlov said."
    ),
)
FERRY = Article(
    id="coast.example/ferry",
    title="New ferry opens between the islands",
    publisher="Coast Herald",
    published=day(10, 21),
    text=(
        "A new ferry began to sail between the two islands on Monday. It carries 400 passengers "
        "and 60 cars. Mayor Ines Duarte said the crossing takes 25 minutes. “It changes how we "
        "live,” Duarte said. The old boat was sold because its engine failed twice last winter."
    ),
)
