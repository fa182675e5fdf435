"""Values of exported documents: paragraphs of styled text with links, for Word and PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal[
    "Normal", "Title", "Heading1", "Heading2", "Status", "Fact", "Quote", "Source", "Small"
]


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look.

    Attributes:
        text: The text; a line break stays one.
        bold: Whether it is bold.
        italic: Whether it is italic.
        superscript: Whether it is raised, as the number of a citation.
        address: A web address that it links to, "" for none; it must be a safe one.
        bookmark: The name of a paragraph of the document that it links to, "" for none.
    """

    text: str
    bold: bool = False
    italic: bool = False
    superscript: bool = False
    address: str = ""
    bookmark: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: its runs, its style, and its name as the target of links."""

    runs: tuple[Run, ...]
    style: Style = "Normal"
    bookmark: str = ""
