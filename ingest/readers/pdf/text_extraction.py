"""Extract text pieces of a PDF with position and font size; runs as a separate process.

    python -m ingest.readers.pdf.text_extraction < a.pdf > pieces.json

PDFium is a C library that parses untrusted files: if one crashes it, or makes it run or grow
without end, only this process ends.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

PAGES = 200  # of one article; more is a book
CHARACTERS = 2_000_000
MEMORY = 2**30
SECONDS = 30  # of CPU time
_GAP = 1.6  # space relative to the font size; text further apart is in another column
_HYPHEN = "\x02"  # PDFium's character for a hyphen at the end of a line


def main() -> int:
    """Read a PDF from stdin and print its pieces as JSON.

    Returns:
        The exit code: 0, 2 for a damaged PDF, 3 for one that requires a password.
    """
    _set_limits()
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


def _set_limits() -> None:
    try:
        import resource
    except ImportError:  # Windows: only the parent's timeout applies
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))


def _pieces_of(page: Any, number: int, most: int) -> list[dict[str, Any]]:
    """Return the pieces of a page, each of one line and one column, with position and size."""
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
