"""Decode bytes into characters and lines, within size limits."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator

# Longest page, text or JSON line accepted as one article. measured: docs/benchmarks.md
ARTICLE_BYTES = 16 * 2**20
_SAMPLE = 2**16  # bytes used to guess an encoding
_XML_ENCODING = re.compile(
    r"(?<=<\?xml)([^>]{0,200}?)\sencoding=[\"'][^\"']{0,200}+[\"']"
)  # in its first line
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes) -> str:
    """Decode a text file: UTF-8, the encoding of its byte-order mark, or a confident guess.

    Raises:
        ValueError: No encoding can be determined; the message says how to convert the file.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        guess = _guess(content)
        if guess is not None:
            return guess
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"invalid UTF-8 in line {line}: convert it, for example with `iconv -f LATIN1 -t UTF-8`"
        ) from error


class _Recoded(io.RawIOBase):
    """A file of another encoding, read as UTF-8; invalid bytes become U+FFFD."""

    def __init__(self, file: io.BufferedReader, encoding: str) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode
        self._ready = b""
        self._first = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            piece = self._file.read(_SAMPLE)
            text = self._decode(piece, not piece).removeprefix("\ufeff" if self._first else "")
            if self._first:  # remove the XML encoding declaration, which no longer applies
                text = _XML_ENCODING.sub(r"\1", text, count=1)
                self._first = False
            self._ready = text.encode("utf-8", "replace")
            if not piece:
                break
        taken, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def recode(file: io.BufferedReader, start: bytes) -> io.BufferedReader:
    """Return a file in UTF-8 if `start` has a UTF-16 or UTF-32 mark; any other file unchanged.

    Raises:
        ValueError: The content isn't in the encoding of the mark.
    """
    encoding = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig":
        return file
    try:
        codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError as error:
        raise ValueError(f"not a text file: it begins like {encoding.upper()} but isn't") from error
    return io.BufferedReader(_Recoded(file, encoding), _SAMPLE)


def as_utf8(page: bytes, content_type: str) -> bytes:
    """Return a page in UTF-8 if its content type names another encoding."""
    charset = re.search(r"(?i)charset=[\"']?([\w.:-]+)", content_type)
    if charset:
        try:
            return page.decode(charset.group(1)).encode()
        except (LookupError, ValueError):  # a server's wrong default
            return page
    return page


# Legacy encodings of newsrooms. Among all encodings, guesses are too often DOS code pages.
_OLD_ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "koi8_u"),
    *("gb18030", "big5", "euc_kr", "shift_jis", "euc_jp"),
)
_GUESS_FROM = 200  # bytes; for shorter texts charset-normalizer's guesses aren't reliable


def _guess(content: bytes) -> str | None:
    utf8 = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", content))
    other = sum(byte > 127 for byte in re.sub(rb"[\xc3-\xf4][\x80-\xbf]+", b"", content))
    if len(content) < _GUESS_FROM or utf8 >= other:  # broken UTF-8, not another encoding
        return None
    from charset_normalizer import from_bytes  # 50 ms: old archives only

    best = from_bytes(content[:_SAMPLE], cp_isolation=list(_OLD_ENCODINGS)).best()
    if best is None or not best.languages or best.coherence < 0.2:
        return None
    try:
        return content.decode(best.encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def lines_of(file: io.BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number; None in place of a line longer than ARTICLE_BYTES."""
    number = 0
    while line := file.readline(ARTICLE_BYTES + 1):
        number += 1
        if len(line) <= ARTICLE_BYTES:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(2**20)
        yield number, None
