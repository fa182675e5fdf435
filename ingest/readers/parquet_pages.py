"""What the pages of a Parquet file unpack to, by their own headers.

A page is unpacked whole, in the memory that its header asks for; the file's footer says something
as well, but nothing is allocated by it. Read before Arrow reads the column, this bounds what it
takes, whatever the footer says. The format: https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, Any

DELTA_BYTE_ARRAY = 7  # an encoding in which a value shares the beginning of the one before
# Bytes: a header has some dozens, unless its statistics hold the page's least and greatest value.
_HEADER, _HEADER_UP_TO = 2**10, 2**24
_PAGES_UP_TO = 1_000_000  # of a column in a row group
_STOP, _TRUE, _FALSE, _BYTE = 0, 1, 2, 3
_VARINTS = frozenset({4, 5, 6})
_DOUBLE, _BINARY, _STRUCT = 7, 8, 12
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Pages:
    """One column of one row group: its largest page and all of them, in bytes, and its values."""

    largest: int
    total: int
    values: int
    encodings: frozenset[int]


def pages_of(file: IO[bytes], column: Any) -> Pages:
    """Return what the pages of a column chunk say of themselves.

    Args:
        file: The Parquet file, seekable.
        column: pyarrow's `ColumnChunkMetaData`, of which only the place is believed.

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
            raise ValueError("a page header is damaged")
        largest, total = max(largest, unpacked), total + unpacked
        data = page.get(5) or page.get(8)  # a data page's header, of version 1 or 2
        if isinstance(data, dict):
            values += max(0, int(data.get(1) or 0))
            encodings.add(int(data.get(2 if 5 in page else 4) or 0))
        at += size + packed
        count += 1
        if count > _PAGES_UP_TO:
            raise ValueError(f"more than {_PAGES_UP_TO:,} pages in a column")
    return Pages(largest, total, values, frozenset(encodings))


def _header(file: IO[bytes], at: int, end: int) -> tuple[dict[int, Any], int]:
    for length in (_HEADER, _HEADER_UP_TO):
        file.seek(at)
        head = io.BytesIO(file.read(min(length, end - at)))
        try:
            return _struct(head, 0), head.tell()
        except EOFError:
            continue
    raise ValueError("a page header is damaged")


# Thrift's compact protocol: https://github.com/apache/thrift/blob/master/doc/specs


def _struct(file: IO[bytes], depth: int) -> dict[int, Any]:
    if depth > _DEEPEST:
        raise ValueError("a page header is nested too deep")
    found: dict[int, Any] = {}
    number = 0
    while (head := _byte(file)) != _STOP:
        delta, kind = head >> 4, head & 15
        number = number + delta if delta else _zigzag(_varint(file))
        found[number] = _value(file, kind, depth)
        if len(found) > 64:
            raise ValueError("a page header is damaged")
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
            raise ValueError("a page header is damaged")
        if len(found := file.read(length)) < length:
            raise EOFError
        return found
    if kind == _STRUCT:
        return _struct(file, depth + 1)
    raise ValueError("a page header is damaged")  # no list, set or map stands in one


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
    raise ValueError("a page header is damaged")


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)
