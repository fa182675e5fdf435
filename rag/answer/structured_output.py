"""Structured output: a chat model asked for JSON by a schema, where its provider can do that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rag.settings import ChatEvidence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

# The evidence stands before the sentence: a model writes it first, and the sentence from it.
SCHEMA: dict[str, Any] = {
    "title": "answer",
    "description": "The sentences of an answer, each after the evidence that it rests on.",
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "evidence": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "passage": {
                                    "type": "integer",
                                    "description": "The passage's number.",
                                },
                                "words": {
                                    "type": "string",
                                    "description": "Its words, copied exactly.",
                                },
                            },
                            "required": ["passage", "words"],
                            "additionalProperties": False,
                        },
                    },
                    "text": {"type": "string", "description": "One sentence."},
                },
                "required": ["evidence", "text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}
# Models whose provider compiles any schema to a grammar, and that declare no profile.
KNOWN = ("ChatOllama",)
_REJECTED = (400, 415, 422, 501)  # HTTP status
_ABOUT_FORMAT = re.compile(
    r"response_?format|json_?schema|output_config|structured output|grammar", re.IGNORECASE
)


class StructuredOutput:
    """A chat model bound to the schema of an answer, until its provider rejects that.

    Several streams and threads may share it.

    Attributes:
        model: The bound model; None if evidence is asked for in the plain format.
    """

    def __init__(self, chat_model: BaseChatModel, evidence: ChatEvidence = "auto") -> None:
        """Bind a chat model.

        Args:
            chat_model: Any LangChain chat model.
            evidence: "structured" binds any model that can be bound, "auto" only one that is known
                to support it, "plain" none.
        """
        wanted = evidence == "structured" or (evidence == "auto" and is_supported(chat_model))
        self.model = bind_schema(chat_model) if wanted else None

    def turn_off(self) -> None:
        """Use the plain format from now on."""
        self.model = None


def is_supported(chat_model: BaseChatModel) -> bool:
    """Return whether a model is known to support structured output.

    It is if its provider's package declares it (LangChain's model profiles), or if any model of its
    class does.

    Args:
        chat_model: Any LangChain chat model.
    """
    profile = getattr(chat_model, "profile", None) or {}
    declared = profile.get("structured_output")
    if declared is not None:
        return bool(declared)
    return any(cls.__name__ in KNOWN for cls in type(chat_model).__mro__)


def bind_schema(chat_model: BaseChatModel) -> Runnable[Any, Any] | None:
    """Return a chat model that is asked for JSON by the schema; None if it can't be.

    The binding is that of `with_structured_output`, without its parser, which would hold back the
    output until it is complete.

    Args:
        chat_model: Any LangChain chat model.
    """
    from langchain_core.runnables import RunnableBinding, RunnableSequence

    for options in ({"strict": True}, {}):
        try:
            chain = chat_model.with_structured_output(SCHEMA, method="json_schema", **options)
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            continue
        bound = chain.first if isinstance(chain, RunnableSequence) else None
        # a model without schemas falls back to calls of a tool, which aren't streamed as text
        if isinstance(bound, RunnableBinding) and "tools" not in bound.kwargs:
            return bound
    return None


def rejects_schema(error: BaseException | None) -> bool:
    """Return whether an error before any output may mean that the schema was rejected.

    Args:
        error: What the provider's package raised.
    """
    if isinstance(error, NotImplementedError | TypeError):  # an older package doesn't take it
        return True
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status in _REJECTED or bool(error and _ABOUT_FORMAT.search(str(error)))
