"""Year in which each passage's article was published, by passage number.

A passage keeps its number and its revision, and a revision its date, so what has been read stays
right; only higher numbers are read later. Ten bytes a passage.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from rag.store.passages import Numbers, PassageStore

UNDATED = 0  # the year of passages without a valid date
UNKNOWN = -1  # of numbers that the store doesn't have

Years = npt.NDArray[np.int16]


class PublicationYears:
    """The years of all passages of a store, read on first use; threads may share it."""

    def __init__(self, passages: PassageStore) -> None:
        """Read the passages of a store."""
        self._passages = passages
        self._lock = threading.Lock()
        self._numbers: Numbers = np.empty(0, np.int64)
        self._years: Years = np.empty(0, np.int16)

    def of(self, numbers: Numbers) -> Years:
        """Return the year (UTC) of each passage: 0 if it has no date, -1 if it is unknown."""
        known, years = self._read(int(numbers.max()) if len(numbers) else 0)
        if not len(known):
            return np.full(len(numbers), UNKNOWN, np.int16)
        at = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
        return np.where(known[at] == numbers, years[at], UNKNOWN).astype(np.int16)

    def numbers_in(self, year: int, first: int = 0, end: int | None = None) -> Numbers:
        """Return the passages of a year from one number to before another, ascending.

        Passages that have ended are among them.
        """
        known, years = self._read(None)
        mask = (years == year) & (known >= first)
        found: Numbers = known[mask if end is None else mask & (known < end)]
        return found

    def up_to(self, number: int) -> Numbers:
        """Return all passages up to a number, ascending; some may have ended."""
        known, _ = self._read(None)
        found: Numbers = known[known <= number]
        return found

    def dimension(self) -> int:
        """Return the length of the passages' vectors; 0 if there are none."""
        known, _ = self._read(None)
        _, vectors = self._passages.vectors(known[-1:])
        return int(vectors.shape[1])

    def size(self, year: int, first: int = 0, end: int | None = None) -> int:
        """Return the number of passages that `numbers_in` returns."""
        return len(self.numbers_in(year, first, end))

    def _read(self, highest: int | None) -> tuple[Numbers, Years]:
        """Return all numbers and years, read again if `highest` is not among them."""
        with self._lock:
            last = int(self._numbers[-1]) if len(self._numbers) else 0
            if highest is None or highest > last:
                numbers, seconds = self._passages.publication_times(last)
                years = seconds.astype("datetime64[Y]").astype(np.int64) + 1970
                dated = np.where(np.isnat(seconds), UNDATED, years).astype(np.int16)
                self._numbers = np.concatenate([self._numbers, numbers])
                self._years = np.concatenate([self._years, dated])
            return self._numbers, self._years
