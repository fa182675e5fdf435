"""Requests to a server's API, repeated where that is safe; its problems as Backfile's errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2

from rag import errors
from rag.errors import BackfileError, InvalidValueError, RemoteError

CONNECT_SECONDS = 10.0
RETRIES = 4  # after the first try
FIRST_PAUSE = 0.5  # seconds; doubled at each try
LONGEST_PAUSE = 30.0  # seconds; a server that asks for more is busy, and the caller is told
_AGAIN = (429, 502, 503)  # the request was not worked on
_INVALID = ("invalid-request", "invalid-value", "invalid-cursor")


class MissingError(RemoteError):
    """The server has nothing at an address."""


class Connection:
    """Connection to one server; threads may share it.

    Every request may be repeated without harm (it reads, withdraws or reinstates), so that a lost
    connection is no reason not to send it again.
    """

    def __init__(
        self, address: str, token: str, timeout: float, transport: httpx2.BaseTransport | None
    ) -> None:
        """Connect at the first request.

        Args:
            address: The server's, such as `https://archive.paper.example`.
            token: A token; "" for none.
            timeout: Longest pause of an answer, in seconds.
            transport: Replaces the network in tests.

        Raises:
            InvalidValueError: The address isn't one of http or https.
        """
        split = urlsplit(address)
        if split.scheme not in ("http", "https") or not split.hostname or split.query:
            raise InvalidValueError(
                f"address is {address!r}. Write the address of a server: http://localhost:7860.",
                code="remote_address",
                address=address,
            )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = address.rstrip("/").removesuffix("/v1")
        self.address = base
        self._seconds = timeout
        self._client = httpx2.Client(
            base_url=f"{base}/v1/",
            headers=headers,
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of an address, below `/v1/`; empty values of the query are left out."""
        given = {name: value for name, value in query.items() if value not in (None, "", [])}
        return self._json("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, Any], *, seconds: float = 0.0) -> dict[str, Any]:
        """Return the JSON that answers a body; wait for it at least so many seconds."""
        timeout = httpx2.Timeout(max(self._seconds, seconds), connect=CONNECT_SECONDS)
        return self._json("POST", path, json=body, timeout=timeout)

    def delete(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON that answers the deletion of an address."""
        return self._json("DELETE", path, params={n: v for n, v in query.items() if v})

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the server-sent events that answer a body: names and values.

        Raises:
            RemoteError: The stream ended without its last event.
        """
        response = self._send("POST", path, json=body, accept="text/event-stream", stream=True)
        left = ""
        try:
            for part in response.iter_text():
                *whole, left = (left + part).split("\n\n")
                for one in whole:
                    event = _event(one)
                    if event is not None:
                        yield event
        except httpx2.HTTPError as error:
            raise _unreachable(self.address, error) from error
        finally:
            response.close()

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._send(method, path, accept="application/json", stream=False, **request)
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise RemoteError(
                f"{self.address} answered without JSON: is it a Backfile server's address?",
                code="remote_other_server",
                address=self.address,
            )
        return value

    def _send(
        self, method: str, path: str, *, accept: str, stream: bool, **request: Any
    ) -> httpx2.Response:
        """Return a successful response; send the request again after a pause if it wasn't read."""
        pause = FIRST_PAUSE
        for tries_left in range(RETRIES, -1, -1):
            sent = self._client.build_request(method, path, headers={"Accept": accept}, **request)
            try:
                response = self._client.send(sent, stream=stream)
            except httpx2.TransportError as error:
                if not tries_left or isinstance(error, httpx2.ReadTimeout):
                    raise _unreachable(self.address, error) from error
            else:
                if response.is_success:
                    return response
                wait = max(pause, _retry_after(response))
                if not tries_left or response.status_code not in _AGAIN or wait > LONGEST_PAUSE:
                    raise _error_of(response, self.address)
                response.close()
                pause = wait
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")


def _event(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return the name and value of an event; None for a comment."""
    fields = dict(line.partition(": ")[::2] for line in text.split("\n") if line)
    if "event" not in fields:
        return None
    return fields["event"], json.loads(fields.get("data", "{}"))


def _retry_after(response: httpx2.Response) -> float:
    given = response.headers.get("retry-after", "")
    return float(given) if given.isdecimal() and len(given) < 6 else 0.0


def _unreachable(address: str, error: Exception) -> RemoteError:
    return RemoteError(
        f"Cannot reach {address}: {str(error) or type(error).__name__}. "
        "Check the address, and that `backfile serve` runs there.",
        code="remote_unreachable",
        address=address,
    )


def _error_of(response: httpx2.Response, address: str) -> BackfileError:
    """Return the error of an unsuccessful response, and close it."""
    problem: Any = None
    try:
        response.read()
        with suppress(ValueError):
            problem = response.json()
    except httpx2.HTTPError as error:
        return _unreachable(address, error)
    finally:
        response.close()
    if not isinstance(problem, dict) or "detail" not in problem:
        return RemoteError(
            f"{address} answered {response.status_code}. Is it a Backfile server?",
            code="remote_other_server",
            address=address,
        )
    return error_of_problem(problem)


def error_of_problem(problem: Mapping[str, Any]) -> BackfileError:
    """Return the error that a server's problem tells: of the class that the server raised.

    Args:
        problem: The problem's members (RFC 9457).
    """
    detail = str(problem.get("detail", ""))
    raised = getattr(errors, str(problem.get("error", "")), None)
    if isinstance(raised, type) and issubclass(raised, BackfileError):
        return raised(detail)
    if str(problem.get("type", "")).rpartition(":")[2] in _INVALID:
        return InvalidValueError(detail)
    status = str(problem.get("status"))
    message = f"{status}: {detail}"
    if status == "404":
        return MissingError(message, code="remote_refused", status=status, detail=detail)
    return RemoteError(message, code="remote_refused", status=status, detail=detail)
