"""Web archives: articles from the pages of a crawl, in WARC and ARC."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from ingest.readers import Link, Read, Reject
from ingest.readers.encoding import ARTICLE_BYTES, as_utf8
from ingest.readers.error_guard import guard
from ingest.readers.file_names import printable_name
from ingest.readers.html.reader import read_html
from ingest.readers.http_payload import decode_payload
from rag.schema import Article

# Limit of a record header; real ones have some KB.
HEADER_BYTES = 2**20
_ARC_RECORD = re.compile(rb"\A[a-z][a-z0-9+.-]{1,20}:\S*+ [\d.:a-fA-F]+ \d{8,17} \S+ -?\d+\s*\Z")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_DAMAGED = "damaged record: "


def read_warc(file: io.BufferedReader[Any], place: str) -> Read:
    """Yield the article or reject of each page that was fetched successfully.

    The record's URL identifies the article, unless the page names a canonical one. Records that
    aren't HTML are skipped. After a damaged record, reading continues at the next one.

    Args:
        file: The web archive, unpacked.
        place: Its place; pages are at `place!url`.
    """
    pages = 0
    for found in _pages(file, place):
        pages += 1
        if isinstance(found, Reject):
            yield found
            continue
        url, content = found
        at = f"{place}!{printable_name(url)}"
        if len(content) > ARTICLE_BYTES:
            yield Reject(at, f"larger than {ARTICLE_BYTES // 2**20} MB: too large for one page")
        else:
            yield from guard(at, partial(_read_page, content, at, url))
    if not pages:
        yield Reject(place, "web archive without HTML pages")


def _read_page(content: bytes, at: str, url: str) -> list[Article | Link | Reject]:
    return [read_html(content, place=at, url=url)]


def _pages(file: io.BufferedReader[Any], place: str) -> Iterator[tuple[str, bytes] | Reject]:
    records = _records(file)
    at = place
    while True:
        try:
            record = next(records, None)
            if records.skipped:  # data between the end of the last record and the start of this one
                yield Reject(at, f"{_DAMAGED}its length differs from its header")
            if record is None:
                return
            at = place  # the place of a record whose URL can't be read
            url = _address(record)
            at = f"{place}!{url}" if url else place
            if _is_page(record):
                yield url, _content(record)
        # warcio raises all kinds of errors for malformed headers. OSError and EOFError concern the
        # file, and are reported by the caller.
        except (OSError, EOFError):
            raise
        except Exception as error:
            yield Reject(at, f"{_DAMAGED}{' '.join(str(error).split())[:120]}")
            if not records.go_on():
                return


def _is_page(record: Any) -> bool:
    """Return whether a record is a page fetched successfully, or stored without HTTP headers."""
    if record.rec_type == "resource":
        return (record.rec_headers.get_header("Content-Type") or "").lower().startswith(_PAGE_TYPES)
    headers = record.http_headers
    if record.rec_type != "response" or headers is None:
        return False
    kind = (headers.get_header("Content-Type") or "").strip().lower()
    return str(headers.get_statuscode()).startswith("2") and kind.startswith(_PAGE_TYPES)


def _address(record: Any) -> str:
    headers = record.rec_headers
    return (headers.get_header("WARC-Target-URI") or headers.get_header("uri") or "").strip()


def _content(record: Any) -> bytes:
    """Return the decompressed page, in UTF-8 if the response names its encoding."""
    content = decode_payload(record)
    kind = (record.http_headers or record.rec_headers).get_header("Content-Type") or ""
    return as_utf8(content, kind) if len(content) <= ARTICLE_BYTES else content


def _records(file: io.BufferedReader[Any]) -> Any:
    """Return warcio's records of an unpacked file, with bounded lines and without warnings."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.bufferedreaders import DecompressingBufferedReader
    from warcio.exceptions import ArchiveLoadFailed

    logging.getLogger("warcio").addHandler(logging.NullHandler())  # it warns on stderr

    class Lines(DecompressingBufferedReader):  # type: ignore[misc]
        """Lines of bounded length; warcio's are unbounded and take quadratic time."""

        header = 0

        def readline(self, length: int | None = None) -> bytes:
            """Read a line; raises ArchiveLoadFailed if it or the header is too long."""
            line: bytes = super().readline(min(length or HEADER_BYTES, HEADER_BYTES))
            self.header += len(line)
            if self.header > ARTICLE_BYTES or len(line) == HEADER_BYTES:
                raise ArchiveLoadFailed(f"a header larger than {HEADER_BYTES // 2**20} MB")
            return line

        def skipping(self) -> bytes:
            """Read a piece of a line that is skipped."""
            line: bytes = super().readline(2**14)
            return line

    class Records(ArchiveIterator):  # type: ignore[misc]
        """Records of the file; after one with a wrong length, continues at the next."""

        def __init__(self) -> None:
            """Open the file."""
            super().__init__(file)
            self.reader = Lines(self.fh, decomp_type=None)
            self.skipped = False

        def __next__(self) -> Any:
            self.reader.header = 0
            return super().__next__()

        def __iter__(self) -> Any:
            return self

        def _consume_blanklines(self) -> tuple[bytes | None, int]:
            size, self.skipped = 0, False
            while line := self.reader.skipping():
                if line.startswith(b"WARC/") or _ARC_RECORD.match(line):
                    return line, size
                self.skipped = self.skipped or bool(line.strip())
                size += len(line)
            return None, size

        def go_on(self) -> bool:
            """Skip to the next record; return False at the end."""
            self.record = None
            self.member_info = None
            if self.reader is None:
                return False
            self.next_line, _ = self._consume_blanklines()
            self.skipped = False
            self.the_iter = self._iterate_records()
            return self.next_line is not None

    return Records()
