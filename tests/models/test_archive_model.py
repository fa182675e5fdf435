"""ArchiveModel: vectors of an answer's sentences are remembered, without their words."""

from __future__ import annotations

import gc

import numpy as np

from rag.models.archive_model import REMEMBERED, ArchiveModel
from rag.settings import Settings
from tests.archive.test_archive import WordEmbeddings


def test_only_new_texts_are_embedded() -> None:
    embeddings = WordEmbeddings()
    model = ArchiveModel(embeddings, Settings())
    texts = ["The ferry sailed.", "The bridge opened.", "The ferry sailed."]
    first = model.remembered_vectors(texts)
    assert embeddings.embedded == 2
    again = model.remembered_vectors([*texts[1:], "The mine closed."])
    assert embeddings.embedded == 3
    assert np.array_equal(again[:2], first[1:])
    assert np.allclose(first, model.vectors(texts))


def test_vectors_are_the_callers_own() -> None:
    model = ArchiveModel(WordEmbeddings(), Settings())
    model.remembered_vectors(["The ferry sailed."])[:] = 0.0
    assert model.remembered_vectors(["The ferry sailed."]).any()


def test_many_texts_are_not_remembered() -> None:
    embeddings = WordEmbeddings()
    model = ArchiveModel(embeddings, Settings())
    many = [f"text {n}" for n in range(REMEMBERED)]
    assert model.remembered_vectors(many).shape[0] == REMEMBERED
    model.remembered_vectors(many[:1])
    assert embeddings.embedded == REMEMBERED + 1  # a large batch leaves the small ones' places


def test_words_are_not_kept() -> None:
    model = ArchiveModel(WordEmbeddings(), Settings())
    model.remembered_vectors([" ".join(["A secret of", "Velmorin."])])
    gc.collect()
    kept = [key for key in model._remembered if isinstance(key, tuple)]
    assert kept
    assert not any("Velmorin" in str(key) for key in kept)
