"""Route of the feeds of saved searches: `/feed/ID/TOKEN`.

Feed readers can't log in; the token in the address is their password. A feed is made once for each
state of the archive, and not at each of the hourly visits of its readers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from ui.atom import MEDIA_TYPE, saved_search_feed
from ui.permalinks import feed_address
from ui.web.guard.request import IncomingRequest, Inner, RejectedRequestError
from ui.web.quota import Bucket

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from rag.archive.archive import Archive
    from rag.rights import Access
    from rag.store.saved_searches import SavedSearch

BURST, SECONDS = 60, 2.0  # requests of a client at once, and seconds until it may make another
AT_ONCE = 2  # feeds made at the same time: each takes 0.1 s with 12,000 articles
KEPT = 64  # feeds, of 20 kB each


class FeedRoute:
    """ASGI layer that answers requests for feeds, and passes all others on.

    Args:
        inner: Receives all other requests.
        archive: The archive.
        base_url: The address of the page; "" for the one of the request.
        rights_of: Returns what the owner of a search may see; None if they may not log in.
    """

    def __init__(
        self,
        inner: Inner,
        archive: Archive,
        base_url: str,
        rights_of: Callable[[str], Access | None] = lambda _: (),
    ) -> None:
        self._inner = inner
        self._archive = archive
        self._rights_of = rights_of
        self._base_url = base_url
        self._requests = Bucket(burst=BURST, seconds=SECONDS)
        self._making = asyncio.Semaphore(AT_ONCE)
        self._made: LRUCache[tuple[str, str, str, int, date, Access], bytes] = LRUCache(KEPT)
        self._lock = Lock()  # feeds are made in threads

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        """Answer a request for a feed.

        Raises:
            RejectedRequestError: The address has no feed, or the client asks too often.
        """
        if request.kind != "feed":
            await self._inner(scope, receive, send, request)
            return
        if not self._requests.take(request.client):
            raise RejectedRequestError(429, "Too many requests. Wait a minute, then try again.")
        _, _, search_id, token = request.path.split("/")
        async with self._making:
            open_feed = self._archive.saved.searches.open_feed
            search = await asyncio.to_thread(open_feed, search_id, token)
            access = await asyncio.to_thread(self._rights_of, search.owner) if search else None
            if search is None or access is None:
                raise RejectedRequestError(404, "Not found: this address is not part of the page.")
            base_url = self._base_url or _base_of(request)
            body = await asyncio.to_thread(self._feed, search, token, base_url, access)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        unchanged = tag in request.headers.get("if-none-match", "")
        headers = [
            (b"content-type", f"{MEDIA_TYPE}; charset=utf-8".encode()),
            (b"cache-control", b"private, no-cache"),
            (b"etag", tag.encode()),
            *([] if unchanged else [(b"content-length", str(len(body)).encode())]),
        ]
        status = 304 if unchanged else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        shown = b"" if unchanged or request.method == "HEAD" else body
        await send({"type": "http.response.body", "body": shown})

    def _feed(self, search: SavedSearch, token: str, base_url: str, access: Access) -> bytes:
        today = datetime.now(UTC).date()  # a query may say "yesterday"
        version = self._archive.version
        key = (search.id, search.name, base_url + token, version, today, access)
        with self._lock:
            made = self._made.get(key)
        if made is None:
            address = feed_address(search.id, token, base_url=base_url)
            feed = saved_search_feed(
                self._archive, search, access=access, base_url=base_url, address=address
            )
            made = feed.encode()
            with self._lock:
                self._made[key] = made
        return made


def _base_of(request: IncomingRequest) -> str:
    """Return the address by which the client reached the page; its host is an allowed one."""
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else "http"
    return f"{scheme}://{request.headers['host']}"
