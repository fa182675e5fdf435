"""Feeds of saved searches over HTTP: Atom at a secret address, and nothing at others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from rag.archive.archive import Archive
from rag.settings import Settings
from tests.support.fakes import QuotingChatbot, small_archive
from ui.permalinks import feed_address
from ui.web.app import start

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def client(archive: Archive) -> Iterator[httpx.Client]:
    chatbot: Any = QuotingChatbot(archive)
    served = start(archive, chatbot, Settings(port=0))
    try:
        with httpx.Client(base_url=served.address, trust_env=False) as opened:
            yield opened
    finally:
        served.close()


def test_feed_has_the_articles_of_a_saved_search(archive: Archive, client: httpx.Client) -> None:
    search = archive.saved.searches.add("Harbour <bridge>", "harbour bridge")
    token = archive.saved.searches.feed_token(search.id)
    found = client.get(feed_address(search.id, token))
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(found.text)
    assert feed.findtext(f"{ATOM}title") == "Harbour <bridge>"
    assert feed.findall(f"{ATOM}entry")


def test_renewed_address_replaces_the_old_one(archive: Archive, client: httpx.Client) -> None:
    search = archive.saved.searches.add("Harbour", "harbour")
    old = archive.saved.searches.feed_token(search.id)
    new = archive.saved.searches.feed_token(search.id, renew=True)
    assert client.get(feed_address(search.id, old)).status_code == 404
    assert client.get(feed_address(search.id, new)).status_code == 200


@pytest.mark.parametrize("address", ["/feed/", "/feed/x", "/feed/x/y/z", "/feed/x/%2e%2e"])
def test_other_addresses_lead_nowhere(client: httpx.Client, address: str) -> None:
    assert client.get(address).status_code == 404
    assert client.post(address).status_code in (403, 404)
