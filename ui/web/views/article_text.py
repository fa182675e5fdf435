"""HTML of an article's text: paragraphs, subheadings, and the passage with its quotes marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.sanitize import neutralize_markers
from rag.schema import Span
from ui.web.views.cards import mark_spans
from ui.web.views.markup import escape

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*+\n)++")
LONGEST_SUBHEADING = 70  # characters
SHORTEST_PARAGRAPH = 80  # characters of the paragraph that a subheading stands above
_ENDS_SENTENCE = re.compile(r"[.!?…:;,][\"'”’»)\]]*$")


def text_html(text: str, place: Span, quotes: Iterable[Span] = ()) -> str:
    """Return the text as paragraphs, with a passage highlighted and its quotes marked.

    Args:
        text: Text of the article.
        place: The passage, as offsets in the text; empty for none.
        quotes: Quoted spans within the passage, as offsets in the text.

    Returns:
        HTML with every character of the text but the blank lines between paragraphs.
    """
    text = neutralize_markers(text)  # same length; before slicing, which could cut a marker
    marks = list(quotes)
    spans = list(paragraph_spans(text))
    blocks = []
    for number, span in enumerate(spans):
        tag = "h3" if _is_subheading(text, spans, number) else "p"
        blocks.append(f'<{tag} dir="auto">{_paragraph(text, span, place, marks)}</{tag}>')
    return "".join(blocks)


def paragraph_spans(text: str) -> Iterator[Span]:
    """Yield the spans between blank lines, in order."""
    start = 0
    for blank in _BLANK_LINES.finditer(text):
        if text[start : blank.start()].strip():
            yield Span(start, blank.start())
        start = blank.end()
    if text[start:].strip():
        yield Span(start, len(text))


def _paragraph(text: str, span: Span, place: Span, quotes: Sequence[Span]) -> str:
    start, end = max(span.start, place.start), min(span.end, place.end)
    if start >= end:
        return escape(text[span.start : span.end])
    inside = [(quote.start - start, quote.end - start) for quote in quotes]
    return (
        f"{escape(text[span.start : start])}"
        f'<span class="bf-place">{mark_spans(text[start:end], inside)}</span>'
        f"{escape(text[end : span.end])}"
    )


def _is_subheading(text: str, spans: Sequence[Span], number: int) -> bool:
    """Return whether a paragraph is a short line without a full stop above a longer one."""
    line = text[spans[number].start : spans[number].end].strip()
    if len(line) > LONGEST_SUBHEADING or "\n" in line or number + 1 == len(spans) or not number:
        return False
    after = spans[number + 1]
    return (
        line[0].isalnum()
        and not _ENDS_SENTENCE.search(line)
        and after.end - after.start >= SHORTEST_PARAGRAPH
    )
