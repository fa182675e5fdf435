"""The passages' words in Tantivy, for BM25; alone imports tantivy.

A query is taken apart here, with the analyser that the passages went through, so no character
of a question is ever syntax.  How far the index has followed the record is a document of its own,
written in the same commit as the passages.
"""

from __future__ import annotations

import json
import math
import shutil
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tantivy

from rag.schema import Filters
from rag.storage.rows import Live, seconds

if TYPE_CHECKING:
    from rag.storage.passages import Numbers

FOLDER = "lexical"
HEAP = 64_000_000  # bytes that the writer may hold before it writes a segment
TITLE_BOOST = 0.5  # every passage of an article bears its title: it must not outweigh the words
PHRASE_BOOST = 3.0
EPOCH_BOUND = 2**62
ANALYSER = "news"
SEGMENT_FILES = ("fast", "fieldnorm", "idx", "pos", "store", "term")
FOOTER_MAGIC = 1337  # the last four bytes of each of Tantivy's files, in every version since 0.12
PUBLIC = "\x00"  # the term of what everybody may read


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("number", stored=False, indexed=True, fast=True)
    builder.add_integer_field("published", stored=False, indexed=True, fast=True)
    builder.add_integer_field("reached", stored=False, indexed=True, fast=True)
    for field in ("title", "text"):
        builder.add_text_field(field, tokenizer_name=ANALYSER, index_option="position")
    for field in ("article_id", "publisher", "author", "section", "language", "kind", "access"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _analyser() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(64))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


class LexicalIndex:
    """Tantivy's index of passages, by their numbers; follows the record by `reached`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._writer: Any = None
        self._open()

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _refuse_missing_files(self.folder)
        self._schema = _schema()
        self._index: Any = tantivy.Index(self._schema, path=str(self.folder))
        self._analyser = _analyser()
        self._index.register_tokenizer(ANALYSER, self._analyser)
        self.refresh()

    def refresh(self) -> None:
        """See what another process has committed."""
        self._index.reload()
        searcher = self._index.searcher()
        found = searcher.search(self._range("reached", 0, EPOCH_BOUND), limit=1)
        values = searcher.fast_field_values("reached", [a for _, a in found.hits])
        self.reached = int(values[0]) if values else 0

    def close(self) -> None:
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def clear(self) -> None:
        """Throw the index away and begin an empty one."""
        self.close()
        shutil.rmtree(self.folder)
        self._open()

    def count(self) -> int:
        found = self._index.searcher().search(self._range("number", 0, EPOCH_BOUND), limit=1)
        return int(found.count)

    def numbers(self) -> set[int]:
        """Return the numbers of all passages that it holds."""
        return set(self.held().tolist())

    def held(self) -> Numbers:
        """Return the number of every passage that it holds, ascending; one held twice, twice."""
        searcher = self._index.searcher()
        query = self._range("number", 0, EPOCH_BOUND)
        hits = searcher.search(query, limit=max(searcher.num_docs, 1)).hits
        values = searcher.fast_field_values("number", [address for _, address in hits])
        return np.sort(np.array(values, np.int64))

    def damaged(self) -> list[str]:
        """Return the names of the files whose checksum, which Tantivy puts last, does not hold.

        What a killed writer left half done is none of the index's: the next one clears it.
        """
        files = sorted(path for path in self.folder.iterdir() if _in_use(path))
        return [file.name for file in files if not _whole(file)]

    def write(self, added: Iterable[Sequence[Live]], removed: Iterable[int], sequence: int) -> None:
        """Add and remove passages in one commit, and say that `sequence` has been reached."""
        self._begin()
        for number in removed:
            self._writer.delete_documents_by_query(self._term("number", number))
        for batch in added:
            for live in batch:
                self._writer.add_document(_document(live))
        self._writer.delete_documents_by_query(self._range("reached", 0, EPOCH_BOUND))
        self._writer.add_document(tantivy.Document(reached=sequence))
        self._writer.commit()
        self.refresh()

    def _begin(self) -> None:
        """Have a writer, and none of the files that a killed one may have left half done.

        Tantivy names some of them by the commit that they were for, and fails if one is there.
        """
        if self._writer is None:
            self._writer = self._index.writer(HEAP, 1)
            self._writer.garbage_collect_files()

    def rewrite(self, held: Iterable[Sequence[Live]], sequence: int) -> None:
        """Hold these passages and nothing else, in one commit, and leave no file of before."""
        self._begin()
        self._writer.delete_all_documents()
        for batch in held:
            for live in batch:
                self._writer.add_document(_document(live))
        self._writer.add_document(tantivy.Document(reached=sequence))
        self._writer.commit()
        self.close()
        self._begin()
        self.refresh()

    def search(
        self,
        query: str,
        k: int,
        *,
        filters: Filters = Filters(),
        phrases: Sequence[str] = (),
        up_to: int | None = None,
    ) -> list[tuple[int, float]]:
        """Return the `k` passages that score best by BM25, best first, with their scores.

        Numbers only grow: those `up_to` one are what was there when it came in.
        """
        words = [self._words(query, 1.0), *(self._phrase(phrase) for phrase in phrases)]
        wanted = [part for part in words if part is not None]
        if not wanted or k < 1:
            return []
        scored = tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in wanted])
        parts = [(tantivy.Occur.Must, scored)]
        parts += [
            (tantivy.Occur.Must, tantivy.Query.const_score_query(part, 0.0))
            for part in self._filters(filters)
        ]
        if up_to is not None:
            parts.append((tantivy.Occur.Must, self._none_above(up_to)))
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.boolean_query(parts), limit=k, count=False).hits
        numbers = searcher.fast_field_values("number", [address for _, address in hits])
        return [(int(n), float(score)) for n, (score, _) in zip(numbers, hits, strict=True)]

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text as the index knows them: folded, stemmed, no stop words."""
        return list(self._analyser.analyze(text))

    def rarity(self, field: str, term: str) -> float:
        """Return BM25's weight of a term: the rarer in this index, the more."""
        searcher = self._index.searcher()
        number, having = searcher.num_docs, searcher.doc_freq(field, term)
        return math.log(1 + (number - having + 0.5) / (having + 0.5))

    def _none_above(self, number: int) -> tantivy.Query:
        return tantivy.Query.const_score_query(self._range("number", 0, number), 0.0)

    def _words(self, query: str, boost: float) -> tantivy.Query | None:
        parts = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(self._term(field, term), weight))
            for term in dict.fromkeys(self.terms(query))
            for field, weight in (("text", boost), ("title", boost * TITLE_BOOST))
        ]
        return tantivy.Query.boolean_query(parts) if parts else None

    def _phrase(self, phrase: str) -> tantivy.Query | None:
        terms = self.terms(phrase)
        if not terms:
            return None
        if len(terms) == 1:
            return self._term("text", terms[0])
        words: list[str | tuple[int, str]] = list(terms)
        exact = tantivy.Query.phrase_query(self._schema, "text", words, slop=len(terms))
        return tantivy.Query.boost_query(exact, PHRASE_BOOST)

    def _filters(self, filters: Filters) -> list[tantivy.Query]:
        queries = []
        if filters.after is not None or filters.before is not None:
            start = -EPOCH_BOUND if filters.after is None else seconds(filters.after)
            end = EPOCH_BOUND if filters.before is None else seconds(filters.before) - 1
            if end < start:
                return [tantivy.Query.empty_query()]
            queries.append(self._range("published", start, end))
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
        if filters.access:
            rights = [PUBLIC, *(name.casefold() for name in filters.access)]
            queries.append(tantivy.Query.term_set_query(self._schema, "access", rights))
        if filters.article_ids:
            ids = list(filters.article_ids)
            queries.append(tantivy.Query.term_set_query(self._schema, "article_id", ids))
        return queries

    def _term(self, field: str, value: str | int) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value)

    def _range(self, field: str, start: int, end: int) -> tantivy.Query:
        return tantivy.Query.range_query(self._schema, field, tantivy.FieldType.Integer, start, end)


def _refuse_missing_files(folder: Path) -> None:
    """Raise ValueError where a segment lacks a file; Tantivy finds out when it needs it.

    A writer may have replaced the segments meanwhile: then they are looked up again.
    """
    meta, before = folder / "meta.json", b""
    while meta.exists() and (now := meta.read_bytes()) != before:
        ids = [segment["segment_id"].replace("-", "") for segment in json.loads(now)["segments"]]
        names = [f"{segment}.{suffix}" for segment in ids for suffix in SEGMENT_FILES]
        missing = [name for name in names if not (folder / name).exists()]
        if not missing:
            return
        before = now
    if before:
        raise ValueError(f"{missing[0]} is missing")


def _in_use(file: Path) -> bool:
    """Say whether a file is of a segment that was committed, deletions by their commit's number."""
    segment, _, rest = file.name.partition(".")
    for one in json.loads((file.parent / "meta.json").read_bytes())["segments"]:
        if one["segment_id"].replace("-", "") == segment:
            deletes = one.get("deletes") or {}
            return not rest.endswith("del") or rest == f"{deletes.get('opstamp')}.del"
    return False


def _whole(file: Path) -> bool:
    """Say whether a file ends in the checksum of what is before it; those without one pass."""
    if "." not in file.name[1:] or file.suffix in (".json", ".lock"):
        return True
    data = file.read_bytes()
    length, magic = struct.unpack("<II", data[-8:]) if len(data) >= 8 else (0, 0)
    if magic != FOOTER_MAGIC or length + 8 > len(data):
        return False
    try:
        expected = json.loads(data[-8 - length : -8])["crc"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(zlib.crc32(memoryview(data)[: -8 - length]) == expected)


def _document(live: Live) -> tantivy.Document:
    head = live.head
    document = tantivy.Document(
        number=live.number,
        title=head.title,
        text=live.passage.text,
        article_id=head.article_id,
        publisher=head.publisher.casefold(),
        section=head.section.casefold(),
        language=head.language.casefold(),
        kind=head.kind.casefold(),
        access=head.access.casefold() or PUBLIC,
    )
    for author in head.authors:
        document.add_text("author", author.casefold())
    if head.published is not None:
        document.add_integer("published", seconds(head.published))
    return document
