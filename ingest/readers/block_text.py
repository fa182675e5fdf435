"""Text of marked-up bodies, block by block: NITF, XHTML in NewsML-G2 and ninjs, fragments.

Invariant: every word of the body outside excluded elements occurs once, in order, and words of two
blocks never run together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_BLOCKS = frozenset(
    "p hl1 hl2 h1 h2 h3 h4 h5 h6 li ul ol dl dt dd table caption thead tbody tfoot tr td th pre "
    "blockquote bq block note div section article main header footer center hr body html "
    "body.content address form fieldset details summary nitf-table credit figcaption".split()
)
_INLINE = frozenset(
    "a abbr acronym alt-code b bdi bdo big chron cite city classifier code copyrite country data "
    "dfn del em event font frac frac-num frac-den i ins kbd label lang location mark money num "
    "name.given name.family object.title org person pronounce q region s samp small span state "
    "strike strong sub sublocation sup time tt u var virtloc wbr".split()
)
LEFT_OUT = frozenset(
    "media figure aside script style head img media-caption picture body.head body.end template "
    "nitf-table-metadata".split()
)
_CELLS = ("td", "th")
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=[^\S\n])")  # within <pre>: a blank line or an indent


def local_name(element: Any) -> str:
    """Return an element's name without namespace; "" for comments and processing instructions."""
    return element.tag.rpartition("}")[2].casefold() if isinstance(element.tag, str) else ""


def read_blocks(root: Any, left_out: frozenset[str] = LEFT_OUT) -> list[str]:
    """Return the texts of the blocks within `root`, in order, each on one line.

    A table row is one block with its cells separated by bars; preformatted text keeps its lines; a
    line break ends a block. Unknown elements are inline if text stands next to them.

    Args:
        root: The lxml element.
        left_out: Names of elements to exclude.
    """
    found = _Blocks()
    for event, element in _walk(root, left_out):
        found.take(event, element)
    found.end_block()
    return [block for block in found.blocks if block]


class _Blocks:
    """The blocks collected so far."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._text: list[str] = []
        self._mixed: dict[Any, bool] = {}  # by parent, whether text stands between its children
        self._preformatted = 0
        self._row: Any = None  # the outermost row that is read as one line
        self._filled = False  # a cell of it that held text

    def take(self, event: str, element: Any) -> None:
        """Process one event of the walk: the start, text or end of an element."""
        if event == "text":
            self._text.append(element)
            self._filled = self._filled or not element.isspace()
            return
        name = local_name(element)
        breaks = name == "br" or _is_block(element, name, self._mixed)
        if self._row is not None:
            self._in_row(event, element, name, breaks=breaks)
        elif breaks:
            self.end_block()
            if name == "pre":
                self._preformatted += 1 if event == "start" else -1
            if event == "start" and name == "tr" and _is_row(element):
                self._row, self._filled = element, False
        elif event == "start" and name == "frac-den" and not self._ends_with_slash():
            self._text.append("/")  # 1/2, never 12

    def end_block(self) -> None:
        """Close the current block."""
        text = "".join(self._text)
        self._text.clear()
        if self._preformatted:
            self.blocks += map(_lines, _PARAGRAPH.split(text))
        else:
            self.blocks.append(" ".join(text.split()))

    def _ends_with_slash(self) -> bool:
        return "".join(self._text[-2:]).rstrip().endswith("/")

    def _in_row(self, event: str, element: Any, name: str, *, breaks: bool) -> None:
        if event == "end" and element is self._row:
            self._row = None
            self.end_block()
        elif event == "start" and name in _CELLS and self._filled:
            self._text.append(" | ")
            self._filled = False
        elif breaks:
            self._text.append(" ")


def _walk(root: Any, left_out: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield the starts, texts and ends within `root`; iterative, because documents nest deeply."""
    todo: list[tuple[str, Any]] = [("start", root)]
    while todo:
        event, value = todo.pop()
        if event != "start":
            yield event, value
            continue
        if value is not root and value.tail:
            todo.append(("text", value.tail))
        if not local_name(value) or (value is not root and local_name(value) in left_out):
            yield "text", " "
            continue
        yield event, value
        todo.append(("end", value))
        todo += [("start", child) for child in reversed(value)]
        if value.text:
            todo.append(("text", value.text))


def _is_block(element: Any, name: str, mixed: dict[Any, bool]) -> bool:
    if name in _BLOCKS or name in _INLINE or not name:
        return name in _BLOCKS
    parent = element.getparent()
    if parent not in mixed:
        texts = [] if parent is None else [parent.text, *(one.tail for one in parent)]
        mixed[parent] = any(text and not text.isspace() for text in texts)
    return not mixed[parent]


def _is_row(row: Any) -> bool:
    """Return whether a row contains data: several cells, none with a column of text."""
    cells = [cell for cell in row if local_name(cell) in _CELLS]
    return len(cells) > 1 and not any(
        sum(local_name(inner) in ("p", "div", "br", "tr") for inner in cell.iterdescendants()) > 1
        for cell in cells
    )


def _lines(part: str) -> str:
    lines = (" ".join(line.split()) for line in part.split("\n"))
    return "\n".join(line for line in lines if line)
