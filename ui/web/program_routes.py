"""Route of programs: `/v1` and `/mcp` go to applications of their own, past Gradio.

Mounting them beside Gradio would turn a wrong method (405) into a missing page (404).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.web.guard.request import IncomingRequest, Inner


class ProgramRoutes:
    """ASGI layer that passes requests of programs to the API, and all others on.

    Args:
        inner: Receives all other requests.
        api: Application behind `/v1`.
        mcp: Application behind `/mcp`, whose lifespan the host enters.
    """

    def __init__(self, inner: Inner, api: ASGIApp, mcp: ASGIApp) -> None:
        self._inner = inner
        self._api = api
        self._mcp = mcp

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        """Pass the request on."""
        if request.kind == "api":
            program = self._mcp if request.path.startswith("/mcp") else self._api
            await program(scope, receive, send)
        else:
            await self._inner(scope, receive, send, request)
