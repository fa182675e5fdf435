"""Index sync by a reader: what it writes, it has read under the lock."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.schema import Article, Filters, Span
from rag.store.articles import ArticleStore
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, small_archive


def add_article(folder: Path, *articles: Article) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((article, [Span(0, len(article.text))]) for article in articles)


def storm_article(n: int) -> Article:
    return HARBOUR.replace(id=f"courier.example/storm-{n}", text=f"Storm {n} broke the pier.")


def write_database_only(folder: Path, archive: Archive, article: Article) -> None:
    """Write like a writer that is killed between the database and the indexes."""
    record = ArticleStore(folder, writable=True)
    drafts, _ = archive.draft([(article, [Span(0, len(article.text))])])
    record.put(archive.prepare(drafts))
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


def find_articles(archive: Archive, query: str, filters: Filters = Filters()) -> list[str]:
    found = archive.article_candidates(query, 10, filters=filters)
    return [one.metadata.article_id.rpartition("/")[2] for one in found]


def add_sentences(archive: Archive, article: Article) -> None:
    starts = [0, *(i + 1 for i, c in enumerate(article.text[:-1]) if c == ".")]
    ends = [*starts[1:], len(article.text)]
    archive.add([(article, [Span(a, b) for a, b in zip(starts, ends, strict=True)])])


def test_article_is_found_by_words_of_different_passages(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    spread = HARBOUR.replace(
        id="x.example/spread", title="News", text="Storms came. Dogs barked. A tax rose. It rained."
    )
    near = HARBOUR.replace(
        id="x.example/near", title="News", text="Dogs saw storms. It rained. It rained on."
    )
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        add_sentences(archive, near)
        add_sentences(archive, spread)
        assert find_articles(archive, "storms dogs tax") == ["spread", "near"]
        first = archive.article_candidates("storms dogs tax", 1)[0]
        assert (first.metadata.article_id, first.start) == (spread.id, 0)
        add_sentences(archive, spread.replace(text="Storms came. Nothing else did."))
        assert find_articles(archive, "tax") == []
        assert sorted(find_articles(archive, "storms")) == ["near", "spread"]
        archive.delete([near.id])
        assert find_articles(archive, "storms") == ["spread"]
        assert find_articles(archive, "storms", Filters(publishers=("Nobody",))) == []
    assert list_problems(folder) == []


def test_articles_that_need_a_right_are_not_found_without_it(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    add_article(folder, HARBOUR.replace(id="x.example/secret", access="desk"))
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert find_articles(archive, "harbour bridge") == []
        assert find_articles(archive, "harbour bridge", Filters(access=("desk",))) == ["secret"]
        now = archive.as_of(datetime.now(UTC))
        assert now.article_candidates("harbour bridge", 10) == []


def test_snapshot_finds_articles_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        add_sentences(archive, HARBOUR)
        then = archive.as_of(datetime.now(UTC) + timedelta(hours=1))  # the changes so far
        add_sentences(archive, HARBOUR.replace(text="The quay was painted. Nobody came."))
        add_sentences(archive, HARBOUR.replace(id="x.example/later", text="A bridge opened."))
        assert find_articles(archive, "ferries hour") == []
        (old,) = then.article_candidates("ferries hour bridge", 10)
        assert (old.metadata.article_id, old.metadata.revision) == (HARBOUR.id, 1)


def test_archive_of_an_earlier_version_gets_its_article_index(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    small_archive(folder).close()
    shutil.rmtree(folder / "lexical-articles")  # earlier versions had none
    with Archive.open(folder, embeddings=WordEmbeddings()) as reader:
        assert find_articles(reader, "harbour bridge")[0] == "harbour"
        assert reader.search("Who closed the harbour bridge?", 1)
    assert list_problems(folder) == []
