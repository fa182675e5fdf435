"""A request that passed the guard, and the error for one that didn't."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.readers import LOCAL_VISITOR, Reader
from ui.web import routes

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """Request that passed the guard.

    Attributes:
        method: HTTP method.
        path: Path of the URL.
        query: Query string, without its question mark.
        headers: Headers by their names in lower case.
        kind: Kind of the route.
        peer: Address of the sender, which may be a proxy.
        client: Quota key of the client; behind a trusted proxy, of the proxy's client.
        may_write: Whether the sender may change the archive.
        reader: The sender; None if they have to log in, and the route is open to everybody.
        body: Body of a call; empty for other kinds.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    kind: routes.Kind
    peer: str
    client: str
    may_write: bool
    reader: Reader | None = LOCAL_VISITOR
    body: bytes = b""


class RejectedRequestError(Exception):
    """Request that is not answered.

    Args:
        status: HTTP status.
        message: Text for the user.
        kind: The kind of problem, for programs.
        headers: Further headers, such as `Retry-After`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "rejected",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.headers = dict(headers or {})


Inner = Callable[["Scope", "Receive", "Send", IncomingRequest], Awaitable[None]]
