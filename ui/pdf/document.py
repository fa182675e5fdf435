"""PDF documents of paragraphs with links, a title, page numbers and embedded fonts.

A PDF has no scripts, forms or files from elsewhere: text is drawn and never interpreted, and links
lead to web addresses or to places in the document. Equal content gives equal bytes.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ui.document import Paragraph, Run, Style
from ui.i18n import Texts
from ui.pdf.fonts import ITALIC, MAIN, SHAPED, fonts_needed, write_fonts
from ui.pdf.lines import FULL, Glyph, break_lines, glyphs_of, visual_pieces
from ui.pdf.scripts import is_right_to_left, join_arabic, plain_text, script_of

if TYPE_CHECKING:
    from fpdf import FPDF

LONGEST_RUN = 20_000  # characters, six pages; the longest passage has 2,000
LONGEST_TITLE = 300  # characters, in the document's properties
PAGE_WIDTH, PAGE_HEIGHT = 595.28, 841.89  # A4, in points
MARGIN = 68.0
FOOTER = 40.0  # from the lower edge
KEPT_LINES = 3  # a heading stands above as many lines of what follows
RAISED = 0.62  # size of a superscript number, of the text's

_INK, _QUIET, _LINK = (20, 20, 20), (89, 89, 89), (11, 83, 148)
_IN_ADDRESSES = ":/?#[]@!$&'*+,;=%~-._"  # parentheses are escaped: a PDF's strings end with one


@dataclass(frozen=True, slots=True)
class _Look:
    size: float
    before: float = 0.0
    after: float = 8.0
    indent: float = 0.0
    leading: float = 1.45
    bold: bool = False
    italic: bool = False
    color: tuple[int, int, int] = _INK
    keeps: bool = False  # with the next paragraph on one page


_LOOKS: dict[Style, _Look] = {
    "Normal": _Look(11),
    "Title": _Look(22, after=14, leading=1.25, bold=True, keeps=True),
    "Heading1": _Look(18, before=16, after=8, leading=1.25, bold=True, keeps=True),
    "Heading2": _Look(13, before=12, after=6, bold=True, keeps=True),
    "Status": _Look(10, after=8, bold=True, color=_QUIET, keeps=True),
    "Fact": _Look(22, after=4, leading=1.25, keeps=True),
    "Quote": _Look(10.5, indent=20, color=(64, 64, 64)),
    "Source": _Look(10.5, before=6, after=3, keeps=True),
    "Small": _Look(9, italic=True, color=_QUIET),
}


def pdf_document(
    paragraphs: Sequence[Paragraph], *, title: str, texts: Texts, made: datetime | None = None
) -> bytes:
    """Return a document as a PDF.

    Characters that none of the fonts has are replaced by the name of their script and their
    number, and a last paragraph says so.

    Args:
        paragraphs: The paragraphs, in order.
        title: The title in the document's properties.
        texts: Language of the document and of what this function adds.
        made: The time in the document's properties; now by default.
    """
    missing = set[str]()
    settable = [_settable(paragraph, texts, missing) for paragraph in paragraphs]
    if missing:
        scripts = ", ".join(sorted(missing))
        words = texts("pdf_missing_scripts", scripts=scripts)
        settable.append(_settable(Paragraph((Run(words),), "Small"), texts, missing))
    return _Writer(settable, title, texts, made or datetime.now(UTC)).write()


def _settable(paragraph: Paragraph, texts: Texts, missing: set[str]) -> Paragraph:
    """Return a paragraph as it can be set; add the scripts that no font has to `missing`."""
    runs = tuple(
        replace(run, text=_with_names(_shortened(run.text), texts, missing))
        for run in paragraph.runs
    )
    return replace(paragraph, runs=runs)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_RUN else f"{text[:LONGEST_RUN]} […]"


def _with_names(text: str, texts: Texts, missing: set[str]) -> str:
    text = join_arabic(plain_text(text))
    parts = []
    named = zip(text, fonts_needed(text.replace("\n", " ")), strict=True)
    for has_font, group in groupby(named, lambda one: bool(one[1])):
        characters = "".join(character for character, _ in group)
        if has_font:
            parts.append(characters)
            continue
        for script, same in groupby(characters, script_of):
            missing.add(script)
            parts.append(texts("pdf_missing", script=script, count=len(list(same))))
    return "".join(parts)


class _Writer:
    """One document while it is written."""

    def __init__(
        self, paragraphs: Sequence[Paragraph], title: str, texts: Texts, made: datetime
    ) -> None:
        from fpdf import FPDF

        self._paragraphs = paragraphs
        self._texts = texts
        self._pdf: FPDF = FPDF(unit="pt", format=(PAGE_WIDTH, PAGE_HEIGHT))
        self._pdf.set_auto_page_break(False)
        self._pdf.alias_nb_pages("")  # else "{nb}" in an article becomes the number of pages
        self._pdf.c_margin = 0
        self._pdf.set_title(plain_text(title).replace("\n", " ")[:LONGEST_TITLE])
        self._pdf.set_author("Backfile")
        self._pdf.set_creator("Backfile")
        self._pdf.set_lang(texts.language)
        self._pdf.set_creation_date(made)
        self._widths = dict[tuple[str, bool, str], float]()
        self._top = 0.0
        self._links = {
            one.bookmark: self._pdf.add_link(page=1) for one in paragraphs if one.bookmark
        }

    def write(self) -> bytes:
        """Return the document's bytes."""
        self._pdf.add_page()
        self._top = MARGIN
        with tempfile.TemporaryDirectory(prefix="backfile-pdf-") as folder:
            used: dict[tuple[str, bool], set[str]] = defaultdict(set)
            used[MAIN, False] |= set(" 0123456789/")
            for paragraph in self._paragraphs:
                look = _LOOKS[paragraph.style]
                for number, run in enumerate(paragraph.runs):
                    text = run.text.replace("\n", " ")
                    for character, font in zip(text, fonts_needed(text), strict=True):
                        used[self._face(font, number, paragraph, look)] |= {character}
            for name, path in write_fonts(used, Path(folder)).items():
                self._pdf.add_font(name, "", path)
            for paragraph in self._paragraphs:
                self._write(paragraph)
            self._number_pages()
            return bytes(self._pdf.output())

    def _write(self, paragraph: Paragraph) -> None:
        look = _LOOKS[paragraph.style]
        self._top += look.before if self._top > MARGIN else 0
        height = look.size * look.leading
        self._make_room(height * (1 + (KEPT_LINES if look.keeps else 0)))
        if paragraph.bookmark:
            self._pdf.set_link(self._links[paragraph.bookmark], y=self._top, page=self._pdf.page)
        turned = is_right_to_left("".join(run.text for run in paragraph.runs))
        for texts in _by_line(paragraph.runs):
            glyphs = glyphs_of(texts, right_to_left=turned)

            def width(text: str, font: str, run: int) -> float:
                return self._width(text, font, run, paragraph, look)

            available = PAGE_WIDTH - 2 * MARGIN - 2 * look.indent
            for line in break_lines(glyphs, width, available=available):
                self._make_room(height)
                self._draw(line, paragraph, look, turned=turned)
                self._top += height
        self._top += look.after

    def _draw(
        self, line: Sequence[Glyph], paragraph: Paragraph, look: _Look, *, turned: bool
    ) -> None:
        pieces = visual_pieces(line)
        sizes = [self._width(p.text, p.font, p.run, paragraph, look) for p in pieces]
        left = MARGIN + look.indent
        if turned:
            left = PAGE_WIDTH - MARGIN - look.indent - sum(sizes)
        for piece, size in zip(pieces, sizes, strict=True):
            run = paragraph.runs[piece.run]
            face, bold = self._face(piece.font, piece.run, paragraph, look)
            scale = RAISED if run.superscript else 1
            self._pdf.set_font(f"{face}-Bold" if bold else face, size=look.size * scale)
            self._pdf.set_text_shaping(piece.font in SHAPED)
            linked = bool(run.address or run.bookmark)
            self._pdf.set_text_color(*(_LINK if linked else look.color))
            rise = look.size * 0.35 if run.superscript else 0
            self._pdf.set_xy(left, self._top - rise)
            target: str | int = self._links.get(run.bookmark, "") or _address(run.address)
            self._pdf.cell(size, look.size * look.leading, piece.text, link=target)
            left += size

    def _width(self, text: str, font: str, run: int, paragraph: Paragraph, look: _Look) -> float:
        face = self._face(font, run, paragraph, look)
        scale = RAISED if paragraph.runs[run].superscript else 1
        parts = [text] if font in SHAPED else text
        return sum(self._full_width(part, *face) for part in parts) * look.size * scale / FULL

    def _full_width(self, text: str, face: str, bold: bool) -> float:
        key = (face, bold, text)
        if key not in self._widths:
            self._pdf.set_font(f"{face}-Bold" if bold else face, size=FULL)
            self._pdf.set_text_shaping(face in SHAPED)
            self._widths[key] = self._pdf.get_string_width(text)
        return self._widths[key]

    def _face(self, font: str, run: int, paragraph: Paragraph, look: _Look) -> tuple[str, bool]:
        """Return the name of a run's font, and whether it is bold; only the main one is italic."""
        of = paragraph.runs[run]
        if font != MAIN:
            return font, False
        if look.italic or of.italic:
            return ITALIC, False
        return MAIN, look.bold or of.bold

    def _make_room(self, height: float) -> None:
        if self._top + height > PAGE_HEIGHT - MARGIN and self._top > MARGIN:
            self._pdf.add_page()
            self._top = MARGIN

    def _number_pages(self) -> None:
        last = self._pdf.page
        self._pdf.set_text_shaping(False)
        for number in range(1, last + 1):
            self._pdf.page = number
            self._pdf.set_font(MAIN, size=9)
            self._pdf.set_text_color(*_QUIET)
            self._pdf.set_xy(MARGIN, PAGE_HEIGHT - FOOTER)
            self._pdf.cell(PAGE_WIDTH - 2 * MARGIN, 10, f"{number} / {last}", align="C")


def _by_line(runs: Sequence[Run]) -> list[list[str]]:
    """Return the text of each run, once for each line that a line break ends."""
    lines: list[list[str]] = [[""] * len(runs)]
    for number, run in enumerate(runs):
        first, *rest = run.text.split("\n")
        lines[-1][number] = first
        for text in rest:
            lines.append([""] * len(runs))
            lines[-1][number] = text
    return lines


def _address(address: str) -> str:
    return quote(address, safe=_IN_ADDRESSES)
