"""Index sync by a reader: what it writes, it has read under the lock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.schema import Article, Span
from rag.store.articles import ArticleStore, content_hash, prepare_articles
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, small_archive


def add_article(folder: Path, *articles: Article) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((article, [Span(0, len(article.text))]) for article in articles)


def storm_article(n: int) -> Article:
    return HARBOUR.replace(id=f"courier.example/storm-{n}", text=f"Storm {n} broke the pier.")


def write_database_only(folder: Path, archive: Archive, article: Article) -> None:
    """Write like a writer that is killed between the database and the indexes."""
    record = ArticleStore(folder, writable=True)
    entry = (article, content_hash(article), (Span(0, len(article.text)),))
    record.put(prepare_articles(record, [entry], archive.embed))
    record.close()


def list_problems(folder: Path) -> list[str]:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        return [str(problem) for problem in find_problems(archive)]


def test_reader_writes_nothing_again_that_others_have_written(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    reader = small_archive(folder)
    for n in range(3):
        assert reader.search("harbour", 1, mode="bm25")
        add_article(folder, storm_article(n))
    assert len(reader.search("pier", 10, mode="bm25")) == 3
    reader.close()
    assert list_problems(folder) == []


def test_reader_trusts_the_files_over_its_memory(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    reader = small_archive(folder)
    assert reader.search("harbour", 1, mode="bm25")
    add_article(folder, storm_article(1))
    reader.indexes.bm25.reached = 0  # as another thread's stale read may leave it
    assert len(reader.search("pier", 10, mode="bm25")) == 1
    reader.close()
    assert list_problems(folder) == []


def test_reader_finishes_what_a_killed_writer_left(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    reader = small_archive(folder)
    assert reader.search("harbour", 1, mode="bm25")
    write_database_only(folder, reader, storm_article(1))
    assert len(reader.search("pier", 10, mode="bm25")) == 1
    assert reader.indexes.bm25.reached == reader.indexes.vectors.reached == reader.version
    reader.close()
    assert list_problems(folder) == []


@pytest.mark.parametrize("lost", ["chroma.sqlite3", "reached.json"])
def test_reader_repairs_a_damaged_index_under_the_lock(tmp_path: Path, lost: str) -> None:
    folder = tmp_path / "archive"
    reader = small_archive(folder)
    assert reader.search("harbour", 1, mode="bm25")
    write_database_only(folder, reader, storm_article(1))
    name = (
        json.loads((folder / "vectors.json").read_text())["folder"]
        if (folder / "vectors.json").exists()
        else "vectors"
    )
    (folder / name / lost).write_bytes(b"SQLite format 3\0" + b"\xee" * 4096)
    assert "courier.example/storm-1" in {
        h.metadata.article_id for h in reader.search("storm pier", 3, mode="vector")
    }
    assert reader.indexes.vectors.reached == reader.version
    assert reader.indexes.vectors.count() == len(ARTICLES) + 1
    reader.close()
    assert list_problems(folder) == []
