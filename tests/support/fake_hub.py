"""A model hub on the loopback address that speaks the protocol of the Hugging Face Hub.

It answers what `huggingface_hub` asks to fetch a model: its revision with the sizes and hashes of
its files, the tree of a commit, and the files themselves, with ranges.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = ".safetensors"  # stored with LFS: its hash is announced


@dataclass
class Repository:
    """A model: its commits, the newest one, and what its page states."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    newest: str = ""
    licence: str = "mit"
    gated: bool = False

    def commit(self, files: dict[str, bytes], sha: str = "") -> str:
        """Add a commit with these files, and return its hash."""
        made = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.newest = sha or made
        self.commits[self.newest] = dict(files)
        return self.newest


class FakeHub:
    """Repositories by name, and the ways in which they can fail.

    Attributes:
        repositories: The models.
        cut: Bytes after which a file's connection breaks, by its path, as often as listed.
        missing: Paths of files that are announced, but not there.
        changed: Contents that come instead of the announced ones, by path.
        status: The status of every answer, if it isn't 0.
        requests: Methods, paths and ranges of all requests.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.repositories: dict[str, Repository] = {}
        self.cut: dict[str, list[int]] = {}
        self.missing: set[str] = set()
        self.changed: dict[str, bytes] = {}
        self.status = 0
        self.requests: list[tuple[str, str, str]] = []

    def add(self, name: str, files: dict[str, bytes], sha: str = "", **stated: Any) -> Repository:
        """Add a model with one commit."""
        repository = Repository(**stated)
        repository.commit(files, sha)
        self.repositories[name] = repository
        return repository

    def fetched(self) -> list[str]:
        """Return the paths of the files that were read, not only asked about."""
        return [
            path for method, path, _ in self.requests if method == "GET" and "/resolve/" in path
        ]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def serve_hub() -> Iterator[FakeHub]:
    """Run a hub until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        hub = server.hub = FakeHub(f"http://127.0.0.1:{server.server_port}")
        running = threading.Thread(target=server.serve_forever, args=(0.01,))
        running.start()
        try:
            yield hub
        finally:
            server.shutdown()
            running.join()


class _Server(ThreadingHTTPServer):
    hub: FakeHub

    def handle_error(self, *_: object) -> None:
        """Print nothing: connections break on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _answer(self) -> None:
        hub = self.server.hub
        path = unquote(urlsplit(self.path).path)
        hub.requests.append((self.command, path, self.headers.get("Range", "")))
        if hub.status:
            self._send(hub.status, b"{}")
            return
        for pattern, act in (
            (r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", self._info),
            (r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", self._tree),
            (r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self._file),
        ):
            if match := re.fullmatch(pattern, path):
                act(*match.groups())
                return
        self._send(404, b"{}")

    def _commit(self, name: str, revision: str | None) -> tuple[str, dict[str, bytes]] | None:
        """Return a commit's hash and files; respond with an error for a missing one."""
        repository = self.server.hub.repositories.get(name)
        if repository is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return None
        if repository.gated:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
            return None
        sha = repository.newest if revision in (None, "main") else str(revision)
        if sha not in repository.commits:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return None
        return sha, repository.commits[sha]

    def _info(self, name: str, revision: str | None) -> None:
        if found := self._commit(name, revision):
            sha, files = found
            licence = self.server.hub.repositories[name].licence
            value = {
                "id": name,
                "sha": sha,
                "tags": [f"license:{licence}"] if licence else [],
                "siblings": [_sibling(path, body) for path, body in files.items()],
            }
            self._send(200, json.dumps(value).encode())

    def _tree(self, name: str, revision: str) -> None:
        if found := self._commit(name, revision):
            value = [
                {"type": "file", "path": path, "size": len(body), "oid": _oid(body)}
                | ({"lfs": _lfs(body)} if path.endswith(LARGE) else {})
                for path, body in found[1].items()
            ]
            self._send(200, json.dumps(value).encode())

    def _file(self, name: str, revision: str, path: str) -> None:
        found = self._commit(name, revision)
        if not found:
            return
        hub = self.server.hub
        sha, files = found
        if path not in files or path in hub.missing:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        body = hub.changed.get(path, files[path])
        announced = hashlib.sha256(files[path]).hexdigest()
        headers = {
            "X-Repo-Commit": sha,
            "ETag": f'"{announced if path.endswith(LARGE) else _oid(files[path])}"',
            "Accept-Ranges": "bytes",
        }
        first = int((re.search(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        cuts = hub.cut.get(path, [])
        keep = cuts.pop(0) if cuts and self.command == "GET" else None
        self._send(206 if first else 200, body[first:], headers, keep=keep)

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        keep: int | None = None,
    ) -> None:
        """Answer; with `keep`, break the connection after as many bytes."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body if keep is None else body[:keep])
        if keep is not None:
            self.wfile.flush()
            self.close_connection = True


def _sibling(path: str, body: bytes) -> dict[str, Any]:
    lfs = {"lfs": _lfs(body)} if path.endswith(LARGE) else {}
    return {"rfilename": path, "size": len(body), "blobId": _oid(body), **lfs}


def _lfs(body: bytes) -> dict[str, Any]:
    # the tree names the hash "oid", a model's siblings name it "sha256"
    digest = hashlib.sha256(body).hexdigest()
    return {"oid": digest, "sha256": digest, "size": len(body), "pointerSize": 134}


def _oid(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
