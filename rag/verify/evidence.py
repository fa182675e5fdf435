"""Evidence for a statement: the sentences of the passages, and what stands before each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.nlp.quotations import quotable_spans
from rag.nlp.sentences import split_sentences
from rag.schema import Hit, Span
from rag.verify.terms import Term, split_terms

LOOK_BACK = 3  # sentences before one in which "he" and "the goalkeeper" are looked up


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """A sentence of a passage.

    Attributes:
        text: The sentence.
        span: Its range in the passage's text.
        before: The sentences before it, the nearest first.
        title: The article's headline.
    """

    text: str
    span: Span
    before: tuple[str, ...]
    title: str

    @property
    def terms(self) -> tuple[Term, ...]:
        """The sentence's terms."""
        return split_terms(self.text)


def evidence_sentences(hit: Hit) -> tuple[EvidenceSentence, ...]:
    """Return the sentences of a passage, in order."""
    return _split(hit.passage.text, hit.metadata.title)


@lru_cache(maxsize=256)
def _split(text: str, title: str) -> tuple[EvidenceSentence, ...]:
    spans = split_sentences(text)
    texts = [text[span.start : span.end] for span in spans]
    return tuple(
        EvidenceSentence(texts[i], span, tuple(reversed(texts[max(0, i - LOOK_BACK) : i])), title)
        for i, span in enumerate(spans)
    )


_PIECE = re.compile(r"[^\W_]+")


def find_words(words: str, text: str) -> Span | None:
    """Return the range of a text that has exactly these words, in this order, side by side.

    Punctuation, quotation marks, spaces and case don't count. An ellipsis leaves words out.

    Args:
        words: The words, as a chat model gives them.
        text: The text to find them in.

    Returns:
        The range from the first word to the last, or None.
    """
    start = end = None
    at = 0
    for part in re.split(r"…|\.\.\.|\[[^\]]{0,300}\]", words):
        pieces = _PIECE.findall(part)
        if not pieces:
            continue
        found = _find_side_by_side(pieces, text, at)
        if found is None:
            return None
        at = end = found.end
        start = found.start if start is None else start
    return None if start is None or end is None else Span(start, end)


def _find_side_by_side(pieces: Sequence[str], text: str, at: int) -> Span | None:
    wanted = [piece.casefold() for piece in pieces]
    there = [(m[0].casefold(), m.start(), m.end()) for m in _PIECE.finditer(text, at)]
    for i in range(len(there) - len(wanted) + 1):
        if there[i][0] == wanted[0] and [w for w, _, _ in there[i : i + len(wanted)]] == wanted:
            return Span(there[i][1], there[i + len(wanted) - 1][2])
    return None


def whole_spans(text: str, span: Span) -> Span:
    """Return a range extended to the sentences, or quotations with their speaker, that it is in."""
    over = [s for s in quotable_spans(text) if s.start < span.end and s.end > span.start]
    return Span(over[0].start, over[-1].end) if over else span
