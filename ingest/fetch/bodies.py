"""The body of a response, unpacked, and never more of it than was asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from ingest.fetch.errors import FetchError

ENCODINGS = "gzip"  # what is asked for: the one whose unpacking can be bounded byte by byte


def read_body(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """Return what `chunks` hold, unpacked; raises FetchError as soon as it is above `limit`.

    A packed page is unpacked a little at a time: a bomb never stands in memory.
    """
    encoding = encoding.strip().casefold()
    if encoding in ("gzip", "x-gzip"):
        chunks = _unpacked(chunks, limit)
    elif encoding not in ("", "identity"):
        raise FetchError(f"sent packed in a way that was not asked for: {encoding[:40]}")
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise too_long(limit)
    return bytes(body)


def too_long(limit: int) -> FetchError:
    return FetchError(f"longer than {limit:,} bytes: BACKFILE_FETCH_BYTES sets how long it may be")


def _unpacked(chunks: Iterable[bytes], limit: int) -> Iterable[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    whole = True  # nothing is, too
    try:
        for chunk in chunks:
            while chunk:
                yield unpack.decompress(chunk, limit + 1)
                whole = unpack.eof
                chunk = unpack.unconsumed_tail
                if whole:  # another member may follow
                    chunk, unpack = unpack.unused_data, zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise FetchError(f"damaged: {error}", lasting=False) from error
    if not whole:
        raise FetchError("damaged: it ends before it is whole", lasting=False)
