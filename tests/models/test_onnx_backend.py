"""BERT in ONNX Runtime: the same vectors as in numpy, from any number of threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from rag.models.numpy_bert import Bert, read_bert
from rag.models.onnx_backend import OnnxEncoder
from rag.models.weights import minilm_folder

pytestmark = pytest.mark.model

# Token ids of texts of 2 to 256 tokens, between those of [CLS] and [SEP].
TEXTS = [[101, *range(2000, 2000 + length), 102] for length in (10, 0, 254, 1, 97)]


@pytest.fixture(scope="module")
def minilm() -> Bert:
    bert = read_bert(minilm_folder())
    assert bert is not None
    return bert


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_onnx_encoder_gives_the_vectors_of_numpy(minilm, pooling):
    bert = replace(minilm, pooling=pooling)
    encoder = OnnxEncoder(bert)
    expected = bert.vectors(TEXTS)
    np.testing.assert_allclose(encoder.vectors(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.vectors(TEXTS[:1]), expected[:1], atol=1e-5)


def test_onnx_encoder_gives_the_token_vectors_of_numpy(minilm):
    found = list(OnnxEncoder(minilm).token_vectors(TEXTS))
    expected = list(minilm.token_vectors(TEXTS))
    assert [states.shape for states in found] == [(len(ids), 384) for ids in TEXTS]
    for states, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(states, others, atol=1e-4)


def test_onnx_encoder_is_thread_safe(minilm):
    encoder = OnnxEncoder(minilm)
    expected = [encoder.vectors([ids]) for ids in TEXTS]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda ids: encoder.vectors([ids]), TEXTS * 4))
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected * 4))
