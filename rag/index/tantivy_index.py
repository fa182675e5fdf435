"""Text indexes in Tantivy, for BM25: one of passages, one of whole articles.

An article's document has its title and its text, since a question's words may lie far apart. It
contains the numbers of its passages, and is returned as the first one.

A query is analysed here by the same rules as the passages (see `analyzers`), so no character of a
question is query syntax. The last change in an index is a document of its own, written in the same
commit as the others.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import tantivy

from rag.index.tantivy_files import (
    check_segment_files,
    has_valid_checksum,
    is_closed,
    is_file_in_use,
    mark_closed,
    mark_open,
)
from rag.nlp.analyzers import ENGLISH, PLAIN, STEMMED, analyze, analyze_with, stemming_rules
from rag.nlp.edit_distance import edit_distance
from rag.rights import ALL
from rag.schema import EVERYTHING, ArticleMetadata, Filters
from rag.store.file_permissions import make_private_folder, make_tree_private
from rag.store.rows import IndexedPassage, to_timestamp

if TYPE_CHECKING:
    from rag.store.passages import Numbers

Unit = Literal["passages", "articles"]  # of which a document of an index holds one

FOLDERS: dict[Unit, str] = {"passages": "lexical", "articles": "lexical-articles"}
HEAP = 64_000_000  # bytes in memory before the writer writes a segment
# An article's document has its title so many times, and so many terms of its text: live blogs of
# many thousand words match every question. MRR@10 of gold, by these documents alone: .55 -> .60.
TITLE_TIMES = 3
MOST_TERMS = 2_000
TITLE_BOOST = 0.5  # every passage has its article's title, which must not outweigh the text
PHRASE_BOOST = 3.0
FEW_IDS = 200  # ids that are looked up one by one: 30 take 1.3 ms, as a set 2.7 ms
SHARED_LETTERS = 2  # first letters of a word with two wrong ones that must be right
EPOCH_BOUND = 2**62
RAW = ("article_id", "publisher", "author", "section", "language", "kind", "access", "stemmed")
PUBLIC = "\x00"  # the term of articles without access rights


def _schema(unit: Unit) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("number", stored=False, indexed=True, fast=True)
    builder.add_integer_field("published", stored=False, indexed=True, fast=True)
    builder.add_integer_field("reached", stored=False, indexed=True, fast=True)
    if unit == "articles":
        builder.add_integer_field("numbers", stored=False, indexed=True)
    option = "position" if unit == "passages" else "freq"
    for field in ("title", "text") if unit == "passages" else ("text",):  # terms between spaces
        builder.add_text_field(field, tokenizer_name="whitespace", index_option=option)
    for field in RAW:
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    return builder.build()


class TantivyIndex:
    """Tantivy index of passages, or of articles by their first passage.

    Attributes:
        unit: Which of the two it is.
        reached: The last change in it.
        was_closed: Whether its last writer was closed, and not killed, when this was opened.
    """

    def __init__(self, folder: Path, unit: Unit = "passages") -> None:
        """Open a text index of an archive; create it if missing."""
        self.unit: Unit = unit
        self.folder = folder / FOLDERS[unit]
        self._writer: Any = None
        self._unfinished = False  # whether the writer has more than it has committed
        self._rules = [ENGLISH]
        self._open()

    def _open(self) -> None:
        make_private_folder(self.folder)
        check_segment_files(self.folder)
        self._schema = _schema(self.unit)
        self._index: Any = tantivy.Index(self._schema, path=str(self.folder))
        make_tree_private(self.folder)
        self.was_closed = is_closed(self.folder, self.refresh())

    def refresh(self) -> int:
        """Load the commits of other processes; return the last change in the index.

        A writer must use the returned value: another thread may set `reached` in the meantime.
        """
        self._index.reload()
        searcher = self._index.searcher()
        known = (PLAIN, *STEMMED.values())
        held = [name for name in known if searcher.doc_freq("stemmed", name)]  # takes .2 ms
        self._rules = held or [ENGLISH]
        found = searcher.search(self._range_query("reached", 0, EPOCH_BOUND), limit=1)
        values = searcher.fast_field_values("reached", [a for _, a in found.hits])
        reached = int(values[0]) if values else 0
        self.reached = reached
        return reached

    def close(self) -> None:
        """Close the writer, if one is open."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None
            if not self._unfinished:
                mark_closed(self.folder, self.reached)

    def clear(self) -> None:
        """Delete the index, and create an empty one."""
        self.close()
        shutil.rmtree(self.folder)
        self._unfinished = False
        self._open()

    def count(self) -> int:
        """Return the number of passages or articles in the index."""
        found = self._index.searcher().search(self._range_query("number", 0, EPOCH_BOUND), limit=1)
        return int(found.count)

    def numbers(self) -> set[int]:
        """Return the numbers of all passages in the index."""
        return set(self.all_numbers().tolist())

    def all_numbers(self) -> Numbers:
        """Return the number of every indexed passage, ascending, with repetitions.

        In the index of articles, these are the articles' first passages.
        """
        return np.sort(self._numbers_of(self._range_query("number", 0, EPOCH_BOUND)))

    def damaged_files(self) -> list[str]:
        """Return the names of the files that don't match their checksum.

        A killed writer's unfinished files don't count: the next writer deletes them.
        """
        files = sorted(path for path in self.folder.iterdir() if is_file_in_use(path))
        return [file.name for file in files if not has_valid_checksum(file)]

    def write(
        self, added: Iterable[Sequence[IndexedPassage]], removed: Iterable[int], sequence: int
    ) -> None:
        """Add and remove passages in one commit.

        Args:
            added: Batches of passages to add, in order; all of an article's, or none of them.
            removed: Numbers of the passages to remove; an article goes with any of its passages.
            sequence: The change that the index then includes.
        """
        self._open_writer()
        self._unfinished = True
        field = "number" if self.unit == "passages" else "numbers"
        for number in removed:
            self._writer.delete_documents_by_query(self._term_query(field, number))
        self._add(added)
        self._writer.delete_documents_by_query(self._range_query("reached", 0, EPOCH_BOUND))
        self._writer.add_document(tantivy.Document(reached=sequence))
        self._writer.commit()
        self._unfinished = False
        self.refresh()

    def _add(self, batches: Iterable[Sequence[IndexedPassage]]) -> None:
        documents = _passage_documents if self.unit == "passages" else _article_documents
        for document in documents(chain.from_iterable(batches)):
            self._writer.add_document(document)

    def _open_writer(self) -> None:
        """Open a writer, and delete the unfinished files of a killed one.

        Tantivy names some files by their commit, and fails if one of that name exists.
        """
        if self._writer is None:
            mark_open(self.folder)
            self._writer = self._index.writer(HEAP, 1)
            self._writer.garbage_collect_files()

    def rewrite(self, passages: Iterable[Sequence[IndexedPassage]], sequence: int) -> None:
        """Replace all passages in one commit, and delete the previous files.

        Args:
            passages: Batches of all passages.
            sequence: The change that the index then includes.
        """
        self._open_writer()
        self._unfinished = True
        self._writer.delete_all_documents()
        self._add(passages)
        self._writer.add_document(tantivy.Document(reached=sequence))
        self._writer.commit()
        self._unfinished = False
        self.close()
        self._open_writer()
        self.refresh()

    def search(
        self,
        query: str,
        k: int,
        *,
        filters: Filters = EVERYTHING,
        phrases: Sequence[str] = (),
        up_to: int | None = None,
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 score.

        Args:
            query: The query; none of its characters is syntax.
            k: The number of passages.
            filters: Filters for the articles.
            phrases: Phrases that score extra.
            up_to: The highest passage number to return; numbers only grow, so it selects the
                passages of a past time.

        Returns:
            Passage numbers and scores, best first.
        """
        exact = [self._phrase_query(words) for phrase in phrases for words in self.phrases(phrase)]
        words = [self._words_query(query, 1.0), *exact]
        wanted = [part for part in words if part is not None]
        if not wanted or k < 1:
            return []
        scored = wanted[0] if len(wanted) == 1 else _any_of(wanted)
        required = [
            tantivy.Query.const_score_query(part, 0.0) for part in self._filter_queries(filters)
        ]
        if up_to is not None:
            required.append(self._up_to_query(up_to))
        if required:  # alone, Tantivy skips blocks of documents that can't score enough
            scored = _all_of([scored, *required])
        searcher = self._index.searcher()
        hits = searcher.search(scored, limit=k, count=False).hits
        numbers = searcher.fast_field_values("number", [address for _, address in hits])
        return [(int(n), float(score)) for n, (score, _) in zip(numbers, hits, strict=True)]

    def search_spellings(
        self,
        words: Sequence[str],
        k: int,
        *,
        edits: int,
        filters: Filters = EVERYTHING,
        up_to: int | None = None,
    ) -> list[tuple[int, float]]:
        """Return passages that have all of these words, each with at most so many letters changed.

        Args:
            words: Words of a name, in order.
            k: The number of passages.
            edits: The most letters of a word's stem that may differ, two at most; 0 for the words
                themselves, which must then be adjacent.
            filters: Filters for the articles.
            up_to: The highest passage number to return.

        Returns:
            Passage numbers and scores.
        """
        parts = self._spelling_queries(words, edits)
        if not parts or k < 1:
            return []
        required = [*parts, *self._filter_queries(filters)]
        if up_to is not None:
            required.append(self._up_to_query(up_to))
        searcher = self._index.searcher()
        hits = searcher.search(_all_of(required), limit=k, count=False).hits
        numbers = searcher.fast_field_values("number", [address for _, address in hits])
        return [(int(n), float(score)) for n, (score, _) in zip(numbers, hits, strict=True)]

    def numbers_with(self, terms: Sequence[str], rule: str, first: int) -> Numbers:
        """Return the numbers of the passages that have these terms in a row, unsorted.

        Args:
            terms: Terms, analysed by the rule; a single one, or a phrase.
            rule: Rules of a language; only passages that are indexed by them are returned.
            first: The lowest passage number to return.
        """
        placed: list[str | tuple[int, str]] = list(terms)
        either = [
            tantivy.Query.phrase_query(self._schema, field, placed)
            if len(placed) > 1
            else self._term_query(field, terms[0])
            for field in ("text", "title")
        ]
        required = [
            _any_of(either),
            self._term_query("stemmed", rule),
            self._range_query("number", first, EPOCH_BOUND),
        ]
        return self._numbers_of(tantivy.Query.const_score_query(_all_of(required), 0.0))

    def having(self, text: str) -> Numbers | None:
        """Return the numbers of all passages that have a word or phrase, in any order.

        Args:
            text: A word, or words that must stand side by side, in the text or in the title.

        Returns:
            Passage numbers; None if the text has only stop words, which no index has.
        """
        queries = [
            self._term_query(field, words[0])
            if len(words) == 1
            else tantivy.Query.phrase_query(self._schema, field, list(words))
            for words in self.phrases(text)
            for field in ("text", "title")
        ]
        if not queries:
            return None
        return self._numbers_of(tantivy.Query.const_score_query(_any_of(queries), 0.0))

    def _numbers_of(self, query: tantivy.Query) -> Numbers:
        searcher = self._index.searcher()
        hits = searcher.search(query, limit=max(searcher.num_docs, 1), count=False).hits
        values = searcher.fast_field_values("number", [address for _, address in hits])
        return np.array(values, np.int64)

    def _spelling_queries(self, words: Sequence[str], edits: int) -> list[tantivy.Query]:
        if not edits:
            exact = [
                tantivy.Query.phrase_query(self._schema, field, list(terms))
                if len(terms) > 1
                else self._term_query(field, terms[0])
                for terms in self.phrases(" ".join(words))
                for field in ("text", "title")
            ]
            return [_any_of(exact)] if exact else []
        terms = [self.terms(word) for word in words]
        if not all(terms):
            return []
        searcher = self._index.searcher()
        known = [any(searcher.doc_freq("text", term) for term in of_word) for of_word in terms]
        some_are_wrong = not all(known)  # then the words that the index has are right
        return [
            _any_of([self._term_query("text", term) for term in of_word])
            if some_are_wrong and is_known
            else self._similar_terms(of_word, edits)
            for of_word, is_known in zip(terms, known, strict=True)
        ]

    def _similar_terms(self, terms: Sequence[str], edits: int) -> tantivy.Query:
        """Return a query for the terms that differ from one of these by at most so many letters.

        A fuzzy term query for two edits takes 60 times as long as for one; with the first letters
        given, a walk through the dictionary is fast.
        """
        if edits < 2:
            near = [
                tantivy.Query.fuzzy_term_query(self._schema, "text", term, distance=edits)
                for term in terms
            ]
            return _any_of(near)
        searcher = self._index.searcher()
        found: set[str] = set()
        for term in terms:
            letters = set(term)
            for other, _ in searcher.terms_with_prefix("text", term[:SHARED_LETTERS]):
                likely = abs(len(other) - len(term)) <= edits and (
                    len(letters ^ set(other)) <= 2 * edits
                )
                if likely and edit_distance(term, other) <= edits:
                    found.add(other)
        return tantivy.Query.term_set_query(self._schema, "text", sorted(found))

    def terms(self, query: str) -> list[str]:
        """Return the distinct terms of a query by the rules of every language in the index."""
        return analyze_with(query, self.indexed_rules())

    def phrases(self, phrase: str) -> list[tuple[str, ...]]:
        """Return the terms of a phrase, in order, by the rules of each language in the index."""
        found = dict.fromkeys(tuple(analyze(phrase, name)) for name in self.indexed_rules())
        return [words for words in found if words]

    def indexed_rules(self) -> list[str]:
        """Return the names of the stemming rules by which passages are indexed."""
        return self._rules

    def idf(self, field: str, term: str) -> float:
        """Return the inverse document frequency of a term, as BM25 defines it."""
        searcher = self._index.searcher()
        number, having = searcher.num_docs, searcher.doc_freq(field, term)
        return math.log(1 + (number - having + 0.5) / (having + 0.5))

    def _up_to_query(self, number: int) -> tantivy.Query:
        return tantivy.Query.const_score_query(self._range_query("number", 0, number), 0.0)

    def _words_query(self, query: str, boost: float) -> tantivy.Query | None:
        fields = [("text", boost)]
        if self.unit == "passages":
            fields.append(("title", boost * TITLE_BOOST))
        parts = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(self._term_query(field, term), weight))
            for term in self.terms(query)
            for field, weight in fields
        ]
        return tantivy.Query.boolean_query(parts) if parts else None

    def _phrase_query(self, words: tuple[str, ...]) -> tantivy.Query:
        if len(words) == 1:
            return self._term_query("text", words[0])
        placed: list[str | tuple[int, str]] = list(words)
        exact = tantivy.Query.phrase_query(self._schema, "text", placed, slop=len(words))
        return tantivy.Query.boost_query(exact, PHRASE_BOOST)

    def _filter_queries(self, filters: Filters) -> list[tantivy.Query]:
        queries = []
        if filters.after is not None or filters.before is not None:
            start = -EPOCH_BOUND if filters.after is None else to_timestamp(filters.after)
            end = EPOCH_BOUND if filters.before is None else to_timestamp(filters.before) - 1
            if end < start:
                return [tantivy.Query.empty_query()]
            queries.append(self._range_query("published", start, end))
        for field, wanted in (
            ("publisher", filters.publishers),
            ("author", filters.authors),
            ("section", filters.sections),
            ("language", filters.languages),
            ("kind", filters.kinds),
        ):
            if wanted:
                folded = [name.casefold() for name in wanted]
                queries.append(tantivy.Query.term_set_query(self._schema, field, folded))
        if filters.excluded_publishers:
            folded = [name.casefold() for name in filters.excluded_publishers]
            excluded = tantivy.Query.term_set_query(self._schema, "publisher", folded)
            every = (tantivy.Occur.Must, tantivy.Query.all_query())
            queries.append(tantivy.Query.boolean_query([every, (tantivy.Occur.MustNot, excluded)]))
        rights = filters.rights
        for field, allowed in (
            ("publisher", rights.publishers),
            ("section", rights.sections),
            ("access", rights.access),
        ):
            if allowed is not ALL:
                names = [PUBLIC, *allowed] if field == "access" else list(allowed)
                queries.append(tantivy.Query.term_set_query(self._schema, field, names))
        if filters.article_ids:
            queries.append(self._ids_query(filters.article_ids))
        return queries

    def _ids_query(self, ids: Sequence[str]) -> tantivy.Query:
        if len(ids) > FEW_IDS:
            return tantivy.Query.term_set_query(self._schema, "article_id", list(ids))
        return _any_of(
            [tantivy.Query.term_query(self._schema, "article_id", one, "basic") for one in ids]
        )

    def _term_query(self, field: str, value: str | int) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value)

    def _range_query(self, field: str, start: int, end: int) -> tantivy.Query:
        return tantivy.Query.range_query(self._schema, field, tantivy.FieldType.Integer, start, end)


def _any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in queries])


def _all_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, one) for one in queries])


def article_terms(title: Sequence[str], text: Iterable[str]) -> list[str]:
    """Return the terms of an article's document from those of its title and text, in order."""
    return [*title] * TITLE_TIMES + list(islice(text, MOST_TERMS))


def _passage_documents(passages: Iterable[IndexedPassage]) -> Iterator[tantivy.Document]:
    for live in passages:
        rule = stemming_rules(live.metadata.language)
        document = _document(live.number, live.metadata, analyze(live.passage.text, rule))
        document.add_text("title", " ".join(analyze(live.metadata.title, rule)))
        yield document


def _article_documents(passages: Iterable[IndexedPassage]) -> Iterator[tantivy.Document]:
    for metadata, group in groupby(passages, lambda live: live.metadata):
        of_article = list(group)
        rule = stemming_rules(metadata.language)
        text = (term for live in of_article for term in analyze(live.passage.text, rule))
        terms = article_terms(analyze(metadata.title, rule), text)
        document = _document(of_article[0].number, metadata, terms)
        for live in of_article:
            document.add_integer("numbers", live.number)
        yield document


def _document(number: int, metadata: ArticleMetadata, terms: Iterable[str]) -> tantivy.Document:
    document = tantivy.Document(
        number=number,
        text=" ".join(terms),
        stemmed=stemming_rules(metadata.language),
        article_id=metadata.article_id,
        publisher=metadata.publisher.casefold(),
        section=metadata.section.casefold(),
        language=metadata.language.casefold(),
        kind=metadata.kind.casefold(),
        access=metadata.access.casefold() or PUBLIC,
    )
    for author in metadata.authors:
        document.add_text("author", author.casefold())
    if metadata.published is not None:
        document.add_integer("published", to_timestamp(metadata.published))
    return document
