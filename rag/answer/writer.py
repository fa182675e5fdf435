"""Writer of answers: a chat model, with what checks the sentences that it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.llm import SentenceStream
from rag.answer.structured_output import StructuredOutput
from rag.settings import Grader, Unsupported
from rag.verify.judges import GroundingModel
from rag.verify.verifier import Entails

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class Writer:
    """Chat model with its limits and with the models that verify its sentences.

    Attributes:
        chat_model: The chat model.
        structured: Whether it is asked for JSON with a schema, shared by all of its answers.
        timeout: Its longest pause, in seconds.
        prices: The prices of a million input tokens and a million output tokens.
        context_tokens: The most tokens of passages to give to it.
        unsupported: What becomes of statements judged unsupported.
        entails: The entailment model; None without one.
        grounding: The grounding model; None without one.
        grader: Who judges what exact comparison leaves open, if no other model does.
    """

    chat_model: BaseChatModel
    structured: StructuredOutput | None
    timeout: float
    prices: tuple[float, float]
    context_tokens: int
    unsupported: Unsupported
    entails: Entails | None
    grounding: GroundingModel | None
    grader: Grader

    def new_stream(self) -> SentenceStream:
        """Return a stream that calls the chat model and counts the tokens of its calls."""
        return SentenceStream(
            self.chat_model, timeout=self.timeout, prices=self.prices, structured=self.structured
        )
