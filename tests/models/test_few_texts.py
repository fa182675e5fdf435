"""Few texts: numpy at first, then ONNX Runtime, with the same vectors."""

import sys

import numpy as np
import pytest

from rag.models.few_texts import CALL_IN_TOKENS, TOKENS_IN_NUMPY, FewTexts
from rag.models.numpy_bert import Bert, read_bert
from rag.models.weights import minilm_folder

pytestmark = pytest.mark.model

QUERY = [101, 2029, 7767, 2097, 102]


@pytest.fixture(scope="module")
def minilm() -> Bert:
    bert = read_bert(minilm_folder())
    assert bert is not None
    return bert


def test_onnx_runtime_is_loaded_after_several_queries(minilm):
    few, expected = FewTexts(minilm), minilm.vectors([QUERY])
    calls = 0
    while few._onnx is None:
        np.testing.assert_allclose(few.vectors([QUERY]), expected, atol=1e-5)
        calls += 1
        assert calls < 1 + TOKENS_IN_NUMPY / CALL_IN_TOKENS
    assert calls > 10
    np.testing.assert_allclose(few.vectors([QUERY]), expected, atol=1e-5)
    states = next(iter(few.token_vectors([QUERY])))
    np.testing.assert_allclose(states, next(minilm.token_vectors([QUERY])), atol=1e-4)


def test_many_sentences_load_onnx_runtime_at_once(minilm):
    few, texts = FewTexts(minilm), [QUERY * n for n in (1, 51, 2, 50, 51, 51, 51, 51)]
    np.testing.assert_allclose(few.vectors(texts), minilm.vectors(texts), atol=1e-5)
    assert few._onnx is not None


def test_numpy_goes_on_without_onnx_runtime(minilm, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    few, texts = FewTexts(minilm), [QUERY * 20] * 8
    for _ in range(2):
        np.testing.assert_array_equal(few.vectors(texts), minilm.vectors(texts))
    assert few._onnx is None
