"""An S3 server on the loopback address, with buckets in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS_KEY, SECRET_KEY = "AKIDHARBOUR", "harbour-courier-secret"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_REGION": "eu-north-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class StoredObject:
    """An object's content, and the seconds since 1970 at which it was written."""

    content: bytes
    modified: float = 1_700_000_000.0


@dataclass(frozen=True)
class S3Request:
    """A request: HEAD or GET, its bucket, key, query and range."""

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    range: str


@dataclass
class S3Server:
    """The `buckets`, the `requests` that came, and the size of a page of a listing.

    `before` is called with each request, and may change a bucket or return an error's status and
    code, such as (403, "AccessDenied").
    """

    address: str
    buckets: dict[str, dict[str, StoredObject]] = field(default_factory=dict)
    requests: list[S3Request] = field(default_factory=list)
    page_size: int = 1_000
    before: Callable[[S3Request], tuple[int, str] | None] = lambda _: None

    def put(self, bucket: str, key: str, content: str | bytes, modified: float = 1.7e9) -> None:
        """Store an object, in place of an earlier one."""
        data = content.encode() if isinstance(content, str) else content
        self.buckets.setdefault(bucket, {})[key] = StoredObject(data, modified)

    def gets(self, key: str) -> list[S3Request]:
        """Return the requests for an object's content."""
        return [one for one in self.requests if one.method == "GET" and one.key == key]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Print nothing: clients hang up on purpose."""


@contextmanager
def serve_s3() -> Iterator[S3Server]:
    """Run a server until the block ends."""

    class Handler(_Handler):
        server_state: S3Server

    server = _Server(("127.0.0.1", 0), Handler)
    state = S3Server(f"http://127.0.0.1:{server.server_port}")
    Handler.server_state = state
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: S3Server

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = parts.path[1:].partition("/")
        query = {
            name: values[0]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        request = S3Request(
            self.command, unquote(bucket), unquote(key), query, self.headers.get("Range", "")
        )
        state = self.server_state
        state.requests.append(request)
        if failed := state.before(request):
            self._fail(*failed)
        elif f"Credential={ACCESS_KEY}/" not in self.headers.get("Authorization", ""):
            given = self.headers.get("Authorization", "none")
            self._fail(403, "InvalidAccessKeyId", f"unknown key in {given}")
        elif request.bucket not in state.buckets:
            self._fail(404, "NoSuchBucket")
        elif not request.key:
            self._answer_for_bucket(request, state.buckets[request.bucket])
        elif request.key not in state.buckets[request.bucket]:
            self._fail(404, "NoSuchKey")
        else:
            self._send_object(request, state.buckets[request.bucket][request.key])

    def _answer_for_bucket(self, request: S3Request, bucket: dict[str, StoredObject]) -> None:
        if request.method == "HEAD":
            self._send(200, b"")
        elif request.query.get("list-type") == "2":
            self._send(200, _listing(request, bucket, self.server_state.page_size).encode())
        else:
            self._fail(400, "InvalidRequest")

    def _send_object(self, request: S3Request, stored: StoredObject) -> None:
        size, headers = len(stored.content), _object_headers(stored)
        if not request.range:
            self._send(200, stored.content, headers)
            return
        first, _, last = request.range.removeprefix("bytes=").partition("-")
        if int(first) >= size:
            self._fail(416, "InvalidRange")
            return
        end = min(int(last) + 1, size) if last else size
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
        self._send(206, stored.content[int(first) : end], headers)

    def _fail(self, status: int, code: str, message: str = "") -> None:
        body = (
            f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        )
        self._send(status, f"{body}</Error>".encode(), {"Content-Type": "application/xml"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "application/xml"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _object_headers(stored: StoredObject) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Last-Modified": formatdate(stored.modified, usegmt=True),
        "ETag": f'"{md5(stored.content, usedforsecurity=False).hexdigest()}"',
        "Accept-Ranges": "bytes",
    }


def _listing(request: S3Request, bucket: dict[str, StoredObject], page_size: int) -> str:
    """Return a page of ListObjectsV2: keys in order, and common prefixes in place of folders."""
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    after = request.query.get("continuation-token", "")
    entries: dict[str, StoredObject | None] = {}
    for key in sorted(key for key in bucket if key.startswith(prefix)):
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            entries[prefix + rest.partition(delimiter)[0] + delimiter] = None
        else:
            entries[key] = bucket[key]
    waiting = [name for name in entries if name > after]
    shown = waiting[: min(page_size, int(request.query.get("max-keys", "1000")))]
    encode = _url_encoded if request.query.get("encoding-type") == "url" else _xml_text
    lines = [_entry(name, entries[name], encode) for name in shown]
    is_cut = len(shown) < len(waiting)
    token = (
        f"<NextContinuationToken>{_xml_text(shown[-1])}</NextContinuationToken>" if is_cut else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{request.bucket}</Name><KeyCount>{len(shown)}</KeyCount>"
        f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{token}{''.join(lines)}"
        "</ListBucketResult>"
    )


def _entry(name: str, stored: StoredObject | None, encode: Callable[[str], str]) -> str:
    if stored is None:
        return f"<CommonPrefixes><Prefix>{encode(name)}</Prefix></CommonPrefixes>"
    when = formatdate(stored.modified)
    return (
        f"<Contents><Key>{encode(name)}</Key><Size>{len(stored.content)}</Size>"
        f"<LastModified>{_iso(stored.modified)}</LastModified><!--{when}--></Contents>"
    )


def _iso(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _url_encoded(text: str) -> str:
    from urllib.parse import quote

    return quote(text)


def _xml_text(text: str) -> str:
    return "".join(f"&#{ord(c)};" if ord(c) < 32 else c for c in escape(text))
