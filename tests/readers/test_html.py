"""HTML pages: story and metadata; a page without a story is a reject."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import Reject, read
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.html.reader import read_html
from rag.schema import Article
from tests.support.example_counts import example_count

PAGES = Path(__file__).parents[3] / "shared" / "data" / "extraction"
PARAGRAPHS = [
    "A crane fell on the eastern pier of the harbour of Velsund on Tuesday morning, and two "
    "ships that were being loaded with timber were hit by its arm.",
    "“Nobody was hurt,” harbour master Ida Lund said, “but the pier will be shut for at least "
    "three weeks, and the ferries will leave from the old quay until then.”",
    "The crane was built in 1962 and had been repaired twice since. The council will meet on "
    "Friday to decide whether the two others of its kind are to be taken down.",
]
BODY = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
LD = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebSite", "name": "Velsund Post"},
        {
            "@type": "NewsArticle",
            "headline": "Crane falls in Velsund &amp; hits ships",
            "author": [
                {"@type": "Person", "name": "Ida Lund"},
                {"@type": "Person", "name": "Ola Str"},
            ],
            "publisher": {"@type": "Organization", "name": "Velsund Post"},
            "datePublished": "2024-10-24T08:30:00+02:00",
            "dateModified": "2024-10-24T12:00:00+02:00",
            "articleSection": "Harbour",
        },
    ],
}


def page(head: str = "", body: str = BODY) -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8">{head}</head><body>'
        "<nav><a href='/'>Home</a><a href='/news'>News</a></nav>"
        f"<article><h1>Crane falls in Velsund</h1>{body}</article>"
        "<aside><h2>Related</h2><ul><li><a href='/x'>Ten quays to see</a></li></ul></aside>"
        "<footer>© 2024 Velsund Post. All rights reserved.</footer></body></html>"
    ).encode()


def read_article(content: bytes, url: str = "") -> Article:
    found = read_html(content, place="crane.html", url=url)
    assert isinstance(found, Article), found
    return found


def test_json_ld_wins_over_open_graph() -> None:
    head = (
        f'<script type="application/ld+json">{json.dumps(LD)}</script>'
        '<link rel="canonical" href="https://www.velsundpost.example/2024/crane/">'
        '<meta property="og:title" content="WATCH: crane!"><meta name="author" content="Web desk">'
        '<meta property="article:published_time" content="2024-10-25">'
    )
    found = read_article(page(head))
    assert found.id == "velsundpost.example/2024/crane"
    assert found.title == "Crane falls in Velsund"  # as readers see it, over the story
    assert found.authors == ("Ida Lund", "Ola Str")
    assert (found.publisher, found.section, found.language) == ("Velsund Post", "Harbour", "en")
    assert found.published == datetime(2024, 10, 24, 6, 30, tzinfo=UTC)
    assert found.updated == datetime(2024, 10, 24, 10, 0, tzinfo=UTC)
    assert found.text.split("\n\n") == PARAGRAPHS


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://m.velsundpost.com/crane", "https://www.velsundpost.com/2024/crane"),
        (
            "https://web.archive.org/web/2024/https://velsundpost.com/crane",
            "https://velsundpost.com/c",
        ),
        ("", "https://velsundpost.com/crane"),
    ],
)
def test_page_may_name_an_address_of_its_own_site(url: str, named: str) -> None:
    found = read_article(page(f'<link rel="canonical" href="{named}">'), url)
    assert found.url == named


@pytest.mark.parametrize(
    "tag", ['<link rel="canonical" href="{}">', '<meta property="og:url" content="{}">']
)
def test_page_may_not_name_an_address_of_another_site(tag: str) -> None:
    url = "https://forger.co.uk/crane"
    for theirs in ("https://velsundpost.com/crane", "https://news.co.uk/crane"):
        assert read_article(page(tag.format(theirs)), url).url == url


def test_open_graph_and_meta_are_read_without_json_ld() -> None:
    head = (
        "<title>Crane falls | Velsund Post</title>"
        '<meta property="og:title" content="Crane falls">'
        '<meta property="og:site_name" content="Velsund Post">'
        '<meta name="author" content="By Ida Lund">'
        '<meta property="article:author" content="https://facebook.example/ida">'
        '<meta property="article:published_time" content="2024-10-24T06:30:00Z">'
        '<meta property="article:section" content="Harbour">'
        '<meta property="og:url" content="https://velsundpost.example/crane?utm_source=og">'
    )
    found = read_article(page(head))
    assert (found.title, found.publisher, found.section) == (
        "Crane falls in Velsund",
        "Velsund Post",
        "Harbour",
    )
    assert found.authors == ("Ida Lund",)
    assert found.published == datetime(2024, 10, 24, 6, 30, tzinfo=UTC)
    assert found.id == "velsundpost.example/crane"


def test_page_without_metadata_is_read() -> None:
    found = read_article(page(), url="https://www.velsundpost.example/2024/crane")
    assert found.title == "Crane falls in Velsund"
    assert found.publisher
    assert found.text.split("\n\n") == PARAGRAPHS


def test_invalid_date_on_the_page_is_ignored() -> None:
    head = '<meta property="article:published_time" content="soon">'
    assert read_article(page(head)).published is None


def test_broken_json_ld_is_ignored() -> None:
    head = '<script type="application/ld+json">{"@type": "NewsArticle", </script>'
    assert read_article(page(head)).title == "Crane falls in Velsund"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<p>Welcome</p>",
        "<ul>"
        + "".join(f"<li><a href='/{i}'>Crane number {i} falls</a></li>" for i in range(40))
        + "</ul>",
        "<form><input name='q'><button>Search</button></form>",
    ],
)
def test_page_without_an_article_is_a_reject(tmp_path: Path, body: str) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(page(body=body))
    (found,) = read(path)
    assert isinstance(found, Reject)
    assert "without an article" in found.reason


def test_text_of_fragment_gives_paragraphs() -> None:
    assert text_of_fragment("<p>One</p>&#1;two &#xFFFE;") == "One\n\ntwo "
    text = text_of_fragment("<p>One &amp; two.</p><p>Three<br>four.</p><script>x()</script>")
    assert text.split() == ["One", "&", "two.", "Three", "four."]
    assert "two.\n\nThree\n\nfour." in text


@settings(max_examples=example_count(40))
@given(st.integers(0, len(page())), st.binary(max_size=20))
def test_damaged_page_raises_nothing(cut: int, damage: bytes) -> None:
    whole = page(f'<script type="application/ld+json">{json.dumps(LD)}</script>')
    assert isinstance(read_html(whole[:cut] + damage, place="x"), Article | Reject)
    assert isinstance(
        read_html(whole[:cut] + damage + whole[cut + 20 :], place="x"), Article | Reject
    )


@pytest.mark.skipif(not PAGES.exists(), reason="needs ../shared/data")
@pytest.mark.full
def test_real_pages_reach_the_measured_f1() -> None:
    truth = json.loads((PAGES / "ground-truth.json").read_text("utf-8"))
    measured = []
    for name in sorted(truth)[::6]:  # a sixth of the 181 pages; all of them: F1 .965
        content = gzip.decompress((PAGES / "html" / f"{name}.html.gz").read_bytes())
        found = read_html(content, place=name, url=truth[name]["url"])
        gold = _shingles(truth[name]["articleBody"])
        ours = _shingles(found.text if isinstance(found, Article) else "")
        same = (gold & ours).total()
        measured.append((same / (ours.total() or 1), same / (gold.total() or 1)))
    precision = sum(p for p, _ in measured) / len(measured)
    recall = sum(r for _, r in measured) / len(measured)
    assert 2 * precision * recall / (precision + recall) >= 0.955


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("hi", "बंदरगाह बोर्ड ने बुधवार को कहा कि नया घाट बनाने पर तीन करोड़ रुपये खर्च होंगे और यह अगले साल खुलेगा।"),  # noqa: E501
        ("hy", "Նավահանգստի խորհուրդը չորեքշաբթի օրը հայտնեց, որ նոր նավամատույցը կարժենա երեք միլիոն և կբացվի հաջորդ տարի։"),  # noqa: E501
        ("th", "คณะกรรมการท่าเรือกล่าวเมื่อวันพุธว่าท่าเทียบเรือใหม่จะใช้งบสามล้านและจะเปิดในปีหน้า แม้สมาชิกสองคนไม่เห็นด้วย"),  # noqa: E501
        ("am", "የወደቡ ቦርድ ረቡዕ ዕለት አዲሱ ምሰሶ ሦስት ሚሊዮን እንደሚፈጅና በሚቀጥለው ዓመት እንደሚከፈት ገለጸ፣ ሁለት አባላት ግን ተጠራጠሩ።"),  # noqa: E501
        ("km", "ក្រុមប្រឹក្សាកំពង់ផែបាននិយាយនៅថ្ងៃពុធថា ផែថ្មីនឹងមានតម្លៃបីលាន ហើយនឹងបើកនៅឆ្នាំក្រោយ។"),
        ("zh", "港口委员会星期三表示，新码头将耗资三百万克朗并于明年开放，不过有两名委员对此表示怀疑，要求再做一次调查。"),  # noqa: E501
    ],
)  # fmt: skip
def test_story_is_recognised_in_any_script(language: str, sentence: str) -> None:
    body = "".join(f"<p>{sentence} {word}</p>" for word in (sentence, sentence[:-1], sentence))
    html = (
        f"<html lang='{language}'><head><meta property='og:type' content='article'></head>"
        f"<body><main><article><h1>{sentence[:20]}</h1>{body}</article></main></body></html>"
    )
    found = read_html(html.encode(), place="a.html")
    assert isinstance(found, Article), found
    assert found.language == language
    assert sentence in found.text
