"""ArchiveSnapshot: the archive as of a date, by the day on which each article was added.

Passages that are still current are found by the indexes, limited to the passage numbers of that
time. Passages that have ended since are in no index; they are scored exactly, from the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.archive.view import ArchiveView, SearchMode
from rag.errors import InvalidValueError
from rag.index.ended_passages import EndedPassages
from rag.index.search import Scored
from rag.schema import (
    EVERYTHING,
    Access,
    Answer,
    Article,
    ArticleMetadata,
    Filters,
    Hit,
    Notice,
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
    """Passages that pass some filters: `lasting` are current (None for all), `ended` are not."""

    lasting: Numbers | None
    ended: Numbers


class ArchiveSnapshot(ArchiveView):
    """The archive at the end of a day, or at a moment; see `ArchiveReader.as_of`.

    Articles that were withdrawn or erased since are left out. Later corrections are mentioned but
    not applied.

    Attributes:
        day: The day or moment, an aware datetime.
        sequence: The number of the last change by then; 0 if the archive was empty.
    """

    def __init__(self, archive: ArchiveReader, day: date) -> None:
        """Create a snapshot.

        Args:
            archive: The archive, which stays open.
            day: A `date`, or a `datetime` (UTC if naive); one with a time of day means that moment.

        Raises:
            InvalidValueError: `day` is not a date, or outside the years that an archive holds.
        """
        super().__init__(archive.store)
        self._archive = archive
        asked = validate_question_time(day, "as_of")
        if asked is None:
            raise InvalidValueError("as_of is None. Name a day.")
        self.day = asked
        end = self.day + timedelta(days=1) if _is_a_day(self.day) else self.day
        self.sequence = self._store.database.sequence_before(end)
        self._valid = valid_at(self.sequence)
        self._newest = self._store.passages.newest_at(self.sequence)
        self._valid_passages = lru_cache(maxsize=8)(self._read_valid_passages)
        self._read: tuple[tuple[int, bytes], EndedPassages] | None = None

    @property
    def reranker(self) -> BaseCrossEncoder | None:
        """Cross-encoder of the archive; None for none."""
        return self._archive.reranker

    # SearchBackend

    def vector_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` passages nearest to the query by cosine, best first, without texts.

        Args:
            query: Any text.
            k: The most passages to return.
            filters: The filters that the articles must pass.

        Returns:
            The candidates; a higher score is better.
        """
        return self._archive.with_query_vector(
            query, lambda vector: self._nearest(vector, k, filters)
        )

    def _nearest(self, vector: Vectors, k: int, filters: Filters) -> list[PassageCandidate]:
        valid = self._passages(filters)
        found = self._archive.indexes.search_vectors(
            vector, k, filters=filters, among=valid.lasting
        )
        return self._to_candidates(
            [*found, *self._read_ended().search_vectors(vector, k, valid.ended)], k
        )

    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters(), phrases: Sequence[str] = ()
    ) -> list[PassageCandidate]:
        """Return the `k` passages that score best by BM25, best first, without texts.

        Args:
            query: The search terms, any of which may match.
            k: The most passages to return.
            filters: The filters that the articles must pass.
            phrases: Phrases whose passages score extra.

        Returns:
            The candidates; a higher score is better.
        """
        valid = self._passages(filters)
        found = self._archive.indexes.search_bm25(
            query, k, filters=filters, phrases=phrases, up_to=self._newest
        )
        ended = self._read_ended().search_bm25(query, k, valid.ended, phrases=phrases)
        return self._to_candidates([*found, *ended], k)

    def article_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return the `k` articles whose whole texts score best by BM25, as their first passages.

        Args:
            query: The search terms, any of which may match.
            k: The most articles to return.
            filters: The filters that the articles must pass.

        Returns:
            The candidates; a higher score is better.
        """
        valid = self._passages(filters)
        found = self._archive.indexes.search_articles(query, k, filters=filters, up_to=self._newest)
        ended = self._read_ended().search_articles(query, k, valid.ended)
        return self._to_candidates([*found, *ended], k)

    def spelling_candidates(
        self, words: Sequence[str], k: int, *, edits: int, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        """Return passages that have all of these words, each with at most so many letters changed.

        Args:
            words: Words of a name, in order.
            k: The most passages to return.
            edits: The most letters of a word that may differ; 0 for the words themselves, which
                must then be adjacent.
            filters: The filters that the articles must pass.

        Returns:
            The candidates among the passages that are still current.
        """
        self._archive.refresh()
        found = self._archive.indexes.search_spellings(
            words, k, edits=edits, filters=filters, up_to=self._newest
        )
        return self._to_candidates(found, k)

    def similarities(self, query: str, found: Sequence[PassageCandidate]) -> list[float]:
        """Return the cosine similarity of each candidate to the query; -1.0 if it has no vector.

        Args:
            query: Any text.
            found: Candidates of a search.

        Returns:
            One cosine for each candidate, from -1 to 1, in the order of `found`.
        """
        return self._archive.similarities(query, found)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; see `ArchiveReader.embed`.

        Args:
            texts: Any number of texts.

        Returns:
            float32 array of shape (len(texts), dimension); each row has length one.
        """
        return self._archive.embed(texts)

    def article(self, article_id: str, *, access: Access = ()) -> Article | None:
        """Return an article as it was then.

        Args:
            article_id: The article's id.
            access: The reader's rights, as in `Filters`; the right that the article needs today
                counts, too.

        Returns:
            The article; None if it was not in the archive or may not be read.
        """
        return self._if_readable(self._store.article_at(article_id, self._valid), access)

    def near_duplicates(
        self, article_ids: Iterable[str], *, filters: Filters = Filters()
    ) -> dict[str, tuple[ArticleMetadata, ...]]:
        """Return the near-duplicates of each article as of the snapshot, the original first.

        Args:
            article_ids: The ids to look up; articles without near-duplicates are left out.
            filters: The filters that the near-duplicates must pass.

        Returns:
            The metadata of the near-duplicates, by article id.
        """
        found = self._archive.near_duplicates(article_ids, filters=filters)
        valid = self._store.metadata_of(
            {h.article_id for hs in found.values() for h in hs}, self._valid
        )
        kept = {
            article_id: tuple(
                valid[h.article_id]
                for h in metadata
                if h.article_id in valid and filters.may_read(valid[h.article_id])
            )
            for article_id, metadata in found.items()
        }
        return {article_id: metadata for article_id, metadata in kept.items() if metadata}

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
            filters: The filters that the articles must pass.
            asked_on: The day from which "last week" is counted, the snapshot's by default.

        Returns:
            Hits; a higher score is better.

        Raises:
            InvalidValueError: `mode` is not one of the three, or `asked_on` is not a date.
            QuestionTooLongError: The question is too long.
        """
        return super().search(query, k, mode=mode, filters=filters, asked_on=asked_on or self.day)

    # later corrections

    def corrected_since(
        self, metadata: Iterable[ArticleMetadata], *, access: Access = ()
    ) -> dict[str, str]:
        """Return the corrections made after the snapshot, by article id.

        Args:
            metadata: The metadata of the articles to look up.
            access: The reader's rights, as in `Filters`; other corrections are left out.

        Returns:
            The text of each correction, by the id of the corrected article.
        """
        before = self._store.metadata_of((one.article_id for one in metadata), self._valid)
        said = {
            article_id: one.correction
            for article_id, one in self._store.metadata_of(before, CURRENT).items()
            if one.correction and one.correction != before[article_id].correction
            if Filters(access=access).may_read(one)
        }
        later = f"{CURRENT} AND r.since > {self.sequence}"
        for article_id, notice in correction_articles_of(
            self._store.database, before, later, access
        ).items():
            said[article_id] = " ".join(filter(None, (said.get(article_id, ""), notice)))
        return said

    def with_correction_notes(self, answer: Answer, *, access: Access = ()) -> Answer:
        """Return an answer with notices of the snapshot's day and of later corrections.

        Args:
            answer: An answer from this snapshot.
            access: The reader's rights, as in `Filters`.

        Returns:
            The answer; its own notices follow the new ones.
        """
        code = "archive_as_of" if self.sequence else "archive_empty_as_of"
        notices = [Notice(code, day=self.day)]
        metadata = {
            citation.metadata.article_id: citation.metadata for citation in answer.citations
        }
        for article_id, text in self.corrected_since(metadata.values(), access=access).items():
            title = metadata[article_id].title
            notices.append(Notice("corrected_since", title=title, correction=text))
        return replace(answer, notices=(*notices, *answer.notices))

    def _passages(self, filters: Filters) -> _StoreAsOf:
        self._archive.refresh()
        return self._valid_passages(filters, self._store.database.sequence())

    def _read_valid_passages(self, filters: Filters, _sequence: int) -> _StoreAsOf:
        passages = self._store.passages
        lasting: Numbers | None = None
        if restricts(self._store.database, filters) or passages.newest_at() > self._newest:
            lasting = passages.passing(filters)
            lasting = lasting[lasting <= self._newest]
        return _StoreAsOf(
            lasting, passages.numbers(filters, f"{self._valid} AND r.until IS NOT NULL")
        )

    def _read_ended(self) -> EndedPassages:
        """Return the passages that have ended since, whatever the filters; they are read once."""
        passages, numbers = self._store.passages, self._passages(EVERYTHING).ended
        generation = self._store.generation()
        if self._read is None or self._read[0] != (generation, numbers.tobytes()):
            valid = passages.live(numbers.tolist(), self._valid)
            ended = EndedPassages(
                [valid[number] for number in sorted(valid)],
                passages.vectors(numbers),
                *self._archive.indexes.text_indexes,
            )
            self._read = ((generation, numbers.tobytes()), ended)
        return self._read[1]

    def _to_candidates(self, found: Scored, k: int) -> list[PassageCandidate]:
        valid = read_candidates(self._store, list(dict(found).items()), self._valid)
        return sorted(valid, key=lambda one: -one.score)[:k]


def _is_a_day(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
