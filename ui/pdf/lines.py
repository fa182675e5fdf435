"""Lines of a paragraph: broken at words, each in the order in which it is drawn.

A paragraph is a sequence of characters, each with its run, font and direction, so that the text of
several runs and scripts breaks and turns as one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ui.pdf.bidi import embedding_levels
from ui.pdf.fonts import SHAPED, fonts_needed
from ui.pdf.scripts import has_right_to_left, is_mark, mirrored

# Scripts without spaces between words; a line may end after any letter of theirs.
_UNSPACED = ("NotoSansThai", "NotoSansLao", "NotoSansKhmer", "NotoSansMyanmar")
_BREAKING = "-‐–—"  # a line may end after one of these
_NO_START = "、。，．！？：；）」』】〉》〕’”ー々…・"  # East Asian lines don't begin with these
_NO_END = "（「『【〈《〔‘“"
FULL = 1000  # the size at which widths are given, so that a width is in thousandths of the size


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character of a paragraph: the number of its run, its font, and its embedding level."""

    character: str
    run: int
    font: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of one run and font, as they are drawn from left to right."""

    text: str
    run: int
    font: str


Width = Callable[[str, str, int], float]  # of a text in a font and a run, at the run's size


def glyphs_of(texts: Sequence[str], *, right_to_left: bool) -> list[Glyph]:
    """Return the characters of a paragraph's runs, in the order of the text.

    Args:
        texts: The text of each run.
        right_to_left: The direction of the paragraph.
    """
    whole = "".join(texts)
    levels = _levels(whole, right_to_left=right_to_left)
    runs = [number for number, text in enumerate(texts) for _ in text]
    return [
        Glyph(*one) for one in zip(whole, runs, fonts_needed(whole), levels, strict=True) if one[2]
    ]


def break_lines(
    glyphs: Sequence[Glyph], width: Width, *, available: float
) -> Iterator[Sequence[Glyph]]:
    """Yield the lines of a paragraph, without the spaces at their ends.

    Args:
        glyphs: The characters of the paragraph, without line breaks.
        width: Returns the width of a text.
        available: The width of a line; a longer word is broken between letters.
    """
    line: list[Glyph] = []
    used = 0.0
    for word in _words(glyphs):
        size = _width(_without_space(word), width)
        if line and used + size > available:
            yield _without_space(line)
            line, used = [], 0.0
        if size > available:
            *full, word = _split(word, width, available)
            yield from full
        line += word
        used += _width(word, width)
    if line:
        yield _without_space(line)


def visual_pieces(line: Sequence[Glyph]) -> list[Piece]:
    """Return a line's characters from left to right, those of one look together (UAX #9, L2)."""
    clusters = [list(one) for one in _clusters(line)]
    levels = [one[0].level for one in clusters]
    for level in range(max(levels, default=0), 0, -1):
        place = 0
        while place < len(clusters):
            end = place
            while end < len(clusters) and levels[end] >= level:
                end += 1
            clusters[place:end] = clusters[place:end][::-1]
            levels[place:end] = levels[place:end][::-1]
            place = max(end, place + 1)
    drawn = [one for cluster in clusters for one in cluster]
    pieces = []
    for (run, font, turned), group in groupby(
        drawn, lambda one: (one.run, one.font, one.level % 2)
    ):
        text = "".join(one.character for one in group)
        pieces.append(Piece(mirrored(text) if turned else text, run, font))
    return pieces


def _levels(text: str, *, right_to_left: bool) -> list[int]:
    """Return the embedding level of each character (UAX #9)."""
    if not right_to_left and not has_right_to_left(text):
        return [0] * len(text)
    return embedding_levels(text, right_to_left=right_to_left)


def _words(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Yield the parts of a paragraph between which a line may end."""
    word: list[Glyph] = []
    for glyph in glyphs:
        if word and _may_break(word[-1], glyph):
            yield word
            word = []
        word.append(glyph)
    if word:
        yield word


def _may_break(one: Glyph, other: Glyph) -> bool:
    if other.character == " " or is_mark(other.character):
        return False
    if one.character == " ":
        return True
    if one.character in _BREAKING:
        return other.character.isalpha()
    if one.character in _NO_END or other.character in _NO_START:
        return False
    if one.font == other.font and one.font in _UNSPACED:
        return unicodedata.category(other.character) == "Lo"
    return _is_wide(one.character) or _is_wide(other.character)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def _clusters(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Yield characters with the marks on them, and shaped text whole.

    From right to left, a mark is drawn before its letter, as the fonts have them.
    """
    cluster: list[Glyph] = []
    for glyph in glyphs:
        joined = is_mark(glyph.character) and glyph.level % 2 == 0
        joined = joined or _is_shaped_with(cluster, glyph)
        if cluster and not joined:
            yield cluster
            cluster = []
        cluster.append(glyph)
    if cluster:
        yield cluster


def _is_shaped_with(cluster: Sequence[Glyph], glyph: Glyph) -> bool:
    before = cluster[-1] if cluster else None
    return before is not None and glyph.font in SHAPED and before.font == glyph.font


def _split(word: Sequence[Glyph], width: Width, available: float) -> list[list[Glyph]]:
    """Return a word that is longer than a line as parts that fit, the last one with room after."""
    parts: list[list[Glyph]] = [[]]
    used = 0.0
    for glyph in word:
        size = width(glyph.character, glyph.font, glyph.run)
        if parts[-1] and used + size > available and not is_mark(glyph.character):
            parts.append([])
            used = 0.0
        parts[-1].append(glyph)
        used += size
    return parts


def _width(glyphs: Sequence[Glyph], width: Width) -> float:
    groups = groupby(glyphs, lambda one: (one.font, one.run))
    return sum(
        width("".join(g.character for g in group), font, run) for (font, run), group in groups
    )


def _without_space(glyphs: Sequence[Glyph]) -> list[Glyph]:
    end = len(glyphs)
    while end and glyphs[end - 1].character == " ":
        end -= 1
    return list(glyphs[:end])
