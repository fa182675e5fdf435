"""Sentence streaming from a chat model, with timeouts, retries and loop detection."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.answer.drafts import Draft, DraftReader, PlainDraftReader
from rag.answer.drafts_json import JsonDraftReader
from rag.answer.prompts import EvidenceFormat, WriterPrompt
from rag.answer.structured_output import StructuredOutput, rejects_schema
from rag.citations import read_citations
from rag.errors import ChatModelError
from rag.schema import Notice, Usage
from rag.verify.fact_checks import normalize

if TYPE_CHECKING:  # .5 s, which answers without a chat model don't need
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

ATTEMPTS = 3  # attempts until a first sentence comes; later failures keep what was written
MOST_SENTENCES = 16  # of the longest form, a course of events, with some to spare
MOST_WRITTEN = 12_000  # characters, evidence included: twice what the longest answers take
_CUT_OFF = "LengthFinishReasonError"  # OpenAI's package raises it for structured output only
_DONE = object()


class _SchemaIgnoredError(ChatModelError):
    """The output isn't JSON of the schema."""


class SentenceStream:
    """Stream of a chat model's sentences.

    Attributes:
        usage: Tokens and cost so far.
        failure: The reason why the last stream failed or stopped early; None if it didn't.
        messages: The prompt of the last stream.
        written: All that the model wrote in the last stream.
    """

    def __init__(
        self,
        chat_model: BaseChatModel,
        *,
        timeout: float,
        prices: tuple[float, float] = (0.0, 0.0),
        structured: StructuredOutput | None = None,
    ) -> None:
        """Create a stream.

        Args:
            chat_model: Any LangChain chat model.
            timeout: The longest pause between two chunks, in seconds.
            prices: The prices of a million input tokens and a million output tokens.
            structured: The chat model's structured output, if `drafts` may use it.
        """
        self._chat_model: Runnable[Any, Any] = chat_model
        self._timeout = timeout
        self._prices = prices
        self._structured = structured
        self.usage = Usage()
        self.failure: Notice | None = None
        self.messages: Sequence[BaseMessage] = ()
        self.written = ""

    def sentences(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """Yield each sentence with its citation markers as soon as it is complete.

        Args:
            messages: The prompt.

        Raises:
            ChatModelError: No sentence came in ATTEMPTS attempts.
        """
        return (draft.text for draft in self._attempt(lambda _: messages, [None] * ATTEMPTS))

    def complete(self, messages: Sequence[BaseMessage]) -> str:
        """Return all that the model writes, in one attempt.

        Args:
            messages: The prompt.

        Raises:
            ChatModelError: The model failed, or was silent for too long.
        """
        failure = self.failure
        try:
            return "".join(self._chunks(messages, self._chat_model))
        finally:
            self.failure = failure  # of the answer, which this call is not part of

    def drafts(self, prompt: WriterPrompt) -> Iterator[Draft]:
        """Yield each sentence, with its evidence, as soon as it is complete.

        After the first sentence, an error ends the stream and is kept in `failure`. If the provider
        rejects or ignores the schema of structured output, the plain format is used from then on.

        Args:
            prompt: The prompt.

        Raises:
            ChatModelError: No sentence came in ATTEMPTS attempts.
        """
        bound = self._structured.model if self._structured is not None else None
        # the last attempt is plain, whatever made the others fail
        return self._attempt(prompt.messages, [*[bound] * (ATTEMPTS - 1), None])

    def _attempt(
        self,
        prompt: Callable[[EvidenceFormat], Sequence[BaseMessage]],
        attempts: list[Runnable[Any, Any] | None],
    ) -> Iterator[Draft]:
        """Yield the drafts of the first attempt that has any; each is a bound model, or None."""
        refused = False
        while attempts:
            bound = attempts.pop(0)
            begun, self.failure = False, None
            self.messages = prompt("plain" if bound is None else "structured")
            try:
                for draft in self._stream_once(bound):
                    begun = True
                    if refused and self._structured is not None:
                        self._structured.turn_off()  # the format was all that had to change
                    yield draft
            except ChatModelError as error:
                if bound is not None and not begun and _is_refusal_of_schema(error):
                    refused, attempts = True, [None] * ATTEMPTS
                elif not begun and not attempts:
                    raise
            if begun:
                return
        self.failure = Notice("chat_model_wrote_nothing")
        raise ChatModelError("the chat model wrote nothing: try again, or set another one")

    def _stream_once(self, bound: Runnable[Any, Any] | None) -> Iterator[Draft]:
        self.written, given = "", 0
        reader: DraftReader = PlainDraftReader() if bound is None else JsonDraftReader()
        seen: set[str] = set()
        for piece in self._chunks(self.messages, self._chat_model if bound is None else bound):
            self.written += piece
            for draft in reader.feed(piece):
                if _is_looping(draft.text, seen):
                    self.failure = Notice("chat_model_repeated_itself")
                    return
                yield draft
                given += 1
                if given == MOST_SENTENCES:
                    return
            if reader.is_other:
                raise _SchemaIgnoredError(
                    "the chat model wrote no JSON: set BACKFILE_CHAT_EVIDENCE=plain"
                )
            if reader.is_endless or len(self.written) > MOST_WRITTEN:
                self.failure = None if reader.is_done else Notice("chat_model_endless_sentence")
                return
        if bound is not None and not reader.is_done:
            self.failure = Notice("chat_model_cut_off")
        for draft in reader.finish():
            if not _is_looping(draft.text, seen):
                yield draft

    def _chunks(self, messages: Sequence[BaseMessage], model: Runnable[Any, Any]) -> Iterator[str]:
        """Yield the text of each chunk; a pause longer than the timeout is an error.

        The provider may block, so it is read in a thread; an abandoned thread ends at its next
        chunk.
        """
        pieces: queue.Queue[Any] = queue.Queue(maxsize=64)
        given_up = threading.Event()
        thread = threading.Thread(
            target=_read_chunks, args=(model, messages, pieces, given_up), daemon=True
        )
        thread.start()
        try:
            while True:
                try:
                    piece = pieces.get(timeout=self._timeout)
                except queue.Empty as error:
                    self.failure = Notice("chat_model_silent", seconds=self._timeout)
                    raise ChatModelError(
                        f"the chat model said nothing for {self._timeout:g} s: "
                        "try again, or raise BACKFILE_TIMEOUT"
                    ) from error
                if piece is _DONE:
                    return
                if isinstance(piece, Exception):
                    line = _error_line(piece)
                    self.failure = Notice("chat_model_failed", error=line)
                    if type(piece).__name__ == _CUT_OFF:
                        self.failure = Notice("chat_model_cut_off")
                    raise ChatModelError(f"the chat model failed: {line}") from piece
                self._count_tokens(piece)
                yield _chunk_text(piece)
        finally:
            given_up.set()

    def _count_tokens(self, chunk: Any) -> None:
        used = getattr(chunk, "usage_metadata", None) or {}
        given = self.usage.input_tokens + int(used.get("input_tokens", 0))
        written = self.usage.output_tokens + int(used.get("output_tokens", 0))
        cost = (given * self._prices[0] + written * self._prices[1]) / 1e6
        self.usage = Usage(given, written, cost)


def _is_refusal_of_schema(error: ChatModelError) -> bool:
    return isinstance(error, _SchemaIgnoredError) or rejects_schema(error.__cause__)


def _read_chunks(
    model: Runnable[Any, Any],
    messages: Sequence[BaseMessage],
    pieces: queue.Queue[Any],
    given_up: threading.Event,
) -> None:
    def put(piece: Any) -> bool:
        while not given_up.is_set():
            try:
                pieces.put(piece, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    try:
        for chunk in model.stream(list(messages)):
            if not put(chunk):
                return
        put(_DONE)
    except Exception as error:  # a provider may raise anything; it is reported in one line
        put(error)


def _chunk_text(chunk: Any) -> str:
    """Return the text of a chunk, whose content may be a string or a list of blocks."""
    content = getattr(chunk, "content", chunk)
    if not isinstance(content, str):
        content = "".join(
            block if isinstance(block, str) else str(block.get("text", ""))
            for block in content
            if isinstance(block, str) or block.get("type", "text") == "text"
        )
    return content.encode("utf-8", "replace").decode("utf-8")  # without halves of surrogate pairs


def _error_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r"\b(?:sk|key|token)[-_][\w-]{8,}", "…", text)
    return text[:200]


def _is_looping(sentence: str, seen: set[str]) -> bool:
    own = normalize(read_citations(sentence).text)
    if own in seen:
        return True
    seen.add(own)
    return False
