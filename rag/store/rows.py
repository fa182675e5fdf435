"""Rows of the record into nouns: which columns a head takes, and how a moment is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time
from typing import Any

from rag.schema import Article, ArticleMetadata, Passage
from rag.valid_dates import FIRST_DAY, LAST_DAY, parse_stored_date

# The columns of `revisions` that hold an article's metadata are called like its fields; in SQL,
# the table is called r.
METADATA_COLUMNS = tuple(field.name for field in fields(ArticleMetadata))
HEAD = ", ".join(f"r.{name}" for name in METADATA_COLUMNS)
HEAD_COLUMNS = len(METADATA_COLUMNS)
_AUTHORS = METADATA_COLUMNS.index("authors")
_DATES = tuple(map(METADATA_COLUMNS.index, ("published", "updated")))

Row = Sequence[Any]
# Whole seconds since 1970 between which a stored moment is a valid one: in SQL, of an older record.
FIRST_SECOND = int(datetime.combine(FIRST_DAY, time.min, UTC).timestamp())
LAST_SECOND = int(datetime.combine(LAST_DAY, time.max, UTC).timestamp())


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """One live passage with what an index needs of it."""

    number: int
    passage: Passage
    head: ArticleMetadata


def row_to_metadata(row: Row) -> ArticleMetadata:
    """Return the metadata in the first columns of a row of HEAD."""
    values = list(row[:HEAD_COLUMNS])
    values[_AUTHORS] = tuple(json.loads(values[_AUTHORS]))
    for column in _DATES:
        values[column] = parse_stored_date(values[column])
    return ArticleMetadata(*values)


def metadata_to_row(metadata: ArticleMetadata) -> list[Any]:
    """Return what the columns of HEAD hold of an article's metadata."""
    values = [getattr(metadata, name) for name in METADATA_COLUMNS]
    values[_AUTHORS] = json.dumps(values[_AUTHORS], ensure_ascii=False)
    for column in _DATES:
        values[column] = values[column].isoformat() if values[column] else None
    return values


def row_to_article(row: Row) -> Article:
    """Return the article of a row of HEAD and its text."""
    return Article(text=row[HEAD_COLUMNS], metadata=row_to_metadata(row))


def row_to_passage(row: Row) -> IndexedPassage:
    """Return the passage of a row of number, start, end, HEAD, and the article's text."""
    number, start, end = row[:3]
    head, text = row_to_metadata(row[3:]), row[3 + HEAD_COLUMNS]
    return IndexedPassage(
        number, Passage(head.article_id, head.revision, start, end, text[start:end]), head
    )


def to_timestamp(moment: datetime) -> int:
    """Return a moment as the record and the word index compare it: whole seconds since 1970."""
    return int(moment.timestamp() // 1)


def from_timestamp(since_1970: int | None) -> datetime | None:
    """Return the moment of whole seconds since 1970; None where they are of no valid one."""
    if since_1970 is None or not FIRST_SECOND <= since_1970 <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(since_1970, UTC)
