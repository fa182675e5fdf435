"""The pieces of text of a PDF, with where they stand and how large: run as a process of its own.

    python -m ingest.readers.pdf.worker < a.pdf > pieces.json

PDFium is a library in C that reads what anybody may have made: what kills it, or makes it run or
grow without end, ends this process and no other.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

PAGES = 200  # of one article; a book has more, and no date
CHARACTERS = 2_000_000
MEMORY = 2**30
SECONDS = 30  # of processor time
_GAP = 1.6  # of the size of the letters: what is further apart belongs to another column
_HYPHEN = "\x02"  # what PDFium makes of one at the end of a line


def main() -> int:
    """Read a PDF from stdin and print its pieces; 3 where a password is asked for, 2 if damaged."""
    _within_bounds()
    import pypdfium2

    content = sys.stdin.buffer.read()
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        return 3 if "password" in str(error).casefold() else 2
    found: dict[str, Any] = {
        "pages": len(document),
        "metadata": document.get_metadata_dict(skip_empty=True),
        "pieces": [],
    }
    left = CHARACTERS
    for number in range(min(len(document), PAGES)):
        try:
            pieces = _pieces_of(document[number], number, left)
        except pypdfium2.PdfiumError:
            continue
        left -= sum(len(piece["text"]) for piece in pieces)
        found["pieces"] += pieces
        if left <= 0:
            break
    sys.stdout.write(json.dumps(found))
    return 0


def _within_bounds() -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's clock alone
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))


def _pieces_of(page: Any, number: int, most: int) -> list[dict[str, Any]]:
    """Return a page's text in pieces, each of one line and one column, from the top left."""
    import pypdfium2.raw as pdfium

    text = page.get_textpage()
    height = page.get_height()
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pieces: list[dict[str, Any]] = []
    piece: dict[str, Any] | None = None
    for index in range(min(pdfium.FPDFText_CountChars(text), most)):
        char = chr(pdfium.FPDFText_GetUnicode(text, index) or 0xFFFD)
        if char in "\r\n":
            piece = None
            continue
        if char.isspace() and (piece is None or pdfium.FPDFText_IsGenerated(text, index)):
            if piece is not None:
                piece["text"] += " "
            continue
        pdfium.FPDFText_GetCharBox(text, index, left, right, bottom, top)
        size = pdfium.FPDFText_GetFontSize(text, index) or 1.0
        tall = max(size, top.value - bottom.value)
        if piece is None or not -tall < left.value - piece["right"] < _GAP * tall:
            piece = {"page": number, "text": "", "size": 0.0, "left": left.value}
            piece |= {"right": left.value, "top": height - top.value, "bottom": height}
            piece["height"] = height
            pieces.append(piece)
        piece["text"] += "-" if char == _HYPHEN else char
        piece["size"] = max(piece["size"], round(size, 1))
        piece["right"] = max(piece["right"], right.value)
        piece["top"] = min(piece["top"], height - top.value)
        piece["bottom"] = max(
            height - bottom.value, 0 if piece["bottom"] == height else piece["bottom"]
        )
    return [one | {"text": one["text"].strip()} for one in pieces if one["text"].strip()]


if __name__ == "__main__":
    sys.exit(main())
