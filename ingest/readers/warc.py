"""Web archives: the articles among the pages that a crawler kept, in WARC and in ARC."""

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

# What a record may say of itself. Real headers have some KB; a line without an end has no bound.
HEADER_BYTES = 2**20
_ARC_RECORD = re.compile(rb"\A[a-z][a-z0-9+.-]{1,20}:\S*+ [\d.:a-fA-F]+ \d{8,17} \S+ -?\d+\s*\Z")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_DAMAGED = "a damaged record: "


def read_warc(file: io.BufferedReader[Any], place: str) -> Read:
    """Yield the article of each page that was fetched with success, and the pages without one.

    The record's address is the article's, unless the page names a canonical one. What is no HTML
    is passed over. After a damaged record reading goes on where the next begins.
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
            yield Reject(at, f"longer than {ARTICLE_BYTES // 2**20} MB: no page is that long")
        else:
            yield from guard(at, partial(_page, content, at, url))
    if not pages:
        yield Reject(place, "a web archive without an HTML page")


def _page(content: bytes, at: str, url: str) -> list[Article | Link | Reject]:
    return [read_html(content, place=at, url=url)]


def _pages(file: io.BufferedReader[Any], place: str) -> Iterator[tuple[str, bytes] | Reject]:
    records = _records(file)
    at = place
    while True:
        try:
            record = next(records, None)
            if records.skipped:  # between the end of the last record and the beginning of this one
                yield Reject(at, f"{_DAMAGED}its length is not the one it states")
            if record is None:
                return
            at = place  # what is said of a record whose address cannot be read
            url = _address(record)
            at = f"{place}!{url}" if url else place
            if _is_page(record):
                yield url, _content(record)
        # warcio takes headers for well-formed: what it raises of others is of every kind. OSError,
        # EOFError: the file under it ends or breaks, and whoever opened it says so.
        except (OSError, EOFError):
            raise
        except Exception as error:
            yield Reject(at, f"{_DAMAGED}{' '.join(str(error).split())[:120]}")
            if not records.go_on():
                return


def _is_page(record: Any) -> bool:
    """Whether a record is a page fetched with success, or one kept without its HTTP head."""
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
    """Return the page, unpacked, in UTF-8 where the response names the encoding it is in."""
    content = decode_payload(record)
    kind = (record.http_headers or record.rec_headers).get_header("Content-Type") or ""
    return as_utf8(content, kind) if len(content) <= ARTICLE_BYTES else content


def _records(file: io.BufferedReader[Any]) -> Any:
    """Return warcio's records of a file that is unpacked already, bounded and silent."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.bufferedreaders import DecompressingBufferedReader
    from warcio.exceptions import ArchiveLoadFailed

    logging.getLogger("warcio").addHandler(logging.NullHandler())  # it warns on stderr

    class Lines(DecompressingBufferedReader):  # type: ignore[misc]
        """Lines of bounded length; warcio's own have none, and take time by its square."""

        header = 0

        def readline(self, length: int | None = None) -> bytes:
            line: bytes = super().readline(min(length or HEADER_BYTES, HEADER_BYTES))
            self.header += len(line)
            if self.header > ARTICLE_BYTES or len(line) == HEADER_BYTES:
                raise ArchiveLoadFailed(f"a header longer than {HEADER_BYTES // 2**20} MB")
            return line

        def skipping(self) -> bytes:
            line: bytes = super().readline(2**14)
            return line

    class Records(ArchiveIterator):  # type: ignore[misc]
        """The records; where one does not end as it says, on to the beginning of the next."""

        def __init__(self) -> None:
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
            self.record = None
            self.member_info = None
            if self.reader is None:
                return False
            self.next_line, _ = self._consume_blanklines()
            self.skipped = False
            self.the_iter = self._iterate_records()
            return self.next_line is not None

    return Records()
