"""The archive as it stood on a day: what had come in by then, before it was changed or removed.

What stands today and had come by then is found by the indexes, asked for passages up to a number.
What stood then and has ended since is in no index: it is scored from the record, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.archive.view import ArchiveView, SearchMode
from rag.errors import InvalidValueError
from rag.index.historical import HistoricalPassages
from rag.index.index_pair import Scored
from rag.nlp.dates import format_date
from rag.schema import (
    EVERYTHING,
    Access,
    Answer,
    Article,
    ArticleMetadata,
    Filters,
    Hit,
    PassageCandidate,
)
from rag.store.correction_articles import correction_articles_of
from rag.store.filters import CURRENT, restricts, valid_at
from rag.store.hits import read_candidates
from rag.store.passages import Numbers, Vectors
from rag.validation import validate_question_time

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

    from rag.archive.reader import ArchiveReader


@dataclass(frozen=True, slots=True)
class _StoreAsOf:
    """The passages that pass some filters: `lasting` stand still, None for all; `ended` do not."""

    lasting: Numbers | None
    ended: Numbers


class ArchiveSnapshot(ArchiveView):
    """Searches the archive as it stood at the end of a day, or at a moment with a time of day.

    What was withdrawn or erased since does not come back; a later correction is told, not made.
    The day may be a `date` or a naive datetime (UTC); InvalidValueError for anything else.
    """

    def __init__(self, archive: ArchiveReader, day: date) -> None:
        super().__init__(archive.store)
        self._archive = archive
        asked = validate_question_time(day, "as_of")
        if asked is None:
            raise InvalidValueError("as_of is None. Name a day.")
        self.day = asked
        end = self.day + timedelta(days=1) if _is_a_day(self.day) else self.day
        self.sequence = self._record.database.sequence_before(end)
        self._valid = valid_at(self.sequence)
        self._newest = self._record.passages.newest_at(self.sequence)
        self._stood = lru_cache(maxsize=8)(self._stood_of)
        self._read: tuple[tuple[int, bytes], HistoricalPassages] | None = None

    @property
    def reranker(self) -> BaseCrossEncoder | None:
        return self._archive.reranker

    # what `retrieve` and the chatbot ask

    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` passages nearest to the query by cosine, best first, without texts."""
        return self._archive.with_query_vector(
            query, lambda vector: self._nearest(vector, k, filters)
        )

    def _nearest(self, vector: Vectors, k: int, filters: Filters) -> list[PassageCandidate]:
        stood = self._passages(filters)
        found = self._archive.indexes.search_vectors(
            vector, k, filters=filters, among=stood.lasting
        )
        return self._found([*found, *self._ended().search_vectors(vector, k, stood.ended)], k)

    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[PassageCandidate]:
        """Return the `k` passages that score best by BM25, best first, without texts."""
        stood = self._passages(filters)
        found = self._archive.indexes.search_bm25(
            query, k, filters=filters, phrases=phrases, up_to=self._newest
        )
        ended = self._ended().search_bm25(query, k, stood.ended, phrases=phrases)
        return self._found([*found, *ended], k)

    def similarities(self, query: str, found: Sequence[PassageCandidate]) -> list[float]:
        """Return how near what was found is to the query; -1.0 for what has no vector any more."""
        return self._archive.similarities(query, found)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the texts' vectors (n, dimension), of length one."""
        return self._archive.embed(texts)

    def article(self, article_id: str, *, access: Access = ()) -> Article | None:
        """Return an article as it stood; None where it was not here, or may not be read now."""
        return self._if_readable(self._record.article_at(article_id, self._valid), access)

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the other tellings of each article's story that had come in by then."""
        found = self._archive.near_duplicates(article_ids, filters=filters)
        stood = self._record.heads({h.article_id for hs in found.values() for h in hs}, self._valid)
        kept = {
            article_id: tuple(
                stood[h.article_id]
                for h in heads
                if h.article_id in stood and filters.may_read(stood[h.article_id].access)
            )
            for article_id, heads in found.items()
        }
        return {article_id: heads for article_id, heads in kept.items() if heads}

    def search(
        self,
        query: str,
        k: int = 8,
        *,
        mode: SearchMode = "hybrid",
        filters: Filters = Filters(),
        asked_on: date | None = None,
    ) -> list[Hit]:
        """Return the `k` passages that answered a question then; see `ArchiveView.search`.

        Args:
            query: A question or keywords.
            k: The most passages to return.
            mode: "hybrid", "vector" or "bm25".
            filters: What the articles must be.
            asked_on: The day from which "last week" is counted, the snapshot's by default.

        Returns:
            Hits, a higher score is better.

        Raises:
            InvalidValueError: `mode` is none of the three, or `asked_on` is not a date.
            QuestionTooLongError: The question is too long to be understood.
        """
        return super().search(query, k, mode=mode, filters=filters, asked_on=asked_on or self.day)

    # what is known by now

    def corrected_since(
        self, heads: Iterable[ArticleMetadata], *, access: Access = ()
    ) -> dict[str, str]:
        """Return what has been corrected since, by article id, of those articles as they stood.

        Only corrections that may be read with these rights are told.
        """
        before = self._record.heads((head.article_id for head in heads), self._valid)
        said = {
            article_id: head.correction
            for article_id, head in self._record.heads(before, CURRENT).items()
            if head.correction and head.correction != before[article_id].correction
            if Filters(access=access).may_read(head.access)
        }
        later = f"{CURRENT} AND r.since > {self.sequence}"
        for article_id, notice in correction_articles_of(
            self._record.database, before, later, access
        ).items():
            said[article_id] = " ".join(filter(None, (said.get(article_id, ""), notice)))
        return said

    def with_correction_notes(self, answer: Answer, *, access: Access = ()) -> Answer:
        """Return an answer from here with a note of the day, and of what was corrected since."""
        day = format_date(self.day)
        said = [f"As the archive stood on {day}."]
        if not self.sequence:
            said = [f"Nothing had come into the archive by {day}."]
        titles = {citation.metadata.article_id: citation.metadata for citation in answer.citations}
        for article_id, text in self.corrected_since(titles.values(), access=access).items():
            said.append(f"Corrected since, in “{titles[article_id].title}”: {text}")
        return replace(answer, notice=" ".join(filter(None, (*said, answer.notice))))

    def _passages(self, filters: Filters) -> _StoreAsOf:
        self._archive.refresh()
        return self._stood(filters, self._record.database.sequence())

    def _stood_of(self, filters: Filters, _sequence: int) -> _StoreAsOf:
        passages = self._record.passages
        lasting: Numbers | None = None
        if restricts(self._record.database, filters) or passages.newest_at() > self._newest:
            lasting = passages.numbers(filters)
            lasting = lasting[lasting <= self._newest]
        return _StoreAsOf(
            lasting, passages.numbers(filters, f"{self._valid} AND r.until IS NOT NULL")
        )

    def _ended(self) -> HistoricalPassages:
        """The passages that stood then and do not now, whatever the filters: read once."""
        passages, numbers = self._record.passages, self._passages(EVERYTHING).ended
        generation = self._record.generation()
        if self._read is None or self._read[0] != (generation, numbers.tobytes()):
            stood = passages.live(numbers.tolist(), self._valid)
            words = self._archive.indexes.text
            ended = HistoricalPassages(list(stood.values()), passages.vectors(numbers), words)
            self._read = ((generation, numbers.tobytes()), ended)
        return self._read[1]

    def _found(self, found: Scored, k: int) -> list[PassageCandidate]:
        stood = read_candidates(self._record, list(dict(found).items()), self._valid)
        return sorted(stood, key=lambda one: -one.score)[:k]


def _is_a_day(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
