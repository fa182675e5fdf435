"""Sentence streaming from a chat model, with timeouts, retries and loop detection.

A sentence's evidence comes before it, on lines of its own: `> [2] "the words it rests on"`. A model
that ignores this and writes only sentences with [2] is read as well.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from rag.citations import read_citations, tidy_markers
from rag.errors import ChatModelError
from rag.nlp.sentences import split_sentences
from rag.schema import Notice, Usage
from rag.verify.fact_checks import normalize
from rag.verify.statements import Evidence

ATTEMPTS = 3  # attempts until a first sentence comes; later failures keep what was written
MOST_SENTENCES = 16  # of the longest form, a course of events, with some to spare
MOST_WRITTEN = 12_000  # characters, evidence included: twice what the longest answers take
LONGEST_SENTENCE = 1200  # characters; in a longer one, the model is looping or not writing prose
_DONE = object()
_EVIDENCE = re.compile(r"^[ \t]*>")
_GIVEN = re.compile(
    r"^[ \t]*>[ \t]*(?:\[|【)(?:passage )?(?P<number>\d{1,3})(?:\]|】)[ \t:–-]*+(?P<words>\S.*)$",
    re.IGNORECASE,
)


# A sentence that follows its evidence on the same line, and ends with a marker.
_BESIDE = re.compile(
    r"(?P<words>[\"“„«][^\"”“»]{1,600}[\"”“»])\s+(?P<sentence>\S.{0,1200}\[\d{1,3}\][.!?]?)"
)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence that a chat model wrote, with its markers and the evidence that it gives."""

    text: str
    evidence: tuple[Evidence, ...] = ()


class SentenceStream:
    """Stream of a chat model's sentences.

    Attributes:
        usage: Tokens and cost so far.
        failure: The reason why the last stream failed or stopped early; None if it didn't.
        written: All that the model wrote in the last stream.
    """

    def __init__(
        self, chat_model: BaseChatModel, *, timeout: float, prices: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        """Create a stream.

        Args:
            chat_model: Any LangChain chat model.
            timeout: The longest pause between two chunks, in seconds.
            prices: The prices of a million input tokens and a million output tokens.
        """
        self._chat_model = chat_model
        self._timeout = timeout
        self._prices = prices
        self.usage = Usage()
        self.failure: Notice | None = None
        self.written = ""

    def sentences(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """Yield each sentence with its citation markers as soon as it is complete.

        Args:
            messages: The prompt.

        Raises:
            ChatModelError: No sentence came in ATTEMPTS attempts.
        """
        return (draft.text for draft in self.drafts(messages))

    def complete(self, messages: Sequence[BaseMessage]) -> str:
        """Return all that the model writes, in one attempt.

        Args:
            messages: The prompt.

        Raises:
            ChatModelError: The model failed, or was silent for too long.
        """
        failure = self.failure
        try:
            return "".join(self._chunks(messages))
        finally:
            self.failure = failure  # of the answer, which this call is not part of

    def drafts(self, messages: Sequence[BaseMessage]) -> Iterator[Draft]:
        """Yield each sentence, with its evidence, as soon as it is complete.

        After the first sentence, an error ends the stream and is kept in `failure`.

        Args:
            messages: The prompt.

        Raises:
            ChatModelError: No sentence came in ATTEMPTS attempts.
        """
        for attempt in range(1, ATTEMPTS + 1):
            begun, self.failure = False, None
            try:
                for draft in self._stream_once(messages):
                    begun = True
                    yield draft
            except ChatModelError:
                if not begun and attempt == ATTEMPTS:
                    raise
            if begun:
                return
        self.failure = Notice("chat_model_wrote_nothing")
        raise ChatModelError("the chat model wrote nothing: try again, or set another one")

    def _stream_once(self, messages: Sequence[BaseMessage]) -> Iterator[Draft]:
        self.written, given = "", 0
        seen: set[str] = set()
        for piece in self._chunks(messages):
            self.written += piece
            complete, rest = _read_drafts(self.written)
            for draft in complete[given:]:
                given += 1
                if _is_looping(draft.text, seen):
                    self.failure = Notice("chat_model_repeated_itself")
                    return
                yield draft
            if given >= MOST_SENTENCES:
                return
            if len(rest) > LONGEST_SENTENCE or len(self.written) > MOST_WRITTEN:
                self.failure = Notice("chat_model_endless_sentence")
                return
        for draft in _read_drafts(self.written + "\n>\n")[0][given:]:
            if not _is_looping(draft.text, seen):
                yield draft

    def _chunks(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """Yield the text of each chunk; a pause longer than the timeout is an error.

        The provider may block, so it is read in a thread; an abandoned thread ends at its next
        chunk.
        """
        pieces: queue.Queue[Any] = queue.Queue(maxsize=64)
        given_up = threading.Event()
        thread = threading.Thread(
            target=_read_chunks, args=(self._chat_model, messages, pieces, given_up), daemon=True
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


def _read_chunks(
    chat_model: BaseChatModel,
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
        for chunk in chat_model.stream(list(messages)):
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


def _read_drafts(raw: str) -> tuple[list[Draft], str]:
    """Return the complete sentences of a model's output with their evidence, and the rest.

    A line of evidence completes the sentences before it, and is of the first one after it.
    """
    drafts: list[Draft] = []
    evidence: list[Evidence] = []
    prose: list[str] = []
    *whole, last = raw.split("\n")
    for line in whole:
        if not _EVIDENCE.match(line):
            prose.append(line)
            continue
        drafts += _with_evidence(sentence_texts(tidy_markers("\n".join(prose))), evidence)
        prose = []
        given = _GIVEN.match(line)
        if given is not None:
            beside = _BESIDE.fullmatch(given["words"].strip())
            words = beside["words"] if beside else given["words"].strip()
            evidence.append(Evidence(int(given["number"]), words))
            prose += [beside["sentence"]] if beside else []
    if _EVIDENCE.match(last):  # not complete yet
        return drafts, last
    written = sentence_texts(tidy_markers("\n".join([*prose, last])))
    complete = _complete_sentences(written)
    rest = "".join(written[len(complete) :])
    return drafts + _with_evidence(complete, evidence), rest


def _with_evidence(sentences: Sequence[str], evidence: list[Evidence]) -> list[Draft]:
    """Return drafts, the first one with the evidence, which is used up."""
    drafts = [Draft(text) for text in sentences]
    if drafts and evidence:
        drafts[0] = Draft(drafts[0].text, tuple(evidence))
        evidence.clear()
    return drafts


def sentence_texts(text: str) -> list[str]:
    """Return the sentences of a model's output with their markers, without headings and bullets."""
    out: list[str] = []
    text = _HEADING.sub("", text)
    for span in split_sentences(text):
        piece = re.sub(r"^(?:[-*•]+|\d{1,2}[.)])\s+", "", text[span.start : span.end])
        piece = piece.replace("**", "").strip()
        if out and not read_citations(piece).text.strip(" .,;"):
            out[-1] += " " + piece
        elif piece:
            out.append(piece)
    return out


def _complete_sentences(pieces: list[str]) -> list[str]:
    """Return the sentences that are complete, that is, followed by another one.

    A last piece that may be the start of a citation marker is no further sentence.
    """
    if pieces and re.match(r"\A(?:[\[【［⁰¹²³⁴⁵⁶⁷⁸⁹(]|\W*+$)", pieces[-1]):
        pieces = pieces[:-1]
    return pieces[:-1]


def _is_looping(sentence: str, seen: set[str]) -> bool:
    own = normalize(read_citations(sentence).text)
    if own in seen:
        return True
    seen.add(own)
    return False
