"""HTTP transport: verified addresses only, request deadlines, bounded decompression."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Collection, Iterable
from threading import Event
from typing import Any

import httpcore2
import httpx2

from ingest.fetch.errors import FetchError, StoppedError
from ingest.fetch.ssrf import Resolve, resolve, resolve_public

_AWAKE = 0.5  # seconds that a wait lasts before it is seen whether the user wants it to stop


class Deadline:
    """By when a request must be done; a server that sends a byte now and then does not move it."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._end = 0.0
        self._seconds = 0.0

    def begin(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def within(self, wait: Callable[[float], bytes]) -> bytes:
        """Return what `wait` gives, called for a moment at a time until the deadline."""
        while True:
            left = self.left()
            try:
                return wait(min(left, _AWAKE))
            except httpcore2.ReadTimeout:
                continue

    def left(self) -> float:
        """Return the seconds that are left; raises FetchError or StoppedError where none are."""
        if self._stop.is_set():
            raise StoppedError
        left = self._end - time.monotonic()
        if left <= 0:
            raise FetchError(f"took longer than {self._seconds:g} s", lasting=False)
        return left


class CheckedBackend(httpcore2.NetworkBackend):
    """Connects by TCP to the address that was checked, never to a name."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        allowed: Collection[str] = (),
        resolve: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._deadline = deadline
        self._allowed = allowed
        self._resolve = resolve
        self._network = network or httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failed: Exception = FetchError(f"{host} has no address", lasting=False)
        for address in resolve_public(host, port, allowed=self._allowed, resolve=self._resolve):
            try:
                stream = self._network.connect_tcp(
                    address, port, self._deadline.left(), local_address, socket_options
                )
                return _Bounded(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


class _Bounded(httpcore2.NetworkStream):
    """A connection, each of whose waits ends with the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._deadline.within(lambda seconds: self._stream.read(max_bytes, seconds))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left()
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedTransport(httpx2.HTTPTransport):
    """httpx's transport over a backend of ours, for which it has no argument."""

    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=10,
            keepalive_expiry=15.0,
            network_backend=backend,
        )


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
