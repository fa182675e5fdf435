"""Checks of a request's reader: who they are, and whether they may use the route."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from ui.web.authentication import CredentialsError
from ui.web.guard.request import IncomingRequest, RejectedRequestError

if TYPE_CHECKING:
    from starlette.types import Scope

    from ui.accounts.audit import AuditLog
    from ui.readers import Reader
    from ui.web.authentication import Authentication
    from ui.web.guard.hosts import AllowedHosts
    from ui.web.quota import Bucket

OPEN_PATHS = ("/v1/livez", "/v1/readyz")  # for load balancers, which don't log in


class ReaderChecks:
    """Finds the reader of a request, and rejects what they may not do.

    Args:
        authentication: The users, and the rules for an archive without any.
        hosts: Trusted proxies.
        audit: Log of requests that are denied.
        failed_tokens: Limit on wrong tokens.
    """

    def __init__(
        self,
        authentication: Authentication,
        hosts: AllowedHosts,
        audit: AuditLog,
        failed_tokens: Bucket,
    ) -> None:
        self._authentication = authentication
        self._hosts = hosts
        self._audit = audit
        self._failed_tokens = failed_tokens

    async def identify(self, scope: Scope, request: IncomingRequest) -> IncomingRequest:
        """Return the request with its reader; raise RejectedRequestError if it needs another."""
        peer, headers = request.peer, request.headers
        access, users = self._authentication.write_access, self._authentication
        if users.accounts.is_remote:  # a record's server may not answer
            needs_login = await asyncio.to_thread(lambda: users.needs_login)
        else:
            needs_login = users.needs_login
        if not needs_login:
            may_write = access.may_write(peer, headers)
            reader: Reader | None = access.local_reader(peer, headers)
        else:
            reader = await asyncio.to_thread(self._find_reader, scope, request)
            if reader is not None and access.writers == "none":
                reader = replace(reader, scopes=reader.scopes - {"ingest"})
            # The view of the archive names every article, so it takes the rights to all of them.
            may_write = (
                reader is not None and reader.may("ingest") and reader.rights.sees_everything
            )
            self._check_reader(request, reader)
        if request.kind == "upload" and not may_write:
            raise RejectedRequestError(403, "You do not have permission to change this archive.")
        return replace(request, may_write=may_write, reader=reader)

    def _find_reader(self, scope: Scope, request: IncomingRequest) -> Reader | None:
        """Return who sends a request to an archive with users; None if they have to log in."""
        peer, headers = request.peer, request.headers
        secure = self.is_secure(request)
        try:
            return self._authentication.reader(peer, scope["headers"], headers, secure=secure)
        except CredentialsError as error:
            if error.status == 401 and not self._failed_tokens.take(request.client):
                raise RejectedRequestError(
                    429,
                    "Too many invalid tokens. Wait a minute, then try again.",
                    kind="too-many-requests",
                    headers={"retry-after": "60"},
                ) from None
            why = {"path": request.path, "why": error.message}
            self._audit.record(None, "denied", client=request.client, **why)
            if error.status == 401:
                raise _unauthenticated(error.message) from None
            raise RejectedRequestError(error.status, error.message, kind="no-account") from None

    def _check_reader(self, request: IncomingRequest, reader: Reader | None) -> None:
        """Raise RejectedRequestError unless a reader may use the route, which is not of a feed."""
        if request.kind in ("login", "feed") or request.path in OPEN_PATHS:
            return
        if reader is None:
            if request.kind in ("page", "article"):
                return  # the login page
            raise _unauthenticated(
                "Log in, or send a token in the header Authorization: Bearer bf_..."
            )
        if request.kind in ("part", "stream", "call", "upload") and not reader.may("read"):
            raise RejectedRequestError(403, "You may not read this archive.", kind="scope-missing")

    def is_secure(self, request: IncomingRequest) -> bool:
        """Return whether a browser sent the request by https, to a proxy in front of the server."""
        if self._hosts.is_proxy(request.peer) or self._authentication.proxy.is_trusted(
            request.peer
        ):
            return request.headers.get("x-forwarded-proto") == "https"
        return False


def _unauthenticated(message: str) -> RejectedRequestError:
    return RejectedRequestError(
        401, message, kind="not-authenticated", headers={"www-authenticate": "Bearer"}
    )
