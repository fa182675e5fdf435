"""Articles as lines of JSON or rows of Parquet that are read again word for word: both halves.

What is exported is marked, and then no reader cleans it, guesses at it or derives its id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from rag.schema import Article, ArticleMetadata

MARK, FORMAT = "backfile", 1
ROWS = 1_000  # of a row group: what is in memory at a time
_NAMES = (
    *("id", "title", "text"),
    *(
        field.name
        for field in fields(ArticleMetadata)
        if field.name not in ("article_id", "title", "revision")
    ),
)
_DATES = ("published", "updated")


def to_record(article: Article) -> dict[str, Any]:
    """Return an article as JSON holds it, with the mark.

    Its revision tells the versions of one article apart; the archive that reads it counts its own.
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
    return value.get(MARK) == FORMAT


def from_record(value: Mapping[str, Any]) -> Article:
    """Return the article that was exported, word for word.

    Raises ValueError where the line has been altered into something else.
    """
    given = {name: value[name] for name in _NAMES if value.get(name) is not None}
    authors = given.pop("authors", [])
    urgency = given.pop("urgency", None)
    dates = {name: _moment(given.pop(name)) for name in _DATES if name in given}
    if not isinstance(authors, list) or not all(
        isinstance(text, str) for text in (*given.values(), *authors)
    ):
        raise ValueError("an exported article holds something else than text")
    if not given.get("id") or "text" not in given or not (given["text"] or given.get("title")):
        raise ValueError("an exported article lacks its id, or its text and its title")
    if urgency is not None and urgency not in range(1, 9):
        raise ValueError("an exported article's urgency is none of 1 to 8")
    revision = value.get("revision") or 1  # exports of older versions have none
    if type(revision) is not int or not 1 <= revision < 2**53:
        raise ValueError("an exported article's revision is no number")
    values: dict[str, Any] = {"title": "", **given, **dates, "authors": tuple(authors)}
    values["revision"] = revision
    return Article(**values, urgency=None if urgency is None else int(urgency))


def _moment(value: Any) -> datetime:
    """Return an exported date; whether it is a valid one is seen where it is stored."""
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("an exported article's date lacks its zone")
    return moment


def write_jsonl(articles: Iterable[Article], file: IO[str]) -> int:
    """Write a line for each article; return how many."""
    count = 0
    for article in articles:
        file.write(json.dumps(to_record(article), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_parquet(articles: Iterable[Article], path: Path) -> int:
    """Write a row for each article; return how many."""
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
