"""Compact vectors: the same hits as from the record, whatever happens to the file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive
from rag.index import search
from rag.index.compact_vectors import FILE, HEADER, CompactVectors
from rag.schema import Article, Filters, Span
from tests.support.fakes import WordEmbeddings

FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
MONTH = Filters(after=FIRST_DAY + timedelta(days=5), before=FIRST_DAY + timedelta(days=25))


def harbour_article(n: int) -> Article:
    words = ("pier", "ferry", "crane", "quay", "storm", "tide", "net", "buoy")
    text = " ".join(words[(n * k + k) % len(words)] for k in range(1, 7))
    return Article(
        id=f"n{n}",
        title=f"Log {n}",
        text=f"{text} {n}.",
        published=FIRST_DAY + timedelta(days=n % 30),
    )


def add(archive: Archive, *articles: Article) -> None:
    archive.add((article, [Span(0, len(article.text))]) for article in articles)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setattr(search, "READ_UP_TO", 5)  # so that few passages are scanned
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as opened:
        add(opened, *map(harbour_article, range(400)))
        yield opened


def nearest(archive: Archive, k: int = 10, filters: Filters = MONTH) -> list[tuple[int, float]]:
    archive.refresh()
    vector = archive.embed(["storm at the pier"])[0]
    return [
        (n, round(score, 5))
        for n, score in archive.indexes.search_vectors(vector, k, filters=filters)
    ]


def exact(archive: Archive, k: int = 10, filters: Filters = MONTH) -> list[float]:
    vector = archive.embed(["storm at the pier"])[0]
    numbers = archive.store.passages.numbers(filters)
    found = search.k_best(vector, *archive.store.passages.vectors(numbers), k)
    return [round(score, 5) for _, score in found]


def is_scanned(archive: Archive) -> bool:
    vector = archive.embed(["storm"])[0]
    return archive.indexes._scan(vector, 3, archive.store.passages.numbers(MONTH)) is not None


def test_scan_finds_what_the_record_has(archive: Archive) -> None:
    assert is_scanned(archive)
    assert [score for _, score in nearest(archive)] == exact(archive)


def test_scan_covers_what_other_processes_add(archive: Archive, tmp_path: Path) -> None:
    reader = Archive.open(tmp_path, embeddings=WordEmbeddings())
    assert nearest(reader) == nearest(archive)
    late = Article(
        id="late", title="storm", text="storm pier", published=FIRST_DAY + timedelta(days=9)
    )
    add(archive, late)
    assert archive.store.passages.newest_at() in dict(nearest(reader, 400))
    assert [score for _, score in nearest(reader)] == exact(reader)
    reader.close()


def test_scan_scores_rows_that_are_not_written_from_the_record(archive: Archive) -> None:
    before = nearest(archive)
    with (archive.path / FILE).open("r+b") as file:
        file.seek(HEADER)
        file.write(bytes((archive.path / FILE).stat().st_size - HEADER))
    assert is_scanned(archive)
    assert nearest(archive) == before


@pytest.mark.parametrize("damage", [b"", b"BFVECT01", bytes(5000)])
def test_search_needs_no_compact_vectors(archive: Archive, damage: bytes) -> None:
    before = [score for _, score in nearest(archive)]
    (archive.path / FILE).unlink()
    if damage:
        (archive.path / FILE).write_bytes(damage)
    assert not is_scanned(archive)
    assert [score for _, score in nearest(archive)] == pytest.approx(before, abs=1e-4)


def test_next_writer_makes_lost_compact_vectors_again(archive: Archive) -> None:
    whole = (archive.path / FILE).read_bytes()
    (archive.path / FILE).write_bytes(whole[:HEADER])  # rows that its header counts are lost
    add(archive, harbour_article(1_000))
    assert is_scanned(archive)
    assert (archive.path / FILE).stat().st_size > len(whole)
    assert not find_problems(archive)


def test_doctor_repairs_altered_rows(archive: Archive) -> None:
    with (archive.path / FILE).open("r+b") as file:
        file.seek(HEADER + 20)
        file.write(b"\x55\x66\x77")
    (problem,) = find_problems(archive)
    assert str(problem).startswith("compact vectors: 1 vector different from the database")
    assert not repair_archive(archive)
    assert [score for _, score in nearest(archive)] == exact(archive)


def test_erasing_leaves_no_vector_in_the_file(archive: Archive) -> None:
    secret = Article(
        id="secret", title="Secret", text="xylophone zeppelin quartz", published=FIRST_DAY
    )
    add(archive, secret)
    number = int(archive.store.passages.newest_at())
    compact = CompactVectors(archive.path)
    assert compact.refresh(archive.store.generation())
    row = bytes(compact._mapped.rows[number - 1])  # type: ignore[union-attr]
    assert row in (archive.path / FILE).read_bytes()
    archive.erase("secret")
    assert row not in (archive.path / FILE).read_bytes()
    assert not find_problems(archive)


def test_scores_are_missing_beyond_the_file(archive: Archive) -> None:
    compact = archive.indexes.compact
    assert compact.refresh(0)
    vector = archive.embed(["tide"])[0]
    scores = compact.scores(vector, np.array([1, 2, 10_000]))
    assert scores is not None
    assert np.isnan(scores).tolist() == [False, False, True]
    assert compact.scores(vector[:-1], np.array([1])) is None  # another model's
