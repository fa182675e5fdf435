"""Row to value conversion: the columns of article metadata, and timestamps."""

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
METADATA = ", ".join(f"r.{name}" for name in METADATA_COLUMNS)
METADATA_WIDTH = len(METADATA_COLUMNS)
_AUTHORS = METADATA_COLUMNS.index("authors")
_DATES = tuple(map(METADATA_COLUMNS.index, ("published", "updated")))

Row = Sequence[Any]
# The range of valid timestamps, in seconds since 1970, for SQL: older archives have others.
FIRST_SECOND = int(datetime.combine(FIRST_DAY, time.min, UTC).timestamp())
LAST_SECOND = int(datetime.combine(LAST_DAY, time.max, UTC).timestamp())


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A current passage with its number and its article's metadata, as indexes need it."""

    number: int
    passage: Passage
    metadata: ArticleMetadata


def row_to_metadata(row: Row) -> ArticleMetadata:
    """Convert a row that starts with the METADATA columns to metadata."""
    values = list(row[:METADATA_WIDTH])
    values[_AUTHORS] = tuple(json.loads(values[_AUTHORS]))
    for column in _DATES:
        values[column] = parse_stored_date(values[column])
    return ArticleMetadata(*values)


def metadata_to_row(metadata: ArticleMetadata) -> list[Any]:
    """Convert metadata to the values of the METADATA columns."""
    values = [getattr(metadata, name) for name in METADATA_COLUMNS]
    values[_AUTHORS] = json.dumps(values[_AUTHORS], ensure_ascii=False)
    for column in _DATES:
        values[column] = values[column].isoformat() if values[column] else None
    return values


def row_to_article(row: Row) -> Article:
    """Convert a row of the METADATA columns and the text to an article."""
    return Article(text=row[METADATA_WIDTH], metadata=row_to_metadata(row))


def row_to_passage(row: Row) -> IndexedPassage:
    """Convert a row of number, start, end, the METADATA columns and the text to a passage."""
    number, start, end = row[:3]
    metadata, text = row_to_metadata(row[3:]), row[3 + METADATA_WIDTH]
    return IndexedPassage(
        number,
        Passage(metadata.article_id, metadata.revision, start, end, text[start:end]),
        metadata,
    )


def to_timestamp(moment: datetime) -> int:
    """Convert a time to whole seconds since 1970, as the database and the index store it."""
    return int(moment.timestamp() // 1)


def from_timestamp(since_1970: int | None) -> datetime | None:
    """Convert whole seconds since 1970 to a time in UTC; None if the time is not valid."""
    if since_1970 is None or not FIRST_SECOND <= since_1970 <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(since_1970, UTC)
