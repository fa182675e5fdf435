"""Row to value conversion: the columns of article metadata, and timestamps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from rag.schema import Article, ArticleMetadata, Passage
from rag.valid_dates import FIRST_DAY, LAST_DAY, parse_stored_date

# The columns of an article's metadata in a table `revisions r`, as `row_to_metadata` reads them.
HEAD = (
    "r.article_id, r.title, r.publisher, r.url, r.authors, r.published, r.updated, "
    "r.section, r.language, r.kind, r.slugline, r.urgency, r.correction, r.access, r.revision"
)
HEAD_COLUMNS = 15

Row = Sequence[Any]
# The range of valid timestamps, in seconds since 1970, for SQL: older archives have others.
FIRST_SECOND = int(datetime.combine(FIRST_DAY, time.min, UTC).timestamp())
LAST_SECOND = int(datetime.combine(LAST_DAY, time.max, UTC).timestamp())


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A current passage with its number and its article's metadata, as indexes need it."""

    number: int
    passage: Passage
    head: ArticleMetadata


def row_to_metadata(row: Row) -> ArticleMetadata:
    """Convert a row of the HEAD columns to metadata."""
    return ArticleMetadata(
        article_id=row[0],
        title=row[1],
        publisher=row[2],
        url=row[3],
        authors=tuple(json.loads(row[4])),
        published=parse_stored_date(row[5]),
        updated=parse_stored_date(row[6]),
        section=row[7],
        language=row[8],
        kind=row[9],
        slugline=row[10],
        urgency=row[11],
        correction=row[12],
        access=row[13],
        revision=row[14],
    )


def row_to_article(row: Row) -> Article:
    """Convert a row of the HEAD columns and the text to an article."""
    head, text = row_to_metadata(row), row[HEAD_COLUMNS]
    return Article(
        id=head.article_id,
        title=head.title,
        text=text,
        publisher=head.publisher,
        url=head.url,
        authors=head.authors,
        published=head.published,
        updated=head.updated,
        section=head.section,
        language=head.language,
        kind=head.kind,
        slugline=head.slugline,
        urgency=head.urgency,
        correction=head.correction,
        access=head.access,
        revision=head.revision,
    )


def row_to_passage(row: Row) -> IndexedPassage:
    """Convert a row of number, start, end, the HEAD columns and the text to a passage."""
    number, start, end = row[:3]
    head, text = row_to_metadata(row[3:]), row[3 + HEAD_COLUMNS]
    return IndexedPassage(
        number, Passage(head.article_id, head.revision, start, end, text[start:end]), head
    )


def to_timestamp(moment: datetime) -> int:
    """Convert a time to whole seconds since 1970, as the database and the index store it."""
    return int(moment.timestamp() // 1)


def from_timestamp(since_1970: int | None) -> datetime | None:
    """Convert whole seconds since 1970 to a time in UTC; None if the time is not valid."""
    if since_1970 is None or not FIRST_SECOND <= since_1970 <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(since_1970, UTC)
