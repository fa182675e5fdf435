"""Browse an archive: all articles that match, counted by publisher, author, day and so on."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, get_args

import numpy as np

from rag.errors import InvalidValueError
from rag.index.search import Indexes
from rag.query.boolean import And, Not, Query, Term, parse_boolean, positive_terms
from rag.schema import EVERYTHING, Article, ArticleMetadata, Filters
from rag.serialize import Serializable
from rag.store.articles import ArticleStore
from rag.store.filters import CURRENT, where_clause
from rag.store.rows import (
    FIRST_SECOND,
    LAST_SECOND,
    METADATA,
    METADATA_WIDTH,
    from_timestamp,
    row_to_article,
    row_to_metadata,
)

BrowseOrder = Literal["date", "relevance"]
TableOrder = Literal["date", "oldest", "title", "publisher", "relevance"]
FacetName = Literal["publisher", "author", "section", "language", "kind", "month", "day"]
FACETS: tuple[FacetName, ...] = get_args(FacetName)
MOST_VALUES = 100  # of a facet, those with most articles
MOST_DAYS = 400  # of the facets of months and days, the newest
LARGEST_PAGE = 1_000  # articles
BATCH = 200  # articles of an export that are in memory
_COLUMNS = ("publisher", "section", "language", "kind")
_NO_DATE = -(2**62)

Keys = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class FacetValue(Serializable):
    """A value of a facet, such as a publisher's name, and the number of articles that have it."""

    value: str
    articles: int


@dataclass(frozen=True, slots=True)
class Facet(Serializable):
    """The matching articles counted by one property.

    Attributes:
        name: "publisher", "author", "section", "language", "kind", "month" or "day".
        values: The values, the most frequent first; months ("2024-10") and days ("2024-10-24",
            UTC) newest first. Articles without the property aren't counted.
    """

    name: FacetName
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class BrowsePage(Serializable):
    """One page of the articles that match.

    Attributes:
        articles: The metadata of the articles on this page.
        total: The number of all matching articles.
        cursor: What to pass for the next page; "" on the last one.
        facets: Counts over all matching articles; only on the first page.
    """

    articles: tuple[ArticleMetadata, ...]
    total: int
    cursor: str = ""
    facets: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns to count and sort by, of all current revisions in the order of their row ids."""

    keys: Keys
    dates: Keys
    ranks: Keys  # of the articles' ids in alphabetical order
    ids: tuple[str, ...]
    values: dict[str, tuple[tuple[str, ...], Keys]]  # distinct values, and each row's
    authors: tuple[tuple[str, ...], Keys, Keys]  # distinct names; pairs of a row and a name
    passages: tuple[Keys, Keys]  # pairs of a passage's number, ascending, and its row


class ArticleBrowser:
    """Browses the current articles of an archive; thread-safe."""

    def __init__(self, store: ArticleStore, indexes: Indexes) -> None:
        """Browse the articles of a store, by the words in its indexes."""
        self._store, self._indexes = store, indexes
        self._lock = Lock()
        self._columns: tuple[int, _Columns] | None = None
        self._titles: tuple[_Columns, Keys] | None = None

    def page(
        self, words: str, *, filters: Filters, order: BrowseOrder, cursor: str, limit: int
    ) -> BrowsePage:
        """Return one page of the matching articles; see `ArchiveReader.browse`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidValueError(f"limit is {limit}. It may be from 1 to {LARGEST_PAGE}.")
        columns, rows, scores = self._match(words, filters, order)
        start = _position(columns, rows, scores, cursor, order) if cursor else 0
        chosen = rows[start : start + limit]
        more = start + limit < len(rows)
        return BrowsePage(
            articles=self._metadata(columns.keys[chosen].tolist()),
            total=len(rows),
            cursor=_cursor(columns, chosen, scores[start : start + limit], order) if more else "",
            facets=() if cursor else tuple(_facets(columns, rows)),
        )

    def table(
        self, words: str, *, filters: Filters, order: TableOrder, offset: int, limit: int
    ) -> BrowsePage:
        """Return the articles from an offset on; see `ArchiveReader.browse_table`."""
        if order not in get_args(TableOrder):
            names = ", ".join(map(repr, get_args(TableOrder)))
            raise InvalidValueError(f"order is {order!r}. It may be {names}.")
        if not 1 <= limit <= LARGEST_PAGE or offset < 0:
            raise InvalidValueError(
                f"limit is {limit} and offset {offset}. Pass 1 to {LARGEST_PAGE}, and 0 or more."
            )
        base: BrowseOrder = "relevance" if order == "relevance" else "date"
        columns, rows, _ = self._match(words, filters, base)
        if order == "oldest":
            dates = columns.dates[rows]
            undated = dates == _NO_DATE
            rows = rows[np.lexsort((columns.ranks[rows], np.where(undated, 0, dates), undated))]
        elif order in ("title", "publisher"):
            keys = self._title_ranks(columns) if order == "title" else _publisher_ranks(columns)
            rows = rows[np.argsort(keys[rows], kind="stable")]  # the newest first of equal ones
        chosen = rows[offset : offset + limit]
        return BrowsePage(
            articles=self._metadata(columns.keys[chosen].tolist()),
            total=len(rows),
            facets=tuple(_facets(columns, rows)),
        )

    def _title_ranks(self, columns: _Columns) -> Keys:
        """Return the rank of each row's title, cached until the next change."""
        with self._lock:
            if self._titles is None or self._titles[0] is not columns:
                found = self._store.database.connection.execute(
                    f"SELECT r.id, r.title FROM revisions r WHERE {CURRENT}"  # nosec B608 # constants of this code, values bound
                ).fetchall()
                titles = {key: title.casefold() for key, title in found}
                ordered = [titles.get(key, "") for key in columns.keys.tolist()]
                self._titles = (columns, _ranks(ordered))
            return self._titles[1]

    def articles(self, words: str, *, filters: Filters, order: BrowseOrder) -> Iterator[Article]:
        """Return an iterator of all matching articles; see `ArchiveReader.browse_all`."""
        columns, rows, _ = self._match(words, filters, order)
        return self._articles(columns.keys[rows].tolist())

    def _articles(self, keys: Sequence[int]) -> Iterator[Article]:
        for i in range(0, len(keys), BATCH):
            found = self._store.database.execute_for_each(
                f"SELECT {METADATA}, t.text, r.id FROM revisions r "  # nosec B608 # constants of this code, values bound
                "JOIN texts t ON t.revision_id = r.id "
                f"WHERE {CURRENT} AND r.id IN ({{}})",
                keys[i : i + BATCH],
            )
            of = {row[METADATA_WIDTH + 1]: row for row in found}
            yield from (row_to_article(of[key]) for key in keys[i : i + BATCH] if key in of)

    def _match(
        self, words: str, filters: Filters, order: BrowseOrder
    ) -> tuple[_Columns, Keys, np.ndarray[Any, np.dtype[np.float64]]]:
        """Return the columns, and the matching rows in order with their scores."""
        if order not in get_args(BrowseOrder):
            names = ", ".join(map(repr, get_args(BrowseOrder)))
            raise InvalidValueError(f"order is {order!r}. It may be {names}.")
        query = parse_boolean(words)
        if query is not None:
            self._indexes.refresh()  # opening the indexes takes 1 s
        columns = self._read()
        passing = np.zeros(len(columns.keys), np.bool_)
        passing[self._passing(columns, filters)] = True
        if query is not None:
            passing &= self._having(columns, query)
        rows = np.flatnonzero(passing)
        scores = np.zeros(len(columns.keys))
        if order == "relevance" and query is not None:
            scores = self._scores(columns, query)
        ordered = np.lexsort((columns.ranks[rows], -columns.dates[rows], -scores[rows]))
        rows = rows[ordered]
        return columns, rows, scores[rows]

    def _passing(self, columns: _Columns, filters: Filters) -> Keys:
        where, values = where_clause(self._store.database, filters)
        found = self._store.database.connection.execute(
            f"SELECT r.id FROM revisions r WHERE {where}",  # nosec B608 # conditions of this code, values bound
            values,
        ).fetchall()
        keys = np.fromiter((key for (key,) in found), np.int64, len(found))
        return np.flatnonzero(np.isin(columns.keys, keys))

    def _having(self, columns: _Columns, query: Query) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which rows a query matches; stop words are in every article."""
        if isinstance(query, Term):
            numbers = self._indexes.passages_having(query.text)
            matched = np.full(len(columns.keys), numbers is None)
            if numbers is not None:
                matched[_rows_of(columns, numbers)] = True
            return matched
        if isinstance(query, Not):
            return ~self._having(columns, query.operand)
        found = [self._having(columns, operand) for operand in query.operands]
        matched = found[0]
        for other in found[1:]:
            matched = matched & other if isinstance(query, And) else matched | other
        return matched

    def _scores(self, columns: _Columns, query: Query) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return each row's best BM25 score of a passage."""
        scores = np.zeros(len(columns.keys))
        terms = positive_terms(query)
        found = self._indexes.search_bm25(
            " ".join(terms),
            len(columns.passages[0]),
            filters=EVERYTHING,
            phrases=[term for term in terms if " " in term],
        )
        numbers = np.array([number for number, _ in found], np.int64)
        known = np.isin(numbers, columns.passages[0])
        best = np.array([round(score, 4) for _, score in found])[known]
        np.maximum.at(scores, _rows_of(columns, numbers[known]), best)
        return scores

    def _metadata(self, keys: Sequence[int]) -> tuple[ArticleMetadata, ...]:
        rows = self._store.database.execute_for_each(
            f"SELECT {METADATA}, r.id FROM revisions r WHERE r.id IN ({{}})",  # nosec B608 # constants of this code, values bound
            keys,
        )
        of = {row[METADATA_WIDTH]: row_to_metadata(row) for row in rows}
        return tuple(of[key] for key in keys if key in of)

    def _read(self) -> _Columns:
        """Return the columns, cached until the next change; 0.2 s for 100,000 passages."""
        sequence = self._store.database.sequence()
        with self._lock:
            if self._columns is None or self._columns[0] != sequence:
                with self._store.database.snapshot():
                    self._columns = (self._store.database.sequence(), self._read_columns())
            return self._columns[1]

    def _read_columns(self) -> _Columns:
        execute = self._store.database.connection.execute
        rows = execute(
            f"SELECT r.id, r.article_id, r.published_at, {', '.join(_COLUMNS)} "  # nosec B608 # names of our schema, values bound
            f"FROM revisions r WHERE {CURRENT} ORDER BY r.id"
        ).fetchall()
        keys = np.array([row[0] for row in rows], np.int64)
        ids = tuple(row[1] for row in rows)
        ranks = np.empty(len(rows), np.int64)
        ranks[np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)] = range(len(ids))
        dates = [
            at if at is not None and FIRST_SECOND <= at <= LAST_SECOND else _NO_DATE
            for at in (row[2] for row in rows)
        ]
        bylines = execute(
            "SELECT b.revision_id, b.author FROM bylines b JOIN revisions r "  # nosec B608 # constants of this code, values bound
            f"ON r.id = b.revision_id WHERE {CURRENT} AND b.author != ''"
        ).fetchall()
        names, authors = _encode([author for _, author in bylines])
        owned = execute(
            "SELECT p.number, p.revision_id FROM passages p JOIN revisions r "  # nosec B608 # constants of this code, values bound
            f"ON r.id = p.revision_id WHERE {CURRENT} ORDER BY p.number"
        ).fetchall()
        numbers = np.array(owned, np.int64).reshape(-1, 2)
        return _Columns(
            keys,
            np.array(dates, np.int64),
            ranks,
            ids,
            {name: _encode([row[3 + i] for row in rows]) for i, name in enumerate(_COLUMNS)},
            (names, np.searchsorted(keys, [key for key, _ in bylines]), authors),
            (numbers[:, 0], np.searchsorted(keys, numbers[:, 1])),
        )


def _ranks(texts: Sequence[str]) -> Keys:
    """Return the rank of each text in alphabetical order, empty ones last; equal texts share it."""
    ranks = {text: i for i, text in enumerate(sorted(set(texts), key=lambda t: (not t, t)))}
    return np.array([ranks[text] for text in texts], np.int64)


def _publisher_ranks(columns: _Columns) -> Keys:
    names, codes = columns.values["publisher"]
    found: Keys = _ranks([name.casefold() for name in names])[codes]
    return found


def _rows_of(columns: _Columns, numbers: Keys) -> Keys:
    """Return the rows of passages, without those that have ended."""
    held, rows = columns.passages
    if not len(held):
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(held, numbers), len(held) - 1)
    found: Keys = rows[at[held[at] == numbers]]
    return found


def _encode(values: Sequence[str]) -> tuple[tuple[str, ...], Keys]:
    """Return the distinct values, and the position of each value among them."""
    distinct = {value: i for i, value in enumerate(dict.fromkeys(values))}
    return tuple(distinct), np.array([distinct[value] for value in values], np.int64)


def _facets(columns: _Columns, rows: Keys) -> Iterator[Facet]:
    for name in FACETS:
        if name in ("month", "day"):
            yield Facet(name, _count_days(columns.dates[rows], 7 if name == "month" else 10))
            continue
        if name == "author":
            values, owners, codes = columns.authors
            codes = codes[np.isin(owners, rows)]
        else:
            values, codes = columns.values[name]
            codes = codes[rows]
        counts = np.bincount(codes, minlength=len(values))
        found = _merge_cases([(values[i], int(counts[i])) for i in np.flatnonzero(counts)])
        found.sort(key=lambda pair: (-pair[1], pair[0]))
        yield Facet(name, tuple(FacetValue(*pair) for pair in found[:MOST_VALUES]))


def _merge_cases(counts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return values with their counts, spelt as in most articles, since filters ignore case."""
    spelt: dict[str, list[tuple[str, int]]] = {}
    for value, count in counts:
        if value:
            spelt.setdefault(value.casefold(), []).append((value, count))
    return [
        (max(of, key=lambda pair: pair[1])[0], sum(count for _, count in of))
        for of in spelt.values()
    ]


def _count_days(dates: Keys, length: int) -> tuple[FacetValue, ...]:
    days, counts = np.unique(dates[dates != _NO_DATE] // 86_400, return_counts=True)
    found: dict[str, int] = {}
    for day, count in zip(days[::-1].tolist(), counts[::-1].tolist(), strict=True):
        moment = from_timestamp(day * 86_400)
        if moment is not None:
            value = moment.date().isoformat()[:length]
            found[value] = found.get(value, 0) + count
    return tuple(FacetValue(*pair) for pair in list(found.items())[:MOST_DAYS])


def _cursor(
    columns: _Columns,
    chosen: Keys,
    scores: np.ndarray[Any, np.dtype[np.float64]],
    order: BrowseOrder,
) -> str:
    last = int(chosen[-1])
    place = [order[0], float(scores[-1]), int(columns.dates[last]), columns.ids[last]]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _position(
    columns: _Columns,
    rows: Keys,
    scores: np.ndarray[Any, np.dtype[np.float64]],
    cursor: str,
    order: BrowseOrder,
) -> int:
    """Return the position of the first article after a page, even if its last one is gone.

    Raises:
        InvalidValueError: The cursor is of another order, or isn't one.
    """
    try:
        read = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        letter, score, date, article_id = read
        score, date = float(score), int(date)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        letter = ""
    if letter != order[0] or not isinstance(article_id, str) or not math.isfinite(score):
        raise InvalidValueError(f"cursor is {cursor[:60]!r}. Pass the one of the page before.")
    key = (-score, -date, article_id)
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        row = int(rows[middle])
        if (-float(scores[middle]), -int(columns.dates[row]), columns.ids[row]) <= key:
            low = middle + 1
        else:
            high = middle
    return low
