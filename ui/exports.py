"""Answers to take away: text, Markdown, HTML, and lists of what they cite (RIS, CSL-JSON).

Each names the passage, its address and date, and the archive's sequence number, so that somebody
else can find the same words in the same state of the archive.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from rag.schema import Answer, Citation
from ui.render import REFUSAL, iso_date, named, spoken_day, web_address, without_controls

Said = tuple[str, Answer]  # a question and its answer

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#+!|~$&-]|(?<=\d)\.|:(?=//)")


@dataclass(frozen=True, slots=True)
class Format:
    """A format to take answers away in: its file name's ending, and its type for a browser."""

    suffix: str
    media_type: str


FORMATS = {
    "markdown": Format("md", "text/markdown"),
    "html": Format("html", "text/html"),
    "ris": Format("ris", "application/x-research-info-systems"),
    "csl": Format("json", "application/vnd.citationstyles.csl+json"),
}


def exported(said: Sequence[Said], form: str, *, sequence: int) -> str:
    """Return the answers in one of `FORMATS`; `sequence` is the archive's."""
    written = {"markdown": markdown, "html": page, "ris": ris, "csl": csl}[form]
    return written(said, sequence=sequence)


# To read


def plain(said: Sequence[Said], *, sequence: int) -> str:
    """Return the answers as text with their citations, to paste into a mail."""
    blocks = []
    for question, answer in said:
        blocks += [question, *_statements(answer), *_notes(answer)]
        sources = [f"[{c.number}] {_source(c)}" for c in _cited([(question, answer)])]
        blocks += ["\n".join(sources)] if sources else []
    return "\n\n".join([*blocks, _state(sequence)]) + "\n"


def markdown(said: Sequence[Said], *, sequence: int) -> str:
    """Return the answers as Markdown in which the articles' own words are nothing but words."""
    blocks = []
    for question, answer in said:
        blocks.append(f"## {_markdown(question)}")
        blocks += [_markdown(text) for text in (*_statements(answer), *_notes(answer))]
        for citation in _cited([(question, answer)]):
            quote = f"> {_markdown(citation.quote)}"
            blocks.append(f"\\[{citation.number}\\] {_markdown(_source(citation))}\n\n{quote}")
    return "\n\n".join([*blocks, f"*{_markdown(_state(sequence))}*"]) + "\n"


def page(said: Sequence[Said], *, sequence: int) -> str:
    """Return the answers as a page of its own that loads nothing from anywhere."""
    blocks = []
    for question, answer in said:
        blocks.append(f"<h2 dir=auto>{_html(question)}</h2>")
        texts = (*_statements(answer), *_notes(answer))
        blocks += [f"<p dir=auto>{_html(text)}</p>" for text in texts]
        cited = list(_cited([(question, answer)]))
        items = "".join(
            f"<li value={c.number} dir=auto>{_html(_source(c, address=False))}{_link(c)}"
            f"<blockquote dir=auto>{_html(c.quote)}</blockquote></li>"
            for c in cited
        )
        blocks.append(f"<ol>{items}</ol>" if items else "")
    return (
        "<!doctype html><html><head><meta charset=utf-8><title>Backfile</title>"
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;"
        "padding:0 1rem}blockquote{margin:.5rem 0;color:#555}</style></head>"
        f"<body>{''.join(blocks)}<p><small>{_html(_state(sequence))}</small></p></body></html>\n"
    )


def _statements(answer: Answer) -> list[str]:
    if answer.refused:
        return [answer.reason or REFUSAL]
    return [
        " ".join(
            [
                s.text,
                *dict.fromkeys(f"[{c.number}]" for c in s.citations),
                *([] if s.support == "supported" else [f"({s.support})"]),
            ]
        )
        for s in answer.statements
    ]


def _notes(answer: Answer) -> list[str]:
    as_of = f"As of {spoken_day(answer.as_of)}." if answer.as_of and not answer.refused else ""
    return [note for note in (answer.notice, as_of) if note]


def _source(citation: Citation, *, address: bool = True) -> str:
    """Name the article, as a reader would look it up."""
    parts = [named(citation.head), ", ".join(citation.head.authors)]
    if address:
        parts.append(web_address(citation.head.url))
    return ". ".join(part for part in parts if part)


def _link(citation: Citation) -> str:
    address = web_address(citation.head.url)
    shown = html.escape(address)
    return f'. <a href="{shown}" rel="noopener noreferrer">{shown}</a>' if address else ""


def _state(sequence: int) -> str:
    return f"From a Backfile archive at sequence number {sequence}."


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", _line(text))


def _html(text: str) -> str:
    return html.escape(without_controls(text))


# To cite


def ris(said: Sequence[Said], *, sequence: int) -> str:
    """Return what the answers cite as RIS, a record a passage."""
    records = []
    for citation in _cited(said):
        head, published = citation.head, citation.head.published
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
            ("N1", _place(citation, sequence)),
            ("ID", head.article_id),
        ]
        lines = [f"{tag}  - {_line(value)}" for tag, value in fields if value]
        records.append("\r\n".join([*lines, "ER  - ", ""]))
    return "\r\n".join(records)


def csl(said: Sequence[Said], *, sequence: int) -> str:
    """Return what the answers cite as CSL-JSON, an item a passage; its place is under `custom`."""
    items = []
    for place, citation in enumerate(_cited(said), start=1):
        head, published = citation.head, citation.head.published
        day = published.astimezone(UTC) if published else None
        item = {
            "id": f"{head.article_id}#{place}",
            "type": "article-newspaper",
            "title": head.title,
            "container-title": head.publisher,
            "author": [{"literal": author} for author in head.authors],
            "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
            "URL": web_address(head.url),
            "language": head.language,
            "section": head.section,
            "note": _place(citation, sequence),
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
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _cited(said: Sequence[Said]) -> Iterator[Citation]:
    """Yield each passage that is cited, once."""
    seen: set[tuple[str, int, int, int]] = set()
    for _, answer in said:
        for citation in answer.citations:
            passage = citation.passage
            key = (passage.article_id, passage.revision, citation.start, citation.end)
            if key not in seen:
                seen.add(key)
                yield citation


def _place(citation: Citation, sequence: int) -> str:
    return (
        f"Article {citation.head.article_id}, revision {citation.passage.revision}, "
        f"characters {citation.start} to {citation.end}; archive sequence {sequence}"
    )


def _line(text: str) -> str:
    """The text on one line: what begins a line in it must begin none of a record."""
    return " ".join(without_controls(text).split())
