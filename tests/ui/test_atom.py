"""Atom feeds: valid, stable, and without what a stranger may not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import feedparser
import pytest

from rag.archive.archive import Archive
from rag.schema import Article, Span
from tests.support.fakes import HARBOUR, HOSTILE, ORCHARD, WordEmbeddings, small_archive
from ui.atom import saved_search_feed

pytestmark = pytest.mark.slow

ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ADDRESS = "https://x.example/feed/1/2?a&b"
SECRET = Article(id="secret", title="Secret", text="A harbour secret.", access="premium")
NOTE = "A harbour\x00 note\x1b[31m ]]> \ufffe" + " and so on" * 90
NAMELESS = Article(id="notes/1\u2028<&>", text=NOTE)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    articles = (HARBOUR, ORCHARD, HOSTILE, SECRET, NAMELESS)
    with small_archive(tmp_path / "archive", articles) as found:
        yield found


def feed(archive: Archive, query: str = "harbour", **given: str) -> ET.Element:
    searches = archive.saved.searches
    name = f"<b>{query}</b> & more"
    known = [one for one in searches.list() if one.name == name]
    search = known[0] if known else searches.add(name, query)
    tree = ET.fromstring(saved_search_feed(archive, search, **given).encode())
    check_valid(tree)
    return tree


def check_valid(tree: ET.Element) -> None:
    """Check what RFC 4287 demands of a feed and its entries."""
    assert tree.tag == f"{ATOM}feed"
    entries = tree.findall(f"{ATOM}entry")
    for element in (tree, *entries):
        for name in ("id", "title", "updated"):
            (one,) = element.findall(f"{ATOM}{name}")
            assert (one.text or "").strip()
        assert MOMENT.fullmatch(str(element.findtext(f"{ATOM}updated")))
        assert urlsplit(str(element.findtext(f"{ATOM}id"))).scheme == "urn"
        for link in element.findall(f"{ATOM}link"):
            assert link.get("rel") in ("self", "alternate")
            assert urlsplit(str(link.get("href"))).scheme in ("http", "https")
    assert tree.find(f"{ATOM}author/{ATOM}name") is not None
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    for entry in entries:
        assert entry.find(f"{ATOM}content") is not None


def titles(tree: ET.Element) -> list[str]:
    return [str(one.text) for one in tree.findall(f"{ATOM}entry/{ATOM}title")]


def test_feed_has_the_matching_articles_last_arrival_first(archive: Archive) -> None:
    tree = feed(archive, address=ADDRESS)
    assert titles(tree) == ["notes/1 <&>", HARBOUR.title]
    assert tree.findtext(f"{ATOM}title") == "<b>harbour</b> & more"
    assert [one.get("href") for one in tree.findall(f"{ATOM}link")] == [ADDRESS]
    entry = tree.findall(f"{ATOM}entry")[1]
    assert entry.findtext(f"{ATOM}published") == "2024-10-21T00:00:00Z"
    assert [one.text for one in entry.findall(f"{ATOM}author/{ATOM}name")] == [
        "Noor Haan",
        "The Harbour Courier",
    ]
    assert [one.get("href") for one in entry.findall(f"{ATOM}link")] == [HARBOUR.url]
    assert str(entry.findtext(f"{ATOM}content")) == HARBOUR.text


def test_feed_is_understood_by_a_feed_reader(archive: Archive) -> None:
    search = archive.saved.searches.add("Harbour", "harbour bridge")
    parsed = feedparser.parse(saved_search_feed(archive, search))
    assert not parsed.bozo
    assert [(one.title, one.link) for one in parsed.entries] == [(HARBOUR.title, HARBOUR.url)]


def test_article_without_an_address_links_to_the_page(archive: Archive) -> None:
    first = feed(archive).findall(f"{ATOM}entry")[0]
    assert first.findall(f"{ATOM}link") == []
    first = feed(archive, base_url="https://x.example").findall(f"{ATOM}entry")[0]
    (link,) = first.findall(f"{ATOM}link")
    assert link.get("href") == "https://x.example/a/notes%2F1%E2%80%A8%3C%26%3E"
    assert len(str(first.findtext(f"{ATOM}content"))) <= 401


def test_markup_and_addresses_of_an_article_are_text(archive: Archive) -> None:
    entry = feed(archive, "lighthouse", base_url="https://x.example").findall(f"{ATOM}entry")[0]
    assert entry.findtext(f"{ATOM}title") == "<b>Lighthouse</b> <script>window.pwned=1</script>"
    (link,) = entry.findall(f"{ATOM}link")
    assert link.get("href") == "https://x.example/a/evil.example%2F1"
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert (content.get("type"), len(content)) == ("text", 0)


def test_restricted_and_withdrawn_articles_are_left_out(archive: Archive, tmp_path: Path) -> None:
    assert SECRET.title not in titles(feed(archive))
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as writer:
        writer.withdraw(HARBOUR.id)
    assert HARBOUR.title not in titles(feed(archive))


def test_ids_stay_when_articles_change_and_names_change(archive: Archive, tmp_path: Path) -> None:
    before = feed(archive, "bridge")
    changed = HARBOUR.replace(text=f"{HARBOUR.text} The bridge is open again.")
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add([(changed, [Span(0, len(changed.text))])])
    (search,) = archive.saved.searches.list()
    renamed = archive.saved.searches.rename(search.id, "Bridges")
    after = ET.fromstring(saved_search_feed(archive, renamed).encode())
    for path in (f"{ATOM}id", f"{ATOM}entry/{ATOM}id"):
        assert [one.text for one in before.findall(path)] == [
            one.text for one in after.findall(path)
        ]
    assert after.findtext(f"{ATOM}title") == "Bridges"
    assert "open again" in str(after.findtext(f"{ATOM}entry/{ATOM}content"))


def test_empty_feed_is_valid(archive: Archive) -> None:
    tree = feed(archive, "walrus")
    assert titles(tree) == []
    updated = datetime.fromisoformat(str(tree.findtext(f"{ATOM}updated")))
    assert updated <= datetime.now(UTC)
