"""ArchiveModel: vectors of an answer's sentences are remembered, without their words."""

from __future__ import annotations

import gc
from collections import Counter

import numpy as np
import pytest

from rag.models.archive_model import REMEMBERED, ArchiveModel
from rag.models.presets import MINILM
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


def test_queries_that_alternate_are_embedded_once_each() -> None:
    embedded = Counter[str]()

    class Counting(WordEmbeddings):
        def embed_query(self, text: str) -> list[float]:
            embedded[text] += 1
            return super().embed_query(text)

    model = ArchiveModel(Counting(), Settings())
    for _ in range(3):  # as searches at the same time do
        first = model.query_vector("ferry")
        second = model.query_vector("bridge")
    assert embedded == {"ferry": 1, "bridge": 1}
    assert not np.allclose(first, second)


@pytest.mark.model
def test_a_changed_model_embeds_queries_again() -> None:
    model = ArchiveModel(WordEmbeddings(), Settings())
    before = model.query_vector("ferry")
    model.change_to(MINILM)
    assert not np.array_equal(before, model.query_vector("ferry"))


def test_words_are_not_kept() -> None:
    model = ArchiveModel(WordEmbeddings(), Settings())
    model.remembered_vectors([" ".join(["A secret of", "Velmorin."])])
    model.query_vector(" ".join(["Another secret of", "Velmorin."]))
    gc.collect()
    kept = [*(key for key in model._remembered if isinstance(key, tuple)), *model._queries]
    assert kept
    assert not any("Velmorin" in str(key) for key in kept)
