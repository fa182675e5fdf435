"""Dispatch a file, or a member of a packed file, to the reader of its format."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ingest.provenance import with_origin
from ingest.readers import KINDS, OnBytes, Read, ReaderOptions, Reject
from ingest.readers.compression import (
    DAMAGE_ERRORS,
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
_OF_THE_FILE = (BombError, OSError, EOFError)  # errors of the file itself, which the caller reports


class _CountingFile(io.RawIOBase):
    """A file that reports how many bytes were read from it."""

    def __init__(self, file: IO[bytes] | io.RawIOBase, on_bytes: OnBytes) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = self._file.readinto(buffer)  # type: ignore[union-attr]
        self._on_bytes(size)
        return int(size)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file that was opened for reading.

    Attributes:
        raw: Its bytes, unbuffered.
        size: Its size in bytes.
        state: Returns its size and time of modification as they are now.
        has_writer: Whether another program has it open for writing.
        before: Its state when it was opened.
        may_grow: Whether JSON Lines are read while it grows; objects of a storage are replaced.
    """

    raw: IO[bytes] | io.RawIOBase
    size: int
    state: Callable[[], tuple[int, int]]
    has_writer: Callable[[], bool]
    before: tuple[int, int]
    may_grow: bool = True


def read_file(
    path: Path, on_bytes: OnBytes | None = None, reading: ReaderOptions | None = None
) -> Read:
    """Yield the articles and rejects of one file."""
    return read_opened(printable_name(path), lambda: _open_local(path), on_bytes, reading)


@contextmanager
def _open_local(path: Path) -> Iterator[OpenedFile]:
    with path.open("rb", buffering=0) as raw:
        before = file_state(raw)
        size = path.stat().st_size
        yield OpenedFile(raw, size, partial(file_state, raw), partial(has_writer, raw), before)


def read_opened(
    place: str,
    open_file: Callable[[], AbstractContextManager[OpenedFile]],
    on_bytes: OnBytes | None = None,
    reading: ReaderOptions | None = None,
) -> Read:
    """Yield the articles and rejects of a file.

    Args:
        place: Its place.
        open_file: Opens it; an error becomes a reject.
        on_bytes: Called with the number of bytes read since the last call.
        reading: The options.
    """
    try:
        with open_file() as opened:
            counted = _CountingFile(opened.raw, on_bytes or (lambda _: None))
            file: io.BufferedReader[Any] = io.BufferedReader(counted, _PEEK)
            found = _FileReader(reading or ReaderOptions(), UnpackLimit(opened.size)).read(
                file, place
            )
            yield from _if_whole(opened, detect_format(_peek(file)), place, found)
    except BombError as error:
        yield Reject(place, str(error))
    except OSError as error:
        yield Reject(place, f"could not be read: {error.strerror or error}")
    except Exception as error:  # the other files of the folder are still read
        yield unexpected_failure(place, error)


def _if_whole(file: OpenedFile, kind: str, place: str, found: Read) -> Read:
    """Yield the contents of a file, or a reject if it is still being written.

    JSON Lines may be read while it grows, because each line is whole or broken by itself; other
    formats would be taken for complete.
    """
    grows = kind == "json lines" and file.may_grow
    if not grows and file.has_writer():
        yield Reject(place, STILL_WRITTEN)
        return
    if kind in ("html", "text", "news XML", "mail", "IPTC 7901") and (
        file.before[0] <= ARTICLE_BYTES
    ):
        found = iter(list(found))  # read completely, to check the file again before using it
        if file.state() != file.before:
            yield Reject(place, STILL_WRITTEN)
            return
    yield from found
    if not grows and file.state() != file.before:
        yield Reject(place, STILL_WRITTEN)


def read_content(content: bytes, place: str, reading: ReaderOptions) -> Read:
    """Yield the contents of fetched bytes; `reading.url` is the URL they came from."""
    file: io.BufferedReader[Any] = io.BufferedReader(io.BytesIO(content), _PEEK)
    opening = _FileReader(reading, UnpackLimit(len(content)))
    yield from guard(place, lambda: opening.read(file, place))


@dataclass(frozen=True, slots=True)
class _FileReader:
    """A file being read, its nesting depth, and the unpack limit shared by all that it contains."""

    reading: ReaderOptions
    allowance: UnpackLimit
    depth: int = 0

    def read(self, file: io.BufferedReader[Any], place: str) -> Read:
        """Yield the articles and rejects of a file or a member of one."""
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
                yield Reject(place, f"nested in more than {NESTING} archives: unpack it first")
                return
            try:
                yield from self._read_packed(file, start, kind, place)
            except BombError:
                raise
            except DAMAGE_ERRORS as error:
                yield Reject(place, f"damaged archive: {error}")
            except Exception as error:
                yield unexpected_failure(place, error)
        else:
            kind = KINDS.get(self.reading.kind, kind)
            yield from _read_records(file, kind, place, self.reading, self.allowance)

    def _read_packed(
        self, file: io.BufferedReader[Any], start: bytes, kind: str, place: str
    ) -> Read:
        inside = replace(self, depth=self.depth + 1)
        if kind == "packed":
            yield from inside.read(decompress(file, start, self.allowance), place)
        else:
            read_members = read_zip if kind == "zip" else read_tar
            yield from read_members(file, place, allowance=self.allowance, read_member=inside.read)


def _read_records(
    file: io.BufferedReader[Any],
    kind: str,
    place: str,
    reading: ReaderOptions,
    allowance: UnpackLimit,
) -> Read:
    kind, dialect = _refine_format(_peek(file), kind, reading)
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
        yield Reject(
            place,
            "not a table of articles: its first row names fewer than two known fields; see --map",
        )
    else:
        yield from _read_documents(file, kind, place, reading)


def _read_documents(
    file: io.BufferedReader[Any], kind: str, place: str, reading: ReaderOptions
) -> Read:
    """Yield the articles of formats that aren't lists of records: pages, messages, texts."""
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
            yield (
                _with_saved_origin(found, place, reading.url)
                if isinstance(found, Article)
                else found
            )
    elif kind == "IPTC 7901":
        from ingest.readers.iptc7901 import read_iptc7901

        yield from read_iptc7901(file, place)
    elif kind == "text" and not reading.kind and _NAMED_JSON.search(place):
        yield Reject(
            place, "not valid JSON, although its name says so; if it is text, rename it to .txt"
        )
    elif kind in ("html", "text", "pdf"):
        yield from guard(
            place, lambda: [_read_single(file, kind, place, reading.url)], passing=_OF_THE_FILE
        )
    else:
        yield Reject(place, kind)


def _with_saved_origin(article: Article, place: str, url: str) -> Article:
    """Mark the article of a saved page or message as such: its stated URL can't be trusted."""
    return article if url else with_origin(article, place=place)


def _read_single(file: io.BufferedReader[Any], kind: str, place: str, url: str) -> Article | Reject:
    """Return the article of a file that contains at most one."""
    if kind == "pdf":
        from ingest.readers.pdf.reader import PDF_BYTES, read_pdf

        return read_pdf(file.read(PDF_BYTES + 1), place=place, url=url)
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        size = ARTICLE_BYTES // 2**20
        return Reject(
            place, f"larger than {size} MB: too large for one article, and not a known format"
        )
    if kind == "html":
        from ingest.readers.html.reader import read_html

        found = read_html(content, place=place, url=url)
        return found if isinstance(found, Reject) else _with_saved_origin(found, place, url)
    from ingest.readers.text import read_text

    return read_text(content, place=place, url=url)


def _refine_format(start: bytes, kind: str, reading: ReaderOptions) -> tuple[str, Dialect | None]:
    """Refine the format "text" unless the user set it, and detect the dialect of a table."""
    if kind == "text" and not reading.kind:
        kind = _list_format(start) or "table"
        dialect = _table_dialect(start, reading) if kind == "table" else None
        return kind if dialect or kind == "list" else "text", dialect
    return kind, _table_dialect(start, reading) if kind == "table" else None


def _list_format(start: bytes) -> str:
    from ingest.readers.sitemaps import is_list_of_addresses

    return "list" if is_list_of_addresses(start) else ""


def _is_json_feed(start: bytes) -> bool:
    from ingest.readers.feeds import is_json_feed

    return is_json_feed(start)


def _table_dialect(start: bytes, reading: ReaderOptions) -> Dialect | None:
    from ingest.readers.tabular import detect_dialect

    return detect_dialect(start, reading.field_map)


def _peek(file: io.BufferedReader[Any]) -> bytes:
    """Return the start of the file; a single short read is repeated."""
    return file.peek(_PEEK)
