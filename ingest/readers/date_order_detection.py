"""Detect the order of day and month from the beginning of a file, before any row is read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingest.readers.api_responses import articles_inside
from ingest.readers.date_order import FileOrder
from ingest.readers.field_map import FieldMap
from ingest.readers.fields import stated_dates

# Enough for a fortnight of daily news, which has a day after the 12th.
START_BYTES = 8 * 2**20
_PEEK = 2**16
_DATE = re.compile(rb"(?<![\d/-])\d{1,2}(?:\\?/|-)\d{1,2}(?:\\?/|-)(?:\d{4}|\d{2})(?!\d)")
_ENOUGH = 5_000  # dates


class _RejoinedStream(io.RawIOBase):
    """The start of a stream that was read already, followed by the rest of the stream."""

    def __init__(self, start: bytes, rest: io.BufferedReader) -> None:
        self._start = io.BytesIO(start)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self._start.readinto(buffer) or self._rest.readinto(buffer)


def read_start(file: io.BufferedReader) -> tuple[io.BufferedReader, bytes]:
    """Return the file and, if it begins with dates like 03/04/2024, its start.

    For files without such dates, only a first peek is read and the start is empty.
    """
    if not _DATE.search(file.peek(_PEEK)):
        return file, b""
    start = file.read(START_BYTES)
    return io.BufferedReader(_RejoinedStream(start, file), _PEEK), start


def order_of_lines(start: bytes, field_map: FieldMap) -> FileOrder:
    """Return the order in the JSON lines of `start`; the last line may be cut."""
    return FileOrder.from_dates(_limit(_dates_in_lines(start, field_map)))


def order_of_json(values: Iterable[Any], field_map: FieldMap) -> FileOrder:
    """Return the order in the records of a JSON document."""

    def dates() -> Iterator[tuple[str, str]]:
        for value in values:
            yield from _dates_in_value(value, field_map)

    return FileOrder.from_dates(_limit(dates()))


def order_of_rows(
    text: str, *, delimiter: str, escape: str | None, before: int, field_map: FieldMap
) -> FileOrder:
    """Return the order in the rows of a CSV file.

    Args:
        text: The beginning of the file.
        delimiter: The delimiter.
        escape: The escape character, if any.
        before: Number of lines above the header.
        field_map: The user's field names.
    """
    lines = text.split("\n")[before:]
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, escapechar=escape)

    def dates() -> Iterator[tuple[str, str]]:
        header: list[str] = []
        try:
            for row in rows:
                if header and len(row) == len(header):
                    yield from stated_dates(dict(zip(header, row, strict=True)), field_map)
                header = header or [cell.strip() for cell in row]
        except csv.Error:  # cut or broken; the reader reports it
            return

    return FileOrder.from_dates(_limit(dates()))


def order_of_records(records: Iterable[Mapping[str, Any]], field_map: FieldMap) -> FileOrder:
    """Return the order in records, for example of Parquet."""
    return FileOrder.from_dates(
        _limit(pair for one in records for pair in stated_dates(one, field_map))
    )


def _dates_in_lines(start: bytes, field_map: FieldMap) -> Iterator[tuple[str, str]]:
    for line in start.split(b"\n"):
        if not _DATE.search(line):
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):  # cut or broken; the reader reports it
            continue
        yield from _dates_in_value(value, field_map)


def _dates_in_value(value: Any, field_map: FieldMap) -> Iterator[tuple[str, str]]:
    try:
        if isinstance(value, list):
            for item in value:
                yield from _dates_in_value(item, field_map)
        elif isinstance(value, dict):
            inside = articles_inside(value)
            if inside is None:
                yield from stated_dates(value, field_map)
            else:
                yield from _dates_in_value(inside, field_map)
    except RecursionError:
        return


def _limit(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for number, pair in enumerate(pairs):
        if number == _ENOUGH:
            return
        yield pair
