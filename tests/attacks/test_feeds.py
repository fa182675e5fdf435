"""Feeds over HTTP: only by their whole address, and only what a stranger may read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from rag.archive.archive import Archive
from rag.archive.saved import SavedSearches
from rag.schema import Article, Span
from tests.attacks.server import open_client, send_raw, serve
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, small_archive
from ui.permalinks import feed_address
from ui.web.app import Served

pytestmark = pytest.mark.slow

ATOM = "{http://www.w3.org/2005/Atom}"
SECRET = Article(id="secret", title="Secret", text="A harbour secret.", access="premium")
NOTE = Article(id="notes/1", title="Note", text="A harbour note.")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("feeds") / "archive"
    with small_archive(folder, (*ARTICLES, SECRET, NOTE)) as found:
        found.saved.searches.add("Harbour <b>", "harbour")
        found.saved.searches.add("Growers", "growers")
        yield found


@pytest.fixture(scope="module")
def server(archive: Archive) -> Iterator[Served]:
    with serve(archive.path.parent, archive=archive) as served:
        yield served


@pytest.fixture
def reader(server: Served) -> Iterator[httpx.Client]:
    with open_client(server) as client:
        yield client


@pytest.fixture
def searches(archive: Archive) -> SavedSearches:
    return archive.saved.searches


def address(searches: SavedSearches, name: str = "Harbour <b>") -> str:
    return feed_address(searches.get(name).id, searches.feed_token(name))


def test_feed_is_served_at_its_address(
    server: Served, reader: httpx.Client, searches: SavedSearches
) -> None:
    found = reader.get(address(searches))
    assert (found.status_code, found.headers["content-type"]) == (
        200,
        "application/atom+xml; charset=utf-8",
    )
    assert found.headers["x-content-type-options"] == "nosniff"
    tree = ET.fromstring(found.content)
    titles = [one.text for one in tree.findall(f"{ATOM}entry/{ATOM}title")]
    assert HARBOUR.title in titles
    assert SECRET.title not in titles
    own = server.address.rstrip("/")
    links = [one.get("href") for one in tree.iter(f"{ATOM}link")]
    assert links[0] == f"{own}{address(searches)}"
    assert f"{own}/a/notes%2F1" in links


def test_feed_is_sent_again_only_when_it_changed(
    reader: httpx.Client, searches: SavedSearches, archive: Archive
) -> None:
    where = address(searches)
    first = reader.get(where)
    head = reader.head(where)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(first.content)))
    tag = {"If-None-Match": first.headers["etag"]}
    again = reader.get(where, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    new = NOTE.replace(id="notes/2", title="Second note")
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add([(new, [Span(0, len(new.text))])])
    changed = reader.get(where, headers=tag)
    assert changed.status_code == 200
    assert "Second note" in changed.text
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.erase(new.id)
    assert "Second note" not in reader.get(where).text


def test_wrong_address_has_no_feed(reader: httpx.Client, searches: SavedSearches) -> None:
    search_id, token = address(searches).split("/")[2:]
    other = address(searches, "Growers").split("/")[2]
    for path in (
        f"/feed/{search_id}/{token[:-1]}",
        f"/feed/{search_id}/{token[:-1]}{'a' if token[-1] != 'a' else 'b'}",
        f"/feed/{other}/{token}",
        f"/feed/{search_id}",
        f"/feed/{search_id}/",
        f"/feed/{search_id}/{token}/",
        f"/feed/{'0' * 16}/{token}",
        f"/feed/{search_id}/%00",
        f"/feed/{search_id}/..%2f{token}",
    ):
        found = reader.get(path)
        assert (found.status_code, "harbour" in found.text.lower()) == (404, False), path
    assert reader.post(address(searches)).status_code == 404


def test_old_address_leads_nowhere_after_a_new_one(
    reader: httpx.Client, searches: SavedSearches
) -> None:
    before = address(searches, "Growers")
    assert reader.get(before).status_code == 200
    searches.feed_token("Growers", renew=True)
    assert reader.get(before).status_code == 404
    assert reader.get(address(searches, "Growers")).status_code == 200


def test_other_sites_and_hosts_are_refused(
    server: Served, reader: httpx.Client, searches: SavedSearches
) -> None:
    where = address(searches)
    found = reader.get(where, headers={"Origin": "https://evil.example"})
    assert (found.status_code, "access-control-allow-origin" in found.headers) == (403, False)
    status, text = send_raw(server, f"GET {where} HTTP/1.1\nHost: evil.example\nConnection: close")
    assert status == 421
    assert "harbour" not in text.lower()


def test_one_client_cannot_ask_without_end(server: Served, searches: SavedSearches) -> None:
    with open_client(server, source="127.0.0.9") as greedy:
        path = f"/feed/{searches.get('Growers').id}/guess"
        codes = [greedy.get(path).status_code for _ in range(80)]
    assert codes[0] == 404
    assert codes[-1] == 429
    with open_client(server, source="127.0.0.8") as other:
        assert other.get(address(searches)).status_code == 200


def test_links_begin_with_the_address_in_the_settings(tmp_path: Path) -> None:
    base = "https://archive.paper.example/news"
    with small_archive(tmp_path / "archive", (NOTE,)) as archive:
        searches = archive.saved.searches
        searches.add("Harbour <b>", "harbour")
        with serve(tmp_path, archive=archive, base_url=base) as served, open_client(served) as own:
            text = own.get(address(searches)).text
    assert f'href="{base}/feed/' in text
    assert f'href="{base}/a/notes%2F1"' in text
