"""Export formats of answers: text, Markdown, HTML, Word, PDF, and citations as RIS and CSL-JSON.

Each export names the passages with their URLs and dates, when the question was asked, and the
archive's sequence number, so that others can find the same words in the same state of the archive.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from rag.sanitize import article_line, single_line, strip_controls
from rag.schema import Answer, Citation, Statement
from ui.answer_document import answer_notes, answer_paragraphs, doubt_of
from ui.exported_turns import ExportedTurn, cited_passages, source_text, state_text
from ui.file_names import file_name
from ui.i18n import (
    Texts,
    answer_text,
    notices_text,
    refusal_text,
    statement_text,
)
from ui.render import citation_value, hit_value, iso_date, json_text, statement_line
from ui.word_document import word_document

__all__ = [
    "FILE_FORMATS",
    "FORMATS",
    "ExportedFile",
    "ExportedTurn",
    "answer_value",
    "csl",
    "escape_markdown",
    "export",
    "export_file",
    "markdown",
    "page",
    "pdf",
    "plain",
    "ris",
    "word",
]

# "@", ":" and "." are escaped where Markdown renderers would turn bare URLs into links.
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#+!|~$&@-]|(?<=\d)\.|(?<=www)\.|:(?=//)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Format:
    """Export format: the suffix of its file names and its media type."""

    suffix: str
    media_type: str


# Formats that are text; those of Word and PDF are in `FILE_FORMATS` alone.
FORMATS = {
    "markdown": Format("md", "text/markdown"),
    "html": Format("html", "text/html"),
    "ris": Format("ris", "application/x-research-info-systems"),
    "csl": Format("json", "application/vnd.citationstyles.csl+json"),
}
FILE_FORMATS = FORMATS | {
    "word": Format(
        "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    ),
    "pdf": Format("pdf", "application/pdf"),
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to download: its name, its media type and its content."""

    name: str
    media_type: str
    content: bytes


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


def export_file(turns: Sequence[ExportedTurn], form: str, texts: Texts) -> ExportedFile:
    """Return the answers as a file that is named after the first question.

    Args:
        turns: Questions with their answers, oldest first; at least one.
        form: Key of `FILE_FORMATS`.
        texts: Language of everything except the answers.
    """
    kind = FILE_FORMATS[form]
    if form in FORMATS:
        content = export(turns, form, texts).encode()
    else:
        content = (pdf if form == "pdf" else word)(turns, texts)
    name = file_name(turns[0].question, kind.suffix, fallback="answer")
    return ExportedFile(name, kind.media_type, content)


# Formats for readers


def plain(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the answers as plain text with their citations."""
    blocks = []
    for turn in turns:
        blocks += [single_line(turn.question), *_paragraphs(turn, texts)]
        sources = [f"[{c.number}] {_source(turn, c, texts)}" for c in cited_passages([turn])]
        if turn.passages:
            quotes = [article_line(citation.quote) for citation in cited_passages([turn])]
            blocks += [f"{s}\n{quote}" for s, quote in zip(sources, quotes, strict=True)]
        elif sources:
            blocks.append("\n".join(sources))
        blocks.append(state_text(turn, texts))
    return "\n\n".join(blocks) + "\n"


def markdown(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the answers as Markdown, with markup in articles escaped."""
    blocks = []
    for turn in turns:
        blocks.append(f"## {escape_markdown(turn.question)}")
        blocks += [escape_markdown(text) for text in _paragraphs(turn, texts)]
        for citation in cited_passages([turn]):
            source, quote = (
                escape_markdown(_source(turn, citation, texts)),
                escape_markdown(article_line(citation.quote)),
            )
            blocks.append(f"\\[{citation.number}\\] {source}\n\n> {quote}")
        blocks.append(f"*{escape_markdown(state_text(turn, texts))}*")
    return "\n\n".join(blocks) + "\n"


def page(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the answers as an HTML page that loads no other files."""
    blocks = []
    for turn in turns:
        blocks.append(f"<h2 dir=auto>{_html(turn.question)}</h2>")
        blocks += [f"<p dir=auto>{_html(text)}</p>" for text in _paragraphs(turn, texts)]
        items = "".join(
            f"<li value={c.number} dir=auto>{_html(source_text(c.metadata, texts))}{_link(turn, c)}"
            f"<blockquote dir=auto>{_html(article_line(c.quote))}</blockquote></li>"
            for c in cited_passages([turn])
        )
        blocks.append(f"<ol>{items}</ol>" if items else "")
        blocks.append(f"<p><small>{_html(state_text(turn, texts))}</small></p>")
    return (
        f"<!doctype html><html lang={texts.language}><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>Backfile</title>"
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;"
        "padding:0 1rem;overflow-wrap:anywhere}blockquote{margin:.5rem 0;color:#555}</style></head>"
        f"<body>{''.join(blocks)}</body></html>\n"
    )


def _paragraphs(turn: ExportedTurn, texts: Texts) -> list[str]:
    """Return the answer's statements, its notices, and the date of its newest source."""
    statements = () if turn.answer.refused else turn.answer.statements
    return [*(_statement(one, texts) for one in statements), *answer_notes(turn, texts)]


def word(turns: Sequence[ExportedTurn], texts: Texts) -> bytes:
    """Return the answers as a Word document; each number leads to its source."""
    blocks = answer_paragraphs(turns, texts)
    return word_document(blocks, title=_title(turns), language=texts.language)


def pdf(turns: Sequence[ExportedTurn], texts: Texts) -> bytes:
    """Return the answers as a PDF; each number leads to its source."""
    from ui.pdf import pdf_document  # 0.5 s

    asked = max((turn.asked_on for turn in turns if turn.asked_on), default=None)
    blocks = answer_paragraphs(turns, texts)
    return pdf_document(blocks, title=_title(turns), texts=texts, made=asked)


def _title(turns: Sequence[ExportedTurn]) -> str:
    return single_line(turns[0].question) if turns else ""


def _statement(statement: Statement, texts: Texts) -> str:
    words = replace(statement, text=statement_text(statement, texts))
    return statement_line(words, doubt_of(statement, texts))


def _source(turn: ExportedTurn, citation: Citation, texts: Texts) -> str:
    return source_text(citation.metadata, texts, turn.address(citation))


def _link(turn: ExportedTurn, citation: Citation) -> str:
    shown, link = html.escape(turn.address(citation)), html.escape(turn.link(citation))
    return f'. <a href="{link}" rel="noopener noreferrer">{shown}</a>' if link else f". {shown}"


def escape_markdown(text: str) -> str:
    """Return a text on one line, with Markdown's characters escaped."""
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
    for citation, turn in cited_passages(turns).items():
        head, published = citation.metadata, citation.metadata.published
        fields = [
            ("TY", "NEWS"),
            ("TI", head.title),
            *(("AU", author) for author in head.authors),
            ("T2", head.publisher),
            ("PY", f"{published.astimezone(UTC):%Y}" if published else ""),
            ("DA", f"{published.astimezone(UTC):%Y/%m/%d}" if published else ""),
            ("UR", turn.address(citation)),
            ("LA", head.language),
            ("AB", citation.quote),
            ("N1", _location(citation, turn.sequence, texts)),
            ("ID", head.article_id),
        ]
        lines = [f"{tag}  - {line}" for tag, value in fields if (line := article_line(value))]
        records.append("\r\n".join([*lines, "ER  - ", ""]))
    return "\r\n".join(records)


def csl(turns: Sequence[ExportedTurn], texts: Texts) -> str:
    """Return the cited passages as CSL-JSON, one item each, with the location in `custom`."""
    items = []
    for place, (citation, turn) in enumerate(cited_passages(turns).items(), start=1):
        head, published = citation.metadata, citation.metadata.published
        day = published.astimezone(UTC) if published else None
        item = {
            "id": f"{head.article_id}#{place}",
            "type": "article-newspaper",
            "title": article_line(head.title),
            "container-title": article_line(head.publisher),
            "author": [{"literal": article_line(author)} for author in head.authors],
            "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
            "URL": turn.address(citation),
            "language": head.language,
            "section": article_line(head.section),
            "note": _location(citation, turn.sequence, texts),
            "custom": {
                "quote": citation.quote,
                "article_id": head.article_id,
                "revision": citation.passage.revision,
                "start": citation.start,
                "end": citation.end,
                "published": iso_date(published),
                "archive_sequence": turn.sequence,
            },
        }
        items.append({name: value for name, value in item.items() if value})
    return json_text(items) + "\n"  # keeps quotes verbatim, escapes invisible characters


def _location(citation: Citation, sequence: int, texts: Texts) -> str:
    return texts(
        "location",
        article=citation.metadata.article_id,
        revision=citation.passage.revision,
        start=citation.start,
        end=citation.end,
        sequence=sequence,
    )
