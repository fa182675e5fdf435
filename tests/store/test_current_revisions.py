"""Current revisions in memory: filters select the same passages as SQL does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.rights import Rights
from rag.schema import ALL_RIGHTS, Article, Filters, Span
from tests.support.fakes import WordEmbeddings

DAY = datetime(2024, 5, 10, tzinfo=UTC)
EVERY_FILTER = (
    Filters(access=ALL_RIGHTS),
    Filters(),
    Filters(after=DAY),
    Filters(before=DAY),
    Filters(after=DAY, before=DAY + timedelta(days=3)),
    Filters(publishers=("the MERIDIAN",)),
    Filters(publishers=("Nobody",)),
    Filters(excluded_publishers=("The Meridian",)),
    Filters(sections=("sport",), languages=("en",), kinds=("news",)),
    Filters(access=("press",)),
    Filters(access=Rights(publishers=("The Meridian",))),
    Filters(access=Rights(sections=("Sport",), access=("press",))),
    Filters(authors=("Ada Quill",)),
    Filters(article_ids=("a3", "a4")),
)


def article(n: int, text: str = "") -> Article:
    return Article(
        id=f"a{n}",
        title=f"Story {n}",
        text=text or f"First half of {n}. Second half of {n}.",
        publisher=("The Meridian", "Inland Post", "")[n % 3],
        section=("Sport", "")[n % 2],
        language="en",
        kind=("news", "")[n % 2],
        access=("", "press", "")[n % 3],
        authors=("Ada Quill",) if n % 4 == 0 else (),
        published=DAY + timedelta(days=n - 6) if n % 5 else None,
    )


def add(archive: Archive, *articles: Article) -> None:
    archive.add((one, [Span(0, 10), Span(10, len(one.text))]) for one in articles)


def assert_same(*archives: Archive) -> None:
    for archive in archives:
        for filters in EVERY_FILTER:
            found = archive.store.passages.passing(filters).tolist()
            assert found == archive.store.passages.numbers(filters).tolist(), filters
        for access in (ALL_RIGHTS, (), Rights(publishers=("Inland Post",))):
            listed = [name for name, *_ in archive.store.publishers(access=access) if name]
            assert archive.store.passages.current.publishers(access) == listed


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as opened:
        add(opened, *map(article, range(12)))
        yield opened


def test_filters_select_what_sql_selects(archive: Archive) -> None:
    assert_same(archive)


def test_columns_follow_every_kind_of_change(archive: Archive, tmp_path: Path) -> None:
    with Archive.open(tmp_path, embeddings=WordEmbeddings()) as reader:
        assert_same(archive, reader)
        for change in (
            lambda: add(archive, article(20), article(21)),
            lambda: add(archive, article(3, "Another text of three. And its other half.")),
            lambda: archive.delete("a4"),
            lambda: archive.withdraw(["a5", "a20"]),
            lambda: archive.reinstate("a5"),
            lambda: archive.erase(["a21", "a6"]),
            lambda: add(archive, article(22), article(4)),
        ):
            change()
            assert_same(archive, reader)


def test_columns_read_only_what_is_new(archive: Archive) -> None:
    archive.store.passages.passing(Filters(after=DAY))
    asked: list[str] = []
    add(archive, article(30))
    connection = archive.store.database.connection
    connection.set_trace_callback(asked.append)
    archive.store.passages.passing(Filters(after=DAY))
    connection.set_trace_callback(None)
    assert any("r.since >" in statement for statement in asked)


def test_uneven_passage_numbers_are_left_to_sql(archive: Archive) -> None:
    archive.store.database.connection.execute("UPDATE passages SET number = 900 WHERE number = 2")
    assert archive.store.passages.current.passages(Filters()) is None
    assert 900 in archive.store.passages.passing(Filters(access=ALL_RIGHTS)).tolist()


def test_uncommitted_changes_are_left_to_sql(archive: Archive) -> None:
    with archive.store.database.transaction():
        assert archive.store.passages.current.passages(Filters()) is None
