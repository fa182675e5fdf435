"""Articles in rows of text: CSV and its kin, streamed, a row at a time."""

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
from ingest.readers.date_order_detection import order_of_rows, with_head
from ingest.readers.encoding import ARTICLE_BYTES, decode
from ingest.readers.error_guard import guard
from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.fields import SPELLINGS, article_from

_TOO_LONG = (
    f"a row longer than {ARTICLE_BYTES // 2**20} MB, perhaps for a quotation mark that is not "
    "closed: what follows is not read"
)
_KNOWN = {key: name for name, keys in SPELLINGS.items() for key in keys}
_SEPARATOR = re.compile(r"\Asep=(.)\r?\n")  # what Excel writes above a table
_NAMES = re.compile(r"'([^']*)'|\"([^\"]*)\"")  # in a list as Python prints it
_HEADER_UP_TO = 2**14  # characters of a line that may name columns


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table in a text file is written."""

    encoding: str
    delimiter: str
    escape: str | None
    before: int  # lines above the header


def dialect_of(start: bytes, field_map: FieldMap = NO_MAP) -> Dialect | None:
    """Return how the table that begins with `start` is written; None if it is no table.

    A table's first row names its columns: at least two of them are fields of an article, in the
    usual spellings or by the map, and the rows below have as many cells.
    """
    encoding, text = _decoded(start)
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
    """Return how many fields of an article the first row names, if the second is as wide."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, escapechar=escape)
    try:
        header, second = next(rows, []), next(rows, [])
    except csv.Error:  # a cell longer than the reader takes: that is in the second row, or below
        header = next(csv.reader(text.splitlines()[:1], delimiter=delimiter), [])
        second = header
    wide = text.count("\n") < 2 or len(second) == len(header) or len(text) > 2**15
    mapped = {key for _, key in field_map.keys}
    names = {_KNOWN.get(_bare(cell), "") for cell in header} - {""}
    return len(names | (mapped & {cell.strip() for cell in header})) if wide else 0


def _bare(cell: str) -> str:
    return re.sub(r"[\W_]", "", cell.casefold().rpartition(":")[2])


def _decoded(start: bytes) -> tuple[str, str]:
    """Return the encoding and the text of the start of a file; a cut last character is left out."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if start.startswith(mark):
            return encoding, codecs.getincrementaldecoder(encoding)("replace").decode(start)
    try:
        return "utf-8-sig", codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError:
        pass
    try:
        text = decode(start)
    except ValueError:  # a broken character here and there: its row is refused, not the table
        return "utf-8-sig", start.decode("utf-8-sig", "surrogateescape")
    for encoding in ("cp1252", "cp1250", "cp1251"):
        if start.decode(encoding, "replace") == text:
            return encoding, text
    return "utf-8-sig", start.decode("utf-8-sig", "surrogateescape")


def read_csv(
    file: io.BufferedReader, place: str, dialect: Dialect, field_map: FieldMap = NO_MAP
) -> Read:
    """Yield the article of each row; a row that holds none is a Reject, and the rest goes in."""
    # Of the whole process, and 131,072 without it: an article in a cell may be longer.
    csv.field_size_limit(ARTICLE_BYTES)
    file, head = with_head(file)
    order = order_of_rows(
        head.decode(dialect.encoding, "replace"),
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
            at, line, lines.held = f"{place}:{line}", dialect.before + rows.line_num + 1, 0
            if not header:
                header = [cell.strip() for cell in row]
            elif any(cell.strip() for cell in row):
                yield from guard(
                    at,
                    lambda: [_from_row(row, header, at, field_map, order)],  # noqa: B023
                )
    except csv.Error as error:
        yield Reject(f"{place}:{line}", f"a broken row: {error}: what follows is not read")
    except _TooLongError:
        yield Reject(f"{place}:{line}", _TOO_LONG)
    except UnicodeError as error:
        yield Reject(f"{place}:{line}", f"broken characters: {error}: what follows is not read")


class _TooLongError(Exception):
    """More was read for one row than an article may have."""


class _Lines(Iterator[str]):
    """The lines of a file, each of bounded length; `held` counts characters, of a row's lines."""

    def __init__(self, text: io.TextIOWrapper, before: int) -> None:
        self._text = text
        self.held = 0
        for _ in range(before):
            text.readline(_HEADER_UP_TO)

    def __next__(self) -> str:
        line = self._text.readline(ARTICLE_BYTES + 1)
        self.held += len(line)
        if self.held > ARTICLE_BYTES:
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
        why = "is a separator or a quotation mark in a cell not quoted?"
        return Reject(at, f"{len(row)} cells under {len(header)} columns: {why}")
    record = {name: _cell(cell) for name, cell in zip(header, row, strict=True) if cell}
    if any("\udc80" <= char <= "\udcff" for cell in row for char in cell):
        return Reject(at, "invalid UTF-8 in the row")
    return article_from(record, place=at, field_map=field_map, order=order)


def _cell(cell: str) -> Any:
    """Return a list or a record where a cell is one, as JSON or as Python prints it."""
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
