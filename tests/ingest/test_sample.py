"""The sample archive has what its README promises, read with the standard library only."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[2] / "ingest" / "sample"
FIRST_DAY, LAST_DAY = date(2024, 6, 1), date(2024, 12, 31)

WIRE = "fennmark-wire.example/story/nis-1500-special-forces-vladivostok-20241018"
WHOLE_COPY = "harbour-courier.example/2024/10/18/russian-navy-ferried-north-korean-troops-seoul"
CUT_COPY = "westermoor-post.example/2024/10/18/pyongyang-sends-elite-troops-to-russia"
UPDATED = "pellworth-tribune.example/2024/10/24/yoon-duda-seoul-summit"
CORRECTED = "alder-street-ledger.example/world/what-russia-gets-what-kim-gets"
SAYS_3000 = "pellworth-tribune.example/2024/10/23/nis-lawmakers-3000-now-10000-december"
SAYS_1500 = "saltmarsh-monitor.example/articles/how-many-1500-figure"
SAYS_10000 = "fennmark-wire.example/story/blinken-8000-north-koreans-kursk-20241031"
SAYS_12000 = "alder-street-ledger.example/world/ryder-10000-kursk-12000-total"
LITTERED = "harbour-courier.example/2024/10/26/what-seoul-has-threatened-so-far"


@dataclass(frozen=True)
class SampleArticle:
    """One article as in its file; `day` is its publication day."""

    id: str
    title: str
    text: str
    publisher: str
    day: date


def _lines(name: str) -> list[dict[str, Any]]:
    lines = (SAMPLE / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _from_line(line: dict[str, Any]) -> SampleArticle:
    published = datetime.fromisoformat(line["published"])
    return SampleArticle(
        line["id"], line["title"], line["text"], line["publisher"], published.date()
    )


def _from_markdown(path: Path) -> SampleArticle:
    _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
    head = dict(line.split(": ", 1) for line in front.splitlines())
    return SampleArticle(
        head["url"].removeprefix("https://"),
        json.loads(head["title"]),
        text.strip(),
        head["publisher"],
        datetime.fromisoformat(head["published"]).date(),
    )


def _from_text(path: Path) -> SampleArticle:
    title, byline, text = path.read_text(encoding="utf-8").split("\n\n", 2)
    publisher = byline.splitlines()[0].rpartition(", ")[2]
    stated = re.search(r"(?:Date: |, )(\d{1,2} [A-Z][a-z]+ 2024)", f"{byline}\n{text}")
    assert stated, path
    day = datetime.strptime(f"{stated[1]} +0000", "%d %B %Y %z").date()
    return SampleArticle(path.name, title, text, publisher, day)


def _from_page(path: Path) -> SampleArticle:
    page = path.read_text(encoding="utf-8")
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert block, path
    said = json.loads(block[1])
    assert said["@type"] == "NewsArticle"
    return SampleArticle(
        said["mainEntityOfPage"].removeprefix("https://"),
        said["headline"],
        page,
        said["publisher"]["name"],
        datetime.fromisoformat(said["datePublished"]).date(),
    )


def _articles() -> list[SampleArticle]:
    return [
        *map(_from_line, _lines("articles.jsonl")),
        *map(_from_markdown, sorted(SAMPLE.glob("notes/*.md"))),
        *map(_from_text, sorted(SAMPLE.glob("notes/*.txt"))),
        *map(_from_page, sorted(SAMPLE.glob("pages/*.html"))),
        *map(_from_line, _lines("updates.jsonl")),
    ]


def _in_jsonl(article_id: str) -> SampleArticle:
    return next(a for a in map(_from_line, _lines("articles.jsonl")) if a.id == article_id)


def test_every_file_is_utf8_and_of_a_known_format() -> None:
    for path in SAMPLE.rglob("*"):
        if path.is_file():
            assert path.suffix in {".jsonl", ".md", ".txt", ".html"}, path
            assert "\ufffd" not in path.read_text(encoding="utf-8"), path


def test_sample_has_sixty_articles_from_six_publishers() -> None:
    articles = _articles()
    assert len({article.id for article in articles}) >= 60
    assert len({article.publisher for article in articles}) == 6
    hosts = {article.id.split("/")[0] for article in articles if "/" in article.id}
    assert len(hosts) == 6
    assert all(host.endswith(".example") for host in hosts)


def test_only_the_updated_article_has_its_id_twice() -> None:
    times = Counter(article.id for article in _articles())
    assert {article_id for article_id, count in times.items() if count > 1} == {UPDATED}
    assert times[UPDATED] == 2


def test_id_is_the_address_without_scheme() -> None:
    for line in _lines("articles.jsonl") + _lines("updates.jsonl"):
        assert line["url"] == f"https://{line['id']}"


def test_articles_are_dated_within_the_half_year() -> None:
    for article in _articles():
        assert FIRST_DAY <= article.day <= LAST_DAY, article.id
    for line in _lines("articles.jsonl"):
        assert datetime.fromisoformat(line["published"]).tzinfo is not None, line["id"]


def test_every_article_has_a_title_and_several_paragraphs() -> None:
    for article in _articles():
        assert article.title
        assert max(article.text.count("\n\n"), article.text.count("<p>")) >= 3, article.id


def test_no_article_mentions_the_pope() -> None:
    spoken = re.compile(r"\b(pope|papal|pontiff|vatican|holy see|francis)\b", re.IGNORECASE)
    for article in _articles():
        assert not spoken.search(f"{article.title} {article.text}"), article.id


def test_wire_story_has_a_whole_and_a_cut_copy() -> None:
    wire, whole, cut = map(_in_jsonl, (WIRE, WHOLE_COPY, CUT_COPY))
    assert whole.text == wire.text
    paragraphs = wire.text.split("\n\n")
    kept = [paragraph for paragraph in paragraphs if paragraph in cut.text]
    assert cut.text == "\n\n".join(kept)
    assert len(kept) == len(paragraphs) - 2
    assert len({article.title for article in (wire, whole, cut)}) == 3
    assert len({article.publisher for article in (wire, whole, cut)}) == 3


def test_updated_article_says_more_in_the_evening() -> None:
    morning = next(line for line in _lines("articles.jsonl") if line["id"] == UPDATED)
    (evening,) = _lines("updates.jsonl")
    assert evening["url"] == morning["url"]
    assert evening["published"] == morning["published"]
    assert evening["text"] != morning["text"]
    assert "won't sit idle" in evening["text"]
    assert "won't sit idle" not in morning["text"]
    updated = datetime.fromisoformat(evening["updated"])
    assert updated > datetime.fromisoformat(morning["published"])


def test_correction_says_what_an_earlier_version_got_wrong() -> None:
    last = _in_jsonl(CORRECTED).text.split("\n\n")[-1]
    assert last.startswith("Correction: An earlier version")
    assert "19 June 2024" in last


def test_two_pairs_of_articles_disagree_on_the_soldiers() -> None:
    assert "about 3,000 soldiers" in _in_jsonl(SAYS_3000).text
    assert "North Korea has sent 1,500 soldiers" in _in_jsonl(SAYS_1500).text
    assert "10,000 North Koreans are in Russia altogether" in _in_jsonl(SAYS_10000).text
    assert "between 11,000 and 12,000" in _in_jsonl(SAYS_12000).text


def test_one_page_has_boilerplate_round_its_article() -> None:
    page = next(a for a in map(_from_page, SAMPLE.glob("pages/*.html")) if a.id == LITTERED)
    for litter in ("<nav", "cookies", "Subscribe", "LEAVE A REPLY", "Popular", "Related", "Share"):
        assert litter in page.text, litter


def test_readme_names_every_special_article() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert "invented" in readme
    copies = (WIRE, WHOLE_COPY, CUT_COPY)
    figures = (SAYS_3000, SAYS_1500, SAYS_10000, SAYS_12000)
    for article_id in (*copies, UPDATED, CORRECTED, *figures, LITTERED):
        assert f"`{article_id}`" in readme, article_id
