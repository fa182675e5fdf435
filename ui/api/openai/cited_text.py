"""Text of an answer with `[n]` markers, and the annotation of each marker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.sanitize import article_line, single_line
from rag.schema import Answer, Citation, Statement
from rag.verify.reader_instructions import is_instruction_like
from ui.i18n import Texts, notices_text, refusal_text, statement_text, support_key
from ui.permalinks import citation_address

LONGEST_TITLE = 300  # characters


@dataclass(frozen=True, slots=True)
class UrlCitation:
    """The source behind one marker: `text[start:end]` is "[1]", in code points."""

    start: int
    end: int
    url: str
    title: str

    def flat(self) -> dict[str, Any]:
        """Return it as Responses has it."""
        return {"type": "url_citation", **self._fields()}

    def nested(self) -> dict[str, Any]:
        """Return it as Chat Completions has it."""
        return {"type": "url_citation", "url_citation": self._fields()}

    def _fields(self) -> dict[str, Any]:
        return {
            "start_index": self.start,
            "end_index": self.end,
            "url": self.url,
            "title": self.title,
        }


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text that is complete, with its annotations; positions are in all of it."""

    text: str
    citations: tuple[UrlCitation, ...] = ()


@dataclass(slots=True)
class CitedTextWriter:
    """Writes an answer's text piece by piece; what was written never changes.

    A chat model's answer may still lose a statement that is being checked: it is held back until
    the answer is final, and so is what follows it.

    Args:
        base_url: The address at which readers reach the page, for articles without a URL.
        texts: Language of everything except the statements.
    """

    base_url: str
    texts: Texts
    written: str = ""
    citations: list[UrlCitation] = field(default_factory=list)
    _statements: list[Statement] = field(default_factory=list)

    def grow(self, answer: Answer) -> Iterator[Piece]:
        """Yield the pieces that are new and settled in an answer which still grows."""
        for statement in answer.statements[len(self._statements) :]:
            if statement.support != "supported":
                return
            yield self._add(statement)

    def finish(self, answer: Answer) -> Iterator[Piece]:
        """Yield the remaining pieces of the final answer.

        Raises:
            ValueError: A statement that was written has changed.
        """
        said = [(one.text, len(one.citations)) for one in self._statements]
        final = [(one.text, len(one.citations)) for one in answer.statements]
        if answer.refused:
            final = []
        if said != final[: len(said)]:
            raise ValueError("a statement changed after it was written")
        if not answer.refused:
            for statement in answer.statements[len(self._statements) :]:
                yield self._add(statement)
        remarks = refusal_text(answer, self.texts) if answer.refused else ""
        for remark in filter(None, (remarks, notices_text(answer, self.texts))):
            yield self._append(article_line(remark), ())

    def _add(self, statement: Statement) -> Piece:
        self._statements.append(statement)
        words = article_line(statement_text(statement, self.texts))
        if statement.support != "supported":
            words = f"{words} ({self.texts(support_key(statement.support))})"
        return self._append(words, statement.citations)

    def _append(self, words: str, cited: Sequence[Citation]) -> Piece:
        text = f"\n\n{words}" if self.written else words
        start = len(self.written)
        found = []
        for citation in _one_a_number(cited):
            marker = f"[{citation.number}]"
            at = start + len(text) + 1
            text += f" {marker}"
            found.append(self._citation(citation, at, at + len(marker)))
        self.written += text
        self.citations += found
        return Piece(text, tuple(found))

    def _citation(self, citation: Citation, start: int, end: int) -> UrlCitation:
        metadata = citation.metadata
        title = single_line(metadata.title or metadata.article_id)[:LONGEST_TITLE]
        return UrlCitation(start, end, citation_address(citation, self.base_url), title)


def _one_a_number(cited: Sequence[Citation]) -> list[Citation]:
    return list({citation.number: citation for citation in reversed(cited)}.values())[::-1]


def flagged_passages(answer: Answer) -> list[dict[str, Any]]:
    """Return the quotations of an answer that tell their reader to do something.

    They are what a newspaper printed, and no instruction of this program.
    """
    return [
        {"number": citation.number, "quote": citation.quote}
        for citation in answer.citations
        if is_instruction_like(citation.quote)
    ]


def details(answer: Answer) -> dict[str, Any]:
    """Return what OpenAI's shapes have no place for, as their member `backfile`."""
    return {
        "status": answer.status,
        "refused": answer.refused,
        "confidence": answer.confidence,
        "notices": [notice.to_dict() for notice in answer.notices],
        "citations": [citation.to_dict() for citation in answer.citations],
        "instruction_like": flagged_passages(answer),
    }
