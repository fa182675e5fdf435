"""Readers: `read` detects a file's format and yields its articles; one module per format."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Literal

from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.side_files import filter_folder, is_side_folder, is_side_name
from rag.schema import Article
from rag.urls import is_storage_address

Read = Iterator["Article | Reject | Link"]
Links = Literal["keep", "follow"]
OnBytes = Callable[[int], None]

# Values of `--as`, which override format detection; compressed files are unpacked first.
KINDS: dict[str, str] = {
    "html": "html",
    "text": "text",
    "json": "json",
    "jsonl": "json lines",
    "csv": "table",
    "parquet": "parquet",
    "feed": "feed",
    "sitemap": "sitemap",
    "list": "list",
    "warc": "web archive",
    "iptc": "news XML",
    "pdf": "pdf",
    "mail": "mail",
    "iptc7901": "IPTC 7901",
}

# Files in a folder that aren't articles. A file that the user names is read anyway.
_NOT_ARTICLES = re.compile(
    r"(?i)\.(?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|bmp|tiff?|woff2?|ttf|otf|eot|mp[34]|m4a|"
    r"webm|ogg|wav|avi|mov|pyc?|sqlite|db|lock)\Z"
    r"|\A(?:readme|licen[cs]e|copying|changelog)(?:\.|\Z)"
    # Temporary files of downloads, editors and copies.
    r"|\.(?:part|partial|tmp|temp|crdownload|download|filepart|sw[po])\Z|~\Z|\A(?:#.*#|~\$.*)\Z"
)


@dataclass(frozen=True, slots=True)
class Reject:
    """Input that could not be read as an article, and why.

    Attributes:
        place: `file`, `file:line` or `file!member`.
        reason: The reason, in plain English.
    """

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure(Reject):
    """A reject for an unexpected exception, with the traceback for the log."""

    traceback: str = ""


@dataclass(frozen=True, slots=True)
class StorageFailure(Reject):
    """A reject because a storage failed: the source was not read completely."""


@dataclass(frozen=True, slots=True)
class KillNotice(Reject):
    """A publisher's notice that one of its articles must be withdrawn.

    Attributes:
        article_id: The article's id.
        publisher: The publisher that sent the notice.
        fetched_from: The URL it was fetched from; "" for a file.
    """

    article_id: str = ""
    publisher: str = ""
    fetched_from: str = ""


@dataclass(frozen=True, slots=True)
class ReadNotice:
    """Notice of something that could not be read; the article is added without it."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotedArticle(Article):
    """An article with notices, for example on an unreadable date."""

    notices: tuple[ReadNotice, ...] = ()

    def plain(self) -> Article:
        """Return the article without its notices."""
        return Article(text=self.text, metadata=self.metadata)


def with_notices(article: Article, notices: Iterable[ReadNotice]) -> Article:
    """Return `article` with `notices` attached, if there are any."""
    notices = tuple(notices)
    return NotedArticle(article.metadata, article.text, notices) if notices else article


@dataclass(frozen=True, slots=True)
class Link:
    """A page to fetch.

    Attributes:
        url: Its URL.
        place: The place that names it.
        known: Metadata given with the link.
        modified: The date of its last change, if given.
    """

    url: str
    place: str
    known: Article | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """Options of the readers.

    Attributes:
        field_map: The names of an export's fields.
        links: For feeds, "follow" yields a Link for each entry without a whole article; "keep"
            yields the feed's own text.
        url: The URL the content was fetched from.
        kind: One of `KINDS` to override format detection.
        workers: Number of processes for a folder of many pages.
    """

    field_map: FieldMap = NO_MAP
    links: Links = "keep"
    url: str = ""
    kind: str = ""
    workers: int = 1


def read(
    path: str | Path, *, on_bytes: OnBytes | None = None, reading: ReaderOptions | None = None
) -> Read:
    """Yield the articles and rejects of a file, or of the files of a folder in sorted order.

    The format is detected from the content, not the name. Files are streamed: memory is bounded by
    the longest article, whose size is bounded as well. Nothing is raised for bad content.

    Args:
        path: The file or folder, or its address on a storage, such as `s3://bucket/folder`.
        on_bytes: Called with the number of bytes read since the last call.
        reading: The options.
    """
    if isinstance(path, str) and is_storage_address(path):
        from ingest.readers.stored_files import read_stored

        yield from read_stored(path, on_bytes, reading or ReaderOptions())
        return
    from ingest.readers.dispatch import read_file
    from ingest.readers.file_names import printable_name

    path = Path(path)
    if not path.exists():
        yield Reject(printable_name(path), "no such file or folder")
        return
    reading = reading or ReaderOptions()
    if next(list_files(path), None) and reading.workers > 1:
        from ingest.readers.parallel import read_in_parallel

        yield from read_in_parallel(list_files(path), on_bytes, reading)
        return
    found = False
    for file in list_files(path):
        found = True
        yield from read_file(file, on_bytes, reading)
    if not found:
        yield Reject(printable_name(path), "no file in this folder could contain articles")


def list_files(path: Path) -> Iterator[Path]:
    """Yield the files to read, sorted; hidden files, pictures, code and READMEs are skipped."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        entered, names = filter_folder(folder, folders, names)
        folders[:] = sorted(entered)
        for name in sorted(names):
            file = Path(folder, name)
            # Skip pipes, which may block; broken links are reported as rejects.
            if may_hold_articles(PurePath(name)) and (file.is_file() or not file.exists()):
                yield file


def may_hold_articles(path: PurePath) -> bool:
    """Return whether a file in a folder or a zip may contain articles, by its name."""
    hidden = re.match(r"\.[^.]", path.name) or any(
        is_side_folder(part) for part in path.parts[:-1] if part not in (".", "..")
    )
    return not (hidden or _NOT_ARTICLES.search(path.name) or is_side_name(path.name))
