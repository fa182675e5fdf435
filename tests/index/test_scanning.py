"""Searches that scan the compact vectors instead of opening the vector index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.archive.archive import Archive
from rag.index.compact_vectors import FILE
from rag.schema import Article, Filters
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, small_archive

pytestmark = pytest.mark.slow

MANY = tuple(
    Article(
        id=f"tarn.example/{number}",
        title=f"Ferry {number}",
        text=f"The ferry {number} of Tarn carried {number * 7} people to pier {number % 13}.",
        publisher="Tarn Mail" if number % 3 else "Harbour Post",
    )
    for number in range(600)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive", (*ARTICLES, *MANY)).close()
    return tmp_path / "archive"


@pytest.fixture
def scanning(folder: Path) -> Iterator[Archive]:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        archive.indexes.scan_vectors()
        yield archive


def is_open(archive: Archive) -> bool:
    return "files" in vars(archive.indexes)


@pytest.mark.parametrize("filters", [Filters(), Filters(publishers="Tarn Mail")])
def test_scan_finds_what_exact_products_find(scanning: Archive, filters: Filters) -> None:
    passages = scanning.store.passages
    for query in ("ferry of Tarn", "people at pier 5", HARBOUR.title):
        vector = scanning._model.query_vector(query)
        numbers, matrix = passages.vectors(passages.numbers(filters))
        exact = np.sort(matrix @ vector)[::-1][:10]
        found = scanning.indexes.search_vectors(vector, 10, filters=filters)
        np.testing.assert_allclose([score for _, score in found[:10]], exact, atol=1e-6)
        assert set(dict(found)) <= set(numbers.tolist())
    assert not is_open(scanning)


def test_scan_sees_changes_of_other_processes(scanning: Archive, folder: Path) -> None:
    assert scanning.vector_candidates("lighthouse", 5)
    new = Article(id="tarn.example/new", title="Lighthouse", text="The lighthouse fell.")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add(new)
        writer.withdraw(HARBOUR.id)
    found = [
        one.metadata.article_id for one in scanning.vector_candidates("The lighthouse fell.", 3)
    ]
    assert found[0] == new.id
    withdrawn = scanning.vector_candidates(HARBOUR.text, 20)
    assert HARBOUR.id not in [one.metadata.article_id for one in withdrawn]


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_without_compact_vectors_the_index_is_opened(
    scanning: Archive, folder: Path, content: bytes | None
) -> None:
    (folder / FILE).unlink()
    if content is not None:
        (folder / FILE).write_bytes(content)
    found = scanning.vector_candidates("ferry of Tarn", 5)
    assert is_open(scanning)
    with Archive.open(folder, embeddings=WordEmbeddings()) as usual:
        expected = usual.vector_candidates("ferry of Tarn", 5)  # in any order of equal ones
        assert [one.score for one in found] == pytest.approx([one.score for one in expected])


def test_other_searches_still_open_the_index(folder: Path) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        archive.vector_candidates("ferry of Tarn", 5)
        assert is_open(archive)
        archive.indexes.scan_vectors()  # too late: it stays open
        assert archive.vector_candidates("ferry of Tarn", 5)
        assert "chromadb" in sys.modules


def test_index_is_opened_when_scanning_stops(scanning: Archive) -> None:
    scanned = scanning.vector_candidates("people at pier 5", 10)
    assert not is_open(scanning)
    scanning.indexes.stop_scanning()
    assert is_open(scanning)
    asked = []
    nearest = scanning.indexes.vectors.nearest
    scanning.indexes.vectors.nearest = lambda *given: asked.append(given) or nearest(*given)  # type: ignore[method-assign, func-returns-value]
    found = scanning.vector_candidates("people at pier 5", 10)
    assert asked
    assert [one.score for one in found] == pytest.approx([one.score for one in scanned], abs=1e-5)
