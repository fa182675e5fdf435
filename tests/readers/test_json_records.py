"""JSON of many shapes becomes articles; each broken record is one reject."""

from __future__ import annotations

import gzip
import json
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import NotedArticle, Reject, encoding, read
from ingest.readers.publication_dates import parse_date
from rag.schema import Article
from rag.urls import article_id

TEXT = "A crane fell on the pier of Velsund on Tuesday. Nobody was hurt."
ONE = {"id": "crane", "title": "Crane falls", "text": TEXT}


def read_articles(path: Path) -> list[Article]:
    return [found for found in read(path) if isinstance(found, Article)]


def read_rejects(path: Path) -> list[Reject]:
    return [found for found in read(path) if isinstance(found, Reject)]


def write_lines(path: Path, *values: Any) -> Path:
    path.write_text("\n".join(json.dumps(value) for value in values), "utf-8")
    return path


def read_one(path: Path) -> Article:
    assert read_rejects(path) == []
    (article,) = read_articles(path)
    return article


def test_record_with_only_boilerplate_keeps_its_headline(tmp_path: Path) -> None:
    litter = "Share\nTweet\nSubscribe to our newsletter\n"
    video = ONE | {"title": "Crane falls on pier of Velsund", "text": litter}
    article = read_one(write_lines(tmp_path / "a.jsonl", video))
    assert (article.title, article.text) == ("Crane falls on pier of Velsund", "")
    (reject,) = read_rejects(write_lines(tmp_path / "b.jsonl", video | {"title": "Video"}))
    assert reject.reason == "no text: only boilerplate"


def test_line_with_usual_keys_is_an_article(tmp_path: Path) -> None:
    line = ONE | {
        "url": "https://www.velsundpost.example/2024/crane/?utm_source=x",
        "publisher": "Velsund Post",
        "authors": ["Ida Lund", "Ola Str"],
        "published": "2024-10-24T08:30:00+02:00",
        "language": "en-GB",
    }
    article = read_one(write_lines(tmp_path / "a.jsonl", line))
    assert article.id == "velsundpost.example/2024/crane"
    assert article.text == TEXT
    assert article.authors == ("Ida Lund", "Ola Str")
    assert article.published == datetime(2024, 10, 24, 6, 30, tzinfo=UTC)
    assert (article.publisher, article.language) == ("Velsund Post", "en")


@pytest.mark.parametrize(
    "record",
    [
        {"headline": "Crane falls", "articleBody": TEXT, "datePublished": "2024-10-24",
         "author": {"@type": "Person", "name": "Ida Lund"}, "publisher": {"name": "Velsund Post"}},
        {"title": "Crane falls", "content": TEXT, "publishedAt": "2024-10-24T00:00:00Z",
         "author": "Ida Lund", "source": {"id": None, "name": "Velsund Post"}},
        {"title": "Crane falls", "maintext": TEXT, "date_publish": "2024-10-24 00:00:00",
         "authors": ["Ida Lund"], "source_name": "Velsund Post"},
        {"webTitle": "Crane falls", "webPublicationDate": "2024-10-24T00:00:00Z",
         "fields": {"bodyText": TEXT, "byline": "By Ida Lund"}, "publication": "Velsund Post"},
        {"headline": {"main": "Crane falls"}, "byline": {"original": "By Ida Lund"},
         "pub_date": "2024-10-24T00:00:00+0000", "body": TEXT, "source": "Velsund Post"},
        {"Headline": "Crane falls", "Body": f"<p>{TEXT}</p>", "Pub Date": "October 24, 2024",
         "By": "Ida Lund", "Newspaper": "Velsund Post"},
        {"title": "Crane falls | Velsund Post", "article": TEXT.split(". ")[0] + ". "
         + TEXT.split(". ")[1], "timestamp": 1729728000, "author": "IDA LUND".title(),
         "site": "Velsund Post"},
    ],
)  # fmt: skip
def test_other_spellings_of_keys_are_read(tmp_path: Path, record: dict[str, Any]) -> None:
    article = read_one(write_lines(tmp_path / "a.jsonl", record))
    assert (article.title, article.text, article.publisher) == ("Crane falls", TEXT, "Velsund Post")
    assert article.authors == ("Ida Lund",)
    assert article.published == datetime(2024, 10, 24, tzinfo=UTC)


def test_arrays_objects_and_wrappers_are_read(tmp_path: Path) -> None:
    two = [ONE, ONE | {"id": "ferry"}]
    for number, value in enumerate([two, {"articles": two}, {"response": {"docs": two}}]):
        for indent in (None, 2):
            path = tmp_path / f"{number}-{indent}.json"
            path.write_text(json.dumps(value, indent=indent), "utf-8")
            assert [a.id for a in read_articles(path)] == ["crane", "ferry"]
            assert read_rejects(path) == []
    path = tmp_path / "one.json"
    path.write_text(json.dumps(ONE, indent=1), "utf-8")
    assert read_one(path).id == "crane"


def test_gzip_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "articles.jsonl"
    path.write_bytes(gzip.compress(json.dumps(ONE).encode()))
    assert read_one(path).title == "Crane falls"


def test_broken_line_is_a_reject_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps(ONE).encode()
    path.write_bytes(
        b"\n".join(
            [
                good,
                b'{"title": "Crane',
                b'{"text": "\xff\xfe"}',
                b"[1, 2]",
                b"",
                b'{"title": "No text"}',
                good.replace(b"crane", b"ferry"),
            ]
        )
    )
    assert [a.id for a in read_articles(path)] == ["crane", "ferry"]
    found = read_rejects(path)
    assert [r.place.rpartition(":")[2] for r in found] == ["2", "3", "4", "4", "6"]
    assert found[0].reason == "broken JSON: Invalid control character at character 17 of the line"
    assert found[1].reason.startswith("invalid UTF-8")
    assert found[-1].reason.startswith("no text")


def test_broken_first_line_keeps_the_file_json(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("not json\n" + "\n".join([json.dumps(ONE)] * 2 + [""]), "utf-8")
    assert len(read_articles(path)) == 2
    assert len(read_rejects(path)) == 1


def test_broken_array_element_keeps_what_comes_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"[{json.dumps(ONE)},\n{{broken}},\n{json.dumps(ONE)}]", "utf-8")
    assert len(read_articles(path)) == 1
    (found,) = read_rejects(path)
    assert found.place.endswith(":2")
    path.write_text(f"[{json.dumps(ONE)},", "utf-8")
    assert len(read_articles(path)) == len(read_rejects(path)) == 1


def test_unreadable_date_is_dropped_with_a_notice(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl", ONE | {"published": "the day after"}, ONE | {"date": ""}
    )
    noted, silent = read_articles(path)
    assert (noted.published, silent.published) == (None, None)
    assert isinstance(noted, NotedArticle)
    assert not isinstance(silent, NotedArticle)
    (notice,) = noted.notices
    assert notice.place == f"{path}:1"
    assert "'the day after' is not a date" in notice.reason
    assert read_rejects(path) == []


def test_line_of_200_mb_is_a_reject_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "')
        for _ in range(200):
            file.write(b"a" * 2**20)
        file.write(b'"}\n' + json.dumps(ONE).encode())
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    found = list(read(path))
    assert time.thread_time() - begin < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000  # KB
    assert isinstance(found[0], Reject)
    assert "larger than 16 MB" in found[0].reason
    assert isinstance(found[1], Article)


def test_endless_element_is_a_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.readers.json_records.ARTICLE_BYTES", 2**18)
    path = tmp_path / "a.json"
    path.write_text('[\n{"text": "' + "a" * 2**20, "utf-8")
    (found,) = read_rejects(path)
    assert "broken JSON" in found.reason


def test_deep_brackets_are_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": ' + "[" * 100_000, "utf-8")
    assert len(read_rejects(path)) == 1


@pytest.mark.parametrize(
    "deep",
    [
        lambda n: '{"text": ' + "[" * n + '"It fell."' + "]" * n + "}",
        lambda n: '{"data": ' * n + '{"text": "It fell."}' + "}" * n,
        lambda n: "[" * n + '{"text": "It fell."}' + "]" * n,
    ],
)
def test_line_too_deep_to_parse_costs_only_itself(
    tmp_path: Path, deep: Callable[[int], str]
) -> None:
    path = tmp_path / "a.jsonl"
    for levels in range(800, 1000, 7):
        path.write_text(f'{{"title": "T"}}\n{deep(levels)}\n{{"text": "It stood."}}\n', "utf-8")
        assert read_articles(path)[-1].text == "It stood."


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(content)
    assert all(isinstance(found, Article | Reject) for found in read(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["title", "text", "date", "author", "source", "url", "id", "articles"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_raises_nothing(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    path.write_text(json.dumps(value), "utf-8")
    for found in read(path):
        assert isinstance(found, Article | Reject)
        if isinstance(found, Article):
            assert found.text == found.text.strip() != ""
            assert found.published is None or found.published.tzinfo is not None


@pytest.mark.parametrize(
    ("spelling", "same"),
    [
        ("https://www.velsundpost.example/2024/crane", True),
        ("http://velsundpost.example/2024/crane/", True),
        ("https://velsundpost.example/2024/crane/index.html", True),
        ("https://m.velsundpost.example/2024/crane?utm_source=x&fbclid=y#top", True),
        ("https://amp.velsundpost.example/2024/crane/amp", True),
        ("https://www.google.com/amp/s/www.velsundpost.example/2024/crane/", True),
        ("HTTPS://VelsundPost.example:443/2024/cr%61ne?amp=1", True),
        ("https://edition.velsundpost.example/2024/crane/index.html/", True),
        ("https://velsundpost.example/2024/crane/index.html&quot;", True),
        ("https://velsundpost.example/2024/crane;jsessionid=A1?mkt_tok=b&gbraid=c", True),
        ("https://velsundpost.example/2024/crane/?output=amp&print=1", True),
        ("https://velsundpost.example/2024/crane?output=chart", False),
        ("https://velsundpost.example/2024/Crane", False),
        ("https://velsundpost.example/2024/crane?page=2", False),
        ("https://velsundpost.example:8080/2024/crane", False),
    ],
)
def test_article_id_is_one_per_address(spelling: str, same: bool) -> None:
    assert (article_id(spelling) == "velsundpost.example/2024/crane") is same


def test_article_id_ignores_overlong_address() -> None:
    endless = "https://www.velsundpost.example/" + "'x" * 500_000
    assert article_id(endless, "crane", TEXT) == "crane"
    assert article_id(endless, "", TEXT) == article_id("", "", TEXT)


def test_article_id_without_address_is_the_given_id_or_text() -> None:
    assert article_id("", "crane-1", "a") == "crane-1"
    assert article_id("", "", "a") == article_id("", "", "a") != article_id("", "", "b")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_article_id_accepts_any_address(url: str) -> None:
    assert article_id(f"https://{url}", "", "a")


MOMENT = datetime(2024, 10, 24, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written_as",
    [
        "2024-10-24T10:30:00Z", "2024-10-24 10:30", "2024-10-24T12:30:00+0200",
        "Thu, 24 Oct 2024 10:30:00 GMT", "October 24, 2024 10:30 am",
        "Published: 24 Oct. 2024, 10:30",
        "24. Oktober 2024 10:30", "24 octobre 2024 10:30", "24 октября 2024 10:30",
        "2024年10月24日 10:30", "20241024T103000Z", 1729765800, 1729765800000, "1729765800",
        "24 Oct 2024 6:30 AM EDT", 20241024103000, "20241024103000",
    ],
)  # fmt: skip
def test_parse_date_reads_common_notations(written_as: str | int) -> None:
    assert parse_date(written_as) == MOMENT


@pytest.mark.parametrize(
    ("written_as", "language", "day"),
    [
        ("03.04.2024", "", (4, 3)), ("3. 4. 2024", "en", (4, 3)), ("24.10.2024", "", (10, 24)),
        ("03/04/2024", "fr", (4, 3)), ("03/04/2024", "en", (3, 4)), ("03/04/2024", "", (3, 4)),
        ("03-04-2024", "de", (4, 3)), ("2024-03-04", "de", (3, 4)), ("2024/03/04", "de", (3, 4)),
        ("Wed Apr 03 18:30:00 +0000 2024", "", (4, 3)), ("2024.03.04", "de", (3, 4)),
    ],
)  # fmt: skip
def test_parse_date_order_follows_separator_or_language(
    written_as: str, language: str, day: tuple[int, int]
) -> None:
    moment = parse_date(written_as, language)
    assert moment
    assert (moment.year, moment.month, moment.day) == (2024, *day)


def test_article_is_dated_in_its_own_language(tmp_path: Path) -> None:
    text = "La grue est tombée sur le quai mardi. Personne n’a été blessé, a dit le capitaine."
    article = read_one(write_lines(tmp_path / "a.jsonl", {"text": text, "date": "03/04/2024"}))
    assert article.published == datetime(2024, 4, 3, tzinfo=UTC)


def test_parse_date_rejects_dates_far_ahead() -> None:
    ahead = datetime.now(UTC) + timedelta(days=300)
    assert parse_date(ahead.isoformat()) == ahead  # a magazine's
    with pytest.raises(ValueError, match="more than a year ahead"):
        parse_date((ahead + timedelta(days=100)).isoformat())


@pytest.mark.parametrize("nothing", [None, "", " ", "null", "N/A"])
def test_parse_date_of_nothing_returns_none(nothing: str | None) -> None:
    assert parse_date(nothing) is None


@pytest.mark.parametrize(
    "none",
    ["not a date", "yesterday", "October", "2024", 2024, "2024-13-45", "0000-00-00"],
)
def test_parse_date_rejects_other_text(none: str | int) -> None:
    with pytest.raises(ValueError, match=r"not a.* date"):
        parse_date(none)


@settings(deadline=None)
@given(st.text(max_size=30) | st.integers() | st.floats())
def test_parse_date_is_aware_or_raises(value: Any) -> None:
    try:
        moment = parse_date(value)
    except ValueError:
        return
    assert moment is None or moment.tzinfo is not None


def test_article_size_limit_is_16_mb() -> None:
    assert encoding.ARTICLE_BYTES == 16 * 2**20
