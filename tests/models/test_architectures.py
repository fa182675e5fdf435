"""Architectures of the presets' models: tiny ones are loaded and computed as their library does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.models.loading import open_embeddings, open_reranker
from rag.models.numpy_bert import read_bert
from rag.settings import Settings
from tests.support.tiny_transformers import (
    ARCHITECTURES,
    MOST_TOKENS,
    Architecture,
    save_cross_encoder,
    save_encoder,
)

pytestmark = pytest.mark.model

TEXTS = [
    "The ferry sailed on Monday.",
    "Velsund",
    "the mayor said that the harbour would be closed. " * 20,  # longer than the model reads
]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind: Architecture = request.param
    return save_encoder(tmp_path_factory.mktemp(kind), kind)


def test_embeddings_equal_those_of_sentence_transformers(encoder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    itself = SentenceTransformer(str(encoder), device="cpu")
    expected = itself.encode(TEXTS, show_progress_bar=False, normalize_embeddings=True)
    model = open_embeddings(Settings(embedding_model=str(encoder), embedding_precision="float32"))
    assert model.max_tokens == MOST_TOKENS
    assert model.count_tokens(TEXTS)[2] > MOST_TOKENS
    np.testing.assert_allclose(model.embed_array(TEXTS), expected, atol=1e-4)
    for text, vector in zip(TEXTS, expected, strict=True):
        np.testing.assert_allclose(model.embed_query(text), vector, atol=1e-4)


def test_queries_use_numpy_only_for_bert(encoder: Path) -> None:
    model = open_embeddings(Settings(embedding_model=str(encoder)))
    supported = read_bert(encoder) is not None
    assert supported == (read_kind(encoder) == "bert")
    model.embed_query("Who is the mayor of Velsund?")
    assert (model._transformer_or_none is None) == supported


def read_kind(folder: Path) -> str:
    import json

    return str(json.loads((folder / "config.json").read_text())["model_type"])


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_reranker_scores_pairs_as_its_library_does(tmp_path: Path, kind: Architecture) -> None:
    from sentence_transformers import CrossEncoder

    folder = save_cross_encoder(tmp_path, kind)
    pairs = [("Who is the mayor?", text) for text in (*TEXTS, *TEXTS)]
    expected = CrossEncoder(str(folder), device="cpu").predict(pairs, show_progress_bar=False)
    reranker = open_reranker(Settings(reranker=str(folder), embedding_precision="float32"))
    assert reranker is not None
    np.testing.assert_allclose(reranker.score(pairs), expected, atol=1e-5)
    assert reranker.score([]) == []


def test_reranker_with_several_scores_is_rejected(tmp_path: Path) -> None:
    reranker = open_reranker(Settings(reranker=str(save_cross_encoder(tmp_path, "bert", labels=3))))
    assert reranker is not None
    with pytest.raises(ModelError, match="set BACKFILE_RERANKER to one trained for ranking"):
        reranker.score([("a", "b")])


def test_roberta_positions_after_the_padding_are_counted(tmp_path: Path) -> None:
    folder = save_encoder(tmp_path, "xlm-roberta")
    for file in ("sentence_bert_config.json", "tokenizer_config.json"):
        (folder / file).unlink(missing_ok=True)  # only the model's positions say how many it reads
    assert open_embeddings(Settings(embedding_model=str(folder))).max_tokens == MOST_TOKENS
