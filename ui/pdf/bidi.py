"""Embedding levels of text with right-to-left parts (Unicode Bidirectional Algorithm, UAX #9).

Without explicit embeddings, overrides and isolates: their characters are removed from everything
that is shown. In linear time, whatever the text.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import accumulate

OPEN = "([{⟨⟦〈《「『【〔（［｛"
CLOSE = ")]}⟩⟧〉》」』】〕）］｝"
MOST_OPEN = 63  # brackets that are open at a time, by rule BD16
_PAIRS = dict(zip(CLOSE, OPEN, strict=True))
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_AS_RIGHT = frozenset({"R", "EN", "AN"})


def embedding_levels(text: str, *, right_to_left: bool) -> list[int]:
    """Return the embedding level of each character of a paragraph.

    Args:
        text: The paragraph, without characters that change directions.
        right_to_left: The direction of the paragraph.

    Returns:
        For each character, an even level if it is read from left to right, else an odd one.
    """
    base = "R" if right_to_left else "L"
    original = [_class_of(character) for character in text]
    kinds = _weak(original, base)
    _brackets(text, kinds, original, base)
    _neutrals(kinds, base)
    level = int(right_to_left)
    return [level + _step(kind, level) for kind in kinds]


def _class_of(character: str) -> str:
    kind = unicodedata.bidirectional(character)
    return "ON" if kind in ("", "BN", "B") else kind


def _weak(kinds: Sequence[str], base: str) -> list[str]:
    """Resolve marks, digits and the separators between them (rules W1 to W7)."""
    found: list[str] = []
    strong = before = base
    for kind in kinds:
        resolved = before if kind == "NSM" else kind
        before = resolved
        if resolved in ("L", "R", "AL"):
            strong = resolved
        found.append("AN" if resolved == "EN" and strong == "AL" else resolved)
    found = ["R" if kind == "AL" else kind for kind in found]
    for place in range(1, len(found) - 1):  # W4
        sides = {found[place - 1], found[place + 1]}
        if found[place] in ("ES", "CS") and sides == {"EN"}:
            found[place] = "EN"
        elif found[place] == "CS" and sides == {"AN"}:
            found[place] = "AN"
    for start, end in _spans(found, "ET"):  # W5
        if "EN" in (found[start - 1 : start] + found[end : end + 1]):
            found[start:end] = ["EN"] * (end - start)
    strong = base
    for place, kind in enumerate(found):  # W6, W7
        if kind in ("ES", "ET", "CS"):
            found[place] = "ON"
        elif kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            found[place] = "L"
    return found


def _brackets(text: str, kinds: list[str], original: Sequence[str], base: str) -> None:
    """Give both brackets of a pair one direction (rule N0)."""
    other = "L" if base == "R" else "R"
    pairs = sorted(_pairs(text, kinds))
    if not pairs:
        return
    strong = [_direction(kind) for kind in kinds]
    counts = {side: [0, *accumulate(one == side for one in strong)] for side in "LR"}
    last = _last_strong(strong, base)  # changes with each pair, which later pairs see
    changed: list[tuple[int, str]] = []
    for start, end in pairs:
        inside = {side: counts[side][end] > counts[side][start + 1] for side in "LR"}
        if inside[base]:
            direction = base
        elif inside[other]:
            before = _context(start, last, changed)
            direction = other if before == other else base
        else:
            continue
        for place in (start, end):
            kinds[place] = direction
            insort(changed, (place, direction))
            mark = place + 1
            while mark < len(kinds) and original[mark] == "NSM":
                kinds[mark] = direction
                mark += 1


def _context(
    start: int, last: Sequence[tuple[int, str]], changed: Sequence[tuple[int, str]]
) -> str:
    """Return the direction before a bracket: of a letter, or of a bracket that has got one."""
    before = bisect_left(changed, (start, ""))
    return max(last[start], changed[before - 1])[1] if before else last[start][1]


def _last_strong(strong: Sequence[str], base: str) -> list[tuple[int, str]]:
    found, latest = [], (-1, base)
    for place, direction in enumerate(strong):
        found.append(latest)
        if direction:
            latest = (place, direction)
    return found


def _pairs(text: str, kinds: Sequence[str]) -> Iterator[tuple[int, int]]:
    opened: list[tuple[str, int]] = []
    for place, character in enumerate(text):
        if kinds[place] != "ON":
            continue
        if character in OPEN:
            if len(opened) == MOST_OPEN:
                return
            opened.append((character, place))
        elif character in _PAIRS:
            for depth in range(len(opened) - 1, -1, -1):
                if opened[depth][0] == _PAIRS[character]:
                    yield opened[depth][1], place
                    del opened[depth:]
                    break


def _neutrals(kinds: list[str], base: str) -> None:
    """Give spaces and punctuation the direction on both sides, or the paragraph's (N1, N2)."""
    for start, end in _spans(kinds, *_NEUTRAL):
        before = _direction(kinds[start - 1]) if start else base
        after = _direction(kinds[end]) if end < len(kinds) else base
        kinds[start:end] = [before if before == after else base] * (end - start)


def _spans(kinds: Sequence[str], *wanted: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of neighbours that are of some kinds."""
    start = None
    for place, kind in enumerate([*kinds, ""]):
        if kind in wanted:
            start = place if start is None else start
        elif start is not None:
            yield start, place
            start = None


def _direction(kind: str) -> str:
    return "R" if kind in _AS_RIGHT else ("L" if kind == "L" else "")


def _step(kind: str, level: int) -> int:
    if level % 2 == 0:
        return {"R": 1, "AN": 2, "EN": 2}.get(kind, 0)
    return 1 if kind in ("L", "EN", "AN") else 0
