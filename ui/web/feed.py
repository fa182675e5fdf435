"""Feeds of saved searches: Atom documents at addresses that can't be guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Response

from rag.errors import BackfileError
from ui.atom import MEDIA_TYPE, saved_search_feed
from ui.permalinks import feed_address

if TYPE_CHECKING:
    from rag.archive.archive import Archive


def add_feeds(app: FastAPI, archive: Archive, base_url: str) -> None:
    """Add the route of the feeds to an application; it must come before the page's.

    Args:
        app: The application.
        archive: The archive with the saved searches.
        base_url: The address at which readers reach the page; "" if it is unknown.
    """

    @app.get("/feed/{search_id}/{token}")
    def feed(search_id: str, token: str) -> Response:
        """Return the newest articles of a saved search that every reader may read."""
        searches = archive.saved.searches
        try:
            search = searches.open_feed(search_id, token)
            if search is None:
                return Response("Not found: no feed has this address.", status_code=404)
            address = feed_address(search_id, token, base_url=base_url) if base_url else ""
            content = saved_search_feed(archive, search, base_url=base_url, address=address)
        except BackfileError as error:
            return Response(str(error), status_code=503, media_type="text/plain")
        headers = {"Cache-Control": "private, max-age=300"}
        return Response(content, media_type=MEDIA_TYPE, headers=headers)
