"""Names of people, places and organisations in an archive, and the page of one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from rag.archive.name_merging import NameForms
from rag.archive.name_quotations import NameQuotation, find_name_quotations
from rag.errors import InvalidValueError
from rag.nlp.name_kinds import Kind
from rag.nlp.name_lists import ALIASES
from rag.nlp.name_spans import fold
from rag.nlp.names import KINDS
from rag.retrieval.histogram import Histogram, count_days
from rag.schema import ALL_RIGHTS, Access, ArticleMetadata, Filters
from rag.serialize import Serializable
from rag.store.articles import ArticleStore
from rag.store.filters import restricts_readers, where_clause
from rag.store.names import Ids, NameTable
from rag.store.rows import METADATA, METADATA_WIDTH, from_timestamp, row_to_metadata

BESIDE = 12  # names beside a name, of each kind
TOGETHER = 2  # articles that a name must share with another to stand beside it
CACHED = 4  # readers' rights with merged names, 16 bytes for each name of an article


@dataclass(frozen=True, slots=True)
class NameCount(Serializable):
    """A name and the number of articles that have it.

    Attributes:
        name: The name, in its most frequent form.
        kind: "person", "place" or "organisation".
        articles: The number of articles.
    """

    name: str
    kind: Kind
    articles: int


@dataclass(frozen=True, slots=True)
class NamePage(Serializable):
    """The page of a person, place or organisation.

    Attributes:
        name: The name, in its most frequent form; the one asked for if it isn't in the archive.
        kind: "person", "place" or "organisation".
        variants: Other forms of the name, the most frequent first.
        articles: The number of articles that have it; 0 if it isn't in the archive.
        histogram: These articles by day, week or month.
        beside: Names that the same articles have more often than others do, the closest first,
            with the number of shared articles.
        quotations_by: Quotations of the person or organisation in the newest articles.
        quotations_about: Quotations of others in which the name occurs.
        newest: The metadata of the newest articles, the newest first.
    """

    name: str
    kind: Kind
    variants: tuple[str, ...] = ()
    articles: int = 0
    histogram: Histogram = field(default_factory=Histogram)
    beside: tuple[NameCount, ...] = ()
    quotations_by: tuple[NameQuotation, ...] = ()
    quotations_about: tuple[NameQuotation, ...] = ()
    newest: tuple[ArticleMetadata, ...] = ()


@dataclass(frozen=True, slots=True)
class _Merged:
    """The names that a reader may see, forms merged.

    `revisions` and `numbers` are pairs of a revision and a name in it, each once and ascending.
    """

    table: NameTable
    counts: Ids
    roots: Ids
    revisions: Ids
    numbers: Ids
    forms: NameForms


class NameCatalogue:
    """The names in the revisions that one view of an archive has; thread-safe."""

    def __init__(self, store: ArticleStore, standing: str) -> None:
        """Read the names of a store.

        Args:
            store: The store.
            standing: SQL condition for the revisions of the view.
        """
        self._store = store
        self._standing = standing
        self._lock = Lock()
        self._forms = NameForms()
        self._merged: LRUCache[object, _Merged] = LRUCache(CACHED)

    def names(
        self, *, kind: Kind | None, prefix: str, limit: int, filters: Filters
    ) -> tuple[NameCount, ...]:
        """Return the most frequent names; see `ArchiveView.names`."""
        check_kind(kind)
        _check_limit(limit)
        merged = self._of(filters.access)
        passing = self._passing(merged, filters)
        counts = np.bincount(merged.numbers[passing], minlength=len(merged.roots))
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        if kind is not None:
            order = order[merged.table.kinds[order] == KINDS.index(kind)]
        if wanted := fold(prefix.strip()):
            begins = _beginning(merged, wanted)
            order = order[begins[order]]
        return tuple(_count(merged.table, number, counts) for number in order[:limit].tolist())

    def page(self, name: str, *, kind: Kind | None, limit: int, filters: Filters) -> NamePage:
        """Return the page of a name; see `ArchiveView.name`."""
        check_kind(kind)
        _check_limit(limit)
        merged = self._of(filters.access)
        root = self._find(merged, name, kind)
        if root is None:
            return NamePage(name.strip(), kind or "person")
        passing = self._passing(merged, filters)
        revisions = merged.revisions[passing & (merged.numbers == root)]
        forms = np.flatnonzero(merged.roots == root)
        forms = forms[np.argsort(-merged.counts[forms], kind="stable")]
        names = [merged.table.names[n] for n in forms.tolist() if merged.counts[n]]
        found: Kind = KINDS[int(merged.table.kinds[root])]
        dated = self._dates(revisions)
        newest = self._metadata(sorted(dated, key=lambda key: (-dated[key], key))[:limit])
        spoken = find_name_quotations(
            self._store, self._newest(dated, revisions), names, found, self._standing
        )
        moments = [moment for at in dated.values() if (moment := from_timestamp(at)) is not None]
        return NamePage(
            name=merged.table.names[root],
            kind=found,
            variants=tuple(one for one in names if one != merged.table.names[root]),
            articles=len(revisions),
            histogram=count_days(moments),
            beside=self._beside(merged, root, passing, revisions),
            quotations_by=spoken.by,
            quotations_about=spoken.about,
            newest=newest,
        )

    def _of(self, access: Access) -> _Merged:
        """Return the names that a reader with these rights may see."""
        if not restricts_readers(self._store.database, access):
            access = ALL_RIGHTS
        key = (self._store.names.state(), access)
        with self._lock:
            if key not in self._merged:
                self._merged[key] = self._merge(Filters(access=access))
            return self._merged[key]

    def _merge(self, reader: Filters) -> _Merged:
        table = self._store.names.table()
        visible = np.isin(table.revisions, self._revisions(reader))
        revisions, numbers = table.revisions[visible], table.numbers[visible]
        counts = np.bincount(numbers, minlength=len(table.names)).astype(np.int64)
        self._forms = self._forms.extended(table)
        roots = self._forms.merge(counts)
        size = max(len(roots), 1)
        pairs = np.sort(revisions * size + roots[numbers])
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]  # 5 times as fast as np.unique
        return _Merged(table, counts, roots, pairs // size, pairs % size, self._forms)

    def _revisions(self, filters: Filters) -> Ids:
        """Return the row ids of the revisions of this view that pass the filters."""
        where, values = where_clause(self._store.database, filters, self._standing)
        rows = self._store.database.connection.execute(
            f"SELECT r.id FROM revisions r WHERE {where}",  # nosec B608 # conditions of this code, values bound
            values,
        ).fetchall()
        return np.fromiter((key for (key,) in rows), np.int64, len(rows))

    def _passing(self, merged: _Merged, filters: Filters) -> npt.NDArray[np.bool_]:
        if not filters:
            return np.ones(len(merged.revisions), np.bool_)
        passing: npt.NDArray[np.bool_] = np.isin(merged.revisions, self._revisions(filters))
        return passing

    def _find(self, merged: _Merged, name: str, kind: Kind | None) -> int | None:
        """Return the number of the most frequent name that is spelt like this."""
        wanted = fold(name.strip())
        totals = np.bincount(merged.numbers, minlength=len(merged.roots))
        spellings = (wanted, wanted.removeprefix("the "), fold(ALIASES.get(wanted, wanted)))
        found = [
            n
            for spelling in dict.fromkeys(spellings)
            for n in merged.forms.by_name.get(spelling, ())
        ]
        roots = [
            int(merged.roots[number])
            for number in found
            if number < len(merged.counts) and merged.counts[number]
            if kind is None or KINDS[int(merged.table.kinds[number])] == kind
        ]
        if not roots and kind in (None, "person"):  # a surname that never stands alone
            bearers = merged.forms.bearers(wanted)
            roots = [int(merged.roots[n]) for n in bearers if n < len(merged.counts)]
            roots = [root for root in roots if totals[root]]
        return max(roots, key=lambda root: totals[root], default=None)

    def _dates(self, revisions: Ids) -> dict[int, int]:
        """Return the times of publication of revisions that have one, by row id."""
        rows = self._store.database.execute_for_each(
            "SELECT id, published_at FROM revisions WHERE published_at IS NOT NULL AND id IN ({})",
            revisions.tolist(),
        )
        return dict(rows)

    def _newest(self, dated: dict[int, int], revisions: Ids) -> list[int]:
        undated = [key for key in revisions.tolist() if key not in dated]
        return [*sorted(dated, key=lambda key: (-dated[key], key)), *undated]

    def _metadata(self, keys: Sequence[int]) -> tuple[ArticleMetadata, ...]:
        rows = self._store.database.execute_for_each(
            f"SELECT {METADATA}, r.id FROM revisions r WHERE r.id IN ({{}})",  # nosec B608 # constants of this code, values bound
            keys,
        )
        of = {row[METADATA_WIDTH]: row_to_metadata(row) for row in rows}
        return tuple(of[key] for key in keys if key in of)

    def _beside(
        self, merged: _Merged, root: int, passing: npt.NDArray[np.bool_], revisions: Ids
    ) -> tuple[NameCount, ...]:
        """Return the names that occur with one more often than by chance, of each kind."""
        size = len(merged.roots)
        here = passing & np.isin(merged.revisions, revisions)
        together = np.bincount(merged.numbers[here], minlength=size)
        everywhere = np.bincount(merged.numbers[passing], minlength=size)
        articles = max(int(np.count_nonzero(np.diff(merged.revisions[passing], prepend=-1))), 1)
        chance = everywhere * (len(revisions) / articles)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(together >= TOGETHER, together * np.log(together / chance), 0.0)
        score[root] = 0.0
        order = np.argsort(-score, kind="stable")
        order = order[score[order] > 0]
        kinds = merged.table.kinds[order]
        chosen = np.concatenate([order[kinds == k][:BESIDE] for k in range(len(KINDS))])
        ranked = chosen[np.argsort(-score[chosen], kind="stable")]
        return tuple(_count(merged.table, number, together) for number in ranked.tolist())


def check_kind(kind: str | None) -> None:
    """Check a kind of names.

    Raises:
        InvalidValueError: It is neither None nor one of KINDS.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidValueError(f"kind is {kind!r}. It may be {', '.join(map(repr, KINDS))}.")


def _check_limit(limit: int) -> None:
    if limit < 1:
        raise InvalidValueError(f"limit is {limit}. It must be at least 1.")


def _count(table: NameTable, number: int, counts: Ids) -> NameCount:
    return NameCount(table.names[number], KINDS[int(table.kinds[number])], int(counts[number]))


def _beginning(merged: _Merged, wanted: str) -> npt.NDArray[np.bool_]:
    """Return which names, or words in them or in their forms, begin with some letters."""
    begins = np.zeros(len(merged.roots), np.bool_)
    numbers = np.array(merged.forms.beginning(" ".join(wanted.split())), np.int64)
    numbers = numbers[numbers < len(merged.counts)]
    begins[merged.roots[numbers[merged.counts[numbers] > 0]]] = True
    return begins
