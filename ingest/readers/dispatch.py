"""A file, or a member of one that is packed, to the reader of its format, within bounds."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ingest.provenance import with_origin
from ingest.readers import KINDS, OnBytes, Read, ReaderOptions, Reject
from ingest.readers.compression import (
    DAMAGED,
    NESTING,
    BombError,
    UnpackLimit,
    decompress,
    read_tar,
    read_zip,
)
from ingest.readers.detect import detect_format
from ingest.readers.encoding import ARTICLE_BYTES, recode
from ingest.readers.error_guard import guard, unexpected_failure
from ingest.readers.file_names import printable_name
from ingest.readers.partial_files import STILL_WRITTEN, file_state, has_writer
from rag.schema import Article

if TYPE_CHECKING:
    from ingest.readers.tabular import Dialect

_PEEK = 2**16
_NAMED_JSON = re.compile(r"(?i)\.(?:jsonl?|ndjson)(?:\.(?:gz|bz2|xz|zst))?\Z")
_OF_THE_FILE = (BombError, OSError, EOFError)  # not of what is in it: whoever opened it says so


class _Counted(io.RawIOBase):
    """A file that tells how many bytes were read from it."""

    def __init__(self, file: IO[bytes], on_bytes: OnBytes) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._on_bytes(size)
        return int(size)


def read_file(
    path: Path, on_bytes: OnBytes | None = None, reading: ReaderOptions | None = None
) -> Read:
    """Yield the articles of one file and what in it is none."""
    place = printable_name(path)
    try:
        with path.open("rb", buffering=0) as raw:
            counted = _Counted(raw, on_bytes or (lambda _: None))
            file: io.BufferedReader[Any] = io.BufferedReader(counted, _PEEK)
            allowance = UnpackLimit(path.stat().st_size)
            found = _Opening(reading or ReaderOptions(), allowance).read(file, place)
            before = file_state(raw)
            yield from _if_whole(raw, before, detect_format(_peek(file)), place, found)
    except BombError as error:
        yield Reject(place, str(error))
    except OSError as error:
        yield Reject(place, f"cannot be read: {error.strerror or error}")
    except Exception as error:  # of this file: the others of its folder are read all the same
        yield unexpected_failure(place, error)


def _if_whole(file: IO[bytes], before: tuple[int, int], kind: str, place: str, found: Read) -> Read:
    """Yield what a file holds, and a Reject in its place where somebody is still writing it.

    Lines of JSON are whole or broken each by itself; of anything else, half would be taken for
    all of it.
    """
    if kind != "json lines" and has_writer(file):
        yield Reject(place, STILL_WRITTEN)
        return
    if kind in ("html", "text", "news XML", "mail", "IPTC 7901") and before[0] <= ARTICLE_BYTES:
        found = iter(list(found))  # at once, to look again before any of it is used
        if file_state(file) != before:
            yield Reject(place, STILL_WRITTEN)
            return
    yield from found
    if kind != "json lines" and file_state(file) != before:
        yield Reject(place, STILL_WRITTEN)


def read_content(content: bytes, place: str, reading: ReaderOptions) -> Read:
    """Yield what was fetched holds, whatever its format; `reading.url` is where it is from."""
    file: io.BufferedReader[Any] = io.BufferedReader(io.BytesIO(content), _PEEK)
    opening = _Opening(reading, UnpackLimit(len(content)))
    yield from guard(place, lambda: opening.read(file, place))


@dataclass(frozen=True, slots=True)
class _Opening:
    """A file being read, and how deep in what it packs: all within it draws on one allowance."""

    reading: ReaderOptions
    allowance: UnpackLimit
    depth: int = 0

    def read(self, file: io.BufferedReader[Any], place: str) -> Read:
        """Yield the articles of a file, or of a member of one."""
        start = _peek(file)
        try:
            file = recode(file, start)
        except ValueError as error:
            yield Reject(place, str(error))
            return
        start = _peek(file)
        kind = detect_format(start)
        if kind in ("packed", "zip", "tar"):
            if self.depth == NESTING:
                yield Reject(place, f"packed more than {NESTING} times over: unpack it first")
                return
            try:
                yield from self._unpacked(file, start, kind, place)
            except BombError:
                raise
            except DAMAGED as error:
                yield Reject(place, f"damaged, or not what it seems: {error}")
            except Exception as error:
                yield unexpected_failure(place, error)
        else:
            kind = KINDS.get(self.reading.kind, kind)
            yield from _articles(file, kind, place, self.reading, self.allowance)

    def _unpacked(self, file: io.BufferedReader[Any], start: bytes, kind: str, place: str) -> Read:
        inside = replace(self, depth=self.depth + 1)
        if kind == "packed":
            yield from inside.read(decompress(file, start, self.allowance), place)
        else:
            read_members = read_zip if kind == "zip" else read_tar
            yield from read_members(file, place, allowance=self.allowance, read_member=inside.read)


def _articles(
    file: io.BufferedReader[Any],
    kind: str,
    place: str,
    reading: ReaderOptions,
    allowance: UnpackLimit,
) -> Read:
    kind, dialect = _seen_closer(_peek(file), kind, reading)
    if dialect:
        from ingest.readers.tabular import read_csv

        yield from read_csv(file, place, dialect, reading.field_map)
    elif kind == "parquet":
        from ingest.readers.parquet import read_parquet

        yield from read_parquet(file, place, reading.field_map, allowance)
    elif kind == "feed":
        from ingest.readers.feeds import read_feed

        yield from read_feed(file, place, reading.links)
    elif kind in ("sitemap", "list"):
        from ingest.readers.sitemaps import read_links

        yield from read_links(file, place, kind, reading.links)
    elif reading.links == "follow" and kind.startswith("json") and _is_json_feed(_peek(file)):
        from ingest.readers.feeds import read_json_feed

        yield from read_json_feed(file, place, reading.links)
    elif kind == "json lines":
        from ingest.readers.json_records import read_json_lines

        yield from read_json_lines(file, place, reading.field_map, reading.links)
    elif kind == "json":
        from ingest.readers.json_records import read_json

        yield from read_json(file, place, reading.field_map, reading.links)
    elif kind == "table":
        yield Reject(place, "no table: its first row names no two fields of an article; see --map")
    else:
        yield from _documents(file, kind, place, reading)


def _documents(file: io.BufferedReader[Any], kind: str, place: str, reading: ReaderOptions) -> Read:
    """Yield the articles of what is no list of records: pages, messages, texts."""
    if kind == "web archive":
        from ingest.readers.warc import read_warc

        yield from read_warc(file, place)
    elif kind == "news XML":
        from ingest.readers.iptc import XML_BYTES, read_news_xml

        yield from read_news_xml(file.read(XML_BYTES + 1), place=place)
    elif kind == "mail":
        from ingest.readers.mail import read_mail

        for found in guard(
            place, lambda: read_mail(file, place, reading.url), passing=_OF_THE_FILE
        ):
            yield _saved(found, place, reading.url) if isinstance(found, Article) else found
    elif kind == "IPTC 7901":
        from ingest.readers.iptc7901 import read_iptc7901

        yield from read_iptc7901(file, place)
    elif kind == "text" and not reading.kind and _NAMED_JSON.search(place):
        yield Reject(place, "no JSON, though it is named so: is it text? Then name it .txt")
    elif kind in ("html", "text", "pdf"):
        yield from guard(
            place, lambda: [_article(file, kind, place, reading.url)], passing=_OF_THE_FILE
        )
    else:
        yield Reject(place, kind)


def _saved(article: Article, place: str, url: str) -> Article:
    """Return what a saved page or a message holds: where it was not fetched, it names its address
    itself, and that is not to be taken on trust.
    """
    return article if url else with_origin(article, place=place)


def _article(file: io.BufferedReader[Any], kind: str, place: str, url: str) -> Article | Reject:
    """Return the article of a file that holds one at the most."""
    if kind == "pdf":
        from ingest.readers.pdf.reader import PDF_BYTES, read_pdf

        return read_pdf(file.read(PDF_BYTES + 1), place=place, url=url)
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        size = ARTICLE_BYTES // 2**20
        return Reject(place, f"longer than {size} MB: no single article, and no known format")
    if kind == "html":
        from ingest.readers.html.reader import read_html

        found = read_html(content, place=place, url=url)
        return found if isinstance(found, Reject) else _saved(found, place, url)
    from ingest.readers.text import read_text

    return read_text(content, place=place, url=url)


def _seen_closer(start: bytes, kind: str, reading: ReaderOptions) -> tuple[str, Dialect | None]:
    """Return what a text is, unless the user says it is one; and how a table is written."""
    if kind == "text" and not reading.kind:
        kind = _of_links(start) or "table"
        dialect = _table(start, reading) if kind == "table" else None
        return kind if dialect or kind == "list" else "text", dialect
    return kind, _table(start, reading) if kind == "table" else None


def _of_links(start: bytes) -> str:
    from ingest.readers.sitemaps import is_list_of_addresses

    return "list" if is_list_of_addresses(start) else ""


def _is_json_feed(start: bytes) -> bool:
    from ingest.readers.feeds import is_json_feed

    return is_json_feed(start)


def _table(start: bytes, reading: ReaderOptions) -> Dialect | None:
    from ingest.readers.tabular import dialect_of

    return dialect_of(start, reading.field_map)


def _peek(file: io.BufferedReader[Any]) -> bytes:
    """Return the start of the file, read fully: one peek may come back short."""
    return file.peek(_PEEK)
