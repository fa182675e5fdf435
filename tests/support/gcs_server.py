"""A server with the read half of Google Cloud Storage's JSON API, as a process of its own.

Google's client holds Python's lock while it closes a file, so a server in the same process hangs.

    python -m tests.support.gcs_server < OBJECTS.json    # prints its port
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "press"
_WRITTEN = "2024-01-01T00:00:00Z"
OBJECTS: dict[str, str] = {}


@contextmanager
def serve_gcs(objects: dict[str, str]) -> Iterator[str]:
    """Yield the address of a server whose bucket "press" has these objects."""
    command = [sys.executable, "-m", "tests.support.gcs_server"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(objects))
            process.stdin.close()
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        bucket, _, key = parts.path.removeprefix("/storage/v1/b/").partition("/o")
        key = unquote(key.removeprefix("/"))
        if bucket != BUCKET or (key and key not in OBJECTS):
            self._send(404, b"{}")
        elif key and query.get("alt") == "media":
            self._send_content(OBJECTS[key].encode())
        elif key:
            self._send(200, json.dumps(_metadata(key)).encode())
        elif parts.path.endswith("/o"):
            self._send(200, json.dumps(_listing(query)).encode())
        else:
            bucket_itself = {"name": BUCKET, "timeCreated": _WRITTEN, "updated": _WRITTEN}
            self._send(200, json.dumps(bucket_itself).encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _send_content(self, content: bytes) -> None:
        asked = self.headers.get("Range", "")
        if not asked:
            self._send(200, content)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last) + 1, len(content)) if last else len(content)
        shown = f"bytes {first}-{end - 1}/{len(content)}"
        self._send(206, content[int(first) : end], {"Content-Range": shown})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        named = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**named, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _metadata(key: str) -> dict[str, Any]:
    size = str(len(OBJECTS[key].encode()))
    stamps = {"generation": "1", "updated": _WRITTEN, "timeCreated": _WRITTEN}
    return {"kind": "storage#object", "name": key, "bucket": BUCKET, "size": size, **stamps}


def _listing(query: dict[str, str]) -> dict[str, Any]:
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    items, prefixes = [], set()
    for key in sorted(key for key in OBJECTS if key.startswith(prefix)):
        first, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if cut:
            prefixes.add(prefix + first + delimiter)
        else:
            items.append(_metadata(key))
    return {"kind": "storage#objects", "items": items, "prefixes": sorted(prefixes)}


if __name__ == "__main__":
    OBJECTS.update(json.loads(sys.stdin.read()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
