"""Reads a PDF as another program does: its text, links, properties and fonts."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium


@dataclass
class ReadPdf:
    """A PDF: the text of its pages, the links on them, and its properties.

    Links are web addresses, or the number of the page that they lead to.
    """

    pages: list[str]
    links: list[str | int]
    properties: dict[str, str]

    @property
    def text(self) -> str:
        """The words of all pages, in order, without page numbers."""
        pages = (re.sub(r"\d+ / \d+\s*$", "", page) for page in self.pages)
        return " ".join(" ".join(pages).split())


def read_pdf(content: bytes) -> ReadPdf:
    """Return the content of a PDF, after checking that it holds nothing active."""
    objects = re.sub(rb"stream\r?\n.*?endstream", b"", content, flags=re.DOTALL)
    for active in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/AA", b"/AcroForm"):
        assert active not in objects
    document = pypdfium2.PdfDocument(content)
    try:
        links = [link for page in document for link in _links(document, page)]
        pages = [page.get_textpage().get_text_range() for page in document]
        return ReadPdf(pages, links, document.get_metadata_dict())
    finally:
        document.close()


def rendered(content: bytes, page: int = 0) -> bytes:
    """Return the pixels of a page."""
    document = pypdfium2.PdfDocument(content)
    try:
        return bytes(document[page].render(scale=0.5).to_pil().tobytes())
    finally:
        document.close()


def place_of(content: bytes, letter: str) -> float:
    """Return the place of a letter on the first page, in points from the left edge."""
    document = pypdfium2.PdfDocument(content)
    try:
        page = document[0].get_textpage()
        left, *_ = page.get_charbox(page.get_text_range().index(letter))
        return float(left)
    finally:
        document.close()


def _links(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> list[str | int]:
    found: list[str | int] = []
    place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, place, link):
        action = pdfium.FPDFLink_GetAction(link)
        if action and pdfium.FPDFAction_GetType(action) == pdfium.PDFACTION_URI:
            size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
            address = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, address, size)
            found.append(address.value.decode("ascii"))
        else:
            target = pdfium.FPDFLink_GetDest(document, link)
            found.append(1 + pdfium.FPDFDest_GetDestPageIndex(document, target))
    return found
