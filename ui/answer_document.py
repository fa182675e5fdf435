"""Answers as paragraphs of a document, for Word and PDF; each number leads to its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.sanitize import article_line, single_line
from rag.schema import Answer, Citation, Statement
from ui.document import Paragraph, Run
from ui.exported_turns import ExportedTurn, cited_passages, source_text, state_text
from ui.i18n import Texts, notices_text, refusal_text, render, statement_text, support_key

STATUSES = {
    "answered": "status_answered",
    "sources disagree": "status_sources_disagree",
    "closest matches only": "status_closest_matches_only",
    "not found": "status_not_found",
}
NO_SEARCH = frozenset({"greeting", "thanks", "no_topic"})  # replies without a status
FIGURES = frozenset({"dated_figure", "figure_of"})  # labels with the figure that was asked for
# A short answer stands in brackets before the quotation: "[about 1,500:] North Korea ...".
LEAD = re.compile(r"\[([^\[\]]{1,80}):\] ")


def status_key(answer: Answer) -> str:
    """Return the key of the message for an answer's status; "" for a reply without a search."""
    if answer.refused and answer.refusal and answer.refusal.code in NO_SEARCH:
        return ""
    return STATUSES[answer.status]


def asked_fact(statement: Statement, texts: Texts) -> tuple[str, Statement]:
    """Return the fact that an answer's first statement gives, and the statement without it.

    Args:
        statement: The statement.
        texts: Language of its label.

    Returns:
        Who, how many, when or where, "" if the statement doesn't say it in short.
    """
    label = statement.label
    if label is not None and label.code in FIGURES:
        return str(label["figure"]), replace(statement, label=None)
    if not render(label, texts) and (bracket := LEAD.match(statement.text)):
        return bracket[1], replace(statement, text=statement.text[bracket.end() :])
    return "", statement


def answer_paragraphs(turns: Sequence[ExportedTurn], texts: Texts) -> list[Paragraph]:
    """Return the paragraphs of a document with some answers and their sources.

    Args:
        turns: Questions with their answers, oldest first.
        texts: Language of everything except the answers.
    """
    return [
        paragraph
        for place, turn in enumerate(turns, start=1)
        for paragraph in _turn(turn, texts, place)
    ]


def answer_notes(turn: ExportedTurn, texts: Texts) -> list[str]:
    """Return an answer's notices and the date of its newest source; of a refusal, the reason."""
    answer = turn.answer
    if answer.refused:
        return [article_line(refusal_text(answer, texts))]
    day = texts.day(answer.newest_source)
    as_of = f"{texts('as_of', day=day)}." if day else ""
    return list(filter(None, (article_line(notices_text(answer, texts)), as_of)))


def doubt_of(statement: Statement, texts: Texts) -> str:
    """Return how far a statement is supported; "" if it is."""
    return "" if statement.support == "supported" else texts(support_key(statement.support))


def _turn(turn: ExportedTurn, texts: Texts, place: int) -> Iterator[Paragraph]:
    yield Paragraph((Run(single_line(turn.question)),), "Heading1")
    yield from _answer(turn, texts, place)
    cited = cited_passages([turn])
    if cited:
        yield Paragraph((Run(texts("sources")),), "Heading2")
    for citation in cited:
        source = f"[{citation.number}] {source_text(citation.metadata, texts)}. "
        address = Run(turn.address(citation), address=turn.link(citation))
        mark = _mark(place, citation) if citation == _first(cited, citation) else ""
        yield Paragraph((Run(source), address), "Source", mark)
        yield Paragraph((Run(article_line(citation.quote)),), "Quote")
    yield Paragraph((Run(state_text(turn, texts)),), "Small")


def _answer(turn: ExportedTurn, texts: Texts, place: int) -> Iterator[Paragraph]:
    answer = turn.answer
    if not turn.passages and (status := status_key(answer)):
        yield Paragraph((Run(texts(status)),), "Status")
    statements = () if answer.refused else answer.statements
    for number, statement in enumerate(statements):
        fact, rest = asked_fact(statement, texts) if number == 0 else ("", statement)
        if fact:
            yield from _fact(fact, statement, texts)
        yield _statement(rest, texts, place)
    for text in answer_notes(turn, texts):
        yield Paragraph((Run(text, italic=bool(statements)),))


def _fact(fact: str, statement: Statement, texts: Texts) -> Iterator[Paragraph]:
    """Yield the fact that was asked for, large, and the publisher and date of its source."""
    yield Paragraph((Run(article_line(fact)),), "Fact")
    head = statement.citations[0].metadata if statement.citations else None
    facts = (article_line(head.publisher), texts.day(head.published)) if head else ()
    if source := " · ".join(filter(None, facts)):
        yield Paragraph((Run(source),), "Status")


def _statement(statement: Statement, texts: Texts, place: int) -> Paragraph:
    """Return a statement, with links to the sources in the place of numbers."""
    numbers = {citation.number: citation for citation in statement.citations}
    links = [
        Run(f"[{number}]", superscript=True, bookmark=_mark(place, citation))
        for number, citation in numbers.items()
    ]
    doubt = doubt_of(statement, texts)
    said = Run(article_line(statement_text(statement, texts)))
    return Paragraph((said, *links, *([Run(f" ({doubt})")] if doubt else [])))


def _mark(place: int, citation: Citation) -> str:
    return f"source_{place}_{citation.number}"


def _first(cited: Iterable[Citation], citation: Citation) -> Citation:
    return next(one for one in cited if one.number == citation.number)
