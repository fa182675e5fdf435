"""Articles that came in since a change and have the words of a saved search.

Whether an article matches depends on the article alone, and not on its rank among others, so no
match is missed and none is reported twice. An article has the words if its title and text contain,
in any form that the text index takes for the same:

- every phrase in quotation marks, and none of the excluded words;
- of up to `ALL_UP_TO` words all, of more words so many that they weigh `LEAST_WEIGHT` of all. Words
  without a topic don't count, and rare words weigh more (inverse document frequency).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rag.nlp.analyzers import analyze
from rag.nlp.tokens import FUNCTION_WORDS, TOKEN
from rag.query.parser import ParsedQuery, asks_for_an_author, parse_question
from rag.retrieval.hybrid import apply_query_constraints
from rag.retrieval.sources import publisher_aliases, resolve_publishers
from rag.schema import ArticleMetadata, Filters
from rag.serialize import Serializable
from rag.store.arrivals import Arrival, read_arrivals, read_arrived

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader
    from rag.index.tantivy_index import TantivyIndex

ALL_UP_TO = 3  # words of keyword queries, all of which are meant
LEAST_WEIGHT = 0.75

ROUNDING = 1e-9  # of sums of weights

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NewArticle(Serializable):
    """An article that came in, or changed, since a search was last looked at.

    Attributes:
        metadata: The metadata of its current revision.
        sequence: The number of the change that brought this revision.
        arrived: The time of that change.
        is_changed: True if an earlier revision was in the archive at the last look.
    """

    metadata: ArticleMetadata
    sequence: int
    arrived: datetime
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class NewArticles:
    """Articles that came in since a search was last looked at.

    Attributes:
        count: The number of new articles.
        changed: The number of articles that changed since.
        sequence: The change up to which this is known; pass it to `mark_seen`.
        articles: The newest of both, last arrival first.
    """

    count: int
    changed: int
    sequence: int
    articles: tuple[NewArticle, ...]


def find_new_articles(
    archive: ArchiveReader,
    query: str,
    *,
    filters: Filters = Filters(),
    after: int = 0,
    asked_on: date | None = None,
    most: int = 50,
) -> NewArticles:
    """Return the articles with the words of a query that came in after a change.

    Args:
        archive: The archive.
        query: Words or a question; a time range, publishers and authors in it are filters, too.
        filters: The filters that the articles must pass.
        after: The sequence number of the change; 0 for all articles.
        asked_on: The day from which "last week" is counted; now by default.
        most: The most articles to return; all are counted.

    Raises:
        QuestionTooLongError: The query is too long.
    """
    database, up_to = archive.store.database, known_sequence(archive)
    asked = _parse(archive, query, filters, asked_on)
    narrowed = apply_query_constraints(resolve_publishers(archive, filters), asked)
    if narrowed is None or up_to <= after or not _has_conditions(asked, filters):
        return NewArticles(0, 0, max(up_to, after), ())
    arrivals = read_arrivals(database, narrowed, after=after, up_to=up_to)
    matching = [
        one
        for one, fits in zip(arrivals, _match(archive.indexes.bm25, asked, arrivals), strict=True)
        if fits
    ]
    changed = sum(one.is_changed for one in matching)
    newest = {one.revision_id: one for one in matching[::-1][:most]}
    arrived = read_arrived(database, list(newest))
    return NewArticles(
        len(matching) - changed,
        changed,
        up_to,
        tuple(
            NewArticle(*arrived[key], one.is_changed)
            for key, one in newest.items()
            if key in arrived
        ),
    )


def known_sequence(archive: ArchiveReader) -> int:
    """Return the last change whose articles can be found; a writer's index may be behind."""
    index, sequence = archive.indexes.bm25, archive.store.database.sequence()
    reached = index.refresh()
    if reached < sequence:  # refreshing all indexes opens the vectors, which takes longest
        archive.refresh()
        reached = index.refresh()
    return min(reached, sequence)


def _parse(
    archive: ArchiveReader, query: str, filters: Filters, asked_on: date | None
) -> ParsedQuery:
    access = filters.access
    authors = archive.authors(access=access) if asks_for_an_author(query) else ()
    return parse_question(
        publisher_aliases(archive, query, access),
        asked_on=_moment(asked_on),
        publishers=archive.publishers(access=access),
        authors=authors,
    )


def _moment(day: date | None) -> datetime:
    if day is None:
        return datetime.now(UTC)
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _match(index: TantivyIndex, asked: ParsedQuery, arrivals: Sequence[Arrival]) -> Mask:
    """Return which of the arrivals have the words of a question."""
    words = [] if asked.intent == "period" else topic_words(asked.query)
    if set(words) <= set(asked.excluded):  # a query of nothing else
        words = []
    anything = not words and not asked.phrases
    matching: Mask = np.full(len(arrivals), anything)
    excluded: Mask = np.zeros(len(arrivals), np.bool_)
    if not arrivals or (anything and not asked.excluded):
        return matching
    for rule in index.indexed_rules():
        finder = _Finder(index, rule, arrivals)
        if not anything:
            matching |= finder.match(words, asked.phrases)
        for word in asked.excluded:
            excluded |= finder.having(analyze(word, rule))
    return matching & ~excluded


def _has_conditions(asked: ParsedQuery, filters: Filters) -> bool:
    """Return False for a query such as "what about it" without filters, which means nothing."""
    limits = (asked.time_range, asked.publishers, asked.authors, asked.phrases, asked.excluded)
    return bool(filters) or any(limits) or bool(topic_words(asked.query))


def topic_words(text: str) -> list[str]:
    """Return the distinct words of a query that say what it is about."""
    words = dict.fromkeys(found[0] for found in TOKEN.finditer(text))
    return [word for word in words if word.lower() not in FUNCTION_WORDS]


class _Finder:
    """Finds words in arrivals that are indexed by one language's rules."""

    def __init__(self, index: TantivyIndex, rule: str, arrivals: Sequence[Arrival]) -> None:
        self._index, self._rule = index, rule
        firsts = np.array([one.first for one in arrivals], np.int64)
        self._order = np.argsort(firsts, kind="stable")
        self._firsts = firsts[self._order]
        self._lasts = np.array([one.last for one in arrivals], np.int64)[self._order]
        indexed = self._firsts[self._firsts > 0]
        self._from = int(indexed[0]) if len(indexed) else 0

    def match(self, words: Sequence[str], phrases: Sequence[str]) -> Mask:
        """Return which arrivals have enough of the words, and all of the phrases."""
        counted = [terms for word in words if (terms := analyze(word, self._rule))]
        required = [terms for phrase in phrases if (terms := analyze(phrase, self._rule))]
        matching = (
            self._with_enough(counted) if counted else np.full(len(self._order), bool(required))
        )
        for terms in required:
            matching &= self.having(terms)
        return matching

    def _with_enough(self, counted: Sequence[Sequence[str]]) -> Mask:
        weights = [max(self._index.idf("text", term) for term in terms) for terms in counted]
        share = 1.0 if len(counted) <= ALL_UP_TO else LEAST_WEIGHT
        found = np.zeros(len(self._order))
        for terms, weight in zip(counted, weights, strict=True):
            found += weight * self.having(terms)
        enough: Mask = found >= share * sum(weights) - ROUNDING
        return enough

    def having(self, terms: Sequence[str]) -> Mask:
        """Return which arrivals have these terms in a row; none for no terms."""
        having = np.zeros(len(self._order), np.bool_)
        if terms and self._from:
            numbers = self._index.numbers_with(terms, self._rule, self._from)
            at = np.searchsorted(self._firsts, numbers, side="right") - 1
            at = at[(at >= 0) & (numbers <= self._lasts[at])]
            having[self._order[at]] = True
        return having
