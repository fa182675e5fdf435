"""Citation markers such as [1]: parsing, numbering, and building citations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.schema import Citation, Hit, Span, Statement

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_DIGITS = "0-9⁰¹²³⁴⁵⁶⁷⁸⁹"
_NUMBER = rf"\^?[{_DIGITS}]{{1,3}}"
_INSIDE = (
    rf"\s*(?:(?:passages?|sources?|refs?\.?|no\.?|#|citation|doc(?:ument)?)\s*)?{_NUMBER}"
    rf"(?:\s*(?:[,;&–-]|and)\s*(?:(?:passage|source)\s*)?{_NUMBER})*+\s*+(?:†[^\]】]{{0,200}}+)?"
)
# [1]  [1, 2]  [1][2]  [¹]  【1】  [^1], but not (1), which prose uses for counting.
MARKER = re.compile(
    rf"\s?(?:\[{_INSIDE}\]|【{_INSIDE}】|［{_INSIDE}］)"
    rf"|(?<![{_DIGITS}\[【［,^#\s])\s?(?<!m)[⁰¹²³⁴⁵⁶⁷⁸⁹]+",  # but not 50 m²
    re.IGNORECASE,
)

# Markers and the stop after them. Matches only at their start, so that they are read once.
_NO_MARKER_BEFORE = "".join(
    rf"(?<!\[\d{{{digits}}}\]{space})" for digits in (1, 2, 3) for space in ("", " ")
)
_BEFORE_STOP = re.compile(rf"{_NO_MARKER_BEFORE}((?: ?\[\d{{1,3}}\])++)([.!?])(?=\s|$)")


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence without its markers, and the numbers in them, in order."""

    text: str
    numbers: tuple[int, ...]


def read_citations(text: str) -> CitedSentence:
    """Return a text without its citation markers, and the distinct numbers in them."""
    numbers: list[int] = []
    for marker in MARKER.finditer(text):
        numbers += _numbers(marker[0])
    bare = re.sub(r"(?<!\s)\s++([.,;:!?])", r"\1", MARKER.sub("", text))
    return CitedSentence(" ".join(bare.split()), tuple(dict.fromkeys(numbers)))


def _numbers(marker: str) -> Iterable[int]:
    plain = marker.translate(_SUPERSCRIPTS)
    plain = re.sub(r"†[^,\]】]*", "", plain)
    for first, last in re.findall(r"(\d{1,3})(?:\s*[–-]\s*(\d{1,3}))?", plain):
        if last and 0 < int(last) - int(first) < 10:
            yield from range(int(first), int(last) + 1)
        else:
            yield int(first)
            if last:
                yield int(last)


def tidy_markers(text: str) -> str:
    """Return a text with every complete marker written as [1][2], after the stop."""
    tidy = MARKER.sub(lambda m: " " + "".join(f"[{n}]" for n in _numbers(m[0])), text)
    return _BEFORE_STOP.sub(r"\2\1", tidy)


def build_citation(number: int, hit: Hit, span: Span | None = None) -> Citation:
    """Return a citation.

    Args:
        number: The citation's number.
        hit: The hit to cite.
        span: Characters of the article to cite, cut to the passage; None for all of the passage.
    """
    passage = hit.passage
    start = max(passage.start, span.start) if span else passage.start
    end = min(passage.end, span.end) if span else passage.end
    return Citation(
        number=number,
        quote=passage.text[start - passage.start : end - passage.start],
        start=start,
        end=end,
        passage=passage,
        metadata=hit.metadata,
        copies=hit.copies,
    )


def number_citations(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Number the cited passages from 1, in reading order."""
    numbers: dict[tuple[str, int, int], int] = {}
    out = []
    for statement in statements:
        citations = []
        for citation in statement.citations:
            passage = citation.passage
            place = (passage.article_id, passage.start, passage.end)
            number = numbers.setdefault(place, len(numbers) + 1)
            citations.append(replace(citation, number=number))
        out.append(replace(statement, citations=tuple(citations)))
    return tuple(out)
