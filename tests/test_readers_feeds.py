"""An entry of a feed is an article, with the text that the feed holds; links alone are none."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import Reject, read
from rag.schema import Article

FEEDS = Path(__file__).parents[2] / "shared" / "data" / "feeds"
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


def found(folder: Path, content: str | bytes) -> list[Article | Reject]:
    path = folder / "feed"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(path))


@pytest.mark.parametrize("feed", [RSS, ATOM, JSON_FEED])
def test_an_entry_is_an_article(tmp_path: Path, feed: str) -> None:
    article = found(tmp_path, feed)[0]
    assert isinstance(article, Article), article
    assert (article.title, article.text) == ("Crane falls", TEXT)
    assert (article.publisher, article.authors) == ("Velsund Post", ("Ida Lund",))
    assert (article.published, article.updated) == (DAY, None)
    assert (article.id, article.language) == ("velsundpost.example/crane", "en")


def test_an_entry_that_is_a_link_alone_is_a_reject_with_its_number(tmp_path: Path) -> None:
    _, reject = found(tmp_path, RSS)
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
        (SITEMAP, "a sitemap with 2 addresses"),
        ("# the harbour\nhttps://a.example/1\n\nhttps://a.example/2\n", "a list with 2 addresses"),
        ("https://a.example/1", "a list with 1 address and"),
    ],
)
def test_links_without_a_text_are_one_reject_that_says_what_to_do(
    tmp_path: Path, content: str, name: str
) -> None:
    (reject,) = found(tmp_path, content)
    assert isinstance(reject, Reject)
    assert reject.reason.startswith(name)
    assert "save them" in reject.reason


def test_a_story_that_begins_with_an_address_is_a_story(tmp_path: Path) -> None:
    (article,) = found(tmp_path, f"https://velsundpost.example/crane\n\nCrane falls\n\n{TEXT}")
    assert isinstance(article, Article)


def test_a_feed_never_opens_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "secret">]>'
        "<rss><channel><item><title>x</title><description>It says &a; here.</description></item>"
        "</channel></rss>"
    )
    assert "the secret" not in repr(found(tmp_path, bomb))


def test_a_thousand_comments_do_not_take_long(tmp_path: Path) -> None:
    begin = time.process_time()
    found(tmp_path, "<!-- -->" * 1000 + "x")
    found(tmp_path, "# harbour \n" * 1000 + f"A story. {TEXT} https://a.example/1")
    found(tmp_path, "<rss>" + "<item>" * 5000)
    assert time.process_time() - begin < 5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(6, len(RSS)), st.binary(max_size=4)), max_size=5))
def test_no_damaged_feed_raises(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, bytes]]
) -> None:
    content = RSS.encode()
    for at, instead in edits:
        content = content[:at] + instead + content[at + len(instead) + 1 :]
    folder = tmp_path_factory.getbasetemp()
    assert all(isinstance(value, Article | Reject) for value in found(folder, content))


@pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared feeds are not here")
def test_the_feeds_of_many_publishers_are_read() -> None:
    names = [path for path in sorted(FEEDS.iterdir()) if path.name != "LICENSE"]
    assert len(names) == 31
    without = {path.name for path in names if not any(isinstance(v, Article) for v in read(path))}
    assert without <= {
        *("incomplete-fields.atom", "missing-fields.atom", "unrecognized.rss"),
        *("rss-1.rss", "xml2js-options.rss"),  # headlines and links alone
    }
