"""A chat model that streams a script in pieces, with failures and pauses."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr


class ScriptedChatModel(BaseChatModel):
    """Streams one script per call, `size` characters at a time; the last script repeats.

    A script that is an exception is raised, also after pieces: `["Half a", ValueError()]`.  A
    number is a silence in seconds.
    """

    scripts: list[Any]
    size: int = 3
    _prompts: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def prompts(self) -> list[list[BaseMessage]]:
        return self._prompts

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        script = self.scripts[min(len(self._prompts), len(self.scripts) - 1)]
        self._prompts.append(messages)
        parts: Sequence[Any] = script if isinstance(script, list) else [script]
        for part in parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float):
                time.sleep(part)
                continue
            for at in range(0, len(part), self.size):
                piece = part[at : at + self.size]
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        usage = {"input_tokens": 90, "output_tokens": 10, "total_tokens": 100}
        yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))
