"""From files to articles: one module a format, and `read`, which finds out the format itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Literal

from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.side_files import entries_of_folder, is_side_folder, is_side_name
from rag.schema import Article

Read = Iterator["Article | Reject | Link"]
Links = Literal["keep", "follow"]
OnBytes = Callable[[int], None]

# What a user may say that files are, whatever they look like; what packs them is undone first.
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

# What lies in folders beside saved pages. Named by a user, such a file is looked at all the same.
_NOT_ARTICLES = re.compile(
    r"(?i)\.(?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|bmp|tiff?|woff2?|ttf|otf|eot|mp[34]|m4a|"
    r"webm|ogg|wav|avi|mov|pyc?|sqlite|db|lock)\Z"
    r"|\A(?:readme|licen[cs]e|copying|changelog)(?:\.|\Z)"
    # What a download, an editor or a copy calls a file until it is whole.
    r"|\.(?:part|partial|tmp|temp|crdownload|download|filepart|sw[po])\Z|~\Z|\A(?:#.*#|~\$.*)\Z"
)


@dataclass(frozen=True, slots=True)
class Reject:
    """What could not be read as an article: where it stands (`file` or `file:line`), and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure(Reject):
    """A record at which a reader failed as nobody expected, with the traceback for the log."""

    traceback: str = ""


@dataclass(frozen=True, slots=True)
class KillNotice(Reject):
    """A publisher's word that one of its articles is not to be shown any longer.

    `fetched_from` is the address that it was fetched from, "" for a file.
    """

    article_id: str = ""
    publisher: str = ""
    fetched_from: str = ""


@dataclass(frozen=True, slots=True)
class ReadNotice:
    """Something of an article that could not be read; the article goes in without it."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotedArticle(Article):
    """An article of which something could not be read: its date, or the zone of its date."""

    notices: tuple[ReadNotice, ...] = ()

    def plain(self) -> Article:
        """Return the article without its notices."""
        return Article(text=self.text, metadata=self.metadata)


def with_notices(article: Article, notices: Iterable[ReadNotice]) -> Article:
    """Return `article` with `notices`, if there are any."""
    notices = tuple(notices)
    return NotedArticle(article.metadata, article.text, notices) if notices else article


@dataclass(frozen=True, slots=True)
class Link:
    """A page that was named and is to be fetched: by whom, and what is known of it already."""

    url: str
    place: str
    known: Article | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How files are to be read: `field_map` says what their fields are called.

    Of a feed, `links` that are to be followed come as Link, unless the feed holds the whole
    article; kept, the feed's own text is all there is. `url` is where the content was fetched.
    `kind` is one of `KINDS` where files are not to be looked at to find it out. A folder of many
    pages is read by as many processes as `workers` says.
    """

    field_map: FieldMap = NO_MAP
    links: Links = "keep"
    url: str = ""
    kind: str = ""
    workers: int = 1


def read(
    path: str | Path, *, on_bytes: OnBytes | None = None, reading: ReaderOptions | None = None
) -> Read:
    """Yield the articles of a file, or of the files of a folder in sorted order, and the rejects.

    The format is found in the content, not in the name. Files are streamed: memory is bounded
    by the longest article, and an article has bounds. `on_bytes` is told how many bytes of the
    file were read since it was last told. Nothing is raised for what a file holds.
    """
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
        yield Reject(printable_name(path), "a folder without a file that could hold articles")


def list_files(path: Path) -> Iterator[Path]:
    """Yield the files that `read` looks into, sorted; not hidden ones, pictures, code, READMEs."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        entered, names = entries_of_folder(folder, folders, names)
        folders[:] = sorted(entered)
        for name in sorted(names):
            file = Path(folder, name)
            # A pipe has no end until somebody writes to it; a link that leads nowhere is told.
            if may_hold_articles(PurePath(name)) and (file.is_file() or not file.exists()):
                yield file


def may_hold_articles(path: PurePath) -> bool:
    """Whether a file that lies in a folder, or in a zip, is worth a look, going by its name."""
    hidden = re.match(r"\.[^.]", path.name) or any(
        is_side_folder(part) for part in path.parts[:-1] if part not in (".", "..")
    )
    return not (hidden or _NOT_ARTICLES.search(path.name) or is_side_name(path.name))
