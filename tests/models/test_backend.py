"""What embeds many passages: chosen by measuring, remembered, and in agreement."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.models.backend import (
    Backend,
    Measured,
    choose,
    forget_measured,
    read_measured,
    report_backend,
    write_measured,
)
from rag.models.backend_choice import open_encoder
from rag.models.embeddings import TORCH_FROM_TOKENS, SentenceEmbeddings
from rag.models.many_texts import MEASURED_FROM_TOKENS
from rag.models.numpy_bert import Array, Bert, read_bert
from rag.models.weights import minilm_folder
from rag.settings import cache_folder
from tests.support.small_models import make_model
from tests.support.tiny_transformers import save_encoder

TORCH = Measured("torch", "float32", 5_000.0, 1.0, 1.0)
NARROW = Measured("torch", "bfloat16", 12_000.0, 0.9999, 0.99)
FAST = Measured("openvino", "bfloat16", 14_000.0, 0.9999, 0.98)
OFF = Measured("openvino", "bfloat16", 90_000.0, 0.9989, 0.99)
STRANGE = Measured("openvino", "bfloat16", 90_000.0, 0.9999, 0.96)
TEXTS = [[101, *range(2000, 2000 + n), 102] for n in (3, 0, 40, 9, 97, 1)]
ALL_BACKENDS = [
    Backend("torch", "float32", 2),
    Backend("torch", "bfloat16", 2),
    Backend("onnxruntime", "float32", 2),
    Backend("openvino", "float32", 2),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    return cache_folder()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("bert"), "bert")


@pytest.fixture(scope="module")
def minilm() -> Bert:
    bert = read_bert(minilm_folder())
    assert bert is not None
    return bert


@pytest.fixture(scope="module")
def expected(minilm: Bert) -> Array:
    return minilm.vectors(TEXTS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of a model that say which model it is."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def test_the_fastest_that_agrees_is_chosen():
    assert choose((TORCH, NARROW, FAST), "auto", "auto") == FAST
    assert choose((TORCH, NARROW, OFF), "auto", "auto") == NARROW
    assert choose((TORCH, NARROW, STRANGE), "auto", "auto") == NARROW
    assert choose((TORCH, NARROW, FAST), "torch", "auto") == NARROW
    assert choose((TORCH, NARROW, FAST), "auto", "float32") == TORCH
    assert choose((TORCH, OFF), "openvino", "auto") is None
    assert choose((), "auto", "auto") is None


def test_measured_backends_are_remembered(folder):
    assert read_measured(folder) == ()
    write_measured(folder, (TORCH, FAST))
    assert read_measured(folder) == (TORCH, FAST)
    assert report_backend(folder, "auto", "auto").backend.library == "openvino"
    forget_measured(folder)
    assert report_backend(folder, "auto", "auto").why == "not measured"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\x00not JSON",
        b"[]",
        b'{"format": 1, "measured": [{"library": "torch"}]}',
        b'{"format": 1, "measured": 7}',
        json.dumps({"format": 0, "measured": [asdict(TORCH)]}).encode(),
        json.dumps({"format": 1, "measured": [asdict(TORCH) | {"library": "x"}]}).encode(),
        json.dumps({"format": 1, "measured": [asdict(TORCH) | {"rate": "fast"}]}).encode(),
    ],
)
def test_damaged_memory_counts_as_none(folder, cache, damage):
    write_measured(folder, (TORCH,))
    (file,) = cache.iterdir()
    file.write_bytes(damage)
    assert read_measured(folder) == ()
    write_measured(folder, (FAST,))
    assert read_measured(folder) == (FAST,)


def test_unwritable_cache_is_no_error(folder, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file in the place of the folder")
    write_measured(folder, (TORCH,))
    assert read_measured(folder) == ()


def test_other_weights_or_processors_are_measured_again(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_measured(folder, (TORCH,))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert read_measured(folder) == (TORCH,)
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text("{}")
    (other / "model.safetensors").write_bytes(b"weightz")
    assert read_measured(other) == ()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(64), raising=False)
    assert read_measured(folder) == ()


@pytest.mark.model
@pytest.mark.parametrize("backend", ALL_BACKENDS, ids=lambda one: f"{one.library} {one.precision}")
def test_every_backend_agrees_with_numpy(minilm, expected, backend):
    encoder = open_encoder(minilm, pickle.loads(pickle.dumps(backend)))
    found = encoder.vectors(TEXTS)
    if backend.precision == "float32":
        np.testing.assert_allclose(found, expected, atol=1e-5)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((found * expected).sum(axis=1) / lengths).mean() >= 0.999
    assert encoder.vectors([]).shape == (0, 384)


@pytest.mark.model
def test_torch_without_packed_weights_agrees(minilm, expected, monkeypatch):
    import torch

    from rag.models.torch_bert import _can_pack

    _can_pack.cache_clear()
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", None)  # another build of torch
    try:
        encoder = open_encoder(minilm, Backend("torch", "float32", 1))
        np.testing.assert_allclose(encoder.vectors(TEXTS), expected, atol=1e-5)
    finally:
        _can_pack.cache_clear()


@pytest.mark.model
def test_many_passages_measure_once(tiny, cache):
    texts = ["the ferry sailed on Monday " * 9] * (1 + TORCH_FROM_TOKENS // 240)
    model = SentenceEmbeddings(tiny)
    model.embed_query("ferry")
    model.embed_array(texts)
    assert not cache.exists()  # not in a search, nor as a server starts
    while not cache.exists():
        model.embed_array(texts)
    measured = read_measured(tiny)
    assert {"torch", "onnxruntime", "openvino"} == {one.library for one in measured}
    assert all(one.agrees for one in measured if one.precision == "float32")
    # what is remembered is believed: it isn't measured again
    write_measured(tiny, (Measured("onnxruntime", "float32", 1.0, 1.0, 1.0),))
    assert SentenceEmbeddings(tiny).backend().library == "onnxruntime"


@pytest.mark.model
def test_given_backend_is_not_measured(tiny, cache):
    given = Backend("onnxruntime", "float32", 1)
    model = SentenceEmbeddings(tiny, backend=given)
    model.embed_array(["the ferry sailed on Monday " * 9] * (MEASURED_FROM_TOKENS // 200))
    assert model.backend() == given
    assert not cache.exists()


@pytest.mark.model
def test_missing_library_says_what_to_install(minilm, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as if it were not installed
    with pytest.raises(ModelError, match=r"pip install 'backfile\[fast\]'"):
        open_encoder(minilm, Backend("openvino", "float32", 1))


def test_openvino_reports_nothing_to_its_makers():
    program = (
        "import socket, sys\n"
        "def refuse(*given): raise SystemExit(f'{given} would reach the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from rag.models.backend import Backend\n"
        "from rag.models.backend_choice import open_encoder\n"
        "from rag.models.numpy_bert import read_bert\n"
        "from rag.models.weights import minilm_folder\n"
        "encoder = open_encoder(read_bert(minilm_folder()), Backend('openvino', 'float32', 1))\n"
        "assert encoder.vectors([[101, 102]]).shape == (1, 384)\n"
        "assert 'openvino.tools.ovc.telemetry_stub' in sys.modules\n"
        "print([n for n, m in sys.modules.items() if n.startswith('openvino_telemetry') and m])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr, ran.returncode) == ("[]", "", 0)


def test_model_without_layers_embeds_many_texts(tmp_path: Path) -> None:
    model = SentenceEmbeddings(Path(make_model(tmp_path / "words", ("the", "bridge", "ferry"))))
    texts = ["the bridge the ferry"] * (TORCH_FROM_TOKENS // 4)
    many, few = model.embed_array(texts), model.embed_array(texts[:1])
    assert many.shape == (len(texts), few.shape[1])
    assert np.allclose(many, few, atol=1e-2)
