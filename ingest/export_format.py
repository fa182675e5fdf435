"""Export format: articles as JSON Lines or Parquet, read back without any change.

Exported records carry a marker; readers take marked records verbatim: no cleaning, no guessed
fields, no derived ids.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from rag.schema import Article, ArticleMetadata

MARK, FORMAT = "backfile", 1
ROWS = 1_000  # per row group, which is held in memory
_NAMES = (
    *("id", "title", "text"),
    *(
        field.name
        for field in fields(ArticleMetadata)
        if field.name not in ("article_id", "title", "revision")
    ),
)
_DATES = ("published", "updated")
_CSV_NAMES = (*(name for name in _NAMES if name != "text"), "text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
LONGEST_CELL = 32_000  # characters; Excel's cells hold 32,767


def to_record(article: Article) -> dict[str, Any]:
    """Return an article as a JSON-ready dict, with the export marker.

    `revision` tells the versions of an article apart; the archive that reads them assigns its own.
    """
    value = {name: getattr(article, name) for name in _NAMES}
    dates = {name: moment.isoformat() for name in _DATES if (moment := value[name])}
    return {
        MARK: FORMAT,
        **value,
        "authors": list(article.authors),
        **dates,
        "revision": article.revision,
    }


def is_archive_record(value: Mapping[str, Any]) -> bool:
    """Return whether a record carries the export marker."""
    return value.get(MARK) == FORMAT


def from_record(value: Mapping[str, Any]) -> Article:
    """Return the article of an exported record, verbatim.

    Raises:
        ValueError: The record is not a valid export, for example because it was edited.
    """
    given = {name: value[name] for name in _NAMES if value.get(name) is not None}
    authors = given.pop("authors", [])
    urgency = given.pop("urgency", None)
    dates = {name: _parse_date(given.pop(name)) for name in _DATES if name in given}
    if not isinstance(authors, list) or not all(
        isinstance(text, str) for text in (*given.values(), *authors)
    ):
        raise ValueError("exported article: a field that must be text is not")
    if not given.get("id") or "text" not in given or not (given["text"] or given.get("title")):
        raise ValueError("exported article: no id, or neither text nor title")
    if urgency is not None and urgency not in range(1, 9):
        raise ValueError("exported article: urgency must be 1 to 8")
    revision = value.get("revision") or 1  # missing in exports of older versions
    if type(revision) is not int or not 1 <= revision < 2**53:
        raise ValueError("exported article: revision must be a positive integer")
    values: dict[str, Any] = {"title": "", **given, **dates, "authors": tuple(authors)}
    values["revision"] = revision
    return Article(**values, urgency=None if urgency is None else int(urgency))


def _parse_date(value: Any) -> datetime:
    """Parse an exported date; the store checks that it is a valid one."""
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("exported article: a date has no time zone")
    return moment


def write_jsonl(articles: Iterable[Article], file: IO[str]) -> int:
    """Write one JSON line per article; return the number of lines."""
    count = 0
    for article in articles:
        file.write(json.dumps(to_record(article), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(articles: Iterable[Article], file: IO[str]) -> int:
    """Write one CSV row per article, for a spreadsheet; return the number of articles.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front, so this format
    is not for reading articles back. Texts are cut to what a spreadsheet's cell holds.
    """
    rows = csv.writer(file)
    rows.writerow([*_CSV_NAMES, "revision"])
    count = 0
    for article in articles:
        record = {**to_record(article), "authors": "; ".join(article.authors)}
        rows.writerow([_cell(record[name]) for name in (*_CSV_NAMES, "revision")])
        count += 1
    return count


def _cell(value: object) -> str:
    text = "" if value is None else str(value)[:LONGEST_CELL]
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_parquet(articles: Iterable[Article], path: Path) -> int:
    """Write one Parquet row per article; return the number of rows."""
    import pyarrow as pa  # .2 s: only to write Parquet
    from pyarrow import parquet

    kinds = {
        MARK: pa.int64(),
        "authors": pa.list_(pa.string()),
        "urgency": pa.int64(),
        "revision": pa.int64(),
    }
    schema = pa.schema(
        [(name, kinds.get(name, pa.string())) for name in (MARK, *_NAMES, "revision")]
    )
    count, rows = 0, list[dict[str, Any]]()
    with parquet.ParquetWriter(path, schema) as writer:
        for article in articles:
            rows.append(to_record(article))
            count += 1
            if len(rows) == ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema))
    return count
