"""Search over passages that were current on a date and have ended since: no index has them.

They are read and analysed once, then searched exactly, by vectors and by BM25 (Robertson et al.,
1994) with Tantivy's parameters and the text index's term statistics. They are not in the text index
itself, because its term statistics would count them. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from rag.index.search import Scored, k_best
from rag.index.tantivy_index import PHRASE_BOOST, TITLE_BOOST, TantivyIndex, article_terms
from rag.nlp.analyzers import analyze, stemming_rules
from rag.store.passages import Numbers, Vectors
from rag.store.rows import IndexedPassage

K1, B = 1.2, 0.75  # Tantivy's

Scores = npt.NDArray[np.float64]


class EndedPassages:
    """A set of ended passages, analysed once for many searches."""

    def __init__(
        self,
        passages: Sequence[IndexedPassage],
        vectors: tuple[Numbers, Vectors],
        index: TantivyIndex,
        article_index: TantivyIndex,
    ) -> None:
        """Analyse passages.

        Args:
            passages: The passages, in order of their numbers.
            vectors: Their numbers and vectors.
            index: The text index of passages, for its term statistics.
            article_index: The text index of articles, likewise.
        """
        self._vectors = vectors
        numbers = [live.number for live in passages]
        rules = [stemming_rules(live.metadata.language) for live in passages]
        both = list(zip(passages, rules, strict=True))
        texts = [analyze(live.passage.text, rule) for live, rule in both]
        by_article = {live.metadata: analyze(live.metadata.title, rule) for live, rule in both}
        titles = [by_article[live.metadata] for live in passages]
        self._passages = _Documents(index, numbers, texts, titles)
        firsts, whole = list[int](), list[list[str]]()
        for _, places in groupby(range(len(passages)), lambda i: passages[i].metadata):
            of_it = list(places)
            firsts.append(of_it[0])
            whole.append(article_terms(titles[of_it[0]], (t for i in of_it for t in texts[i])))
        self._articles = _Documents(article_index, [numbers[i] for i in firsts], whole)

    def search_vectors(self, vector: Vectors, k: int, among: Numbers) -> Scored:
        """Return the `k` of these passages nearest to `vector`, best first."""
        numbers, matrix = self._vectors
        mask = np.isin(numbers, among)
        return k_best(vector, numbers[mask], matrix[mask], k)

    def search_bm25(
        self, query: str, k: int, among: Numbers, *, phrases: Sequence[str] = ()
    ) -> Scored:
        """Return the `k` of these passages with the highest BM25 score, as if indexed.

        The average length is that of all of these passages.

        Args:
            query: The query.
            k: The number of passages.
            among: Numbers of the passages that may be returned.
            phrases: Phrases that score extra.

        Returns:
            Passage numbers and scores, best first.
        """
        return self._passages.search(query, k, among, phrases)

    def search_articles(self, query: str, k: int, among: Numbers) -> Scored:
        """Return the `k` articles with the highest BM25 score, as their first passages.

        Args:
            query: The query.
            k: The number of articles.
            among: Numbers of the passages that may be returned.

        Returns:
            Passage numbers and scores, best first.
        """
        return self._articles.search(query, k, among, ())


class _Documents:
    """Texts and titles of passages or articles, for exact BM25."""

    def __init__(
        self,
        index: TantivyIndex,
        numbers: Sequence[int],
        texts: Sequence[list[str]],
        titles: Sequence[list[str]] | None = None,
    ) -> None:
        self._index = index
        self.numbers: Numbers = np.array(numbers, np.int64)
        self._text = _Field(texts)
        self._title = _Field(titles) if titles is not None else None

    def search(self, query: str, k: int, among: Numbers, phrases: Sequence[str]) -> Scored:
        """Return the `k` documents with the highest score, best first."""
        totals = np.zeros(len(self.numbers))
        for term in self._index.terms(query):
            totals += self._text.bm25(term, self._index.idf("text", term))
            if self._title is not None:
                totals += self._title.bm25(term, TITLE_BOOST * self._index.idf("title", term))
        for phrase in phrases:
            for words in self._index.phrases(phrase):
                weight = sum(self._index.idf("text", term) for term in words)
                weight *= PHRASE_BOOST if len(words) > 1 else 1.0
                totals += self._text.phrase(words, weight)
        found = np.flatnonzero((totals > 0) & np.isin(self.numbers, among))
        order = found[np.argsort(-totals[found], kind="stable")[:k]]
        return [(int(self.numbers[i]), float(totals[i])) for i in order]


class _Field:
    """Postings of the texts or titles of the passages."""

    def __init__(self, texts: Sequence[list[str]]) -> None:
        self._texts = texts
        postings: dict[str, list[tuple[int, int]]] = {}
        for i, words in enumerate(texts):
            for term, times in Counter(words).items():
                postings.setdefault(term, []).append((i, times))
        self._postings = {term: np.array(where) for term, where in postings.items()}
        lengths = np.array([len(words) for words in texts], np.float64)
        usual = (float(lengths.mean()) if len(texts) else 0.0) or 1.0
        self._damping = K1 * (1 - B + B * lengths / usual)

    def bm25(self, term: str, weight: float) -> Scores:
        """Return the score of each passage for a term of this weight."""
        where = self._postings.get(term)
        return self._saturate({} if where is None else dict(where.tolist()), weight)

    def phrase(self, terms: Sequence[str], weight: float) -> Scores:
        """Return the score of each passage for consecutive terms of this weight."""
        having = [set(self._postings.get(term, np.empty((0, 2), int))[:, 0]) for term in terms]
        likely = set[int].intersection(*having) if having else set[int]()
        return self._saturate({i: _count_phrase(terms, self._texts[i]) for i in likely}, weight)

    def _saturate(self, times: dict[int, int], weight: float) -> Scores:
        scores = np.zeros(len(self._texts))
        if times:
            at, often = np.array(list(times)), np.array(list(times.values()), np.float64)
            scores[at] = weight * often * (K1 + 1) / (often + self._damping[at])
        return scores


def _count_phrase(phrase: Sequence[str], terms: Sequence[str]) -> int:
    wanted, many = list(phrase), len(phrase)
    return sum(list(terms[i : i + many]) == wanted for i in range(len(terms) - many + 1))
