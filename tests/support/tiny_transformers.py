"""Tiny transformers of the presets' architectures, with random weights, saved in folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

Architecture = Literal["bert", "modernbert", "xlm-roberta"]
ARCHITECTURES: tuple[Architecture, ...] = ("bert", "modernbert", "xlm-roberta")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MOST_TOKENS = 256
_SIZE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.5,  # far from uniform attention: a mistake must show
}


def save_encoder(folder: Path, kind: Architecture) -> Path:
    """Save a sentence-transformers model that pools the mean of its tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    plain = folder / "plain"
    _save(plain, kind, "Model")
    modules = [Transformer(str(plain)), Pooling(32, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"))
    return folder / "model"


def save_cross_encoder(folder: Path, kind: Architecture, labels: int = 1) -> Path:
    """Save a model that scores pairs of texts."""
    _save(folder, kind, "ForSequenceClassification", num_labels=labels)
    return folder


def save_token_classifier(folder: Path, kind: Architecture = "modernbert", **config: Any) -> Path:
    """Save a model that gives each token one of two labels."""
    _save(folder, kind, "ForTokenClassification", **{"num_labels": 2, **config})
    return folder


def _save(folder: Path, kind: Architecture, head: str, **config: Any) -> None:
    import torch
    import transformers

    prefix = {"bert": "Bert", "modernbert": "ModernBert", "xlm-roberta": "XLMRoberta"}[kind]
    tokenizer = _roberta_tokenizer() if kind == "xlm-roberta" else _byte_tokenizer()
    # RoBERTa's positions begin after the padding token's
    positions = MOST_TOKENS + 2 if kind == "xlm-roberta" else MOST_TOKENS
    settings = getattr(transformers, f"{prefix}Config")(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=positions,
        pad_token_id=tokenizer.token_to_id(_special(kind)["pad_token"]),
        bos_token_id=None,
        eos_token_id=None,
        **_SIZE,
        **config,
    )
    torch.manual_seed(7)
    getattr(transformers, f"{prefix}{head}")(settings).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MOST_TOKENS,
        clean_up_tokenization_spaces=False,
        **_special(kind),
    ).save_pretrained(folder)


def _special(kind: Architecture) -> dict[str, str]:
    if kind == "xlm-roberta":
        names = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
        return {**names, "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}


def _byte_tokenizer() -> Tokenizer:
    """Return a tokenizer of bytes, with the special tokens of BERT, as ModernBERT has."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: n for n, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.add_special_tokens(special)
    return tokenizer


def _roberta_tokenizer() -> Tokenizer:
    """Return a tokenizer of letters in SentencePiece's way, with RoBERTa's special tokens."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [*special, "▁", *LETTERS, *LETTERS.upper(), *"0123456789.,:?"]
    scored = [(piece, 0.0 if piece in special else -3.0) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens(special)
    return tokenizer
