"""CSV and similar tables, streamed row by row."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.readers import Read, Reject
from ingest.readers.date_order import FileOrder
from ingest.readers.date_order_detection import order_of_rows, read_start
from ingest.readers.encoding import ARTICLE_BYTES, decode
from ingest.readers.error_guard import guard
from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.fields import SPELLINGS, article_from

_TOO_LONG = (
    f"row larger than {ARTICLE_BYTES // 2**20} MB, perhaps because of an unclosed quotation mark: "
    "the rest of the file was not read"
)
_KNOWN = {key: name for name, keys in SPELLINGS.items() for key in keys}
_SEPARATOR = re.compile(r"\Asep=(.)\r?\n")  # Excel's first line
_NAMES = re.compile(r"'([^']*)'|\"([^\"]*)\"")  # in a printed Python list
_HEADER_UP_TO = 2**14  # characters of a header line


@dataclass(frozen=True, slots=True)
class Dialect:
    """Encoding, delimiter, escape character and leading lines of a CSV file."""

    encoding: str
    delimiter: str
    escape: str | None
    before: int  # lines above the header


def detect_dialect(start: bytes, field_map: FieldMap = NO_MAP) -> Dialect | None:
    """Detect the dialect of the table that begins with `start`; None if it isn't a table.

    The first row must name at least two fields of an article, in a known spelling or by the map,
    and the second row must be as wide.
    """
    encoding, text = _decode_start(start)
    mark = _SEPARATOR.match(text)
    body = text[mark.end() :] if mark else text
    lines = body.lstrip("\r\n")
    escape = "\\" if '\\"' in lines and '""' not in lines.replace(',""', "") else None
    if len(re.split(r"[\r\n]", lines, maxsplit=1)[0]) > _HEADER_UP_TO:
        return None
    best, most = "", 1
    for delimiter in [mark.group(1)] if mark else ",\t;|":
        known = _known_columns(lines, delimiter, escape, field_map)
        if known > most:
            best, most = delimiter, known
    before = (1 if mark else 0) + len(re.findall(r"\r\n?|\n", body[: len(body) - len(lines)]))
    return Dialect(encoding, best, escape, before) if best else None


def _known_columns(text: str, delimiter: str, escape: str | None, field_map: FieldMap) -> int:
    """Return the number of article fields in the first row, 0 if the second isn't as wide."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, escapechar=escape)
    try:
        header, second = next(rows, []), next(rows, [])
    except csv.Error:  # a cell exceeds the csv limit, in the second row or below
        header = next(csv.reader(text.splitlines()[:1], delimiter=delimiter), [])
        second = header
    wide = text.count("\n") < 2 or len(second) == len(header) or len(text) > 2**15
    mapped = {key for _, key in field_map.keys}
    names = {_KNOWN.get(_bare(cell), "") for cell in header} - {""}
    return len(names | (mapped & {cell.strip() for cell in header})) if wide else 0


def _bare(cell: str) -> str:
    return re.sub(r"[\W_]", "", cell.casefold().rpartition(":")[2])


def _decode_start(start: bytes) -> tuple[str, str]:
    """Return the encoding and the text of a file's start, without a cut last character."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if start.startswith(mark):
            return encoding, codecs.getincrementaldecoder(encoding)("replace").decode(start)
    try:
        return "utf-8-sig", codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError:
        pass
    try:
        text = decode(start)
    except ValueError:  # some invalid characters: reject those rows, not the table
        return "utf-8-sig", start.decode("utf-8-sig", "surrogateescape")
    for encoding in ("cp1252", "cp1250", "cp1251"):
        if start.decode(encoding, "replace") == text:
            return encoding, text
    return "utf-8-sig", start.decode("utf-8-sig", "surrogateescape")


def read_csv(
    file: io.BufferedReader, place: str, dialect: Dialect, field_map: FieldMap = NO_MAP
) -> Read:
    """Yield the article of each row; a row without an article is a reject.

    Args:
        file: The file.
        place: Its place; rows are at `place:line`.
        dialect: Its dialect.
        field_map: The user's field names.
    """
    # Process-wide; the default of 131,072 is too small for an article in a cell.
    csv.field_size_limit(ARTICLE_BYTES)
    file, beginning = read_start(file)
    order = order_of_rows(
        beginning.decode(dialect.encoding, "replace"),
        delimiter=dialect.delimiter,
        escape=dialect.escape,
        before=dialect.before,
        field_map=field_map,
    )
    text = io.TextIOWrapper(file, dialect.encoding, errors="surrogateescape", newline="")
    lines = _Lines(text, dialect.before)
    rows = csv.reader(lines, delimiter=dialect.delimiter, escapechar=dialect.escape)
    line = dialect.before + 1
    header: list[str] = []
    try:
        for row in rows:
            at, line, lines.row_size = f"{place}:{line}", dialect.before + rows.line_num + 1, 0
            if not header:
                header = [cell.strip() for cell in row]
            elif any(cell.strip() for cell in row):
                yield from guard(
                    at,
                    lambda: [_from_row(row, header, at, field_map, order)],  # noqa: B023
                )
    except csv.Error as error:
        yield Reject(f"{place}:{line}", f"broken row: {error}; the rest of the file was not read")
    except _TooLongError:
        yield Reject(f"{place}:{line}", _TOO_LONG)
    except UnicodeError as error:
        yield Reject(
            f"{place}:{line}", f"broken characters: {error}; the rest of the file was not read"
        )


class _TooLongError(Exception):
    """A row is larger than an article may be."""


class _Lines(Iterator[str]):
    """Lines of bounded length; `row_size` counts the characters of the current row."""

    def __init__(self, text: io.TextIOWrapper, before: int) -> None:
        self._text = text
        self.row_size = 0
        for _ in range(before):
            text.readline(_HEADER_UP_TO)

    def __next__(self) -> str:
        line = self._text.readline(ARTICLE_BYTES + 1)
        self.row_size += len(line)
        if self.row_size > ARTICLE_BYTES:
            raise _TooLongError
        if not line:
            raise StopIteration
        return line.replace("\x00", "")


def _from_row(
    row: list[str], header: list[str], at: str, field_map: FieldMap, order: FileOrder
) -> Any:
    while len(row) > len(header) and not row[-1].strip():
        row.pop()
    if len(row) != len(header):
        why = "check for unquoted separators and quotation marks"
        return Reject(at, f"{len(row)} cells under {len(header)} columns: {why}")
    record = {name: _parse_cell(cell) for name, cell in zip(header, row, strict=True) if cell}
    if any("\udc80" <= char <= "\udcff" for cell in row for char in cell):
        return Reject(at, "invalid UTF-8 in the row")
    return article_from(record, place=at, field_map=field_map, order=order)


def _parse_cell(cell: str) -> Any:
    """Parse a cell that contains a list or record in JSON or Python notation."""
    bare = cell.strip()
    if len(bare) > 10_000 or (bare[:1], bare[-1:]) not in (("[", "]"), ("{", "}")):
        return cell
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        pass
    if bare == "[]":
        return None
    if bare[0] == "[" and bare[1:2] in ("'", '"'):
        return [single or double for single, double in _NAMES.findall(bare)]
    return cell
