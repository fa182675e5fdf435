"""Bodies and stream events of Responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.schema import Answer, Usage
from ui.api.openai.cited_text import CitedTextWriter, Piece, details


@dataclass(slots=True)
class ResponseWriter:
    """Writes one response: complete, or as events, numbered from 0.

    Args:
        id: The response's id.
        item_id: The id of its message.
        created: The time of its creation, in Unix seconds.
        model: The model's name.
        metadata: The request's metadata, which is returned.
    """

    id: str
    item_id: str
    created: int
    model: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    _events: int = 0
    _annotations: int = 0

    def body(self, answer: Answer, written: CitedTextWriter) -> dict[str, Any]:
        """Return the body of a complete answer."""
        return {
            **self._response("completed", [self._item("completed", written)]),
            "usage": usage_value(answer.usage),
            "completed_at": self.created,
            "backfile": details(answer),
        }

    def begin(self) -> Iterator[str]:
        """Yield the events before the text."""
        running = self._response("in_progress", [])
        yield self._event("response.created", response=running)
        yield self._event("response.in_progress", response=running)
        item = {**self._item("in_progress", None), "content": []}
        yield self._event("response.output_item.added", output_index=0, item=item)
        yield self._in_text("response.content_part.added", part=_part(None))

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[str]:
        """Yield the events of each piece of the text: its words, and its annotations."""
        for piece in pieces:
            yield self._in_text("response.output_text.delta", delta=piece.text, logprobs=[])
            for citation in piece.citations:
                yield self._in_text(
                    "response.output_text.annotation.added",
                    annotation_index=self._annotations,
                    annotation=citation.flat(),
                )
                self._annotations += 1

    def end(self, answer: Answer, written: CitedTextWriter) -> Iterator[str]:
        """Yield the events after the text."""
        yield self._in_text("response.output_text.done", text=written.written, logprobs=[])
        yield self._in_text("response.content_part.done", part=_part(written))
        item = self._item("completed", written)
        yield self._event("response.output_item.done", output_index=0, item=item)
        yield self._event("response.completed", response=self.body(answer, written))

    def fail(self, error: Mapping[str, Any]) -> Iterator[str]:
        """Yield the event that tells an error after the stream has begun."""
        failed = self._response("failed", [])
        failed["error"] = {"code": "server_error", "message": error["error"]["message"]}
        yield self._event("response.failed", response=failed)

    def _response(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "max_tool_calls": None,
            "metadata": dict(self.metadata),
            "model": self.model,
            "output": output,
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default",
            "store": False,
            "temperature": None,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "top_logprobs": 0,
            "top_p": None,
            "truncation": "disabled",
            "usage": None,
            "user": None,
        }

    def _item(self, status: str, written: CitedTextWriter | None) -> dict[str, Any]:
        return {
            "id": self.item_id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [_part(written)],
        }

    def _in_text(self, kind: str, **values: Any) -> str:
        return self._event(kind, item_id=self.item_id, output_index=0, content_index=0, **values)

    def _event(self, kind: str, **values: Any) -> str:
        value = {"type": kind, "sequence_number": self._events, **values}
        self._events += 1
        return f"event: {kind}\ndata: {json.dumps(value)}\n\n"


def usage_value(usage: Usage) -> dict[str, Any]:
    """Return the chat model's tokens; none without a chat model."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _part(written: CitedTextWriter | None) -> dict[str, Any]:
    return {
        "type": "output_text",
        "text": written.written if written else "",
        "annotations": [one.flat() for one in written.citations] if written else [],
        "logprobs": [],
    }
