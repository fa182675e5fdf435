"""Export formats of answers: text, Markdown, HTML, and citations as RIS and CSL-JSON.

Each export names the passages with their URLs and dates, when the question was asked, and the
archive's sequence number, so that others can find the same words in the same state of the archive.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rag.sanitize import article_line, single_line, strip_controls, web_address
from rag.schema import Answer, Citation, Statement
from ui.i18n import (
    Texts,
    answer_text,
    notices_text,
    refusal_text,
    statement_text,
    support_key,
)
from ui.render import citation_value, hit_value, iso_date, json_text, statement_line

# "@", ":" and "." are escaped where Markdown renderers would turn bare URLs into links.
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#+!|~$&@-]|(?<=\d)\.|(?<=www)\.|:(?=//)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Format:
    """Export format: the suffix of its file names and its media type."""

    suffix: str
    media_type: str


FORMATS = {
    "markdown": Format("md", "text/markdown"),
    "html": Format("html", "text/html"),
    "ris": Format("ris", "application/x-research-info-systems"),
    "csl": Format("json", "application/vnd.citationstyles.csl+json"),
}


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
    """

    question: str
    answer: Answer
    sequence: int
    asked_on: datetime | None = None
    passages: tuple[Citation, ...] = ()

    @property
    def cited(self) -> tuple[Citation, ...]:
        """Passages that the export quotes."""
        return self.passages or self.answer.citations


def export(turns: Sequence[ExportedTurn], form: str, texts: Texts) -> str:
    """Return the answers in one of the `FORMATS`.

    Args:
        turns: Questions with their answers, oldest first.
        form: Key of `FORMATS`.
        texts: Language of everything except the answers.

    Returns:
        The content of the file.
    """
    write = {"markdown": markdown, "html": page, "ris": ris, "csl": csl}[form]
    return write(turns, texts)


# Formats for readers


def plain(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the answers as plain text with their citations."""
    blocks = []
    for turn in turns:
        blocks += [single_line(turn.question), *_paragraphs(turn, texts)]
        sources = [f"[{c.number}] {_source(c, texts)}" for c in _cited_passages([turn])]
        if turn.passages:
            quotes = [article_line(citation.quote) for citation in _cited_passages([turn])]
            blocks += [f"{s}\n{quote}" for s, quote in zip(sources, quotes, strict=True)]
        elif sources:
            blocks.append("\n".join(sources))
        blocks.append(_state(turn, texts))
    return "\n\n".join(blocks) + "\n"


def markdown(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the answers as Markdown, with markup in articles escaped."""
    blocks = []
    for turn in turns:
        blocks.append(f"## {_markdown(turn.question)}")
        blocks += [_markdown(text) for text in _paragraphs(turn, texts)]
        for citation in _cited_passages([turn]):
            source, quote = (
                _markdown(_source(citation, texts)),
                _markdown(article_line(citation.quote)),
            )
            blocks.append(f"\\[{citation.number}\\] {source}\n\n> {quote}")
        blocks.append(f"*{_markdown(_state(turn, texts))}*")
    return "\n\n".join(blocks) + "\n"


def page(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the answers as an HTML page that loads no other files."""
    blocks = []
    for turn in turns:
        blocks.append(f"<h2 dir=auto>{_html(turn.question)}</h2>")
        blocks += [f"<p dir=auto>{_html(text)}</p>" for text in _paragraphs(turn, texts)]
        items = "".join(
            f"<li value={c.number} dir=auto>{_html(_source(c, texts, address=False))}{_link(c)}"
            f"<blockquote dir=auto>{_html(article_line(c.quote))}</blockquote></li>"
            for c in _cited_passages([turn])
        )
        blocks.append(f"<ol>{items}</ol>" if items else "")
        blocks.append(f"<p><small>{_html(_state(turn, texts))}</small></p>")
    return (
        f"<!doctype html><html lang={texts.language}><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>Backfile</title>"
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;"
        "padding:0 1rem;overflow-wrap:anywhere}blockquote{margin:.5rem 0;color:#555}</style></head>"
        f"<body>{''.join(blocks)}</body></html>\n"
    )


def _paragraphs(turn: ExportedTurn, texts: Texts) -> list[str]:
    """Return the answer's statements, its notices, and the date of its newest source."""
    answer = turn.answer
    if answer.refused:
        return [article_line(refusal_text(answer, texts))]
    as_of = (
        f"{texts('as_of', day=texts.day(answer.newest_source))}." if answer.newest_source else ""
    )
    statements = [_statement(statement, texts) for statement in answer.statements]
    return [*statements, *filter(None, (article_line(notices_text(answer, texts)), as_of))]


def _statement(statement: Statement, texts: Texts) -> str:
    doubt = "" if statement.support == "supported" else texts(support_key(statement.support))
    return statement_line(replace(statement, text=statement_text(statement, texts)), doubt)


def _source(citation: Citation, texts: Texts, *, address: bool = True) -> str:
    """Return the known parts of title, publisher, date, authors and URL."""
    head = citation.metadata
    named = (head.title or head.article_id, head.publisher, texts.day(head.published))
    parts = [
        ", ".join(filter(None, map(article_line, named))),
        ", ".join(filter(None, map(article_line, head.authors))),
        web_address(head.url) if address else "",
    ]
    return ". ".join(filter(None, parts))


def _link(citation: Citation) -> str:
    address = web_address(citation.metadata.url)
    shown = html.escape(address)
    return f'. <a href="{shown}" rel="noopener noreferrer">{shown}</a>' if address else ""


def _state(turn: ExportedTurn, texts: Texts) -> str:
    if turn.asked_on is None:
        return texts("exported_from", sequence=turn.sequence)
    return texts("exported_from_asked_on", sequence=turn.sequence, day=texts.day(turn.asked_on))


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", single_line(text))


def _html(text: str) -> str:
    return html.escape(strip_controls(text))


# For programs


def answer_value(answer: Answer) -> dict[str, Any]:
    """Return the output of `ask --json`: English sentences and the codes of the notices."""
    return {
        "question": answer.question,
        "status": answer.status,
        "text": answer_text(answer),
        "statements": [
            {
                "text": statement_text(statement),
                "support": statement.support,
                "citations": [citation_value(c) for c in statement.citations],
            }
            for statement in answer.statements
        ],
        "refused": answer.refused,
        "reason": refusal_text(answer),
        "refusal": answer.refusal.to_dict() if answer.refusal else None,
        "notice": notices_text(answer),
        "notices": [notice.to_dict() for notice in answer.notices],
        "as_of": iso_date(answer.newest_source),
        "closest": [hit_value(hit) for hit in answer.nearest_hits],
    }


# Formats for reference managers


def ris(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the cited passages as RIS, one record each."""
    records = []
    for citation, sequence in _cited_passages(turns).items():
        head, published = citation.metadata, citation.metadata.published
        fields = [
            ("TY", "NEWS"),
            ("TI", head.title),
            *(("AU", author) for author in head.authors),
            ("T2", head.publisher),
            ("PY", f"{published.astimezone(UTC):%Y}" if published else ""),
            ("DA", f"{published.astimezone(UTC):%Y/%m/%d}" if published else ""),
            ("UR", web_address(head.url)),
            ("LA", head.language),
            ("AB", citation.quote),
            ("N1", _location(citation, sequence, texts)),
            ("ID", head.article_id),
        ]
        lines = [f"{tag}  - {line}" for tag, value in fields if (line := article_line(value))]
        records.append("\r\n".join([*lines, "ER  - ", ""]))
    return "\r\n".join(records)


def csl(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the cited passages as CSL-JSON, one item each, with the location in `custom`."""
    items = []
    for place, (citation, sequence) in enumerate(_cited_passages(turns).items(), start=1):
        head, published = citation.metadata, citation.metadata.published
        day = published.astimezone(UTC) if published else None
        item = {
            "id": f"{head.article_id}#{place}",
            "type": "article-newspaper",
            "title": article_line(head.title),
            "container-title": article_line(head.publisher),
            "author": [{"literal": article_line(author)} for author in head.authors],
            "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
            "URL": web_address(head.url),
            "language": head.language,
            "section": article_line(head.section),
            "note": _location(citation, sequence, texts),
            "custom": {
                "quote": citation.quote,
                "article_id": head.article_id,
                "revision": citation.passage.revision,
                "start": citation.start,
                "end": citation.end,
                "published": iso_date(published),
                "archive_sequence": sequence,
            },
        }
        items.append({name: value for name, value in item.items() if value})
    return json_text(items) + "\n"  # keeps quotes verbatim, escapes invisible characters


def _cited_passages(turns: Sequence[ExportedTurn]) -> dict[Citation, int]:
    """Return each cited passage once, with the archive's sequence number at the time."""
    found: dict[tuple[str, int, int, int], tuple[Citation, int]] = {}
    for turn in turns:
        for citation in turn.cited:
            passage = citation.passage
            key = (passage.article_id, passage.revision, citation.start, citation.end)
            found.setdefault(key, (citation, turn.sequence))
    return dict(found.values())


def _location(citation: Citation, sequence: int, texts: Texts) -> str:
    return texts(
        "location",
        article=citation.metadata.article_id,
        revision=citation.passage.revision,
        start=citation.start,
        end=citation.end,
        sequence=sequence,
    )
