"""Extractive answers: short answers, dated bullets, or both sides, from quoted sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from rag.answer.coreference import resolve_references
from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.sentence_selection import RELEVANT_FROM, choose_sentences
from rag.citations import build_citation, number_citations
from rag.nlp.dates import WEEKDAYS
from rag.nlp.entities import find_names
from rag.nlp.numbers import Number, find_dates, find_numbers
from rag.nlp.quotations import speaker_name
from rag.nlp.tokens import content_words
from rag.query.answer_type import score_speaker
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Notice, Span, Statement

MOST_BULLETS = 6
LEAST_BULLETS = 3  # with at least so many articles, a timeline has one sentence of each
NEAR_THE_BEST = 3.0  # largest difference in score at which a differing figure is shown as well


Lead = str | Notice | None  # a short answer in the article's words, or a label


@dataclass(frozen=True, slots=True)
class ComposedAnswer:
    """Sentences in display order, each with its lead (a short answer or a label)."""

    picked: tuple[tuple[SentenceCandidate, Lead], ...]
    notices: tuple[Notice, ...] = ()


def compose_answer(
    question: ParsedQuery, ranked: Sequence[SentenceCandidate], articles: Mapping[str, str]
) -> ComposedAnswer:
    """Return the sentences to show, in order, each with its lead.

    Args:
        question: The parsed question, whose expected answer decides the layout.
        ranked: Scored sentences, best first.
        articles: Article texts by id, in which speakers are looked up.
    """
    if question.expected.layout == "by date":
        return _order_by_date(choose_sentences(_best_per_article(ranked), MOST_BULLETS))
    sides = question.expected.sides
    if sides or question.expected.layout == "by side":
        named = sides or tuple(name.text for name in find_names(question.text))
        return _pick_sides(named, ranked, articles)
    picked = choose_sentences(ranked)
    if question.expected.type == "figure" and picked:
        differing = _find_disagreement(question.text, picked, ranked)
        if differing is not None:
            return differing
    short = short_answer(question, picked[0].text) if picked else ""
    lead = _date_of_weekday(short, picked[0]) if short else None
    return ComposedAnswer(tuple((c, lead if c is picked[0] else None) for c in picked))


def _best_per_article(ranked: Sequence[SentenceCandidate]) -> list[SentenceCandidate]:
    """Return the best sentence of each article, or all sentences if too few articles are left.

    Otherwise one article could supply the whole course of events.
    """
    first: dict[str, SentenceCandidate] = {}
    for candidate in ranked:
        if candidate.relevance >= RELEVANT_FROM and not candidate.features["fragment"]:
            first.setdefault(candidate.hit.passage.article_id, candidate)
    return list(first.values()) if len(first) >= LEAST_BULLETS else list(ranked)


def _order_by_date(picked: Sequence[SentenceCandidate]) -> ComposedAnswer:
    dated = sorted(picked, key=lambda c: (_timestamp(c) is None, _timestamp(c) or 0, c.span.start))
    return ComposedAnswer(tuple((c, _date_label(c)) for c in dated))


def _timestamp(candidate: SentenceCandidate) -> float | None:
    published = candidate.hit.metadata.published
    return published.timestamp() if published else None


def _date_label(candidate: SentenceCandidate) -> Notice:
    published = candidate.hit.metadata.published
    return Notice("dated", day=published) if published else Notice("undated")


def _pick_sides(
    sides: Sequence[str], ranked: Sequence[SentenceCandidate], articles: Mapping[str, str]
) -> ComposedAnswer:
    """Return the best quotation of each side, or quotations of two different speakers."""
    picked: list[SentenceCandidate] = []
    for side in sides:
        for candidate in ranked:
            article = articles.get(candidate.hit.passage.article_id, candidate.hit.passage.text)
            if candidate not in picked and score_speaker(side, candidate.text, article) >= 1:
                picked.append(candidate)
                break
    speakers = {speaker_name(c.text) for c in picked}
    for candidate in ranked:
        who = speaker_name(candidate.text)
        if len(picked) < 2 and who and who not in speakers:
            picked.append(candidate)
            speakers.add(who)
    if len(picked) < 2:
        picked = choose_sentences(ranked)
    return ComposedAnswer(tuple((c, None) for c in picked[:MOST_BULLETS]))


def _find_disagreement(
    question: str, picked: Sequence[SentenceCandidate], ranked: Sequence[SentenceCandidate]
) -> ComposedAnswer | None:
    """Return the figures on which articles disagree, oldest first, with dates and publishers."""
    best = picked[0]
    figures = _counts_by_noun(best.text, question)
    if not figures:
        return None
    others: list[SentenceCandidate] = []
    for candidate in ranked:
        same_article = candidate.hit.passage.article_id == best.hit.passage.article_id
        if same_article or candidate.score < best.score - NEAR_THE_BEST:
            continue
        other = _counts_by_noun(candidate.text, question)
        shared = figures.keys() & other.keys()
        if any(figures[noun].value != other[noun].value for noun in shared) and all(
            _counts_by_noun(o.text, question) != other for o in others
        ):
            others.append(candidate)
    if not others:
        return None
    shown = sorted([best, *others[:2]], key=lambda c: _timestamp(c) or 0.0)
    dated = _have_distinct_dates(shown)
    notice = Notice("sources_disagree_newest_last") if dated else Notice("sources_disagree")
    picked_out = [(c, _source_label(c, later=i > 0 and dated)) for i, c in enumerate(shown)]
    return ComposedAnswer(tuple(picked_out), (notice,))


def _have_distinct_dates(shown: Sequence[SentenceCandidate]) -> bool:
    days_shown = [_timestamp(c) for c in shown]
    return None not in days_shown and len(set(days_shown)) == len(days_shown)


def _source_label(candidate: SentenceCandidate, *, later: bool) -> Notice | None:
    day, publisher = candidate.hit.metadata.published, candidate.hit.metadata.publisher
    if day and publisher:
        code = "later_source" if later else "dated_source"
        return Notice(code, day=day, publisher=publisher)
    if day:
        return Notice("later" if later else "dated", day=day)
    return Notice("source", publisher=publisher) if publisher else None


def _counts_by_noun(text: str, question: str) -> dict[str, Number]:
    """Return the figures of a text by the noun of the question that they count."""
    asked = {w.stem for w in content_words(question)}
    out: dict[str, Number] = {}
    for figure in find_numbers(text):
        after = content_words(text[figure.end : figure.end + 40])[:3]
        for word in after:
            if word.stem in asked:
                out.setdefault(word.stem, figure)
                break
    return out


def short_answer(question: ParsedQuery, sentence: str) -> str:
    """Return the figure or date that answers a question, in the sentence's own words.

    Args:
        question: The parsed question.
        sentence: The best sentence.

    Returns:
        The words; "" unless the sentence has exactly one candidate.
    """
    kind, text = question.expected.type, question.text
    if kind == "figure":
        known = {f.value for f in find_numbers(text)}
        found = [f for f in find_numbers(sentence) if f.value not in known]
        counted = _counts_by_noun(sentence, text)
        if len(counted) == 1:
            ((noun, figure),) = counted.items()
            end = next(
                (
                    figure.end + w.end
                    for w in content_words(sentence[figure.end : figure.end + 40])
                    if w.stem == noun
                ),
                figure.end,
            )
            return sentence[figure.start : end]
        return _add_unit(sentence, found[0]) if len(found) == 1 else ""
    if kind == "day":
        known_days = {d.text.lower() for d in find_dates(text)}
        named = [d for d in find_dates(sentence) if d.text.lower() not in known_days]
        return named[0].text if len(named) == 1 else ""
    return ""


_TO_COME = re.compile(r"\b(?:will|would|next|to be|plans?|scheduled|expected)\b", re.IGNORECASE)


def _date_of_weekday(short: str, candidate: SentenceCandidate) -> str | Notice:
    """Return the date of a bare weekday, the last one before the article; else the words as given.

    In a sentence about the future, a weekday may be of another week and stays as it is.
    """
    published = candidate.hit.metadata.published
    if short.lower() not in WEEKDAYS or published is None or _TO_COME.search(candidate.text):
        return short
    day = published - timedelta((published.weekday() - WEEKDAYS.index(short.lower())) % 7)
    return Notice("weekday", weekday=day)


_UNIT = re.compile(
    r"[ -](?:(?:more|other|fewer) )?(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?"
    r"|decades?|centur(?:y|ies)|miles?|kilomet(?:er|re)s?|met(?:er|re)s?|km|feet|foot|inch(?:es)?"
    r"|acres?|hectares?|pounds?|kilograms?|kg|tons?|tonnes?|lit(?:er|re)s?|gallons?|degrees?"
    r"|dollars?|euros?|cents?|people|points?|times?|votes?|seats?|mph)\b(?:[ -]old\b)?",
    re.IGNORECASE,
)


def _add_unit(sentence: str, figure: Number) -> str:
    """Return a figure with its unit, in the sentence's words: "six weeks" and not "six"."""
    unit = _UNIT.match(sentence, figure.end)
    return sentence[figure.start : unit.end() if unit else figure.end]


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
