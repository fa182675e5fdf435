"""Bodies and stream chunks of Chat Completions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.schema import Answer, Usage
from ui.api.openai.cited_text import CitedTextWriter, Piece, UrlCitation, details

DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion: its id, the time of its creation, and its model."""

    id: str
    created: int
    model: str

    def body(self, answer: Answer, written: CitedTextWriter) -> dict[str, Any]:
        """Return the body of a complete answer."""
        message = {
            "role": "assistant",
            "content": written.written,
            "refusal": None,
            "annotations": _nested(written.citations),
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage_value(answer.usage),
            "backfile": details(answer),
        }

    def begin(self, *, with_usage: bool) -> str:
        """Return the first chunk, which names the role."""
        return self._chunk({"role": "assistant", "content": ""}, with_usage=with_usage)

    def pieces(self, pieces: Iterable[Piece], *, with_usage: bool) -> Iterator[str]:
        """Yield a chunk for each piece of the text, with its annotations."""
        for piece in pieces:
            delta: dict[str, Any] = {"content": piece.text}
            if piece.citations:
                delta["annotations"] = _nested(piece.citations)
            yield self._chunk(delta, with_usage=with_usage)

    def end(self, answer: Answer, *, with_usage: bool) -> Iterator[str]:
        """Yield the last chunks: the reason to stop, the usage if it is asked for, and the end."""
        more = {"backfile": details(answer)}
        yield self._chunk({}, finish="stop", with_usage=with_usage, more=more)
        if with_usage:
            head = self._head("chat.completion.chunk")
            yield _data({**head, "choices": [], "usage": usage_value(answer.usage)})
        yield DONE

    def _chunk(
        self,
        delta: dict[str, Any],
        *,
        finish: str | None = None,
        with_usage: bool,
        more: dict[str, Any] | None = None,
    ) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if with_usage else {}
        head = self._head("chat.completion.chunk")
        return _data({**head, "choices": [choice], **usage, **(more or {})})

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": None,
        }


def usage_value(usage: Usage) -> dict[str, Any]:
    """Return the chat model's tokens; none without a chat model."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def error_chunk(error: dict[str, Any]) -> str:
    """Return the chunk that tells an error after the stream has begun."""
    return _data(error)


def _nested(citations: Sequence[UrlCitation]) -> list[dict[str, Any]]:
    return [citation.nested() for citation in citations]


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"
