"""Compact vectors: all vectors of the record in one byte a number, mapped from a file.

A search within a filter multiplies the query with the rows that pass it, which is exact but for
rounding; the best ones are scored again from the record. It takes 26 ms for 37,000 passages,
where Chroma takes 97 ms for as many ids (docs/benchmarks.md).

The row of passage n is the nth of the file: its scale, then its numbers. A row that isn't there yet
has the scale zero, and is read from the record. Rows are written before the header counts them, so
a killed writer leaves nothing wrong.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.store.articles import ArticleStore
from rag.store.file_permissions import private_opener
from rag.store.passages import Numbers, Vectors

FILE = "vectors.int8"
MAGIC = b"BFVECT01"
HEADER = 4_096  # bytes; a page, so that rows begin at one
_FIELDS = struct.Struct("<8sIqqqI")  # magic, dimension, generation, sequence, rows, checksum
SCALE = 4  # bytes of a row before its numbers: a float32
LARGEST = 127
BATCH = 5_000  # vectors read from the record at a time
BLOCK = 1_024  # rows multiplied at a time: 1.5 MB of float32, which stay in the cache

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Header:
    """Header of the file: it has `rows` rows of `dimension` numbers, as of a change and a model."""

    dimension: int
    generation: int
    sequence: int
    rows: int

    def pack(self) -> bytes:
        """Return the header as bytes."""
        values = (MAGIC, self.dimension, self.generation, self.sequence, self.rows)
        return _FIELDS.pack(*values, zlib.crc32(repr(values).encode()))

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return SCALE + self.dimension

    @property
    def size(self) -> int:
        """Bytes of the file, at least."""
        return HEADER + self.rows * self.width


def _unpack(packed: bytes) -> _Header | None:
    """Return the header that these bytes have; None if they are damaged or another format's."""
    if len(packed) < _FIELDS.size:
        return None
    *values, checksum = _FIELDS.unpack(packed[: _FIELDS.size])
    if values[0] != MAGIC or zlib.crc32(repr(tuple(values)).encode()) != checksum:
        return None
    header = _Header(*values[1:])
    return header if header.dimension > 0 and header.rows >= 0 else None


@dataclass(frozen=True, slots=True)
class _Mapped:
    """The file, mapped: its header as read, the header's bytes as they are now, and its rows."""

    inode: int
    packed: bytes
    header: _Header
    live: Bytes
    rows: Bytes

    def is_outdated(self, inode: int) -> bool:
        """Return whether the file was replaced, or has got rows since."""
        return self.inode != inode or self.live.tobytes() != self.packed


class CompactVectors:
    """The mapped file of an archive's vectors. Readers need no lock; one process writes."""

    def __init__(self, folder: Path) -> None:
        """Map the file of an archive when it is first needed.

        Args:
            folder: The archive's folder.
        """
        self.path = folder / FILE
        self._mapped: _Mapped | None = None

    # reading

    def refresh(self, generation: int) -> bool:
        """Map what has been written since; return whether there are rows of this generation.

        Args:
            generation: The generation of the archive's vectors.
        """
        try:
            inode = self.path.stat().st_ino
        except OSError:
            self._mapped = None
            return False
        mapped = self._mapped
        if mapped is None or mapped.is_outdated(inode):
            mapped = self._mapped = self._map()
        return mapped is not None and mapped.header.generation == generation

    def _map(self) -> _Mapped | None:
        try:
            with self.path.open("rb") as file:
                held = os.fstat(file.fileno())
                packed = file.read(_FIELDS.size)
                header = _unpack(packed)
                if header is None or held.st_size < header.size or not header.rows:
                    return None
                everything = np.memmap(file, np.uint8, "r", 0, (header.size,)).view(np.ndarray)
        except (OSError, ValueError):
            return None
        rows = everything[HEADER:].reshape(header.rows, header.width)
        return _Mapped(held.st_ino, packed, header, everything[: _FIELDS.size], rows)

    def scores(self, vector: Vectors, numbers: Numbers) -> npt.NDArray[np.float32] | None:
        """Return the approximate cosines of passages; NaN for those that the file doesn't have.

        Args:
            vector: The query's unit vector.
            numbers: Passage numbers, ascending.

        Returns:
            float32 array of shape (n,); None without a file, or if it has other vectors.
        """
        mapped = self._mapped
        if mapped is None or mapped.header.dimension != len(vector):
            return None
        header, rows = mapped.header, mapped.rows
        query = np.ascontiguousarray(vector, np.float32)
        out = np.full(len(numbers), np.nan, np.float32)
        held = int(np.searchsorted(numbers, header.rows, side="right"))
        floats = np.empty((min(BLOCK, held), header.dimension), np.float32)
        for start in range(0, held, BLOCK):
            places = numbers[start : min(start + BLOCK, held)] - 1
            whole = int(places[-1]) - int(places[0]) + 1 == len(places)
            block = rows[int(places[0]) : int(places[-1]) + 1] if whole else rows[places]
            scales = np.ascontiguousarray(block[:, :SCALE]).view(np.float32)[:, 0]
            part = floats[: len(places)]
            np.copyto(part, block[:, SCALE:].view(np.int8), casting="unsafe")
            scored = (part @ query) * scales
            scored[~(scales > 0)] = np.nan  # not written, or damaged
            out[start : start + len(places)] = scored
        return out

    # writing, under the write lock

    def catch_up(self, store: ArticleStore) -> None:
        """Write the rows of the vectors that the record has got since; needs the write lock.

        Args:
            store: The record.
        """
        header, newest = self._read_header(), store.passages.newest_at()
        generation, sequence = store.generation(), store.database.sequence()
        if header is not None and (
            header.generation != generation
            or header.sequence > sequence
            or header.rows > newest
            or self.path.stat().st_size < header.size
        ):
            header = None
        if header is None:
            self.rebuild(store)
        elif header.rows < newest:
            with self.path.open("r+b") as file:
                self._append(file, header, store, sequence)

    def rebuild(self, store: ArticleStore) -> None:
        """Write all rows again, in a new file; needs the write lock.

        Args:
            store: The record.
        """
        dimension = store.passages.dimension()
        temporary = self.path.with_name(f"{FILE}.new")
        if not dimension:
            for path in (self.path, temporary):  # one of a killed writer may have erased vectors
                path.unlink(missing_ok=True)
            return
        header = _Header(dimension, store.generation(), 0, 0)
        with open(temporary, "w+b", opener=private_opener) as file:
            self._append(file, header, store, store.database.sequence())
        temporary.replace(self.path)

    def rewrite(self, store: ArticleStore, numbers: Numbers) -> None:
        """Write the rows of these passages again, and empty those without a vector.

        Args:
            store: The record.
            numbers: Passage numbers.
        """
        header = self._read_header()
        if header is None:
            return
        wanted = numbers[numbers <= header.rows]
        with self.path.open("r+b") as file:
            for number in wanted.tolist():
                file.seek(HEADER + (number - 1) * header.width)
                file.write(bytes(header.width))
            for i in range(0, len(wanted), BATCH):
                found, vectors = store.passages.vectors(wanted[i : i + BATCH])
                if len(found) and vectors.shape[1] == header.dimension:
                    _write_rows(file, header, found, vectors)

    def _read_header(self) -> _Header | None:
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            return _unpack(file.read(_FIELDS.size))
        return None

    def _append(self, file: Any, header: _Header, store: ArticleStore, sequence: int) -> None:
        newest = store.passages.newest_at()
        for numbers, vectors in store.passages.vectors_between(
            header.rows, newest, header.dimension, BATCH
        ):
            _write_rows(file, header, numbers, vectors)
        if newest:  # its own row may be empty
            file.truncate(max(file.seek(0, os.SEEK_END), HEADER + newest * header.width))
        file.flush()
        os.fsync(file.fileno())  # rows before the header that counts them
        file.seek(0)
        counted = _Header(header.dimension, header.generation, sequence, newest)
        file.write(counted.pack())
        file.flush()

    # the doctor's checks

    def differing(self, store: ArticleStore) -> list[int] | None:
        """Return the passages whose rows differ from the record's vectors.

        Args:
            store: The record.

        Returns:
            Passage numbers, ascending, those without a vector in the record included; None if the
            file as a whole can't be used.
        """
        if not self.path.exists():
            return []
        mapped = self._map()
        if mapped is None or mapped.header.generation != store.generation():
            return None
        header, rows = mapped.header, mapped.rows
        differ, after = list[int](), 0
        for numbers, vectors in store.passages.vectors_between(
            0, header.rows, header.dimension, BATCH
        ):
            if not len(numbers):
                continue
            between = np.setdiff1d(np.arange(after + 1, numbers[-1]), numbers)
            differ += _not_empty(rows, between)
            same = (rows[numbers - 1] == _quantize(vectors)).all(axis=1)
            differ += numbers[~same].tolist()
            after = int(numbers[-1])
        differ += _not_empty(rows, np.arange(after + 1, header.rows + 1))
        return sorted(differ)


def _not_empty(rows: Bytes, numbers: Numbers) -> list[int]:
    """Return the numbers of rows that should be empty and aren't."""
    return [number for number in numbers.tolist() if rows[number - 1].any()]


def _quantize(vectors: Vectors) -> Bytes:
    """Return the rows of vectors: for each its scale, then its numbers from -127 to 127."""
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scales = (np.maximum(largest, np.finfo(np.float32).tiny * LARGEST) / LARGEST).astype("<f4")
    rounded = np.rint(vectors / scales[:, None]).astype(np.int8)
    return np.concatenate([scales[:, None].view(np.uint8), rounded.view(np.uint8)], axis=1)


def _write_rows(file: Any, header: _Header, numbers: Numbers, vectors: Vectors) -> None:
    """Write rows to their places, consecutive ones at once."""
    rows = _quantize(np.asarray(vectors, np.float32))
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    for some, of_them in zip(np.split(numbers, breaks), np.split(rows, breaks), strict=True):
        file.seek(HEADER + (int(some[0]) - 1) * header.width)
        file.write(of_them.tobytes())
