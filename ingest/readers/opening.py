"""Which format a file is in, by its first bytes, and its bytes, unpacked and bounded."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from ingest.readers import OnBytes, Read, Reading, Reject

if TYPE_CHECKING:
    from ingest.readers.tables import Dialect
from ingest.readers.packed import (
    DAMAGED,
    NESTING,
    PACKED,
    Allowance,
    BombError,
    is_tar,
    read_tar,
    read_zip,
    unpacked,
)
from rag.schema import Article

Kind = Literal[
    "json lines",
    "json",
    "parquet",
    "html",
    "text",
    "web archive",
    "packed",
    "zip",
    "tar",
    "news XML",
]

# The longest page, text, or line of JSON that is taken for one article. The longest of 11,746
# articles has 0.2 MB; above this something else is in the file, and memory is to be bounded.
ARTICLE_BYTES = 16 * 2**20
_PEEK = 2**16
_OTHER_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
)
_MAGIC: tuple[tuple[tuple[bytes, ...], Kind], ...] = (
    (PACKED, "packed"),
    ((b"PK\x03\x04", b"PK\x05\x06"), "zip"),
    ((b"PAR1",), "parquet"),
    ((b"WARC/", b"filedesc://"), "web archive"),
)
_HTML = re.compile(
    rb"(?is)\A\s*(?:<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+"
    rb"<(?:!doctype\s+html|html|head|body|article|main|div|section|meta|title|p|h1|script)\b"
)
# Atomic groups: without them a thousand comments would take for ever.
_NEWS_XML = re.compile(
    rb"(?is)\A(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[.*?\]\s*)?>)*+"
    rb"<(?:[\w.-]{1,20}:)?(?:nitf|newsItem|newsMessage|packageItem|NewsML)[\s>/]"
)
_XML = re.compile(rb"(?is)\A\s*(?:<\?xml|<(?:rss|feed|nitf|newsml|urlset|newsItem)\b)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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


def read_file(path: Path, on_bytes: OnBytes | None = None, reading: Reading | None = None) -> Read:
    """Yield the articles of one file and what in it is none."""
    place = str(path)
    try:
        with path.open("rb", buffering=0) as raw:
            counted = _Counted(raw, on_bytes or (lambda _: None))
            file: io.BufferedReader[Any] = io.BufferedReader(counted, _PEEK)
            allowance = Allowance(path.stat().st_size)
            yield from _Opening(reading or Reading(), allowance).read(file, place)
    except BombError as error:
        yield Reject(place, str(error))
    except OSError as error:
        yield Reject(place, f"cannot be read: {error.strerror or error}")


@dataclass(frozen=True, slots=True)
class _Opening:
    """A file being read, and how deep in what it packs: all within it draws on one allowance."""

    reading: Reading
    allowance: Allowance
    depth: int = 0

    def read(self, file: io.BufferedReader[Any], place: str) -> Read:
        """Yield the articles of a file, or of a member of one."""
        start = _peek(file)
        kind = kind_of(start)
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
        else:
            yield from _articles(file, kind, place, self.reading)

    def _unpacked(self, file: io.BufferedReader[Any], start: bytes, kind: str, place: str) -> Read:
        inside = replace(self, depth=self.depth + 1)
        if kind == "packed":
            yield from inside.read(unpacked(file, start, self.allowance), place)
        else:
            read_members = read_zip if kind == "zip" else read_tar
            yield from read_members(file, place, allowance=self.allowance, read_member=inside.read)


def _articles(file: io.BufferedReader[Any], kind: str, place: str, reading: Reading) -> Read:
    if kind == "text":
        kind = _of_links(_peek(file)) or kind
    dialect = _table(_peek(file), reading) if kind == "text" else None
    if dialect:
        from ingest.readers.tables import read_csv

        yield from read_csv(file, place, dialect, reading.field_map)
    elif kind == "parquet":
        from ingest.readers.tables import read_parquet

        yield from read_parquet(file, place, reading.field_map)
    elif kind == "feed":
        from ingest.readers.feeds import read_feed

        yield from read_feed(file, place)
    elif kind in ("sitemap", "list"):
        from ingest.readers.feeds import read_links

        yield from read_links(file, place, kind)
    elif kind == "json lines":
        from ingest.readers.jsonlines import read_json_lines

        yield from read_json_lines(file, place, reading.field_map)
    elif kind == "json":
        from ingest.readers.jsonlines import read_json

        yield from read_json(file, place, reading.field_map)
    elif kind == "web archive":
        from ingest.readers.warc import read_warc

        yield from read_warc(file, place)
    elif kind == "news XML":
        from ingest.readers.iptc import XML_BYTES, read_news_xml

        yield from read_news_xml(file.read(XML_BYTES + 1), place=place)
    elif kind in ("html", "text"):
        yield _article(file, kind, place)
    else:
        yield Reject(place, kind)


def _article(file: io.BufferedReader[Any], kind: str, place: str) -> Article | Reject:
    """Return the article of a file that holds one at the most."""
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        size = ARTICLE_BYTES // 2**20
        return Reject(place, f"longer than {size} MB: no single article, and no known format")
    if kind == "html":
        from ingest.readers.html import read_html

        return read_html(content, place=place)
    from ingest.readers.text import read_text

    return read_text(content, place=place)


def _of_links(start: bytes) -> str:
    from ingest.readers.feeds import is_list_of_addresses

    return "list" if is_list_of_addresses(start) else ""


def _table(start: bytes, reading: Reading) -> Dialect | None:
    from ingest.readers.tables import dialect_of

    return dialect_of(start, reading.field_map)


def kind_of(start: bytes) -> Kind | str:
    """Return the format that begins with `start`, or why it is none that is read."""
    if not start.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        return "an empty file"
    for magics, kind in _MAGIC:
        if start.startswith(magics):
            return kind
    if is_tar(start):
        return "tar"
    for magic, name in _OTHER_FORMATS:
        if start.startswith(magic):
            return f"{name}: not a format that is read here"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text"
    if b"\x00" in start[:4096]:
        return "not a text: it holds zero bytes"
    start = start.removeprefix(codecs.BOM_UTF8)
    return _kind_of_markup(start) or _kind_of_json(start) or "text"


def _kind_of_markup(start: bytes) -> Kind | str | None:
    from ingest.readers.feeds import xml_of_links

    if links := xml_of_links(start):
        return links
    if _NEWS_XML.match(start):
        return "news XML"
    if _HTML.match(start):
        return "html"
    if _XML.match(start):
        return (
            "html" if re.search(rb"(?i)<html\b", start) else "XML of a kind that is not read here"
        )
    return None


def _kind_of_json(start: bytes) -> Kind | None:
    bare = start.lstrip()
    if bare.startswith(b"["):
        return "json" if bare[1:].lstrip()[:1] in (b"{", b"]", b"") else None
    lines = [line.strip() for line in bare.split(b"\n")[:20] if line.strip()]
    if bare.startswith(b"{"):
        if len(lines) > 1 and lines[1][:1] in (b'"', b"}"):
            return "json"
        return "json lines"
    # The first line may be the broken one.
    objects = sum(line.startswith(b"{") and line.endswith(b"}") for line in lines[:-1])
    return "json lines" if objects and 2 * objects >= len(lines) - 2 else None


def _peek(file: io.BufferedReader[Any]) -> bytes:
    """Return the start of the file, read fully: one peek may come back short."""
    return file.peek(_PEEK)


def decode(content: bytes) -> str:
    """Return a text file's characters: UTF-8, what its byte-order mark says, or a sure guess.

    Raises ValueError, with the way out, where no encoding can be told with confidence.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        guess = _guessed(content)
        if guess is not None:
            return guess
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"invalid UTF-8 in line {line}: convert it, as by `iconv -f LATIN1 -t UTF-8`"
        ) from error


# What newsrooms wrote before UTF-8. Among all that exist a guess too often is a code page of DOS.
_OLD_ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "koi8_u"),
    *("gb18030", "big5", "euc_kr", "shift_jis", "euc_jp"),
)
_GUESS_FROM = 200  # bytes: below, charset-normalizer's guesses are not to be relied on


def _guessed(content: bytes) -> str | None:
    utf8 = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", content))
    other = sum(byte > 127 for byte in re.sub(rb"[\xc3-\xf4][\x80-\xbf]+", b"", content))
    if len(content) < _GUESS_FROM or utf8 >= other:  # UTF-8 that is broken, not another encoding
        return None
    from charset_normalizer import from_bytes  # 50 ms: old archives only

    best = from_bytes(content[:_PEEK], cp_isolation=list(_OLD_ENCODINGS)).best()
    if best is None or not best.languages or best.coherence < 0.2:
        return None
    try:
        return content.decode(best.encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def lines_of(file: io.BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number; None in place of one that is longer than an article."""
    number = 0
    while line := file.readline(ARTICLE_BYTES + 1):
        number += 1
        if len(line) <= ARTICLE_BYTES:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(2**20)
        yield number, None
