"""Extractive answers: quoted sentences, laid out by the kind of question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answer.asked_figure import asked_figure
from rag.answer.coreference import resolve_references
from rag.answer.events import Event, find_events
from rag.answer.figures import FigureFound, find_disagreement, newest_first
from rag.answer.lists import asks_for_list, choose_items
from rag.answer.named_answer import find_named_answer
from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.sentence_selection import choose_sentences
from rag.answer.short_answers import Lead, short_answer
from rag.citations import build_citation, number_citations
from rag.nlp.entities import find_names
from rag.nlp.quotations import speaker_name
from rag.query.answer_type import score_speaker
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Notice, Span, Statement

MOST_BULLETS = 6


@dataclass(frozen=True, slots=True)
class ComposedAnswer:
    """Sentences in display order.

    Attributes:
        picked: The sentences, each with its lead: a short answer or a label.
        earlier: Sentences with earlier figures, shown together as the last statement.
        earlier_label: The label of that statement, with the figures and their days.
        notices: Notices about the answer.
        answering: How many statements answer the question; the others add to it and don't count for
            the date of the answer.
    """

    picked: tuple[tuple[SentenceCandidate, Lead], ...]
    earlier: tuple[SentenceCandidate, ...] = ()
    earlier_label: Notice | None = None
    notices: tuple[Notice, ...] = ()
    answering: int = 1

    @property
    def candidates(self) -> tuple[SentenceCandidate, ...]:
        """All sentences, in display order."""
        return (*(candidate for candidate, _ in self.picked), *self.earlier)


def compose_answer(
    question: ParsedQuery,
    ranked: Sequence[SentenceCandidate],
    articles: Mapping[str, str],
    *,
    first: SentenceCandidate | None = None,
) -> ComposedAnswer:
    """Return the sentences to show, in order, each with its lead.

    Args:
        question: The parsed question, whose expected answer decides the layout.
        ranked: Scored sentences, best first.
        articles: Article texts by id, in which speakers are looked up.
        first: The sentence that comes first, such as one that corrects the question.
    """
    named = find_named_answer(question, ranked) if first is None else None
    first = first or (named.candidate if named else None)
    if first is not None:
        ranked = [first, *(c for c in ranked if c is not first)]
    if question.expected.layout == "by date":
        events = find_events(question, ranked, MOST_BULLETS)
        if events:
            return order_by_date(events)
    sides = question.expected.sides
    if sides or question.expected.layout == "by side":
        speakers = sides or tuple(name.text for name in find_names(question.text))
        return _pick_sides(speakers, ranked, articles)
    asked = asked_figure(question)
    figures = newest_first(asked, ranked) if asked is not None else ()
    if len(figures) > 1:
        return figure_series(figures)
    if figures and asked is not None:
        other = find_disagreement(asked, ranked, figures[0])
        if other is not None:
            shown = tuple((f.candidate, _source_label(f)) for f in (figures[0], other))
            return ComposedAnswer(shown, notices=(Notice("sources_disagree"),), answering=2)
        ranked = [figures[0].candidate, *(c for c in ranked if c is not figures[0].candidate)]
    if asks_for_list(question.text):
        items = choose_items(question, ranked)
        return ComposedAnswer(tuple((c, None) for c in items), answering=len(items))
    picked = choose_sentences(ranked)
    if named is not None and named.is_in(picked[0]):
        return ComposedAnswer(tuple((c, named.name if c is picked[0] else None) for c in picked))
    lead = short_answer(question, picked[0]) if picked else None
    if lead is not None or (figures and asked is not None and asked.fate):
        picked = picked[:1]
    return ComposedAnswer(tuple((c, lead if c is picked[0] else None) for c in picked))


def order_by_date(events: Sequence[Event]) -> ComposedAnswer:
    """Return the statements of a course of events, each with its day.

    Args:
        events: The events, in the order of their days.
    """
    picked = tuple((event.candidate, event.label) for event in events)
    return ComposedAnswer(picked, answering=len(picked))


def figure_series(figures: Sequence[FigureFound]) -> ComposedAnswer:
    """Return the newest figure, and the earlier ones together in one statement.

    Args:
        figures: At least two figures, the newest first.
    """
    newest, *earlier = figures
    label = Notice(
        "earlier_figures",
        figures=[_in_a_sentence(figure.words) for figure in earlier],
        days=[figure.day.isoformat() for figure in earlier if figure.day],
    )
    return ComposedAnswer(
        ((newest.candidate, _source_label(newest)),),
        earlier=tuple(figure.candidate for figure in earlier),
        earlier_label=label,
    )


def _source_label(figure: FigureFound) -> Notice | None:
    publisher = figure.candidate.hit.metadata.publisher
    if figure.day is None:
        return Notice("source", publisher=publisher) if publisher else None
    words = _in_a_sentence(figure.words)
    if not publisher:
        return Notice("dated_figure", figure=words, day=figure.day)
    return Notice("figure_of", figure=words, day=figure.day, publisher=publisher)


def _in_a_sentence(words: str) -> str:
    return words[:1].lower() + words[1:]


def _pick_sides(
    sides: Sequence[str], ranked: Sequence[SentenceCandidate], articles: Mapping[str, str]
) -> ComposedAnswer:
    """Return the best quotation of each side, or quotations of two different speakers."""
    picked: list[SentenceCandidate] = []
    missing: list[str] = []
    for side in sides:
        for candidate in ranked:
            article = articles.get(candidate.hit.passage.article_id, candidate.hit.passage.text)
            if candidate not in picked and score_speaker(side, candidate.text, article) >= 1:
                picked.append(candidate)
                break
        else:
            missing.append(side)
    speakers = {speaker_name(c.text) for c in picked}
    for candidate in ranked:
        who = speaker_name(candidate.text)
        if len(picked) < 2 and who and who not in speakers:
            picked.append(candidate)
            speakers.add(who)
    if len(picked) < 2:
        picked = choose_sentences(ranked)
    shown = tuple((c, None) for c in picked[:MOST_BULLETS])
    told = () if not missing or len(sides) < 2 else (Notice("sides_missing", sides=missing),)
    return ComposedAnswer(shown, notices=told, answering=len(shown))


def statements_of(shown: ComposedAnswer, articles: Mapping[str, str]) -> Iterator[Statement]:
    """Yield the statements of a composed answer, in order.

    Args:
        shown: The composed answer.
        articles: Article texts by id.
    """
    for candidate, before in shown.picked:
        article = articles.get(candidate.hit.passage.article_id, "")
        yield quote_statement(candidate, article, before)
    if shown.earlier:
        quoted = [
            quote_statement(c, articles.get(c.hit.passage.article_id, "")) for c in shown.earlier
        ]
        yield Statement(
            " ".join(statement.text for statement in quoted),
            tuple(citation for statement in quoted for citation in statement.citations),
            label=shown.earlier_label,
        )


def grow_answer(
    answer: Answer, shown: ComposedAnswer, articles: Mapping[str, str]
) -> Iterator[Answer]:
    """Yield an answer with one more statement each time.

    Its newest date is that of the statements that answer the question.

    Args:
        answer: The answer without statements.
        shown: The composed answer.
        articles: Article texts by id.
    """
    for place, statement in enumerate(statements_of(shown, articles)):
        newest = answer.newest_source
        answer = append_statement(answer, statement)
        if place >= shown.answering:
            answer = replace(answer, newest_source=newest)
        yield answer


def quote_statement(candidate: SentenceCandidate, article: str, before: Lead = None) -> Statement:
    """Return a statement that quotes a sentence verbatim, apart from bracketed additions.

    Args:
        candidate: The sentence.
        article: The article's text; "" if it isn't available.
        before: A short answer, shown in brackets before the quotation, or a label.
    """
    passage, span = candidate.hit.passage, candidate.span
    if not article:
        article, span = passage.text, Span(span.start - passage.start, span.end - passage.start)
    text = re.sub(r"(?<!\s)[^\S\n]*+\n\s*+", " ", resolve_references(article, span))
    if isinstance(before, str) and before and not re.match(r"[\[(]", before):
        text = f"[{before}:] {text}"
    label = before if isinstance(before, Notice) else None
    return Statement(text, (build_citation(1, candidate.hit, candidate.span),), label=label)


def append_statement(answer: Answer, statement: Statement) -> Answer:
    """Return an answer with a statement added, citations renumbered and its newest date updated.

    Args:
        answer: The answer so far.
        statement: The statement to add, with its own citation numbers.
    """
    statements = number_citations((*answer.statements, statement))
    dates = [c.metadata.published for s in statements for c in s.citations if c.metadata.published]
    return replace(answer, statements=statements, newest_source=max(dates, default=None))
