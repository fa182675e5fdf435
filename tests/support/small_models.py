"""Small sentence-transformers models in folders: real, without layers, opened in a moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def make_model(
    folder: Path,
    words: Sequence[str],
    *,
    dimensions: int = 32,
    seed: int = 7,
    max_tokens: int = 256,
) -> str:
    """Make a BERT without layers with these words as its vocabulary; return its folder.

    Texts that share words are close; another seed, or other dimensions, is another model.
    """
    folder.mkdir(parents=True)
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *dict.fromkeys(words)))}
    _write_tokenizer(folder / "tokenizer.json", vocabulary)
    chance = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return chance.normal(size=shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": drawn(len(vocabulary), dimensions),
        "embeddings.position_embeddings.weight": np.zeros((512, dimensions), np.float32),
        "embeddings.token_type_embeddings.weight": np.zeros((2, dimensions), np.float32),
        "embeddings.LayerNorm.weight": np.ones(dimensions, np.float32),
        "embeddings.LayerNorm.bias": np.zeros(dimensions, np.float32),
    }
    save_file(weights, folder / "model.safetensors")
    for name, value in {
        "config.json": {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "hidden_act": "gelu",
            "hidden_size": dimensions,
            "num_hidden_layers": 0,
            "num_attention_heads": 1,
            "vocab_size": len(vocabulary),
            "max_position_embeddings": 512,
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate((("", "Transformer"), ("1_Pooling", "Pooling")))
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": dimensions,
            "pooling_mode_mean_tokens": True,
        },
        "sentence_bert_config.json": {"max_seq_length": max_tokens},
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value))
    return str(folder)


def _write_tokenizer(file: Path, vocabulary: dict[str, int]) -> None:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(file))
