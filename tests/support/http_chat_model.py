"""A chat model that speaks OpenAI's protocol by HTTP, as a provider's package does."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class HttpStatusError(Exception):
    """The server answered with an error."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(f"Error code: {status_code} - {message}")
        self.status_code = status_code


class HttpChatModel(BaseChatModel):
    """Streams from a server; `profile` declares what the model can do."""

    address: str

    @property
    def _llm_type(self) -> str:
        return "http"

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, method: str = "json_schema", **kwargs: Any
    ) -> Runnable[Any, Any]:
        assert (method, include_raw) == ("json_schema", False)
        named = {"name": schema["title"], "schema": schema, **kwargs}
        wanted = {"type": "json_schema", "json_schema": named}
        return self.bind(response_format=wanted) | JsonOutputParser()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages, **kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        turns = [{"role": ROLES[m.type], "content": str(m.content)} for m in messages]
        asked = {"model": "tiny", "messages": turns, "stream": True, **kwargs}
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(asked))
            response = connection.getresponse()
            if response.status != 200:
                said = json.loads(response.read())["error"]["message"]
                raise HttpStatusError(response.status, said)
            for line in response:
                if line.startswith(b"data: {"):
                    yield _read_event(json.loads(line[6:]))
        finally:
            connection.close()


def _read_event(event: dict[str, Any]) -> ChatGenerationChunk:
    used = event.get("usage")
    counts = None
    if used is not None:
        counts = {
            "input_tokens": used["prompt_tokens"],
            "output_tokens": used["completion_tokens"],
            "total_tokens": used["total_tokens"],
        }
    content = "".join(choice["delta"].get("content", "") for choice in event["choices"])
    return ChatGenerationChunk(message=AIMessageChunk(content=content, usage_metadata=counts))
