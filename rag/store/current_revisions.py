"""Columns of the current revisions in memory: filters are evaluated without SQL.

A month of a million passages has 37,000, which SQLite finds in 46 ms and arrays in two
(docs/benchmarks.md). The columns are read at the first use and then follow the record by its
sequence numbers: a change that adds or ends revisions reads only those.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from rag.errors import BackfileError
from rag.rights import ALL, rights_of
from rag.schema import Access, Filters
from rag.store.database import Database
from rag.store.rows import to_timestamp

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

TEXTS = ("publisher", "section", "language", "kind", "access")  # columns stored as codes
UNDATED = np.iinfo(np.int64).min
# Changes that only add revisions or end them; after any other, everything is read again.
FOLLOWED = ("put", "remove", "withdraw", "readmit")
_READ = (
    f"SELECT r.id, r.published_at, min(p.number), max(p.number), count(p.number), "  # nosec B608 # constants of this code
    f"{', '.join(f'r.{name}' for name in TEXTS)} "
    "FROM revisions r LEFT JOIN passages p ON p.revision_id = r.id WHERE r.until IS NULL "
)
_GROUPED = " GROUP BY r.id"


@dataclass(frozen=True, slots=True)
class _Columns:
    """One row for each current revision, in the order of their passages.

    Attributes:
        sequence: The last change in them.
        ids: Row ids.
        published: Seconds since 1970, or UNDATED.
        first: Number of the first passage; 0 without passages.
        counts: Number of passages, whose numbers are consecutive.
        codes: Code of each text, by column.
    """

    sequence: int
    ids: Numbers
    published: Numbers
    first: Numbers
    counts: Numbers
    codes: dict[str, npt.NDArray[np.int32]]

    def select(self, rows: Mask | Numbers, sequence: int) -> _Columns:
        """Return some of the rows."""
        codes = {name: codes[rows] for name, codes in self.codes.items()}
        return _Columns(
            sequence,
            self.ids[rows],
            self.published[rows],
            self.first[rows],
            self.counts[rows],
            codes,
        )

    def joined(self, other: _Columns) -> _Columns:
        """Return the rows of both, in order."""
        both = _Columns(
            other.sequence,
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.published, other.published]),
            np.concatenate([self.first, other.first]),
            np.concatenate([self.counts, other.counts]),
            {
                name: np.concatenate([codes, other.codes[name]])
                for name, codes in self.codes.items()
            },
        )
        if len(self.first) and len(other.first) and self.first[-1] <= other.first[0]:
            return both
        return both.select(np.argsort(both.first, kind="stable"), both.sequence)


class _UnevenNumbersError(BackfileError):
    """The passages of a revision don't have consecutive numbers."""


class CurrentRevisions:
    """The current revisions' dates, passages and short texts; thread-safe."""

    def __init__(self, database: Database) -> None:
        """Read the revisions of a database, when they are first needed."""
        self._database = database
        self._lock = Lock()
        self._columns: _Columns | None = None
        self._uneven_at = -1  # the change at which the numbers were found not to be consecutive
        self._codes: dict[str, dict[str, int]] = {name: {} for name in TEXTS}

    def passages(self, filters: Filters) -> Numbers | None:
        """Return the numbers of the passages whose articles pass the filters, ascending.

        Args:
            filters: Filters for the articles.

        Returns:
            The numbers; None if the columns can't tell: filters by author or id need the record,
            and so does a transaction that isn't committed yet.
        """
        if filters.authors or filters.article_ids:
            return None
        columns = self._current()
        if columns is None:
            return None
        rows = self._passing(columns, filters)
        first, counts = columns.first[rows], columns.counts[rows]
        ends = np.cumsum(counts)
        steps = np.repeat(first - (ends - counts), counts)
        return steps + np.arange(len(steps))

    def publishers(self, access: Access) -> list[str] | None:
        """Return the publishers' names, the one with most articles first; None as in `passages`.

        Args:
            access: The reader's rights, as in `Filters`.
        """
        columns = self._current()
        if columns is None:
            return None
        names = list(self._codes["publisher"])
        rows = self._passing(columns, Filters(access=access))
        times = np.bincount(columns.codes["publisher"][rows], minlength=len(names)).tolist()
        held = [(-count, name) for name, count in zip(names, times, strict=False) if count]
        return [name for _, name in sorted(held) if name]

    def _passing(self, columns: _Columns, filters: Filters) -> Mask:
        rows = np.ones(len(columns.ids), np.bool_)
        if filters.after is not None or filters.before is not None:
            rows &= columns.published != UNDATED
        if filters.after is not None:
            rows &= columns.published >= to_timestamp(filters.after)
        if filters.before is not None:
            rows &= columns.published < to_timestamp(filters.before)
        for name, wanted in (
            ("publisher", filters.publishers),
            ("section", filters.sections),
            ("language", filters.languages),
            ("kind", filters.kinds),
        ):
            if wanted:
                rows &= self._having(columns, name, wanted)
        if filters.excluded_publishers:
            rows &= ~self._having(columns, "publisher", filters.excluded_publishers)
        rights = rights_of(filters.access)
        if rights.publishers is not ALL:
            rows &= self._having(columns, "publisher", rights.publishers)
        if rights.sections is not ALL:
            rows &= self._having(columns, "section", rights.sections)
        if rights.access is not ALL:
            rows &= self._having(columns, "access", ("", *rights.access))
        return rows

    def _having(self, columns: _Columns, name: str, wanted: tuple[str, ...]) -> Mask:
        """Return which rows have one of these texts, in any case."""
        folded = {text.casefold() for text in wanted}
        known = list(self._codes[name])
        passes = np.array([text.casefold() in folded for text in known], np.bool_)
        if not len(passes):
            return np.zeros(len(columns.ids), np.bool_)
        return passes[columns.codes[name]]

    def _current(self) -> _Columns | None:
        """Return the columns as of the newest change; None if they can't be read."""
        if self._database.connection.in_transaction:
            return None
        sequence = self._database.sequence()
        with self._lock:
            known = self._columns
            if known is not None and known.sequence == sequence:
                return known
            if self._uneven_at == sequence:
                return None
            try:
                with self._database.snapshot():  # the sequence and the rows of one state
                    self._columns = self._follow(known)
            except _UnevenNumbersError:
                self._columns, self._uneven_at = None, sequence
            return self._columns

    def _follow(self, known: _Columns | None) -> _Columns:
        sequence = self._database.sequence()
        connection = self._database.connection
        if known is not None and known.sequence <= sequence:
            marks = ", ".join("?" * len(FOLLOWED))
            others = connection.execute(
                f"SELECT count(*) FROM changes WHERE sequence > ? AND action NOT IN ({marks})",  # nosec B608 # question marks, values bound
                (known.sequence, *FOLLOWED),
            ).fetchone()[0]
            if not others:
                ended = connection.execute(
                    "SELECT id FROM revisions WHERE until > ?", (known.sequence,)
                )
                gone = np.array([key for (key,) in ended], np.int64)
                kept = known.select(~np.isin(known.ids, gone), sequence) if len(gone) else known
                return kept.joined(self._read(sequence, since=known.sequence))
        return self._read(sequence, since=-1)

    def _read(self, sequence: int, since: int) -> _Columns:
        """Read the current revisions that were added after a change."""
        added = "AND r.since > ?" if since >= 0 else ""
        rows = self._database.connection.execute(
            _READ + added + _GROUPED, (since,) if since >= 0 else ()
        ).fetchall()
        ids, published, first, last, counts, *texts = zip(*rows, strict=True) if rows else [()] * 10
        columns = _Columns(
            sequence,
            np.array(ids, np.int64),
            np.array([UNDATED if at is None else at for at in published], np.int64),
            np.array([number or 0 for number in first], np.int64),
            np.array(counts, np.int64),
            {name: self._encode(name, values) for name, values in zip(TEXTS, texts, strict=True)},
        )
        span = np.array([number or 0 for number in last], np.int64) - columns.first + 1
        if (columns.counts[columns.counts > 0] != span[columns.counts > 0]).any():
            raise _UnevenNumbersError
        return columns.select(np.argsort(columns.first, kind="stable"), sequence)

    def _encode(self, name: str, values: tuple[str, ...]) -> npt.NDArray[np.int32]:
        codes = self._codes[name]
        return np.array([codes.setdefault(value, len(codes)) for value in values], np.int32)
