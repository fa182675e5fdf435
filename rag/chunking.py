"""Split an article into passages at sentence ends, within the embedding model's token limit."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from rag.nlp.sentences import split_sentences
from rag.schema import Article, Span
from rag.store.articles import embedding_text

# Tokens of a passage without its title and date. A vector of one idea finds better than one of
# five, even if the model reads more (docs/benchmarks.md; `backfile evaluate retrieval`).
TARGET_TOKENS = 200
# Sentences repeated from the previous passage. Not needed: every passage has its title and date,
# and its neighbours can be looked up.
OVERLAP_SENTENCES = 0

# Costs of ending a passage at a place, besides 1 for an empty passage. Their order matters more
# than their size: they only choose among places that fit.
WITHIN_A_PARAGRAPH = 0.15
WITHIN_A_LIST = 0.4
WITHIN_A_QUOTATION = 0.6
AFTER_A_HEADING = 0.8
WITHIN_A_SENTENCE = 1.5
OVER_TARGET = 4.0  # penalty of a passage that is too long, relative to one that is too short
SEAMS = 4  # spare tokens, besides one per sentence, below which a passage is counted exactly

_ITEM = re.compile(r"(?:[-*•–►▪‣·]|\d{1,3}[.)]|\|)\s")
_CLAUSE = re.compile(r"[,;:—–)…]['\"”’»]?\s+|[，；：、،؛၊፣፤፥՝]\s*")
_PIECE = re.compile(r"[a-zA-Z\u00c0-\u024f]{1,6}|\S")
_WORD = re.compile(r"\s+")
_HEADING_UP_TO = 90  # characters


class TokenLimit(Protocol):
    """Token counts and input limit of an embedding model, both with special tokens."""

    @property
    def max_tokens(self) -> int:
        """The longest input in tokens."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        ...


class EstimatedTokens:
    """Estimated token counts for a model without `count_tokens`: pieces of up to six letters."""

    max_tokens = 256  # any current embedding model reads as much

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return an estimate for each text, two special tokens included."""
        return [len(_PIECE.findall(text)) + 2 for text in texts]


def token_limit(embeddings: Any) -> TokenLimit:
    """Return how an embedding model counts tokens.

    Args:
        embeddings: Any LangChain `Embeddings`; one that has `max_tokens` and `count_tokens` counts
            itself, and for others the count is estimated.
    """
    limit: TokenLimit = embeddings if hasattr(embeddings, "count_tokens") else EstimatedTokens()
    return limit


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or part of a very long one, and the cost of ending a passage after it."""

    start: int
    end: int
    tokens: int
    cost: float


def split_article(article: Article, limit: TokenLimit) -> list[Span]:
    """Split an article into passages.

    Each ends at a sentence end and, with title and date in front, has at most `limit.max_tokens`
    tokens; together they contain every sentence. Only a sentence over the limit is split, at a
    clause or word boundary.

    Args:
        article: The article.
        limit: The embedding model's limit.

    Returns:
        The spans of the passages, in order.

    Raises:
        ValueError: The limit leaves no room beside the title and the date.
    """
    text = article.text
    spans = split_sentences(text)
    if not spans:
        return []
    # One call for all sentences, each with the space after it, instead of one per candidate.
    ends = [*(s.start for s in spans[1:]), spans[-1].end]
    pieces = [text[s.start : end] for s, end in zip(spans, ends, strict=True)]
    empty, head, *counts = limit.count_tokens(["", embedding_text(article.metadata, ""), *pieces])
    room = limit.max_tokens - head - 1  # one for the line break after the date
    if room < 1:
        raise ValueError(
            f"the embedding model reads {limit.max_tokens} tokens, and the title and the date of "
            f"{article.id!r} take {head}: choose a model that reads more"
        )
    tokens = [count - empty for count in counts]

    def count(parts: Sequence[Span]) -> list[int]:
        return [n - empty for n in limit.count_tokens([text[p.start : p.end] for p in parts])]

    units = _split_units(text, spans, tokens, room, count)
    found = []
    for passage, close in _divide(units, room):
        found += _fit(article, [passage], limit) if close else [passage]
    return found


def _fit(article: Article, passages: list[Span], limit: TokenLimit) -> list[Span]:
    """Return the passages with exact token counts; halve those that are too long."""
    while True:
        texts = [embedding_text(article.metadata, article.text[p.start : p.end]) for p in passages]
        fits = [count <= limit.max_tokens for count in limit.count_tokens(texts)]
        if all(fits):
            return passages
        passages = [
            part
            for passage, ok in zip(passages, fits, strict=True)
            for part in ([passage] if ok else _halve(article.text, passage))
        ]


def _split_units(
    text: str,
    spans: list[Span],
    tokens: list[int],
    room: int,
    count: Callable[[Sequence[Span]], list[int]],
) -> list[_Unit]:
    """Return the sentences with their sizes; those that are too long in parts that fit."""
    units = []
    quoted = 0
    for index, (span, size) in enumerate(zip(spans, tokens, strict=True)):
        follows = spans[index + 1].start if index + 1 < len(spans) else len(text)
        piece = text[span.start : span.end]
        gap = text[span.end : follows]
        quoted = max(0, quoted + piece.count("“") - piece.count("”")) if "\n\n" not in gap else 0
        cost = _cost(text, span, gap, follows, quoted)
        if size <= room:
            units.append(_Unit(span.start, span.end, size, cost))
            continue
        parts = _split_sentence(text, span, room, count)
        for part, part_size in parts[:-1]:
            units.append(_Unit(part.start, part.end, part_size, WITHIN_A_SENTENCE))
        units.append(_Unit(parts[-1][0].start, parts[-1][0].end, parts[-1][1], cost))
    return units


def _is_item(text: str, start: int, end: int) -> bool:
    """Return True if a list item or a table row starts at `start`; reads up to `end`."""
    row = text[start:end].partition("\n")[0]
    return _ITEM.match(text, start, end) is not None or "\t" in row or " | " in row


def _cost(text: str, span: Span, gap: str, follows: int, quoted: int) -> float:
    """Return the cost of ending a passage after the sentence `span`, which `gap` follows."""
    if "\n" not in gap:
        return WITHIN_A_QUOTATION if quoted else WITHIN_A_PARAGRAPH
    if _is_item(text, span.start, span.end):
        return WITHIN_A_LIST if _is_item(text, follows, follows + 200) else 0.0
    if text[span.end - 1] == ":":  # the announced text follows
        return AFTER_A_HEADING
    short = span.end - span.start <= _HEADING_UP_TO
    if short and text[span.end - 1].isalnum() and text[span.start - 1 : span.start] in ("", "\n"):
        return AFTER_A_HEADING
    return 0.0


def _split_sentence(
    text: str, span: Span, room: int, count: Callable[[Sequence[Span]], list[int]]
) -> list[tuple[Span, int]]:
    """Return the parts of a long sentence, halved until each fits, with their sizes."""
    parts = [span]
    while True:
        sizes = count(parts)
        if all(s <= room or p.end - p.start == 1 for s, p in zip(sizes, parts, strict=True)):
            return list(zip(parts, sizes, strict=True))
        parts = [
            half
            for part, size in zip(parts, sizes, strict=True)
            for half in (_halve(text, part) if size > room else [part])
        ]


def _halve(text: str, span: Span) -> list[Span]:
    """Split near the middle: after a sentence, else a clause, else a word, else a character."""
    middle = (span.start + span.end) // 2
    near = (span.end - span.start) // 4
    inner = [s.end + span.start for s in split_sentences(text[span.start : span.end])[:-1]]
    for ends in (
        inner,
        [m.end() for m in _CLAUSE.finditer(text, middle - near, middle + near)],
        [m.end() for m in _WORD.finditer(text, span.start + 1, span.end - 1)],
    ):
        if ends:
            cut = min(ends, key=lambda end: abs(end - middle))
            break
    else:
        cut = middle
    halves = (_trim(text, span.start, cut), _trim(text, cut, span.end))
    found = [half for half in halves if half.end > half.start]
    if found == [span]:
        raise ValueError(f"{text[span.start : span.end]!r} alone exceeds the model's input limit")
    return found


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return Span(start, max(start, end - (len(piece) - len(piece.rstrip()))))


def _divide(units: list[_Unit], room: int) -> list[tuple[Span, bool]]:
    """Return the cheapest division of units into passages, by size and by where they end.

    Each comes with True if it is so close to the limit that its exact size must be counted:
    joining texts adds at most one token per seam, and removes some in most tokenizers.

    Dynamic programming over the ends (as TeX breaks a paragraph into lines); a passage has few
    sentences, so it takes time proportional to the text.
    """
    target = min(TARGET_TOKENS, room)
    before = list(accumulate((unit.tokens for unit in units), initial=0))
    best = [0.0] * (len(units) + 1)
    cut = [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        first = min(bisect_left(before, before[end] - room), end - 1)
        last_cost = units[end - 1].cost if end < len(units) else 0.0
        costs = (
            (best[start] + _size_cost(before[end] - before[start], target), start)
            for start in range(max(first, 0), end)
        )
        cost, cut[end] = min(costs)
        best[end] = cost + last_cost
    ends = [len(units)]
    while cut[ends[-1]]:
        ends.append(cut[ends[-1]])
    ends.reverse()
    found = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        start = _overlap_start(before, start, end, room)
        size = before[end] - before[start]
        span = Span(units[start].start, units[end - 1].end)
        found.append((span, size + end - start + SEAMS > room))
    return found


def _overlap_start(before: list[int], start: int, end: int, room: int) -> int:
    """Return the start of a passage that repeats as much of the previous one as fits."""
    for earlier in range(max(0, start - OVERLAP_SENTENCES), start):
        if before[end] - before[earlier] <= room:
            return earlier
    return start


def _size_cost(tokens: int, target: int) -> float:
    """Return the squared distance of a size from the target, plus a small cost per passage."""
    off = (tokens - target) / target
    return 0.1 + off * off * (OVER_TARGET if off > 0 else 1.0)
