"""Reading order and paragraphs of the text pieces of a PDF."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_EDGE = 0.09  # share of a page's height, above and below, for page numbers and running heads
_GUTTER = 0.8  # minimum space between two columns, relative to the font size
_COLUMN_LINES = 3  # minimum lines of a column
_PARAGRAPH_GAP = 1.45  # space between paragraphs, relative to the usual line distance
_INDENT = 0.7  # relative to the font size
_SHORT = 0.85  # of the column's width; a shorter line may end a paragraph
_STUB = 0.5  # of the column's width; a shorter line always ends a paragraph
_WORD_UP_TO = 80  # characters of a word hyphenated at the end of a line
_PAGE_NUMBER = re.compile(
    r"(?i)\A\W*+(?:(?:page|seite|p\.?|стр\.?)\s*+)?\d{1,4}(?:\s*+(?:of|/|von|из)\s*+\d++)?\W*+"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of one column: its text, position (points from the top left) and font size."""

    page: int
    text: str
    size: float
    left: float
    right: float
    top: float
    bottom: float
    height: float  # of its page


def without_running_heads(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces without page numbers and repeated headers and footers."""
    pages = {piece.page for piece in pieces}
    edge_lines = Counter({(p.page, _key(p)) for p in pieces if _at_edge(p)})
    pages_with = Counter(key for _, key in edge_lines)
    repeated = {key for key, n in pages_with.items() if n >= 2 and 2 * n >= len(pages)}
    return [
        piece
        for piece in pieces
        if not (_at_edge(piece) and (_key(piece) in repeated or _PAGE_NUMBER.fullmatch(piece.text)))
    ]


def in_reading_order(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces by page and column, with pieces that span columns first."""
    ordered: list[Piece] = []
    for page in sorted({piece.page for piece in pieces}):
        ordered += _order_page([piece for piece in pieces if piece.page == page])
    return ordered


def paragraphs(pieces: Sequence[Piece]) -> list[str]:
    """Join the lines into paragraphs, and hyphenated words into whole ones."""
    if not pieces:
        return []
    usual = _line_distance(pieces)
    words = Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", " ".join(p.text for p in pieces)))
    found = [pieces[0].text]
    for before, piece in pairwise(pieces):
        if _begins_paragraph(before, piece, pieces, usual):
            found.append(piece.text)
        else:
            found[-1] = _join_line(found[-1], piece.text, words)
    return found


def _at_edge(piece: Piece) -> bool:
    return piece.bottom < _EDGE * piece.height or piece.top > (1 - _EDGE) * piece.height


def _key(piece: Piece) -> str:
    return re.sub(r"\d+", "#", piece.text.casefold())


def _order_page(pieces: list[Piece]) -> list[Piece]:
    """Order a page by cutting it at empty space: vertically between columns, else horizontally."""
    todo, done = [pieces], []
    while todo:
        part = todo.pop()
        halves = _split_columns(part) or _split_rows(part)
        if halves:
            todo += [halves[1], halves[0]]
        else:
            done += sorted(part, key=lambda piece: (round(piece.top), piece.left))
    return done


def _split_columns(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]] | None:
    """Split at the widest vertical space into left and right; None if these aren't columns."""
    size = median(piece.size for piece in pieces)
    edge, best = float("-inf"), (0.0, 0.0)
    for piece in sorted(pieces, key=lambda piece: piece.left):
        if edge > float("-inf"):
            best = max(best, (piece.left - edge, (piece.left + edge) / 2))
        edge = max(edge, piece.right)
    gap, at = best
    left = [piece for piece in pieces if piece.right <= at]
    right = [piece for piece in pieces if piece.left >= at]
    columns = min(len(left), len(right)) >= _COLUMN_LINES
    return (left, right) if gap > _GUTTER * size and columns else None


def _split_rows(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]] | None:
    """Split above the first horizontal space where columns begin or end."""
    lines = sorted(pieces, key=lambda piece: piece.top)
    for index in range(1, len(lines)):
        above, below = lines[:index], lines[index:]
        if max(p.bottom for p in above[-8:]) <= below[0].top + 1 and _split_columns(below):
            return above, below
    for index in range(len(lines) - 1, 0, -1):
        above, below = lines[:index], lines[index:]
        if max(p.bottom for p in above[-8:]) <= below[0].top + 1 and _split_columns(above):
            return above, below
    return None


def _line_distance(pieces: Sequence[Piece]) -> float:
    """Return the usual distance between the tops of two lines."""
    steps = [
        b.top - a.top
        for a, b in pairwise(pieces)
        if a.page == b.page and 0 < b.top - a.top < 4 * max(a.size, 1)
    ]
    return median(steps) if steps else 1.2 * median(piece.size for piece in pieces)


def _begins_paragraph(before: Piece, piece: Piece, pieces: Sequence[Piece], usual: float) -> bool:
    """Return whether a line begins a paragraph, judging by spacing, font size and line ends."""
    if abs(before.size - piece.size) > 0.15 * max(before.size, piece.size):
        return True
    step = piece.top - before.top
    goes_on = before.page == piece.page and -1 < piece.left - before.right < 2 * piece.size
    if goes_on and abs(step) < 0.5 * usual:
        return False  # the same line, in two pieces
    same_column = before.page == piece.page and step > 0
    if same_column and step > _PARAGRAPH_GAP * usual:
        return True
    ended = before.text[-1] in '.!?:”"»。' or before.text[-1].isdigit()
    edges = [
        p for p in pieces if p.page == piece.page and abs(p.left - piece.left) < 3 * piece.size
    ]
    margin = min((p.left for p in edges), default=piece.left)
    if ended and piece.left > margin + _INDENT * piece.size:
        return True
    column = [
        p for p in pieces if p.page == before.page and abs(p.left - before.left) < 3 * before.size
    ]
    width = max((p.right - p.left for p in column), default=0.0)
    room = _SHORT if ended else _STUB
    return before.right - before.left < room * width and before.text[-1] not in "-\u00ad\u2010"


def _join_line(text: str, line: str, words: Counter[str]) -> str:
    """Append a line; "har-" and "bour" are joined, "well-" and "known" keep the hyphen."""
    # only the end of the text: searching all of it for every line is quadratic
    parted = re.search(r"(?<![^\W\d_])([^\W\d_]++)[-\u00ad\u2010]\Z", text[-_WORD_UP_TO:])
    after = re.match(r"[^\W\d_]+", line)
    if parted is None or after is None or not after.group()[0].islower():
        return f"{text}{line}" if text.endswith(("-", "—")) else f"{text} {line}"
    whole, hyphened = parted.group(1) + after.group(), f"{parted.group(1)}-{after.group()}"
    if words[hyphened] > words[whole]:
        return f"{text[:-1]}-{line}"
    return text[:-1] + line
