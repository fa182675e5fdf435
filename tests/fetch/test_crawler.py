"""Crawler: follows feeds and sitemaps, and doesn't request unchanged pages."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from ingest.fetch.client import Client, Limits
from ingest.fetch.crawler import Crawler
from ingest.pipeline import ingest
from ingest.readers import ReaderOptions
from ingest.report import IngestReport
from rag.schema import Article, Span
from rag.store.crawl_state import FetchRecord
from tests.ingest.test_pipeline import DictArchive
from tests.support.fake_site import FakeSite, Page, serve_site

pytestmark = pytest.mark.slow

STORY = (
    "The crane on the eastern pier fell at noon on Tuesday, and nobody was hurt, the harbour "
    "office said. Work on the pier will stop until the cause is known, it said in a statement.",
    "Residents had complained about the machine since the spring. “We heard it creak for weeks,” "
    "said Noor Haan, who sells fish beside the pier. Its owner did not answer when he was asked.",
)


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as found:
        yield found


class FakeCrawlState:
    """Crawl state in a dictionary."""

    def __init__(self) -> None:
        self.visits: dict[str, FetchRecord] = {}

    def last(self, url: str) -> FetchRecord | None:
        return self.visits.get(url)

    def save(self, visits: Iterable[FetchRecord]) -> None:
        self.visits |= {visit.url: visit for visit in visits}


class CrawlHarness:
    """An archive and its crawl state, for several ingest runs."""

    def __init__(self) -> None:
        self.target = DictArchive()
        self.crawl_state = FakeCrawlState()
        self.rejects: dict[str, str] = {}

    def ingest(self, *sources: str | Path, stop: Event | None = None, **how: Any) -> IngestReport:
        self.rejects = {}
        limits = Limits(seconds=5, delay=0, back_off=0.01)
        reading = (
            ReaderOptions(links="follow", **how) if "links" not in how else ReaderOptions(**how)
        )
        with Client(limits, allowed=("127.0.0.1",), stop=stop) as client:
            return ingest(
                self.target,
                sources,
                on_reject=lambda reject: self.rejects.update({reject["place"]: reject["reason"]}),
                reading=reading,
                crawler=Crawler(client, self.crawl_state, reading),
                stop=stop,
            )

    @property
    def articles(self) -> list[Article]:
        return [article for article, _ in self.target.held.values()]


def page(title: str, *paragraphs: str, head: str = "") -> Page:
    story = "".join(f"<p>{text}</p>" for text in paragraphs or STORY)
    html = (
        f'<!doctype html><html lang="en"><head><title>{title}</title>{head}</head>'
        f"<body><article><h1>{title}</h1>{story}</article></body></html>"
    )
    return Page(html.encode(), etag=True)


def feed(*entries: tuple[str, str]) -> Page:
    items = "".join(
        f"<item><title>{title}</title><link>{url}</link><description>In short.</description>"
        "<author>Ada Lindqvist</author><pubDate>Thu, 24 Oct 2024 10:30:00 GMT</pubDate></item>"
        for title, url in entries
    )
    rss = f'<rss version="2.0"><channel><title>Velsund Post</title>{items}</channel></rss>'
    return Page(rss.encode(), headers={"Content-Type": "application/rss+xml"}, etag=True)


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.rejected


def test_page_is_added_and_skipped_while_unchanged(site: FakeSite) -> None:
    site.pages["/crane"] = page("Crane falls")
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/crane"))) == (1, 0, 0, 0)
    assert counts(harness.ingest(site.url("/crane"))) == (0, 0, 1, 0)
    site.pages["/crane"] = page("Crane falls", *STORY, "It was old, an engineer said later.")
    assert counts(harness.ingest(site.url("/crane"))) == (0, 1, 0, 0)
    assert harness.articles[0].text.endswith("an engineer said later.")


def test_page_without_validators_is_compared_by_text(site: FakeSite) -> None:
    site.pages["/crane"] = Page(page("Crane falls").body)
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/crane"))) == (1, 0, 0, 0)
    assert counts(harness.ingest(site.url("/crane"))) == (0, 0, 1, 0)


def test_feed_entries_are_followed_and_fill_missing_fields(site: FakeSite) -> None:
    site.pages |= {
        "/feed": feed(("Crane falls", site.url("/crane")), ("Gone", site.url("/gone"))),
        "/crane": page("Crane falls"),
    }
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/feed"))) == (1, 0, 0, 1)
    (article,) = harness.articles
    assert STORY[0] in article.text
    assert "In short" not in article.text
    assert (article.publisher, article.authors) == ("Velsund Post", ("Ada Lindqvist",))
    assert str(article.published) == "2024-10-24 10:30:00+00:00"
    assert harness.rejects == {site.url("/gone"): "not found (404)"}


def test_page_metadata_wins_over_feed_metadata(site: FakeSite) -> None:
    said = '<meta property="article:published_time" content="2024-10-25T08:00:00Z">'
    site.pages |= {
        "/feed": feed(("Crane", site.url("/crane"))),
        "/crane": page("Crane falls", head=said),
    }
    harness = CrawlHarness()
    harness.ingest(site.url("/feed"))
    assert str(harness.articles[0].published) == "2024-10-25 08:00:00+00:00"


def test_unchanged_feed_costs_one_request(site: FakeSite) -> None:
    site.pages |= {
        "/feed": feed(("Crane falls", site.url("/crane"))),
        "/crane": page("Crane falls"),
    }
    harness = CrawlHarness()
    harness.ingest(site.url("/feed"))
    site.requests.clear()
    assert counts(harness.ingest(site.url("/feed"))) == (0, 0, 1, 0)
    assert [request.path for request in site.requests] == ["/robots.txt", "/feed"]


def test_feed_is_read_again_until_all_entries_are_fetched(site: FakeSite) -> None:
    site.pages |= {
        "/feed": feed(("Crane falls", site.url("/crane"))),
        "/crane": [Page(status=503)] * 3 + [page("Crane falls")],
    }
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/feed"))) == (0, 0, 0, 1)
    assert counts(harness.ingest(site.url("/feed"))) == (1, 0, 0, 0)


def test_summaries_are_kept_on_request_without_fetching(site: FakeSite) -> None:
    site.pages |= {
        "/feed": feed(("Crane falls", site.url("/crane"))),
        "/crane": page("Crane falls"),
    }
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/feed"), links="keep")) == (1, 0, 0, 0)
    assert harness.articles[0].text == "In short."
    assert site.request_count("/crane") == 0
    # Then the whole articles: the feed is the same, but the option isn't.
    assert counts(harness.ingest(site.url("/feed"))) == (0, 1, 0, 0)
    assert STORY[0] in harness.articles[0].text


def test_sitemap_index_is_followed_to_the_pages(site: FakeSite) -> None:
    sitemap = f"<urlset><url><loc>{site.url('/crane')}</loc></url></urlset>"
    packed = Page(gzip.compress(sitemap.encode()), headers={"Content-Type": "application/gzip"})
    index = f"<sitemapindex><sitemap><loc>{site.url('/a.xml.gz')}</loc></sitemap></sitemapindex>"
    site.pages |= {
        "/map": Page(index.encode()),
        "/a.xml.gz": packed,
        "/crane": page("Crane falls"),
    }
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/map"))) == (1, 0, 0, 0)


def test_page_unchanged_by_lastmod_is_not_requested(site: FakeSite) -> None:
    sitemap = (
        f"<urlset><url><loc>{site.url('/crane')}</loc>"
        "<lastmod>2024-10-24T10:00:00Z</lastmod></url></urlset>"
    )
    site.pages |= {"/map": Page(sitemap.encode()), "/crane": page("Crane falls")}
    harness = CrawlHarness()
    harness.ingest(site.url("/map"))
    assert counts(harness.ingest(site.url("/map"))) == (0, 0, 1, 0)
    assert site.request_count("/crane") == 1


@pytest.mark.parametrize("kind", ["list", "rss", "json feed"])
def test_file_listing_pages_is_followed(site: FakeSite, tmp_path: Path, kind: str) -> None:
    url = site.url("/crane")
    site.pages["/crane"] = page("Crane falls")
    path = tmp_path / "named"
    item = {"id": "1", "url": url, "title": "Crane falls", "summary": "In short."}
    json_feed = {"version": "https://jsonfeed.org/version/1.1", "title": "V", "items": [item]}
    content = {
        "list": f"# mine\n{url}?utm_source=x\n{url}\n".encode(),
        "rss": feed(("Crane falls", url)).body,
        "json feed": json.dumps(json_feed).encode(),
    }
    path.write_bytes(content[kind])
    harness = CrawlHarness()
    assert counts(harness.ingest(path)) == (1, 0, 0, 0)
    assert STORY[0] in harness.articles[0].text
    assert site.request_count("/crane") == 1


def test_moved_page_is_the_same_article(site: FakeSite) -> None:
    site.pages |= {
        "/crane": page("Crane falls"),
        "/2024/10/crane": page("Crane falls"),
        "/mobile": page("Crane falls", head=f'<link rel="canonical" href="{site.url("/crane")}">'),
    }
    harness = CrawlHarness()
    harness.ingest(site.url("/crane"))
    site.pages["/old"] = Page(status=301, headers={"Location": "/crane"})
    assert counts(harness.ingest(site.url("/old"), site.url("/mobile"))) == (0, 0, 2, 0)
    assert [article.url for article in harness.articles] == [site.url("/crane")]


WALLS = {
    "not free": page(
        "Crane falls",
        STORY[0],
        head='<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Crane '
        'falls", "isAccessibleForFree": "False"}</script>',
    ),
    "wall": page("Crane falls", *STORY, "Subscribe now to continue reading this article."),
    "login": page("Log in", *STORY[:1], head='<form><input type="password" name="p"></form>'),
    "soft 404": page("Page not found", *STORY),
    "soft 404 in the text": page("Velsund Post", "Sorry, the page could not be found. " * 9),
}


@pytest.mark.parametrize("wall", WALLS)
def test_paywall_or_soft_404_is_a_reject(site: FakeSite, wall: str) -> None:
    site.pages["/crane"] = WALLS[wall]
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/crane"))) == (0, 0, 0, 1)
    reason = harness.rejects[site.url("/crane")]
    assert any(
        word in reason for word in ("paywall", "login", "page not found", "without an article")
    )
    # It is requested again the next time, as it may have changed by then.
    site.pages["/crane"] = page("Crane falls")
    assert counts(harness.ingest(site.url("/crane"))) == (1, 0, 0, 0)


def test_long_article_about_subscriptions_is_an_article(site: FakeSite) -> None:
    said = "Readers were told: subscribe to continue reading. Nobody did, the publisher said. "
    site.pages["/crane"] = page("Page not found, says the library", *STORY, said * 20)
    assert counts(CrawlHarness().ingest(site.url("/crane"))) == (1, 0, 0, 0)


@pytest.mark.parametrize(("to", "why"), [("/login?next=x", "login"), ("/", "front page")])
def test_redirect_to_another_page_is_a_reject(site: FakeSite, to: str, why: str) -> None:
    site.pages |= {"/crane": Page(status=302, headers={"Location": to}), to: page("Velsund")}
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/crane"))) == (0, 0, 0, 1)
    assert why in harness.rejects[site.url("/crane")]


@pytest.mark.parametrize("status", [204, 401, 403, 404, 410, 451, 500])
def test_error_status_is_a_reject_with_its_number(site: FakeSite, status: int) -> None:
    site.pages["/crane"] = Page(status=status)
    harness = CrawlHarness()
    assert counts(harness.ingest(site.url("/crane"))) == (0, 0, 0, 1)
    assert str(status) in harness.rejects[site.url("/crane")]


def test_link_to_an_image_is_a_reject(site: FakeSite, tmp_path: Path) -> None:
    site.pages["/crane.jpg"] = Page(b"\xff\xd8\xff\xe0", headers={"Content-Type": "image/jpeg"})
    (tmp_path / "list").write_text(site.url("/crane.jpg"))
    harness = CrawlHarness()
    harness.ingest(tmp_path / "list")
    assert harness.rejects == {site.url("/crane.jpg"): "not an HTML page (content type image/jpeg)"}


def test_page_is_not_remembered_until_it_is_added(site: FakeSite) -> None:
    """A crash between the fetching and the putting loses nothing: the page is fetched again."""

    class Full(DictArchive):
        def add(self, batch: Iterable[tuple[Article, Any]]) -> Any:
            raise OSError("no space left on device")

    site.pages["/crane"] = page("Crane falls")
    harness = CrawlHarness()
    good, harness.target = harness.target, Full()
    with pytest.raises(OSError, match="no space"):
        harness.ingest(site.url("/crane"))
    assert harness.crawl_state.visits == {}
    harness.target = good
    assert counts(harness.ingest(site.url("/crane"))) == (1, 0, 0, 0)


def test_interrupted_crawl_resumes_with_missing_pages(site: FakeSite, tmp_path: Path) -> None:
    paths = [f"/crane-{n}" for n in range(6)]
    site.pages |= {path: page(f"Crane {n} falls", *STORY) for n, path in enumerate(paths)}
    (tmp_path / "list").write_text("\n".join(map(site.url, paths)))
    stop = Event()

    site.pages["/crane-3"] = Page(slowly=lambda out: stop.set())
    harness = CrawlHarness()
    assert harness.ingest(tmp_path / "list", stop=stop).new == 3
    assert not any(s for s in harness.rejects if "crane-3" not in s)
    site.pages["/crane-3"] = page("Crane 3 falls", *STORY)
    site.requests.clear()
    assert counts(harness.ingest(tmp_path / "list")) == (3, 0, 3, 0)
    assert [r.path for r in site.requests][1:] == [*paths[3:], *paths[:3]]


def test_passages_of_a_fetched_page_are_spans_of_its_text(site: FakeSite) -> None:
    site.pages["/crane"] = page("Crane falls")
    harness = CrawlHarness()
    harness.ingest(site.url("/crane"))
    ((article, spans),) = harness.target.held.values()
    assert spans
    assert all(isinstance(span, Span) and article.text[span.start : span.end] for span in spans)


def test_gdelt_list_is_followed_to_its_pages(site: FakeSite, tmp_path: Path) -> None:
    site.pages["/crane"] = page("Crane falls")
    named = {"url": site.url("/crane"), "title": "Crane falls", "seendate": "20241024T103000Z"}
    path = tmp_path / "gdelt.json"
    path.write_text(json.dumps({"articles": [named]}))
    harness = CrawlHarness()
    assert counts(harness.ingest(path, links="keep")) == (0, 0, 0, 1)
    assert counts(harness.ingest(path)) == (1, 0, 0, 0)
    assert harness.articles[0].published == datetime(2024, 10, 24, 10, 30, tzinfo=UTC)


def test_page_with_rejected_article_is_requested_again(site: FakeSite) -> None:
    site.pages["/crane"] = page("Crane falls")
    harness = CrawlHarness()
    harness.target.embeddings.max_tokens = 2  # nothing fits
    assert counts(harness.ingest(site.url("/crane"))) == (0, 0, 0, 1)
    harness.target.embeddings.max_tokens = 60
    assert counts(harness.ingest(site.url("/crane"))) == (1, 0, 0, 0)
