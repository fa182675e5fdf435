"""Feeds and sitemaps: entries with text are articles, entries with links alone are not."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import Link, Links, ReaderOptions, Reject, read
from rag.schema import Article
from tests.support.example_counts import example_count

FEEDS = Path(__file__).parents[3] / "shared" / "data" / "feeds"
TEXT = "A crane fell on the pier of Velsund on Tuesday. Nobody was hurt."
DAY = datetime(2024, 10, 24, 8, 30, tzinfo=UTC)

RSS = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="/feed.xsl"?>
<!-- made by hand --><!-- twice -->
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>Harbour news | Velsund Post</title><link>https://velsundpost.example/</link>
<language>en-gb</language>
<item><title>Crane &lt;b&gt;falls&lt;/b&gt;</title>
<link>https://www.velsundpost.example/crane?utm_source=rss</link>
<pubDate>Thu, 24 Oct 2024 10:30:00 +0200</pubDate><dc:creator>Ida Lund</dc:creator>
<category>Harbour</category><description>A crane fell.</description>
<content:encoded><![CDATA[<p>{TEXT}</p><script>x()</script>]]></content:encoded></item>
<item><title>Ferry sails</title><link>https://velsundpost.example/ferry</link></item>
</channel></rss>
"""
ATOM = f"""\
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Velsund Post</title>
<entry><id>tag:velsundpost.example,2024:crane</id><title>Crane falls</title>
<link rel="alternate" href="https://velsundpost.example/crane"/>
<updated>2024-10-24T08:30:00Z</updated><author><name>Ida Lund</name></author>
<summary>A crane fell.</summary>
<content type="html">&lt;p&gt;{TEXT}&lt;/p&gt;</content></entry></feed>
"""
JSON_FEED = json.dumps({
    "version": "https://jsonfeed.org/version/1.1", "title": "Velsund Post", "language": "en",
    "items": [{"id": "1", "url": "https://velsundpost.example/crane", "title": "Crane falls",
               "content_html": f"<p>{TEXT}</p>", "date_published": "2024-10-24T08:30:00Z",
               "authors": [{"name": "Ida Lund"}]}],
}, indent=1)  # fmt: skip


def read_feed(
    folder: Path, content: str | bytes, links: Links = "keep"
) -> list[Article | Reject | Link]:
    path = folder / "feed"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(path, reading=ReaderOptions(links=links)))


@pytest.mark.parametrize("feed", [RSS, ATOM, JSON_FEED])
def test_entry_is_an_article(tmp_path: Path, feed: str) -> None:
    article = read_feed(tmp_path, feed)[0]
    assert isinstance(article, Article), article
    assert (article.title, article.text) == ("Crane falls", TEXT)
    assert (article.publisher, article.authors) == ("Velsund Post", ("Ida Lund",))
    assert (article.published, article.updated) == (DAY, None)
    assert (article.id, article.language) == ("velsundpost.example/crane", "en")


def test_date_that_only_feedparser_understands_is_read(tmp_path: Path) -> None:
    ordinal = RSS.replace("Thu, 24 Oct 2024 10:30:00 +0200", "2024-298")  # ISO 8601, day of year
    article = read_feed(tmp_path, ordinal)[0]
    assert isinstance(article, Article), article
    assert article.published == datetime(2024, 10, 24, tzinfo=UTC)


def test_entry_with_only_a_link_is_a_reject_with_its_number(tmp_path: Path) -> None:
    _, reject = read_feed(tmp_path, RSS)
    assert isinstance(reject, Reject)
    assert reject.place.endswith("feed:2")
    assert "https://velsundpost.example/ferry" in reject.reason


SITEMAP = """\
<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://velsundpost.example/crane</loc></url>
<url><loc>https://velsundpost.example/ferry</loc></url></urlset>
"""


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (SITEMAP, "a sitemap with 2 URLs"),
        ("# the harbour\nhttps://a.example/1\n\nhttps://a.example/2\n", "a list with 2 URLs"),
        ("https://a.example/1", "a list with 1 URL and"),
    ],
)
def test_links_without_text_are_one_reject(tmp_path: Path, content: str, name: str) -> None:
    (reject,) = read_feed(tmp_path, content)
    assert isinstance(reject, Reject)
    assert reject.reason.startswith(name)
    assert "without --summaries" in reject.reason


def test_story_that_begins_with_an_address_is_a_story(tmp_path: Path) -> None:
    (article,) = read_feed(tmp_path, f"https://velsundpost.example/crane\n\nCrane falls\n\n{TEXT}")
    assert isinstance(article, Article)


def test_feed_never_opens_external_entities(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "secret">]>'
        "<rss><channel><item><title>x</title><description>It says &a; here.</description></item>"
        "</channel></rss>"
    )
    assert "the secret" not in repr(read_feed(tmp_path, bomb))


def test_feed_with_many_comments_is_read_fast(tmp_path: Path) -> None:
    begin = time.thread_time()
    read_feed(tmp_path, "<!-- -->" * 1000 + "x")
    read_feed(tmp_path, "# harbour \n" * 1000 + f"A story. {TEXT} https://a.example/1")
    read_feed(tmp_path, "<rss>" + "<item>" * 5000)
    assert time.thread_time() - begin < 5


@settings(max_examples=example_count(60))
@given(st.lists(st.tuples(st.integers(6, len(RSS)), st.binary(max_size=4)), max_size=5))
@pytest.mark.slow
def test_damaged_feed_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, bytes]]
) -> None:
    content = RSS.encode()
    for at, instead in edits:
        content = content[:at] + instead + content[at + len(instead) + 1 :]
    folder = tmp_path_factory.getbasetemp()
    assert all(isinstance(value, Article | Reject) for value in read_feed(folder, content))


@pytest.mark.slow
@pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared feeds are not here")
def test_real_feeds_of_many_publishers_are_read() -> None:
    names = [path for path in sorted(FEEDS.iterdir()) if path.name != "LICENSE"]
    assert len(names) == 31
    without = {path.name for path in names if not any(isinstance(v, Article) for v in read(path))}
    assert without <= {
        *("incomplete-fields.atom", "missing-fields.atom", "unrecognized.rss"),
        *("rss-1.rss", "xml2js-options.rss"),  # headlines and links alone
    }


# Links to follow


def read_links(folder: Path, content: str) -> list[Link]:
    links = read_feed(folder, content, "follow")
    assert all(isinstance(link, Link) for link in links), links
    return [link for link in links if isinstance(link, Link)]


def test_summary_entry_is_a_link_to_its_article(tmp_path: Path) -> None:
    (link,) = read_links(
        tmp_path,
        """<rss version="2.0"><channel><title>Velsund Post</title><item>
        <title>Crane falls</title><link>https://velsundpost.example/crane?utm_source=rss#top</link>
        <description>A crane fell.</description><dc:creator xmlns:dc="x">Ada Lindqvist</dc:creator>
        <pubDate>Thu, 24 Oct 2024 10:30:00 GMT</pubDate></item></channel></rss>""",
    )
    assert link.url == "https://velsundpost.example/crane"
    assert link.place.endswith(":1")
    assert link.known is not None
    assert (link.known.title, link.known.text) == ("Crane falls", "A crane fell.")
    assert link.known.published == datetime(2024, 10, 24, 10, 30, tzinfo=UTC)


WHOLE = "The crane fell on the pier. " * 60


@pytest.mark.parametrize(
    ("text", "whole"), [(WHOLE, True), (WHOLE + "…", False), ("Short.", False)]
)
def test_full_text_entry_is_the_article(tmp_path: Path, text: str, whole: bool) -> None:
    rss = f"""<rss version="2.0"><channel><title>V</title><item><title>Crane</title>
        <link>https://v.example/1</link><description>{text}</description></item></channel></rss>"""
    item = {"id": "1", "url": "https://v.example/1", "title": "Crane", "content_text": text}
    feed = json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "V", "items": [item]}
    )
    for content in (rss, feed):
        (one,) = read_feed(tmp_path, content, "follow")
        assert isinstance(one, Article if whole else Link)


def test_news_sitemap_gives_known_fields_of_each_page(tmp_path: Path) -> None:
    (link,) = read_links(
        tmp_path,
        """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
        xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"
        xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"><url>
        <loc>https://v.example/1</loc><lastmod>2024-10-24</lastmod>
        <i:image><i:loc>https://v.example/crane.jpg</i:loc><i:title>A picture</i:title></i:image>
        <n:news><n:publication><n:name>Velsund Post</n:name><n:language>en</n:language>
        </n:publication><n:publication_date>2024-10-23T10:00:00Z</n:publication_date>
        <n:title>Crane falls</n:title></n:news></url></urlset>""",
    )
    assert link.url == "https://v.example/1"
    assert link.modified == datetime(2024, 10, 25, tzinfo=UTC)  # some time on that day
    assert link.known is not None
    assert (link.known.title, link.known.publisher) == ("Crane falls", "Velsund Post")
    assert link.known.published == datetime(2024, 10, 23, 10, tzinfo=UTC)


def test_sitemap_index_names_its_sitemaps(tmp_path: Path) -> None:
    index = (
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<sitemap><loc>https://v.example/a.xml</loc></sitemap>"
        "<sitemap><loc>https://v.example/b.xml.gz</loc></sitemap></sitemapindex>"
    )
    assert [link.url[-8:] for link in read_links(tmp_path, index)] == ["le/a.xml", "b.xml.gz"]


def test_list_gives_its_addresses_cleaned(tmp_path: Path) -> None:
    links = read_links(
        tmp_path, "# mine\nhttps://v.example/1?utm_medium=x\n\n  https://v.example/2#top\n"
    )
    assert [link.url for link in links] == ["https://v.example/1", "https://v.example/2"]


def test_broken_sitemap_gives_its_complete_links(tmp_path: Path) -> None:
    broken = "<urlset><url><loc>https://v.example/1</loc></url><url><loc>https://v.example/2</"
    assert read_links(tmp_path, broken)[0].url == "https://v.example/1"
