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

_POLL_SECONDS = 0.5  # seconds between two checks whether the user stopped the run


class Deadline:
    """A deadline for a whole request; slow-drip responses don't extend it."""

    def __init__(self, stop: Event) -> None:
        """Create a deadline that `stop` ends early."""
        self._stop = stop
        self._end = 0.0
        self._seconds = 0.0

    def start(self, seconds: float) -> None:
        """Start the clock: the request must be done in `seconds`."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def run(self, wait: Callable[[float], bytes]) -> bytes:
        """Return the result of `wait`, called in short turns until the deadline."""
        while True:
            left = self.remaining()
            try:
                return wait(min(left, _POLL_SECONDS))
            except httpcore2.ReadTimeout:
                continue

    def remaining(self) -> float:
        """Return the seconds left.

        Raises:
            FetchError: The deadline has passed.
            StoppedError: The user stopped the run.
        """
        if self._stop.is_set():
            raise StoppedError
        left = self._end - time.monotonic()
        if left <= 0:
            raise FetchError(f"timed out after {self._seconds:g} s", lasting=False)
        return left


class CheckedBackend(httpcore2.NetworkBackend):
    """Network backend that connects to checked IP addresses, never to a name."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        allowed: Collection[str] = (),
        resolve: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        """Create a backend whose hosts may be private only if `allowed`."""
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
        """Connect to the first address of `host` that answers before the deadline."""
        failed: Exception = FetchError(f"{host} has no address", lasting=False)
        for address in resolve_public(host, port, allowed=self._allowed, resolve=self._resolve):
            try:
                stream = self._network.connect_tcp(
                    address, port, self._deadline.remaining(), local_address, socket_options
                )
                return _Bounded(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


class _Bounded(httpcore2.NetworkStream):
    """A network stream that ends with the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._deadline.run(lambda seconds: self._stream.read(max_bytes, seconds))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.remaining()
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedTransport(httpx2.HTTPTransport):
    """httpx2 transport over our own network backend."""

    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        """Create a transport; httpx2 takes no backend, so its pool is replaced."""
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=10,
            keepalive_expiry=15.0,
            network_backend=backend,
        )


ACCEPTED_ENCODINGS = "gzip"  # the only one we accept: its decompression can be bounded


def read_body(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """Return the decompressed content of `chunks`.

    Decompression is incremental, so a decompression bomb is never held in memory.

    Args:
        chunks: The raw response body.
        encoding: The Content-Encoding header.
        limit: Maximum decompressed size in bytes.

    Raises:
        FetchError: The body is too long, damaged, or in another encoding.
    """
    encoding = encoding.strip().casefold()
    if encoding in ("gzip", "x-gzip"):
        chunks = _decompress(chunks, limit)
    elif encoding not in ("", "identity"):
        raise FetchError(f"unsupported content encoding: {encoding[:40]}")
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise body_too_large(limit)
    return bytes(body)


def body_too_large(limit: int) -> FetchError:
    """Return the error for a body of more than `limit` bytes."""
    return FetchError(f"larger than {limit:,} bytes: raise BACKFILE_FETCH_BYTES to allow it")


def _decompress(chunks: Iterable[bytes], limit: int) -> Iterable[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    whole = True  # so is an empty body
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
        raise FetchError("damaged: the response is truncated", lasting=False)
