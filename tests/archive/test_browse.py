"""Browsing: all matching articles, their number, facets, pages, order and rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.browse import BrowsePage
from rag.errors import InvalidValueError, QuestionTooLongError
from rag.schema import ALL_RIGHTS, Article, Filters
from tests.support.fakes import WordEmbeddings

LONG = " ".join(f"Sentence {n} tells of nothing." for n in range(900))
BRIDGE = Article(
    id="bridge",
    title="Harbour bridge closed",
    text=f"The storm closed it. {LONG} The ferry runs instead.",
    publisher="Courier",
    authors=("Noor Haan", "Ada Lind"),
    published=datetime(2024, 10, 21, tzinfo=UTC),
    section="Local",
    language="en",
)
FERRY = Article(
    id="ferry",
    title="Ferries run again",
    text="After the storm the ferry runs. The bridge stays shut; a ferry ticket is free.",
    publisher="Gazette",
    authors=("Ada Lind",),
    published=datetime(2024, 10, 23, 18, tzinfo=UTC),
    section="Local",
    language="en-GB",
)
APPLES = Article(
    id="apples",
    title="Apples",
    text="Frost took the apples.",
    publisher="Gazette",
    published=datetime(2024, 11, 2, tzinfo=UTC),
    kind="opinion",
)
UNDATED = Article(id="note", text="A note on the storm of 1953.")
SECRET = Article(
    id="secret",
    text="The storm report is late.",
    publisher="Desk",
    published=datetime(2024, 10, 30, tzinfo=UTC),
    access="desk",
)
ALL = (BRIDGE, FERRY, APPLES, UNDATED, SECRET)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Return an archive that no test changes."""
    folder = tmp_path_factory.mktemp("browse") / "a"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(ALL)
        yield opened


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Archive]:
    """Return an archive that the test may change."""
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(ALL)
        yield opened


def ids(page: BrowsePage) -> list[str]:
    return [one.article_id for one in page.articles]


def facet(page: BrowsePage, name: str) -> dict[str, int]:
    (found,) = [one for one in page.facets if one.name == name]
    return {one.value: one.articles for one in found.values}


def test_browse_lists_all_articles_newest_first(archive: Archive) -> None:
    page = archive.browse()
    assert ids(page) == ["apples", "ferry", "bridge", "note"]
    assert (page.total, page.cursor) == (4, "")
    assert BrowsePage.from_dict(page.to_dict()) == page


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("storm", ["ferry", "bridge", "note"]),
        ("storm ferry", ["ferry", "bridge"]),  # far apart in one of them
        ("storm AND NOT ferry", ["note"]),
        ("storm -bridge", ["note"]),
        ("apple OR note", ["apples", "note"]),
        ("(frost OR 1953) the", ["apples", "note"]),
        ('"ferry runs"', ["ferry", "bridge"]),
        ('"runs the ferry"', []),
        ('"storm ticket"', []),
        ('"harbour bridge"', ["bridge"]),  # a headline
        ("closing", ["bridge"]),  # an inflection
        ("NOT storm", ["apples"]),
        ("the", ["apples", "ferry", "bridge", "note"]),
        ("zeppelin", []),
    ],
)
def test_browse_matches_words_and_phrases(archive: Archive, words: str, found: list[str]) -> None:
    page = archive.browse(words)
    assert (ids(page), page.total) == (found, len(found))


def test_spellings_that_differ_in_case_are_one_value(own: Archive) -> None:
    spelt = ("LOCAL", "local", "local", "Local")
    own.add(
        Article(id=f"more/{i}", title="Tide", text=f"Tide {i} came.", section=section)
        for i, section in enumerate(spelt)
    )
    found = facet(own.browse(), "section")
    assert found == {"Local": 6}
    assert own.browse(filters=Filters(sections="Local")).total == 6


def test_browse_counts_by_each_property(archive: Archive) -> None:
    page = archive.browse()
    assert facet(page, "publisher") == {"Gazette": 2, "Courier": 1}
    assert facet(page, "author") == {"Ada Lind": 2, "Noor Haan": 1}
    assert facet(page, "section") == {"Local": 2}
    assert facet(page, "language") == {"en": 1, "en-GB": 1}
    assert facet(page, "kind") == {"news": 3, "opinion": 1}
    assert list(facet(page, "month").items()) == [("2024-11", 1), ("2024-10", 2)]
    assert list(facet(page, "day")) == ["2024-11-02", "2024-10-23", "2024-10-21"]
    assert facet(archive.browse("storm"), "author") == {"Ada Lind": 2, "Noor Haan": 1}
    assert facet(archive.browse("apples"), "author") == {}


def test_browse_passes_filters(archive: Archive) -> None:
    assert ids(archive.browse(filters=Filters(publishers="gazette"))) == ["apples", "ferry"]
    page = archive.browse("storm", filters=Filters(authors="Noor Haan"))
    assert ids(page) == ["bridge"]
    assert facet(page, "publisher") == {"Courier": 1}


def test_browse_keeps_rights(archive: Archive) -> None:
    assert "secret" not in ids(archive.browse("storm"))
    assert "Desk" not in facet(archive.browse(), "publisher")
    assert "secret" not in {article.id for article in archive.browse_all("storm")}
    for access in (("DESK",), ALL_RIGHTS):
        page = archive.browse("storm", filters=Filters(access=access))  # type: ignore[arg-type]
        assert page.total == 4
        assert facet(page, "publisher")["Desk"] == 1


@pytest.mark.parametrize("order", ["date", "relevance"])
def test_browse_pages_have_each_article_once(own: Archive, order: str) -> None:
    many = [
        FERRY.replace(id=f"ferry/{n}", title=f"Ferry {n % 3}", published=day)
        for n in range(23)
        for day in [datetime(2024, 1, 1 + n % 4, tzinfo=UTC)]
    ]
    own.add(many)
    seen, cursor, pages = list[str](), "", 0
    while True:
        page = own.browse("ferry", order=order, cursor=cursor, limit=4)  # type: ignore[arg-type]
        assert page.total == 25
        assert bool(page.facets) == (pages == 0)
        seen += ids(page)
        pages += 1
        if not (cursor := page.cursor):
            break
    assert (len(seen), len(set(seen)), pages) == (25, 25, 7)
    everything = own.browse_all("ferry", order=order)  # type: ignore[arg-type]
    assert seen == [article.id for article in everything]


def test_browse_continues_after_an_article_that_is_gone(own: Archive) -> None:
    first = own.browse(limit=2)
    own.withdraw("ferry")
    own.add(APPLES.replace(id="newer", published=datetime(2024, 12, 1, tzinfo=UTC)))
    assert ids(own.browse(cursor=first.cursor, limit=2)) == ["bridge", "note"]


def test_browse_by_relevance_puts_best_match_first(own: Archive) -> None:
    assert ids(own.browse("ferry ticket OR note", order="relevance"))[0] == "ferry"
    own.add(UNDATED.replace(id="other", text="Storm. " + LONG))
    assert ids(own.browse("storm 1953 OR storm", order="relevance"))[0] == "note"


def test_browse_follows_changes(own: Archive) -> None:
    own.add(APPLES.replace(text="Hail took the pears."))
    assert ids(own.browse("apples frost")) == []
    assert ids(own.browse("pears")) == ["apples"]
    own.delete("apples")
    assert own.browse("pears").total == 0


def test_browse_by_another_process_sees_new_articles(own: Archive) -> None:
    with Archive.open(own.path, embeddings=WordEmbeddings()) as reader:
        assert reader.browse("pears").total == 0
        own.add(APPLES.replace(text="Hail took the pears."))
        assert ids(reader.browse("pears")) == ["apples"]


@pytest.mark.parametrize(
    "options",
    [
        {"order": "size"},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": "x"},
        {"cursor": "!!!"},
        {"cursor": "W10"},
        {"cursor": "WyJkIiwgIm5hbiIsIDEsICJhIl0"},  # ["d", "nan", 1, "a"]
        {"cursor": "é"},
    ],
)
def test_browse_rejects_invalid_values(archive: Archive, options: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match=next(iter(options))):
        archive.browse(**options)  # type: ignore[arg-type]


def test_browse_rejects_a_cursor_of_another_order(archive: Archive) -> None:
    cursor = archive.browse("storm", limit=1).cursor
    with pytest.raises(InvalidValueError, match="cursor"):
        archive.browse("storm", order="relevance", cursor=cursor)


def test_browse_all_rejects_at_the_call(archive: Archive) -> None:
    with pytest.raises(InvalidValueError, match="order"):
        archive.browse_all(order="size")  # type: ignore[arg-type]
    with pytest.raises(QuestionTooLongError):
        archive.browse_all("word " * 1000)


def test_browse_of_an_empty_archive_is_empty(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "e", mode="write", embeddings=WordEmbeddings()) as opened:
        assert opened.browse("storm NOT x").total == 0
        assert opened.browse().articles == ()
