"""PDF documents: fonts, text of every script as glyphs in visual order, lines and pages."""

from ui.pdf.document import pdf_document

__all__ = ["pdf_document"]
