"""Client of a Chroma server's HTTP API (version 2), with deadlines and checked answers.

Chroma's own client has no timeout, follows the server's errors into tracebacks and takes 0.7 s to
import. What a server sends is untrusted: sizes are bounded, and every value is checked here. A
redirect is an error, so that the token reaches no other host.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import numpy as np

from rag.errors import VectorServerError
from rag.index.server_address import ServerAddress, check_address
from rag.store.passages import Numbers, Vectors

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 2.0  # a server that is there accepts within milliseconds
WRITE_SECONDS = 120.0  # a batch of 300 takes 0.2 s; on an overloaded machine it took 10 s
ANSWER_BYTES = 64 * 2**20  # 5,000 vectors of 1,024 dimensions as JSON
CONNECTIONS = 32
PAGE = 100  # collections per listing
LOWEST, HIGHEST = -0.01, 2.01  # cosine distances, with float32's rounding


class CollectionMissingError(VectorServerError):
    """The server has no collection of this name or id."""


class QueryRefusedError(VectorServerError):
    """The server failed to answer one query, as for an id that it doesn't have."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection on the server.

    Attributes:
        id: The server's id, which changes if the collection is deleted and created again.
        name: Its name.
        dimension: Length of its vectors; 0 while it is empty.
        space: Its distance: "cosine", "l2" or "ip"; "" if the server doesn't say.
        metadata: Its metadata that are text.
    """

    id: str
    name: str
    dimension: int
    space: str
    metadata: Mapping[str, str]


class ChromaClient:
    """Connection to one server; threads may share it. It connects at the first request."""

    def __init__(
        self, address: ServerAddress, transport: httpx2.BaseTransport | None = None
    ) -> None:
        """Prepare the connection.

        Args:
            address: The server's address.
            transport: Replaces the network in tests.

        Raises:
            SettingsError: The address isn't one.
        """
        import httpx2  # 0.1 s: only with a server

        check_address(address.url)
        self.address, split = address, urlsplit(address.url)
        headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
        self._base = f"{address.url.rstrip('/')}/api/v2"
        tenant, database = quote(address.tenant, safe=""), quote(address.database, safe="")
        self._database = f"{self._base}/tenants/{tenant}/databases/{database}"
        self._client = httpx2.Client(
            headers={
                **headers,
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",  # a compressed answer may expand without end
            },
            follow_redirects=False,
            trust_env=False,  # no proxy and no .netrc may see the token
            verify=httpx2.create_ssl_context()
            if split.scheme == "https"
            else True,  # SSL_CERT_FILE
            timeout=httpx2.Timeout(address.seconds, connect=min(CONNECT_SECONDS, address.seconds)),
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=16),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check_alive(self) -> None:
        """Raise VectorServerError unless the server answers."""
        answer = self._json("GET", f"{self._base}/heartbeat")
        if not isinstance(answer, dict) or "nanosecond heartbeat" not in answer:
            raise self._error("it isn't a Chroma server of version 1 or newer")

    # collections

    def collection(self, name: str) -> Collection:
        """Return a collection; raise CollectionMissingError if it is missing."""
        return self._collection(self._json("GET", self._at(name)), name)

    def create(
        self, name: str, *, ef_search: int, metadata: Mapping[str, str] | None = None
    ) -> Collection:
        """Return a collection by cosine, created if it is missing."""
        body = {
            "name": name,
            "get_or_create": True,
            "configuration": {"hnsw": {"space": "cosine", "ef_search": ef_search}},
            "metadata": dict(metadata) if metadata else None,
        }
        return self._collection(self._json("POST", self._at(), body, WRITE_SECONDS), name)

    def set_metadata(self, collection: Collection, metadata: Mapping[str, str]) -> None:
        """Replace a collection's metadata."""
        body = {"new_metadata": dict(metadata)}
        self._json("PUT", self._at(collection.id), body, WRITE_SECONDS)

    def delete_collection(self, name: str) -> None:
        """Delete a collection; a missing one is ignored."""
        with suppress(CollectionMissingError):
            self._json("DELETE", self._at(name), seconds=WRITE_SECONDS)

    def names(self, prefix: str) -> set[str]:
        """Return the names of all collections that begin with `prefix`."""
        found: set[str] = set()
        for offset in range(0, 100 * PAGE * PAGE, PAGE):
            page = self._json("GET", f"{self._at()}?limit={PAGE}&offset={offset}")
            if not isinstance(page, list):
                raise self._error("its list of collections isn't a list")
            names = {one["name"] for one in page if isinstance(one, dict) and "name" in one}
            found |= {str(name) for name in names if str(name).startswith(prefix)}
            if len(page) < PAGE:
                break
        return found

    def _collection(self, answer: Any, name: str) -> Collection:
        if not isinstance(answer, dict) or answer.get("name") != name:
            raise self._error("its answer describes another collection")
        hnsw = _as_dict(_as_dict(answer.get("configuration_json")).get("hnsw"))
        metadata, dimension = _as_dict(answer.get("metadata")), answer.get("dimension")
        return Collection(
            id=str(answer.get("id", "")),
            name=name,
            dimension=dimension if isinstance(dimension, int) else 0,
            space=str(hnsw.get("space", "")),
            metadata={str(k): v for k, v in metadata.items() if isinstance(v, str)},
        )

    # records

    def count(self, collection: Collection) -> int:
        """Return the number of records."""
        answer = self._json("GET", f"{self._at(collection.id)}/count")
        if type(answer) is not int or answer < 0:
            raise self._error("its count isn't a number")
        return answer

    def upsert(self, collection: Collection, numbers: Numbers, vectors: Vectors) -> None:
        """Write passages; those that are there are replaced."""
        self.write(collection, [str(number) for number in numbers.tolist()], vectors)

    def write(self, collection: Collection, ids: Sequence[str], vectors: Vectors) -> None:
        """Write records of any ids; those that are there are replaced."""
        rows = np.ascontiguousarray(vectors, "<f4")
        body = {
            "ids": list(ids),
            "embeddings": [base64.b64encode(row.tobytes()).decode() for row in rows],
        }
        self._json("POST", f"{self._at(collection.id)}/upsert", body, WRITE_SECONDS)

    def delete(self, collection: Collection, ids: Sequence[str]) -> None:
        """Delete records; missing ones are ignored."""
        self._json("POST", f"{self._at(collection.id)}/delete", {"ids": list(ids)}, WRITE_SECONDS)

    def ids(self, collection: Collection, limit: int, offset: int) -> list[str]:
        """Return a page of the ids of all records."""
        body = {"include": [], "limit": limit, "offset": offset}
        return self._ids(self._json("POST", f"{self._at(collection.id)}/get", body, WRITE_SECONDS))

    def vectors(self, collection: Collection, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors of those of these records that are there, and their numbers."""
        ids = [str(number) for number in numbers.tolist()]
        body = {"ids": ids, "include": ["embeddings"], "limit": len(ids)}
        answer = self._json("POST", f"{self._at(collection.id)}/get", body, WRITE_SECONDS)
        found = [one for one in self._ids(answer) if one in set(ids)]
        try:
            rows = np.array(answer["embeddings"] or [], np.float32)
        except (TypeError, ValueError, KeyError) as error:
            raise self._error("its vectors aren't numbers") from error
        if len(rows) != len(found) or (len(rows) and rows.ndim != 2):
            raise self._error("its vectors don't match their ids")
        held = np.array([int(one) for one in found], np.int64)
        return held, rows.reshape(len(held), -1) if len(held) else np.empty((0, 0), np.float32)

    def nearest(
        self, collection: Collection, vector: bytes, k: int, among: Numbers | None
    ) -> list[tuple[int, float]]:
        """Return the nearest records with their cosine, best first; see `query_vector`.

        Raises:
            QueryRefusedError: The server can't answer, as for a number that it doesn't have.
        """
        asked = "" if among is None else f',"ids":{json.dumps([str(n) for n in among.tolist()])}'
        rest = f'],"n_results":{k},"include":["distances"]{asked}}}'
        body = b'{"query_embeddings":[' + vector + rest.encode()
        answer = self._json("POST", f"{self._at(collection.id)}/query", body)
        try:
            (ids,), (distances,) = answer["ids"], answer["distances"]
            pairs = list(zip(ids, distances, strict=True))
            found = [(int(one), float(distance)) for one, distance in pairs if _is_number(one)]
        except (TypeError, ValueError, KeyError) as error:
            raise self._error("its results aren't records with distances") from error
        if len(pairs) > k or not all(
            math.isfinite(distance) and LOWEST <= distance <= HIGHEST for _, distance in found
        ):
            raise self._error("its distances aren't those of cosines")
        allowed = None if among is None else set(among.tolist())
        return [(n, 1.0 - d) for n, d in found if allowed is None or n in allowed]

    def _ids(self, answer: Any) -> list[str]:
        ids = answer.get("ids") if isinstance(answer, dict) else None
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise self._error("its ids aren't a list of texts")
        return ids

    # requests

    def _at(self, collection: str = "") -> str:
        part = f"/{quote(collection, safe='')}" if collection else ""
        return f"{self._database}/collections{part}"

    def _json(self, method: str, url: str, body: Any = None, seconds: float | None = None) -> Any:
        """Return the JSON that answers a request, within its time and size.

        Args:
            method: The HTTP method.
            url: The whole address.
            body: A value, or JSON as bytes.
            seconds: The longest time in all; None for a search's.

        Raises:
            VectorServerError: The server can't be reached, is too slow or answers nonsense.
        """
        import httpx2

        seconds = self.address.seconds if seconds is None else seconds
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        until = time.monotonic() + seconds
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        try:
            with self._client.stream(method, url, content=content, timeout=timeout) as response:
                received = bytearray()
                for part in response.iter_bytes():
                    received += part
                    if len(received) > ANSWER_BYTES:
                        raise self._error("its answer is too large")
                    if time.monotonic() > until:
                        raise self._error(f"it took longer than {seconds:g} seconds")
                status = response.status_code
        except httpx2.TimeoutException as error:
            raise self._error(f"it took longer than {seconds:g} seconds") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RuntimeError) as error:  # closed
            raise self._error(_cause(error)) from error
        if status >= 300:
            raise self._refusal(status, bytes(received))
        try:
            return json.loads(received) if received else None
        except (ValueError, RecursionError) as error:
            raise self._error("its answer isn't JSON: is it a Chroma server?") from error

    def _refusal(self, status: int, body: bytes) -> VectorServerError:
        """Return the error of an unsuccessful answer; the server's words are shortened."""
        if 300 <= status < 400:
            return self._error(f"it redirects (status {status}): set the address it redirects to")
        if status in (401, 403):
            return self._error(f"it refuses access (status {status}): check BACKFILE_CHROMA_TOKEN")
        try:
            answer = json.loads(body)
            name, message = str(answer["error"]), str(answer["message"])
        except (ValueError, KeyError, TypeError):
            return self._error(f"it answered with status {status}")
        if status == 404 and name == "NotFoundError" and "ollection" in message:
            return CollectionMissingError(f"{self.address.url} lacks a collection")
        cause = " ".join("".join(c if c.isprintable() else " " for c in message[:200]).split())
        if status == 500 or name == "InvalidArgumentError":
            return QueryRefusedError(f"{self.address.url} refused a request: {cause}")
        return self._error(f"it answered with status {status} ({cause})")

    def _error(self, cause: str) -> VectorServerError:
        return VectorServerError(f"the vector server {self.address.url} can't be used: {cause}")


def query_vector(vector: Vectors) -> bytes:
    """Return a vector as JSON, to be sent to several collections."""
    return json.dumps([float(x) for x in np.asarray(vector, np.float32)]).encode()


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(one: Any) -> bool:
    """Return True for the id of a passage: a foreign record may have any id."""
    return isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 19


def _cause(error: Exception) -> str:
    line = str(error).partition("\n")[0][:200]
    return line or type(error).__name__
