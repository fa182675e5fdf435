"""From an article to its passages: spans that end at sentence ends and fit the embedding model."""

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

# Tokens of a passage without its title and date. The model reads more (all-MiniLM-L6-v2: 256),
# but a vector of one thought finds better than one of five, and the archive's measurements were
# taken at about 200. To tune: `backfile evaluate retrieval` over 100, 150, 200, 250.
TARGET_TOKENS = 200
# Sentences of the passage before that a passage repeats. The title and the date stand before each
# passage, and the neighbours are at hand when one is found, so nothing has to be said twice.
OVERLAP_SENTENCES = 0

# What it costs to end a passage at a place, beside 1 for a passage of no size at all: these
# only choose among places that all fit, and their order matters more than their size.
WITHIN_A_PARAGRAPH = 0.15
WITHIN_A_LIST = 0.4
WITHIN_A_QUOTATION = 0.6
AFTER_A_HEADING = 0.8
WITHIN_A_SENTENCE = 1.5
OVER_TARGET = 4.0  # how much worse a passage is that is too long than one as much too short
SEAMS = 4  # tokens to spare below which a passage is counted whole, beside one a sentence

_ITEM = re.compile(r"(?:[-*•–►▪‣·]|\d{1,3}[.)]|\|)\s")
_CLAUSE = re.compile(r"[,;:—–)…]['\"”’»]?\s+|[，；：、،؛၊፣፤፥՝]\s*")
_PIECE = re.compile(r"[a-zA-Z\u00c0-\u024f]{1,6}|\S")
_WORD = re.compile(r"\s+")
_HEADING_UP_TO = 90  # characters


class TokenLimit(Protocol):
    """How an embedding model counts, and how much it reads: special tokens included in both."""

    @property
    def max_tokens(self) -> int: ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...


class EstimatedTokens:
    """Token counts of a model that doesn't tell them: pieces of at most six letters."""

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
    """A sentence, or a piece of one too long for any passage, and what it costs to end after it."""

    start: int
    end: int
    tokens: int
    cost: float


def split_article(article: Article, limit: TokenLimit) -> list[Span]:
    """Return the passages of `article`, in order.

    Each ends at a sentence's end and, with the title and the date before it, has at most
    `limit.max_tokens` tokens; together they hold every sentence. Only a sentence that is itself
    longer is split, at a clause's or a word's end. Raises ValueError where the model reads so
    little that title and date leave no room.
    """
    text = article.text
    spans = split_sentences(text)
    if not spans:
        return []
    # One call for all the sentences, each with the space behind it, instead of one a candidate.
    ends = [*(s.start for s in spans[1:]), spans[-1].end]
    pieces = [text[s.start : end] for s, end in zip(spans, ends, strict=True)]
    empty, head, *counts = limit.count_tokens(["", embedding_text(article.metadata, ""), *pieces])
    room = limit.max_tokens - head - 1  # one for the line break behind the date
    if room < 1:
        raise ValueError(
            f"the embedding model reads {limit.max_tokens} tokens, and the title and the date of "
            f"{article.id!r} take {head}: choose a model that reads more"
        )
    tokens = [count - empty for count in counts]

    def count(parts: Sequence[Span]) -> list[int]:
        return [n - empty for n in limit.count_tokens([text[p.start : p.end] for p in parts])]

    units = _units(text, spans, tokens, room, count)
    found = []
    for passage, close in _passages(units, room):
        found += _fitting(article, [passage], limit) if close else [passage]
    return found


def _fitting(article: Article, passages: list[Span], limit: TokenLimit) -> list[Span]:
    """Return `passages`, each counted as it will be embedded; one that is too long is halved."""
    while True:
        texts = [embedding_text(article.metadata, article.text[p.start : p.end]) for p in passages]
        fits = [count <= limit.max_tokens for count in limit.count_tokens(texts)]
        if all(fits):
            return passages
        passages = [
            part
            for passage, ok in zip(passages, fits, strict=True)
            for part in ([passage] if ok else _halves(article.text, passage))
        ]


def _units(
    text: str,
    spans: list[Span],
    tokens: list[int],
    room: int,
    count: Callable[[Sequence[Span]], list[int]],
) -> list[_Unit]:
    """Return the sentences with their sizes, and those that are too long in pieces that fit."""
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
    """Whether a list's item or a table's row begins at `start`; it's read up to `end`."""
    row = text[start:end].partition("\n")[0]
    return _ITEM.match(text, start, end) is not None or "\t" in row or " | " in row


def _cost(text: str, span: Span, gap: str, follows: int, quoted: int) -> float:
    """What it costs to end a passage after the sentence `span`, with `gap` behind it."""
    if "\n" not in gap:
        return WITHIN_A_QUOTATION if quoted else WITHIN_A_PARAGRAPH
    if _is_item(text, span.start, span.end):
        return WITHIN_A_LIST if _is_item(text, follows, follows + 200) else 0.0
    if text[span.end - 1] == ":":  # what it announces comes next
        return AFTER_A_HEADING
    short = span.end - span.start <= _HEADING_UP_TO
    if short and text[span.end - 1].isalnum() and text[span.start - 1 : span.start] in ("", "\n"):
        return AFTER_A_HEADING
    return 0.0


def _split_sentence(
    text: str, span: Span, room: int, count: Callable[[Sequence[Span]], list[int]]
) -> list[tuple[Span, int]]:
    """Return the pieces of too long a sentence, halved until each fits, with their sizes."""
    parts = [span]
    while True:
        sizes = count(parts)
        if all(s <= room or p.end - p.start == 1 for s, p in zip(sizes, parts, strict=True)):
            return list(zip(parts, sizes, strict=True))
        parts = [
            half
            for part, size in zip(parts, sizes, strict=True)
            for half in (_halves(text, part) if size > room else [part])
        ]


def _halves(text: str, span: Span) -> list[Span]:
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
    halves = (_trimmed(text, span.start, cut), _trimmed(text, cut, span.end))
    found = [half for half in halves if half.end > half.start]
    if found == [span]:
        raise ValueError(f"{text[span.start : span.end]!r} alone is longer than the model reads")
    return found


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return Span(start, max(start, end - (len(piece) - len(piece.rstrip()))))


def _passages(units: list[_Unit], room: int) -> list[tuple[Span, bool]]:
    """Return the cheapest way to put `units` into passages: by size, and by where they end.

    Each comes with whether it is so close to the limit that a sum of sentences cannot tell:
    putting texts together adds a token a seam at most, and takes some away in most tokenizers.

    Dynamic programming over the ends (as TeX breaks a paragraph into lines); a passage holds
    few sentences, so it takes time in proportion to the text.
    """
    target = min(TARGET_TOKENS, room)
    before = list(accumulate((unit.tokens for unit in units), initial=0))
    best = [0.0] * (len(units) + 1)
    cut = [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        first = min(bisect_left(before, before[end] - room), end - 1)
        last_cost = units[end - 1].cost if end < len(units) else 0.0
        costs = (
            (best[start] + _misfit(before[end] - before[start], target), start)
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
        start = _overlapping(before, start, end, room)
        size = before[end] - before[start]
        span = Span(units[start].start, units[end - 1].end)
        found.append((span, size + end - start + SEAMS > room))
    return found


def _overlapping(before: list[int], start: int, end: int, room: int) -> int:
    """Return where a passage begins that repeats as much of the one before as fits."""
    for earlier in range(max(0, start - OVERLAP_SENTENCES), start):
        if before[end] - before[earlier] <= room:
            return earlier
    return start


def _misfit(tokens: int, target: int) -> float:
    """How far a size is from the target, squared; and each passage costs a little of itself."""
    off = (tokens - target) / target
    return 0.1 + off * off * (OVER_TARGET if off > 0 else 1.0)
