"""A page's pieces of text in the order in which they are read, and as paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_EDGE = 0.09  # of a page's height, above and below: where its number and the paper's name stand
_GUTTER = 0.8  # of the size of the letters: the space between two columns is wider
_COLUMN_LINES = 3  # fewer lines beside others make no column
_PARAGRAPH_GAP = 1.45  # of the usual distance between two lines
_INDENT = 0.7  # of the size of the letters
_SHORT = 0.85  # of the column's width: a line that ends earlier may end a paragraph
_STUB = 0.5  # of the column's width: a line that ends earlier ends one, whatever stands there
_WORD_UP_TO = 80  # characters of a word that is parted at the end of a line
_PAGE_NUMBER = re.compile(
    r"(?i)\A\W*+(?:(?:page|seite|p\.?|стр\.?)\s*+)?\d{1,4}(?:\s*+(?:of|/|von|из)\s*+\d++)?\W*+"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of one column: its text, where it stands (points from the top left), its size."""

    page: int
    text: str
    size: float
    left: float
    right: float
    top: float
    bottom: float
    height: float  # of its page


def without_running_heads(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces without page numbers, and without what each page says above and below."""
    pages = {piece.page for piece in pieces}
    said = Counter({(p.page, _key(p)) for p in pieces if _at_edge(p)})
    often = Counter(key for _, key in said)
    repeated = {key for key, n in often.items() if n >= 2 and 2 * n >= len(pages)}
    return [
        piece
        for piece in pieces
        if not (_at_edge(piece) and (_key(piece) in repeated or _PAGE_NUMBER.fullmatch(piece.text)))
    ]


def in_reading_order(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces page by page, column by column, what spans columns before them."""
    ordered: list[Piece] = []
    for page in sorted({piece.page for piece in pieces}):
        ordered += _ordered([piece for piece in pieces if piece.page == page])
    return ordered


def paragraphs(pieces: Sequence[Piece]) -> list[str]:
    """Return the lines as paragraphs, words that were parted at a line's end whole again."""
    if not pieces:
        return []
    usual = _pitch(pieces)
    words = Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", " ".join(p.text for p in pieces)))
    found = [pieces[0].text]
    for before, piece in pairwise(pieces):
        if _begins(before, piece, pieces, usual):
            found.append(piece.text)
        else:
            found[-1] = _joined(found[-1], piece.text, words)
    return found


def _at_edge(piece: Piece) -> bool:
    return piece.bottom < _EDGE * piece.height or piece.top > (1 - _EDGE) * piece.height


def _key(piece: Piece) -> str:
    return re.sub(r"\d+", "#", piece.text.casefold())


def _ordered(pieces: list[Piece]) -> list[Piece]:
    """Cut a page where nothing stands, upright if both sides are columns, else across."""
    todo, done = [pieces], []
    while todo:
        part = todo.pop()
        halves = _upright(part) or _across(part)
        if halves:
            todo += [halves[1], halves[0]]
        else:
            done += sorted(part, key=lambda piece: (round(piece.top), piece.left))
    return done


def _upright(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]] | None:
    """Return what is left and right of the widest space that nothing crosses."""
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


def _across(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]] | None:
    """Return what is above and below the first space from which on there are columns."""
    lines = sorted(pieces, key=lambda piece: piece.top)
    for index in range(1, len(lines)):
        above, below = lines[:index], lines[index:]
        if max(p.bottom for p in above[-8:]) <= below[0].top + 1 and _upright(below):
            return above, below
    for index in range(len(lines) - 1, 0, -1):
        above, below = lines[:index], lines[index:]
        if max(p.bottom for p in above[-8:]) <= below[0].top + 1 and _upright(above):
            return above, below
    return None


def _pitch(pieces: Sequence[Piece]) -> float:
    """Return the usual distance between the tops of a column's lines."""
    steps = [
        b.top - a.top
        for a, b in pairwise(pieces)
        if a.page == b.page and 0 < b.top - a.top < 4 * max(a.size, 1)
    ]
    return median(steps) if steps else 1.2 * median(piece.size for piece in pieces)


def _begins(before: Piece, piece: Piece, pieces: Sequence[Piece], usual: float) -> bool:
    """Whether a line begins a paragraph, going by the space, the size, and the lines' ends."""
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


def _joined(text: str, line: str, words: Counter[str]) -> str:
    """Put a line behind a text; "har-" and "bour" are one word, "well-" and "known" may be two."""
    # at its end alone: through a long text at every line, the search is quadratic
    parted = re.search(r"(?<![^\W\d_])([^\W\d_]++)[-\u00ad\u2010]\Z", text[-_WORD_UP_TO:])
    after = re.match(r"[^\W\d_]+", line)
    if parted is None or after is None or not after.group()[0].islower():
        return f"{text}{line}" if text.endswith(("-", "—")) else f"{text} {line}"
    whole, hyphened = parted.group(1) + after.group(), f"{parted.group(1)}-{after.group()}"
    if words[hyphened] > words[whole]:
        return f"{text[:-1]}-{line}"
    return text[:-1] + line
