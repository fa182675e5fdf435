"""Uncompressed sizes of a Parquet file's pages, from the page headers.

A page is decompressed whole into memory of the size in its header. The file's footer also states
sizes, but memory isn't allocated by it and it may be wrong. Reading the headers first bounds the
memory that Arrow needs. Format: https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, Any

DELTA_BYTE_ARRAY = 7  # an encoding in which a value shares the prefix of the one before
# Bytes: a header has dozens, unless its statistics contain long values.
_HEADER, _HEADER_UP_TO = 2**10, 2**24
_PAGES_UP_TO = 1_000_000  # of a column in a row group
_STOP, _TRUE, _FALSE, _BYTE = 0, 1, 2, 3
_VARINTS = frozenset({4, 5, 6})
_DOUBLE, _BINARY, _STRUCT = 7, 8, 12
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class PageSizes:
    """Sizes of one column of one row group: largest page and total in bytes, number of values."""

    largest: int
    total: int
    values: int
    encodings: frozenset[int]


def page_sizes(file: IO[bytes], column: Any) -> PageSizes:
    """Read the page headers of a column chunk.

    Args:
        file: The Parquet file, seekable.
        column: pyarrow's `ColumnChunkMetaData`; only its offsets are trusted.

    Raises:
        ValueError: A header is damaged, or there are too many.
    """
    at = column.data_page_offset
    if column.has_dictionary_page and 0 < column.dictionary_page_offset < at:
        at = column.dictionary_page_offset
    end = at + column.total_compressed_size
    largest = total = values = count = 0
    encodings: set[int] = set()
    while at < end:
        page, size = _header(file, at, end)
        unpacked, packed = page.get(2), page.get(3)
        if not (isinstance(unpacked, int) and isinstance(packed, int)) or min(unpacked, packed) < 0:
            raise ValueError("damaged page header")
        largest, total = max(largest, unpacked), total + unpacked
        data = page.get(5) or page.get(8)  # a data page's header, of version 1 or 2
        if isinstance(data, dict):
            values += max(0, int(data.get(1) or 0))
            encodings.add(int(data.get(2 if 5 in page else 4) or 0))
        at += size + packed
        count += 1
        if count > _PAGES_UP_TO:
            raise ValueError(f"more than {_PAGES_UP_TO:,} pages in a column")
    return PageSizes(largest, total, values, frozenset(encodings))


def _header(file: IO[bytes], at: int, end: int) -> tuple[dict[int, Any], int]:
    for length in (_HEADER, _HEADER_UP_TO):
        file.seek(at)
        head = io.BytesIO(file.read(min(length, end - at)))
        try:
            return _struct(head, 0), head.tell()
        except EOFError:
            continue
    raise ValueError("damaged page header")


# Thrift's compact protocol: https://github.com/apache/thrift/blob/master/doc/specs


def _struct(file: IO[bytes], depth: int) -> dict[int, Any]:
    if depth > _DEEPEST:
        raise ValueError("page header nested too deeply")
    found: dict[int, Any] = {}
    number = 0
    while (head := _byte(file)) != _STOP:
        delta, kind = head >> 4, head & 15
        number = number + delta if delta else _zigzag(_varint(file))
        found[number] = _value(file, kind, depth)
        if len(found) > 64:
            raise ValueError("damaged page header")
    return found


def _value(file: IO[bytes], kind: int, depth: int) -> Any:
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE
    if kind == _BYTE:
        return _byte(file)
    if kind in _VARINTS:
        return _zigzag(_varint(file))
    if kind == _DOUBLE:
        return file.read(8)
    if kind == _BINARY:
        length = _varint(file)
        if length > _HEADER_UP_TO:
            raise ValueError("damaged page header")
        if len(found := file.read(length)) < length:
            raise EOFError
        return found
    if kind == _STRUCT:
        return _struct(file, depth + 1)
    raise ValueError("damaged page header")  # lists, sets and maps don't occur


def _byte(file: IO[bytes]) -> int:
    byte = file.read(1)
    if not byte:
        raise EOFError
    return byte[0]


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = _byte(file)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
    raise ValueError("damaged page header")


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)
