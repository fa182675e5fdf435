"""Fonts of PDF documents: Noto Sans and its companions for other scripts, from packages.

Only the glyphs that a document uses are read from the files. That takes 0.2 s for Latin text and
a second more with Chinese, Japanese or Korean; the whole fonts would take a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.pdf.scripts import CHARACTERS, is_mark

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

MAIN = "NotoSans"
ITALIC = "NotoSans-Italic"
EAST_ASIAN = "NotoSansCJK"
REGULAR, BOLD = 400, 700  # weights

# Scripts whose letters change with their neighbours: set by a shaping engine.
SHAPED = tuple(
    f"NotoSans{script}"
    for script in (
        "Bengali Devanagari Gujarati Gurmukhi Kannada Khmer Malayalam Myanmar Oriya Sinhala Tamil "
        "Telugu"
    ).split()
)
_OTHERS = tuple(
    f"NotoSans{script}"
    for script in "Arabic Armenian Ethiopic Georgian Hebrew Lao Symbols Thai".split()
)
FONTS = (MAIN, *_OTHERS, *SHAPED, EAST_ASIAN, "NotoEmoji")

_CREATED = 3_786_912_000  # 2024-01-01 in seconds since 1904: equal documents have equal bytes

# Faces of the East Asian collection, which draw the same character in each country's way.
_JAPANESE, _KOREAN, _CHINESE = 0, 1, 2
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7a3]")
_HAN = re.compile("[\u3400-\u9fff]")


@lru_cache(CHARACTERS)
def font_of(character: str, before: str = "") -> str:
    """Return the font that has a character; "" if none has it.

    Args:
        character: The character.
        before: The font of the character before, which is kept for marks and joiners.
    """
    code = ord(character)
    if before and code in _coverage(before) and _follows(character):
        return before
    return _first_font(code)


def write_fonts(used: Mapping[tuple[str, bool], Iterable[str]], folder: Path) -> dict[str, Path]:
    """Write the fonts that a document uses, each with the characters used alone.

    Args:
        used: The characters by the name of their font and whether they are bold.
        folder: A folder for the files.

    Returns:
        The file of each font, by its name; bold ones end in "-Bold".
    """
    found = dict[str, Path]()
    for (name, bold), characters in used.items():
        label = f"{name}-Bold" if bold else name
        target = folder / f"{label}.ttf"
        text = "".join(sorted(set(characters)))
        if name == EAST_ASIAN:
            _write_outlines(name, text, BOLD if bold else REGULAR, target)
        else:
            _write_subset(name, text, BOLD if bold else REGULAR, target)
        found[label] = target
    return found


def _follows(character: str) -> bool:
    return character in "\u200c\u200d" or is_mark(character)


@cache
def _first_font(code: int) -> str:
    return next((name for name in FONTS if code in _coverage(name)), "")


@cache
def _coverage(name: str) -> frozenset[int]:
    with _open(name) as font:
        return frozenset(font.getBestCmap())


def _open(name: str, face: int = 0) -> TTFont:
    from fontTools.ttLib import TTFont

    if name == EAST_ASIAN:
        path = files("manimgx_fonts_cjk") / "NotoSansCJK-VF.otf.ttc"
        return TTFont(str(path), fontNumber=face, lazy=True)
    return TTFont(str(files("manimgx_fonts") / f"{name}[wght].ttf"), lazy=True)


def _write_subset(name: str, text: str, weight: int, target: Path) -> None:
    from fontTools.subset import Options, Subsetter
    from fontTools.varLib.instancer import instantiateVariableFont

    options = Options(layout_features=["*"], notdef_outline=True, recalc_timestamp=False)
    options.drop_tables += ["STAT"]
    if name not in SHAPED:
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE"]
    chosen = Subsetter(options)
    chosen.populate(text=f"{text} ")
    with _open(name) as font:
        chosen.subset(font)
        font.recalcTimestamp = False  # equal documents have equal bytes
        instantiateVariableFont(font, {"wght": weight}, inplace=True).save(target)


def _write_outlines(name: str, text: str, weight: int, target: Path) -> None:
    """Write a font of TrueType outlines, which a collection of variable PostScript ones is not."""
    from fontTools.fontBuilder import FontBuilder

    with _open(name, _face(text)) as font:
        names = {ord(c): font.getBestCmap()[ord(c)] for c in f"{text} "}
        glyphs = font.getGlyphSet(location={"wght": weight})
        order = list(dict.fromkeys([".notdef", *names.values()]))
        outlines = {one: _outline(glyphs[one]) for one in order}
        made = FontBuilder(font["head"].unitsPerEm, isTTF=True)
        made.updateHead(created=_CREATED, modified=_CREATED)
        made.font.recalcTimestamp = False
        made.setupGlyphOrder(order)
        made.setupCharacterMap(names)
        made.setupGlyf(outlines)
        made.setupHorizontalMetrics(
            {one: (round(glyphs[one].width), outlines[one].xMin) for one in order}
        )
        made.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
        made.setupNameTable({"familyName": name, "styleName": "Regular"})
        made.setupOS2()
        made.setupPost()
        made.save(target)


def _outline(glyph: Any) -> Any:
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    glyph.draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
    made = pen.glyph()
    made.xMin = getattr(made, "xMin", 0)
    return made


def _face(text: str) -> int:
    if _KANA.search(text):
        return _JAPANESE
    return _KOREAN if _HANGUL.search(text) and not _HAN.search(text) else _CHINESE


def fonts_needed(text: str) -> Iterator[str]:
    """Yield the font of each character of a text, "" where none has it."""
    before = ""
    for character in text:
        before = font_of(character, before)
        yield before
