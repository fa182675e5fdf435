"""Answers to export, and the texts that every export format has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rag.sanitize import article_line, web_address
from rag.schema import Answer, ArticleMetadata, Citation
from ui.i18n import Texts
from ui.permalinks import citation_address


@dataclass(frozen=True, slots=True)
class ExportedTurn:
    """A question and its answer, ready for export.

    Attributes:
        question: The question as the user typed it.
        answer: The answer.
        sequence: Sequence number of the archive at the time of the answer.
        asked_on: Time of the question.
        passages: Passages to export instead of the answer's citations, if the user asked for
            passages.
        base_url: The address at which readers reach the page, for articles without one of their
            own; "" if it is unknown.
    """

    question: str
    answer: Answer
    sequence: int
    asked_on: datetime | None = None
    passages: tuple[Citation, ...] = ()
    base_url: str = ""

    @property
    def cited(self) -> tuple[Citation, ...]:
        """Passages that the export quotes."""
        return self.passages or self.answer.citations

    def address(self, citation: Citation) -> str:
        """Return the address of a cited article, or its path in the page."""
        return citation_address(citation, self.base_url)

    def link(self, citation: Citation) -> str:
        """Return the address of a cited article; "" if only its path in the page is known."""
        return web_address(self.address(citation))


def cited_passages(turns: Sequence[ExportedTurn]) -> dict[Citation, ExportedTurn]:
    """Return each cited passage once, with the turn that cites it first."""
    found: dict[tuple[str, int, int, int], tuple[Citation, ExportedTurn]] = {}
    for turn in turns:
        for citation in turn.cited:
            passage = citation.passage
            key = (passage.article_id, passage.revision, citation.start, citation.end)
            found.setdefault(key, (citation, turn))
    return dict(found.values())


def source_text(head: ArticleMetadata, texts: Texts, address: str = "") -> str:
    """Return the known parts of title, publisher, date, authors and address."""
    named = (head.title or head.article_id, head.publisher, texts.day(head.published))
    parts = [
        ", ".join(filter(None, map(article_line, named))),
        ", ".join(filter(None, map(article_line, head.authors))),
        address,
    ]
    return ". ".join(filter(None, parts))


def state_text(turn: ExportedTurn, texts: Texts) -> str:
    """Return the archive's sequence number and the day of the question."""
    if turn.asked_on is None:
        return texts("exported_from", sequence=turn.sequence)
    return texts("exported_from_asked_on", sequence=turn.sequence, day=texts.day(turn.asked_on))
