"""Body of an HTTP response in a web archive, decompressed within the size limit of a page."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

from ingest.readers.encoding import ARTICLE_BYTES


def decode_payload(record: Any) -> bytes:
    """Return a WARC record's page, dechunked and decompressed.

    warcio's `content_stream` isn't used because it decompresses a chunk at once: 10 MB of gzip may
    hold 10 GB. Content beyond ARTICLE_BYTES is cut one byte above the limit.
    """
    content: bytes = record.raw_stream.read(ARTICLE_BYTES + 1)
    headers = record.http_headers
    if headers is None or len(content) > ARTICLE_BYTES:
        return content
    if (headers.get_header("transfer-encoding") or "").strip().lower() == "chunked":
        from warcio.bufferedreaders import ChunkedDataReader

        content = ChunkedDataReader(io.BytesIO(content)).read()
    encoding = (headers.get_header("content-encoding") or "").strip().lower()
    unpack = _UNPACKERS.get(encoding)
    return unpack(content) if unpack else content


def _gzip(content: bytes) -> bytes:
    return _inflate(content, 31)


def _deflate(content: bytes) -> bytes:
    """Decompress "deflate": the zlib format or, from some servers, raw deflate."""
    found = _inflate(content, 15)
    return _inflate(content, -15) if found is content else found


def _inflate(content: bytes, wbits: int) -> bytes:
    """Return what could be decompressed; `content` itself if it isn't compressed."""
    unpack = zlib.decompressobj(wbits=wbits)
    found, left = b"", content
    while left and len(found) <= ARTICLE_BYTES:
        try:
            found += unpack.decompress(left, ARTICLE_BYTES + 1 - len(found))
        except zlib.error:
            return found or content
        left = unpack.unconsumed_tail
        if unpack.eof:  # another member may follow
            left, unpack = unpack.unused_data, zlib.decompressobj(wbits=wbits)
    return found


def _brotli(content: bytes) -> bytes:
    import brotli  # type: ignore[import-untyped]  # 1 ms; comes with Gradio

    unpack = brotli.Decompressor()
    found, data = b"", content
    try:
        while not unpack.is_finished() and len(found) <= ARTICLE_BYTES:
            piece = unpack.process(data, output_buffer_limit=2**20)
            if not piece and unpack.can_accept_more_data():
                break  # truncated
            found, data = found + piece, b""
    except brotli.error:
        return found or content
    return found


_UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
}
