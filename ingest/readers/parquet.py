"""Parquet rows as articles, read in batches of bounded memory.

4 kB of Parquet may contain 20 rows of 100 MB, because a value is stored once, compressed, and
referenced by rows. So the page headers are read first: their sizes bound a value and determine how
many rows are read at a time. A row above the article limit is rejected unread.
"""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import IO, Any

from ingest.readers import Read, Reject
from ingest.readers.compression import BombError, UnpackLimit
from ingest.readers.date_order import FileOrder
from ingest.readers.date_order_detection import order_of_records
from ingest.readers.encoding import ARTICLE_BYTES
from ingest.readers.error_guard import guard
from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.fields import article_from
from ingest.readers.parquet_pages import DELTA_BYTE_ARRAY, PageSizes, page_sizes

# Parquet is read from its end, so the file is copied to disk.
_FILE_BYTES = 8 * 2**30
_FOOTER_BYTES = 64 * 2**20  # of the file's footer; parsed, it takes several times as much
_ROWS = 64  # rows in memory at a time, fewer if values may be large
_BATCH_BYTES = 128 * 2**20  # memory of a batch
_PAGE_BYTES = 128 * 2**20  # of one page; writers make pages of 1 MB, or of one value
_LIST_BYTES = 2**30  # of a list column in a row group, all of which may be in one row
_LIST_VALUES = 50_000_000  # values of such a column
_ROWS_UP_TO = 1_000_000  # more, and more than the file has bytes, is a bomb
_CELL = 16  # bytes of a value that isn't text
_ORDER_ROWS = 2_000  # rows read to detect the order of day and month, up to this size:
_ORDER_BYTES = 32 * 2**20

Row = tuple[dict[str, Any], int]  # a row's cells by column, and their size in bytes


def read_parquet(
    file: io.BufferedReader[Any],
    place: str,
    field_map: FieldMap = NO_MAP,
    allowance: UnpackLimit | None = None,
) -> Read:
    """Yield the article of each row of a Parquet file, at `place:row`.

    Args:
        file: The file; needn't be seekable.
        place: Its place.
        field_map: The user's field names.
        allowance: The unpack limit of the file around it.

    Raises:
        BombError: The rows contain more than any file of this size would.
    """
    # pyarrow reads every encoding and compression; fastparquet lacks some and requires pandas.
    import pyarrow as arrow  # 0.2 s, 50 MB on the disk: Parquet only

    with tempfile.TemporaryFile() as copy:
        size = _copy_to(file, copy)
        if size > _FILE_BYTES:
            yield Reject(place, f"larger than {_FILE_BYTES // 2**30} GB: split it")
            return
        number = 0
        try:
            for number, found, order in _with_date_order(_rows(copy, size), field_map):
                at = f"{place}:{number}"
                if isinstance(found, str):
                    yield Reject(at, found)
                    continue
                (allowance or UnpackLimit(size)).count_bytes(found[1])
                yield from guard(at, partial(_article, found[0], at, field_map, order))
        except BombError:
            raise
        except (arrow.ArrowException, ValueError, OverflowError, OSError, MemoryError) as error:
            why = str(error).split("\n", 1)[0][:120]
            yield Reject(f"{place}:{number + 1}", f"damaged Parquet file: {why}")


def _article(row: dict[str, Any], at: str, field_map: FieldMap, order: FileOrder) -> list[Any]:
    return [article_from(row, place=at, field_map=field_map, order=order)]


def _with_date_order(
    rows: Iterator[tuple[int, Row | str]], field_map: FieldMap
) -> Iterator[tuple[int, Row | str, FileOrder]]:
    """Yield the rows with the order of day and month that the first of them show."""
    first_rows: list[tuple[int, Row | str]] = []
    size, damage = 0, None
    try:
        for number, found in rows:
            first_rows.append((number, found))
            size += 0 if isinstance(found, str) else found[1]
            if len(first_rows) == _ORDER_ROWS or size > _ORDER_BYTES:
                break
    except Exception as error:  # rows before the damage are still read
        damage = error
    records = [found[0] for _, found in first_rows if not isinstance(found, str)]
    order = order_of_records(records, field_map)
    for number, found in first_rows:
        yield number, found, order
    if damage is not None:
        raise damage
    for number, found in rows:
        yield number, found, order


def _rows(copy: IO[bytes], size: int) -> Iterator[tuple[int, Row | str]]:
    """Yield each row's number, and its cells with their size or the reason they weren't read."""
    from pyarrow import parquet

    _check_footer(copy, size)
    contents = parquet.read_metadata(copy)
    if contents.num_rows > max(_ROWS_UP_TO, size):
        raise BombError(
            f"{contents.num_rows:,} rows in {size:,} bytes: rejected as a decompression bomb"
        )
    lists = [
        column.path
        for column in map(contents.schema.column, range(contents.num_columns))
        if column.max_repetition_level
    ]
    # Dictionary encoding keeps a repeated list value in memory once.
    table = parquet.ParquetFile(copy, read_dictionary=lists, buffer_size=2**20)
    number = 0
    for group in range(contents.num_row_groups):
        rows, refused = _batch_size(copy, contents, group, set(lists))
        if refused:
            yield number + 1, f"{refused}: its row group was not read"
            number += contents.row_group(group).num_rows
            continue
        for batch in table.iter_batches(batch_size=rows, row_groups=[group], use_threads=False):
            for index in range(batch.num_rows):
                number += 1
                yield number, _row(batch, index)


def _check_footer(copy: IO[bytes], size: int) -> None:
    """Reject a file whose footer wouldn't fit into memory, before it is read."""
    copy.seek(max(0, size - 8))
    end = copy.read(8)
    if len(end) == 8 and end[4:] == b"PAR1":
        (length,) = struct.unpack("<L", end[:4])
        if _FOOTER_BYTES < length < size:
            raise BombError(f"a footer of {length:,} bytes: split the file")
    copy.seek(0)


def _batch_size(copy: IO[bytes], contents: Any, group: int, lists: set[str]) -> tuple[int, str]:
    """Return how many rows of a row group may be read at a time, or why none may."""
    row_group = contents.row_group(group)
    largest = 0
    for index in range(row_group.num_columns):
        column = row_group.column(index)
        path = column.path_in_schema
        pages = page_sizes(copy, column)
        if pages.largest > _PAGE_BYTES:
            most = _PAGE_BYTES // 2**20
            return 0, f"column {path} has a page that unpacks to more than {most} MB"
        if path in lists and (refused := _too_much(pages)):
            return 0, f"column {path} {refused}"
        largest += pages.largest
    return max(1, min(_ROWS, _BATCH_BYTES // max(largest, 1))), ""


def _too_much(pages: PageSizes) -> str:
    """Return why a list column may exceed the memory limit; "" if it doesn't."""
    shared = DELTA_BYTE_ARRAY in pages.encodings
    size = pages.values * pages.largest if shared else pages.total
    if size > _LIST_BYTES or pages.values > _LIST_VALUES:
        return "may unpack to more than 1 GB: write smaller row groups with plain encoding"
    return ""


def _copy_to(file: io.BufferedReader[Any], copy: IO[bytes]) -> int:
    """Copy a file up to one piece above the limit; return the number of bytes."""
    size = 0
    while size <= _FILE_BYTES and (piece := file.read(2**20)):
        copy.write(piece)
        size += len(piece)
    copy.seek(0)
    return size


# One row


def _row(batch: Any, index: int) -> tuple[dict[str, Any], int] | str:
    cells = [column.slice(index, 1) for column in batch.columns]
    size = sum(map(_bytes_of, cells))
    if size > ARTICLE_BYTES:
        return f"row larger than {ARTICLE_BYTES // 2**20} MB: too large for one article"
    row: dict[str, Any] = {}
    for name, cell in zip(batch.schema.names, cells, strict=True):
        try:
            row[name] = _to_json_types(cell[0].as_py())
        except UnicodeDecodeError:
            return f"invalid UTF-8 in column {name}"
        except (ValueError, OverflowError, ArithmeticError):  # such as a date in the year 10,000
            row[name] = None
    return row, size


def _bytes_of(cell: Any) -> int:
    """Return the size of an array as Python values, before it is converted."""
    from pyarrow import compute, types

    kind = cell.type
    if types.is_dictionary(kind):
        if _is_text(kind.value_type):
            lengths = compute.binary_length(cell.dictionary)
            used = compute.take(lengths, cell.indices)
            return int(compute.sum(used).as_py() or 0) + _CELL * len(cell)
        return _CELL * len(cell)
    if _is_text(kind):
        return int(compute.sum(compute.binary_length(cell)).as_py() or 0) + _CELL * len(cell)
    if types.is_map(kind) or types.is_list(kind) or types.is_large_list(kind):
        inner = compute.list_flatten(cell.cast(_as_list(kind)) if types.is_map(kind) else cell)
        return _CELL + _bytes_of(inner)
    if types.is_fixed_size_list(kind):
        return _CELL + _bytes_of(cell.flatten())
    if types.is_struct(kind):
        return sum(map(_bytes_of, cell.flatten()))
    return _CELL * len(cell)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
    )


def _as_list(kind: Any) -> Any:
    import pyarrow as arrow

    fields = [
        arrow.field("key", kind.key_type, nullable=False),
        arrow.field("value", kind.item_type),
    ]
    return arrow.list_(arrow.struct(fields))


def _to_json_types(value: Any) -> Any:
    """Return a cell in JSON types and datetimes."""
    if isinstance(value, datetime):  # also converts pandas timestamps
        return datetime.combine(
            date(value.year, value.month, value.day),
            time(value.hour, value.minute, value.second, value.microsecond),
            value.tzinfo,
        )
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, Mapping):
        return {key: _to_json_types(inner) for key, inner in value.items()}
    return [_to_json_types(inner) for inner in value] if isinstance(value, list | tuple) else value
