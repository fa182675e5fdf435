"""A text index records that its writer was closed; after a killed one, it is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.index.tantivy_files import CLOSED
from rag.index.tantivy_index import FOLDERS, TantivyIndex
from rag.store.rows import IndexedPassage
from tests.support.fakes import HARBOUR, WordEmbeddings, small_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "archive"
    small_archive(place).close()
    return place


def open_to_write(folder: Path) -> Archive:
    return Archive.open(folder, mode="write", embeddings=WordEmbeddings())


def index_twice(folder: Path) -> TantivyIndex:
    """Leave the passages twice in the text index, by a writer that isn't closed."""
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        passages = archive.store.passages
        live: list[IndexedPassage] = list(passages.live(passages.numbers().tolist()).values())
        sequence = archive.version
    index = TantivyIndex(folder)
    index.write([live], [], sequence)
    assert index.count() == 2 * len(live)
    return index


def test_closing_a_writer_is_recorded(folder: Path) -> None:
    assert TantivyIndex(folder).was_closed
    with open_to_write(folder) as archive:
        archive.add(HARBOUR.replace(id="courier.example/new", text="A new pier was opened."))
        assert not TantivyIndex(folder).was_closed
    assert TantivyIndex(folder).was_closed
    assert TantivyIndex(folder, "articles").was_closed


def test_what_a_killed_writer_left_is_indexed_again(folder: Path) -> None:
    killed = index_twice(folder)
    del killed  # and with it Tantivy's lock
    with open_to_write(folder) as archive:
        assert not find_problems(archive)
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert archive.indexes.bm25.count() == archive.count().passages


def test_a_record_of_another_change_counts_for_nothing(folder: Path) -> None:
    killed = index_twice(folder)
    del killed
    (folder / FOLDERS["passages"] / CLOSED).write_text("1000")
    with open_to_write(folder) as archive:
        assert archive.indexes.bm25.count() == archive.count().passages


def test_a_writer_that_failed_counts_as_killed(folder: Path) -> None:
    index = TantivyIndex(folder)
    with pytest.raises(AttributeError):
        index.write([[None]], [], index.reached)  # type: ignore[list-item]
    index.close()
    assert not TantivyIndex(folder).was_closed
