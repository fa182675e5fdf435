"""Preparing articles in another process, and writing them later."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.archive.archive import AddResult, Archive
from rag.archive.doctor import find_problems
from rag.archive.preparation import Draft, prepare
from rag.errors import EmbeddingMismatchError, ReadError
from rag.models.archive_model import ArchiveModel
from rag.schema import Article
from rag.settings import Settings
from rag.store.articles import PreparedArticle
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, WordEmbeddings


def prepare_here(drafts: list[Draft]) -> list[PreparedArticle]:
    """Prepare drafts without an archive: the task of another process."""
    words = WordEmbeddings()
    return prepare(
        drafts,
        embeddings=words,
        embed=ArchiveModel(words, Settings()).vectors,
        model=words.name,
    )


def open_archive(folder: Path) -> Archive:
    return Archive.open(folder, mode="write", embeddings=WordEmbeddings())


class CountingEmbeddings(WordEmbeddings):
    """Embeddings that remember what they embedded."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += texts
        return super().embed_documents(texts)


def exported(archive: Archive) -> list[tuple[Article, list[tuple[int, int]]]]:
    return [
        (one, [(s.start, s.end) for s in archive.store.spans(one.id, 1)])
        for one in sorted(archive.articles(), key=lambda article: article.id)
    ]


@pytest.mark.slow
def test_prepare_works_in_a_spawned_process(tmp_path: Path) -> None:
    with open_archive(tmp_path / "whole") as whole, open_archive(tmp_path / "parts") as parts:
        whole.add(ARTICLES)
        drafts, skipped = parts.draft(ARTICLES)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            prepared = pool.submit(prepare_here, drafts).result()
        assert skipped == AddResult()
        assert parts.write(prepared).new == len(ARTICLES)
        assert exported(parts) == exported(whole)
        assert parts.search("harbour bridge", k=3)[0].passage.article_id == HARBOUR.id
        assert not find_problems(parts)


def test_prepared_article_survives_pickling(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        (entry,) = archive.prepare(archive.draft([HARBOUR])[0])
        again: PreparedArticle = pickle.loads(pickle.dumps(entry))
        assert np.array_equal(again.vectors, entry.vectors)
        assert replace(again, vectors=entry.vectors) == entry
        assert archive.write([again]).new == 1


def test_draft_leaves_out_unchanged_and_withdrawn_articles(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        archive.add([HARBOUR])
        archive.withdraw(ORCHARD.id)
        assert archive.draft([HARBOUR, ORCHARD]) == ([], AddResult(unchanged=1, withdrawn=1))


def test_write_looks_again_at_what_others_wrote(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        changed = ORCHARD.replace(title="Orchards expect no apples")
        first = archive.prepare(archive.draft([HARBOUR, ORCHARD, changed.replace(id="x")])[0])
        archive.add([HARBOUR, changed])
        archive.withdraw("x")
        before = archive.store.database.sequence()
        assert archive.write(first) == AddResult(changed=1, unchanged=1, withdrawn=1, passages=1)
        assert archive.store.database.sequence() == before + 1
        assert archive.write(first) == AddResult(unchanged=2, withdrawn=1)
        assert archive.store.database.sequence() == before + 1  # nothing written, no change
        assert not find_problems(archive)


def test_write_takes_vectors_of_earlier_revisions(tmp_path: Path) -> None:
    model = CountingEmbeddings()
    with Archive.open(tmp_path, mode="write", embeddings=model) as archive:
        archive.add([HARBOUR])
        model.embedded.clear()
        section = HARBOUR.replace(section="Local")
        prepared = archive.prepare(archive.draft([section])[0])
        assert prepared[0].reused == (0,)
        assert archive.write(prepared).changed == 1
        assert model.embedded == []
        assert archive.search("harbour bridge", k=1)[0].score > 0
        assert not find_problems(archive)


def test_write_embeds_vectors_erased_in_the_meantime(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        archive.add([HARBOUR])
        prepared = archive.prepare(archive.draft([HARBOUR.replace(section="Local")])[0])
        archive.erase(HARBOUR.id)
        archive.reinstate(HARBOUR.id)
        assert archive.write(prepared).new == 1
        expected = archive.embed([f"{HARBOUR.title}\n21 October 2024\n{HARBOUR.text}"])
        number = archive.store.passages.numbers()
        assert np.allclose(archive.store.passages.vectors(number)[1], expected)


def test_write_puts_a_repeated_article_in_two_changes(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        drafts = [Draft(HARBOUR), Draft(HARBOUR.replace(section="Local"))]
        assert archive.write(archive.prepare(drafts)) == AddResult(new=1, changed=1, passages=2)


def test_write_refuses_another_model_and_version(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        (entry,) = archive.prepare(archive.draft([HARBOUR])[0])
        with pytest.raises(EmbeddingMismatchError, match="prepare it again"):
            archive.write([replace(entry, model="another")])
        with pytest.raises(EmbeddingMismatchError, match="same version"):
            archive.write([replace(entry, version="0")])
        far = HARBOUR.replace(published=HARBOUR.published.replace(year=9000))  # type: ignore[union-attr]
        with pytest.raises(ReadError, match="outside the years"):
            archive.write([replace(entry, article=far)])
        assert archive.count().articles == 0


def test_write_leaves_the_indexes_to_later(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        prepared = archive.prepare(archive.draft(ARTICLES)[0])
        archive.write(prepared, index="later")
        assert archive.indexes.vectors.reached == 0
        archive.sync_indexes()
        assert archive.indexes.vectors.reached == archive.store.database.sequence() == 1
        assert not find_problems(archive)
