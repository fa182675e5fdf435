"""Models from settings: embeddings, rerankers, grounding and entailment models, chat models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rag.errors import ChatModelError, ModelError
from rag.models.backend import Backend, BackendReport, forget_measured, report_backend
from rag.models.embeddings import SentenceEmbeddings
from rag.models.presets import entailment_model, model_for
from rag.models.weights import model_folder, model_state
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder
    from langchain_core.language_models import BaseChatModel

    from rag.models.entailment import EntailmentModel
    from rag.models.grounding import TokenGrounding

__all__ = [
    "SentenceEmbeddings",
    "embedding_report",
    "open_chat_model",
    "open_embeddings",
    "open_entailment_model",
    "open_grounding_model",
    "open_reranker",
]


def open_embeddings(settings: Settings, backend: Backend | None = None) -> SentenceEmbeddings:
    """Return the settings' embedding model; it is loaded on first use.

    Args:
        settings: The settings.
        backend: What computes its vectors of passages; None for the settings' choice.

    Raises:
        ModelError: The model is missing, or its weights are not the expected ones.
    """
    name = model_for(settings, "embedding")
    if not name:
        raise ModelError(
            "an archive needs an embedding model: BACKFILE_EMBEDDING_MODEL leaves it out"
        )
    return SentenceEmbeddings(
        model_folder(name),
        name=name,
        precision=settings.embedding_precision,
        backend=backend or settings.embedding_backend,
    )


def embedding_report(settings: Settings, *, measure: Literal["again", "never"]) -> BackendReport:
    """Return what embeds many passages with the settings' model on this machine, and why.

    Args:
        settings: The settings.
        measure: "again" measures now; "never" reads what was measured, and fetches no model.

    Raises:
        ModelError: It is to be measured, and the model can't be loaded.
    """
    name, library = model_for(settings, "embedding"), settings.embedding_backend
    if measure == "never" and (not name or model_state(name) != "here"):
        return BackendReport(None, "not measured")
    model = open_embeddings(settings)
    if measure == "again":
        forget_measured(model.folder)
        model.backend()
    return report_backend(model.folder, library, settings.embedding_precision)


def open_reranker(settings: Settings) -> BaseCrossEncoder | None:
    """Return the settings' reranker, or None; it is loaded on first use.

    Raises:
        ModelError: The model is missing.
    """
    name = model_for(settings, "reranker")
    if not name:
        return None
    from rag.models.torch_backend import Reranker

    return Reranker(model_folder(name), settings.embedding_precision)


def open_entailment_model(settings: Settings) -> EntailmentModel | None:
    """Return the settings' entailment model, or None; it is loaded on first use.

    Raises:
        ModelError: The model is missing, or is not an entailment model.
    """
    name = entailment_model(settings)
    if not name:
        return None
    from rag.models.entailment import EntailmentModel

    return EntailmentModel(model_folder(name))


def open_grounding_model(settings: Settings) -> TokenGrounding | None:
    """Return the settings' grounding model, or None; it is loaded on first use.

    Raises:
        ModelError: The model is missing, or is not a grounding model.
    """
    name = model_for(settings, "grounding")
    if not name:
        return None
    from rag.models.grounding import TokenGrounding

    return TokenGrounding(model_folder(name))


def open_chat_model(settings: Settings) -> BaseChatModel | None:
    """Return the settings' chat model, or None.

    Raises:
        ChatModelError: Its package or its key is missing, or the model is unknown.
    """
    chat_model = model_for(settings, "writer")
    if not chat_model:
        return None
    provider, _, model_name = chat_model.partition(":")
    if not model_name:
        raise ChatModelError(
            f"the chat model {chat_model} is not in the form provider:model: "
            "set one such as openai:gpt-4o-mini or ollama:qwen3"
        )
    from langchain.chat_models import init_chat_model  # 2 s: only to write answers with a model
    from pydantic import SecretStr

    options: dict[str, Any] = {"timeout": settings.timeout}
    if provider == "ollama":  # passes the timeout to its HTTP client
        options = {"client_kwargs": options}
    if provider == "openai":  # self-hosted servers report usage only if asked
        options["stream_usage"] = True
    if settings.chat_base_url:
        options["base_url"] = settings.chat_base_url
    try:
        model: BaseChatModel = init_chat_model(
            model_name, model_provider=provider, configurable_fields=None, **options
        )
    except ImportError as error:
        raise ChatModelError(
            f"the chat model {chat_model} needs a package: {_install(provider)}"
        ) from error
    except Exception as error:  # each provider raises its own type for a missing key
        raise ChatModelError(_model_error(chat_model, provider, error)) from error
    for (
        field,
        variable,
    ) in model.lc_secrets.items():  # some providers notice a missing key only at the first request
        key = getattr(model, field, None)
        if isinstance(key, SecretStr) and not key.get_secret_value():
            raise ChatModelError(_no_key(chat_model, variable))
    return model


def _install(provider: str) -> str:
    if provider in ("openai", "anthropic", "ollama"):
        return f"`pip install 'backfile[{provider}]'`"
    return f"`pip install langchain-{provider.replace('_', '-')}`"


def _model_error(chat_model: str, provider: str, error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    if "Unsupported provider" in said:
        known = said.rpartition("are: ")[2]
        return f"the chat model {chat_model} has a provider that LangChain does not know: {known}"
    if "api_key" in said or "API key" in said:
        return _no_key(chat_model, f"{provider.upper()}_API_KEY")
    return f"the chat model {chat_model} cannot be opened: {said}"


def _no_key(chat_model: str, variable: str) -> str:
    return f"the chat model {chat_model} has no key: set {variable}"
