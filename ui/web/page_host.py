"""Place of the page in a server that answers programs before the page is built.

Importing Gradio and building the page takes four times as long as all that `/v1` needs. Until then
a browser gets a short page that reloads itself, and the page's other addresses answer 503.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from html import escape
from typing import TYPE_CHECKING

from ui.i18n import Texts, preferred_language, texts_in
from ui.web.asset_files import read_asset
from ui.web.guard.request import IncomingRequest, RejectedRequestError
from ui.web.guard.responses import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from ui.web.page import Page

RETRY_SECONDS = 1  # until a browser looks for the page again
OPEN_SECONDS = 60.0  # for Gradio to start within the server


class PageHost:
    """ASGI layer that passes requests on to the page, once there is one."""

    def __init__(self) -> None:
        self._page: Page | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """True once the page is shown."""
        return self._page is not None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the page be opened until the context ends; the server's lifespan enters this."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._end.set()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def open(self, page: Page) -> None:
        """Show a page from now on; call it in another thread than the server's.

        Raises:
            RuntimeError: The server is not running.
        """
        if self._loop is None:
            raise RuntimeError("Cannot show the page: the server is not running.")
        asyncio.run_coroutine_threadsafe(self._open(page), self._loop).result(OPEN_SECONDS)

    def end_streams(self) -> None:
        """End the page's event streams. Must be called in the server's event loop."""
        if self._page is not None:
            self._page.end_streams()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        """Pass a request on to the page.

        Raises:
            RejectedRequestError: There is no page yet, or it rejects the request.
        """
        if self._page is not None:
            await self._page.calls(scope, receive, send, request)
            return
        texts = texts_in(preferred_language(request.headers.get("accept-language", "")[:200]))
        wait = {"retry-after": str(RETRY_SECONDS), "cache-control": "no-store"}
        if request.kind != "page":
            raise RejectedRequestError(503, texts("page_starting"), headers=wait)
        body = b"" if request.method == "HEAD" else starting_html(texts).encode()
        headers = [(name.encode(), value.encode()) for name, value in wait.items()]
        await answer(send, 503, body, "text/html; charset=utf-8", headers)

    async def _open(self, page: Page) -> None:
        is_running: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(page, is_running))
        self._tasks.add(task)
        await is_running

    async def _run(self, page: Page, is_running: asyncio.Future[None]) -> None:
        """Run the page in a task of its own: the one that enters its context must leave it."""
        try:
            async with page.running():
                self._page = page
                is_running.set_result(None)
                await self._end.wait()
        except Exception as error:
            if is_running.done():
                raise
            is_running.set_exception(error)


def starting_html(texts: Texts) -> str:
    """Return the page for a browser that comes before the page is built; it reloads itself."""
    return (
        f'<!doctype html><html lang="{escape(texts.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{RETRY_SECONDS}">'
        f"<title>Backfile</title><style>{read_asset('login.css')}</style></head><body><main>"
        f'<h1>Backfile</h1><p role="status">{escape(texts("page_starting"))}</p>'
        "</main></body></html>"
    )
