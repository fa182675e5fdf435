"""Compare mode: how publishers, or the two sides that a question names, report the same thing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rag.answer.asked_figure import asked_figure, topic_unit
from rag.answer.claims import Claim, align_claims, figure_claim
from rag.answer.comparisons import Comparison, choose_sides, is_about_side, parse_comparison
from rag.answer.corrections import add_correction_notes
from rag.answer.extractive import append_statement, quote_statement
from rag.answer.period import refuse_period, small_talk_answer
from rag.answer.refusal import refusal_answer, refusal_reason
from rag.answer.sentence_scoring import SentenceCandidate, score_sentences, texts_of
from rag.answer.sentence_selection import RELEVANT_FROM
from rag.nlp.entities import find_names, is_country
from rag.nlp.tokens import word_overlap
from rag.query.answer_type import score_speaker
from rag.query.attributions import find_publishers
from rag.query.parser import ParsedQuery, relax_time_filter
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, retrieve, understand_question
from rag.schema import Answer, Filters, Hit, Notice

MOST_COLUMNS = 4
FEWEST_COLUMNS = 3  # publishers that are asked if only one has passages on a question
MOST_ROWS = 6
MOST_ALONE = 2  # rows of each column that no other column shares
PASSAGES = 14  # passages of a column
SENTENCES = 12  # sentences of a column that are embedded, which takes most of the time
CANDIDATE_PASSAGES = 40  # passages by which publishers are chosen
ALIGNED = 8  # sentences of a column that are compared with those of the others
FAR_BELOW = 5.0  # largest difference in score to the best sentence of a column
SAME_DAYS = timedelta(days=1)  # figures of other days replace each other and don't disagree
ONE_WORDING = 0.8  # share of the shorter sentence's words from which one column says it twice
_SPEAK = re.compile(r"\b(?:differ|disagree|say|think|argue)\b", re.IGNORECASE)
# A caption's credit, in a line that a scraper joined to the text.
_CAPTION = re.compile(r"\w/(?:AP|AFP|Getty|Reuters|EPA|Bloomberg|Shutterstock)\b|\bGetty Images\b")


@dataclass(frozen=True, slots=True)
class Column:
    """A publisher or side with what it says.

    Attributes:
        name: The publisher, or the side in the question's words.
        found: The passages found for it.
        ranked: Their sentences, best first.
        is_publisher: Whether it is a publisher.
    """

    name: str
    found: RetrievalResult
    ranked: tuple[SentenceCandidate, ...]
    is_publisher: bool


def compare_sources(
    archive: SearchBackend,
    question: str | ParsedQuery,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
) -> Answer:
    """Return what publishers, or the sides of a question, say about the same thing, side by side.

    The columns are the sides that the question compares, else the publishers it names, else the
    publishers that report most on it. A statement's label is a `compared` notice: its column, its
    row from 1, its day, and `differs` if its figures or day differ from another column's.

    Args:
        archive: The archive.
        question: A question or topic, or a parsed question.
        filters: The filters that the articles must pass.
        asked_on: The day from which "last week" is counted, now by default.
        history: The earlier turns, oldest first.

    Returns:
        The comparison as an answer, row by row; `refused` is set if the archive has nothing
        relevant.

    Raises:
        InvalidValueError: `asked_on` is not a date.
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    words = question if isinstance(question, str) else question.text
    asked = (
        question
        if isinstance(question, ParsedQuery)
        else understand_question(
            archive, question, asked_on=asked_on, history=history, access=filters.access
        )
    )
    if asked.intent not in ("question", "period"):
        return replace(small_talk_answer(asked), question=words)
    columns, silent = _columns(archive, asked, filters)
    filled = [column for column in columns if column.ranked]
    if not filled:
        return replace(_refuse(archive, asked, columns, filters), question=words)
    claims = _claims(archive, asked, filled)
    if not claims:
        return replace(_refuse(archive, asked, columns, filters), question=words)
    notices = (*filled[0].found.notices, *_silent_notice(columns, silent))
    if any(_disagrees(claim) for claim in claims):
        notices = (*notices, Notice("sources_disagree"))
    hits = dict.fromkeys(cell.hit for claim in claims for cell in claim.cells if cell)
    answer = Answer(
        words,
        hits=tuple(hits),
        understood=asked.describe(),
        candidates_considered=sum(column.found.considered for column in columns),
        notices=notices,
    )
    articles = texts_of(archive, answer.hits)
    for row, claim in enumerate(claims, start=1):
        for place, (column, cell) in enumerate(zip(filled, claim.cells, strict=True)):
            if cell is not None:
                label = compared_label(column, row, cell.hit, differs=place in claim.differing)
                article = articles.get(cell.hit.passage.article_id, "")
                answer = append_statement(answer, quote_statement(cell, article, label))
    return add_correction_notes(answer)


def compared_label(column: Column, row: int, hit: Hit, *, differs: bool) -> Notice:
    """Return the label of a cell: its column and row, the day, and whether it differs.

    Args:
        column: The column.
        row: The row, from 1.
        hit: The passage of the cell.
        differs: Whether its figures or day differ from another column's.
    """
    metadata = hit.metadata
    facts = {"day": metadata.published} if metadata.published else {}
    if not column.is_publisher and metadata.publisher:
        facts["publisher"] = metadata.publisher  # type: ignore[assignment]
    if differs:
        facts["differs"] = True  # type: ignore[assignment]
    return Notice("compared", column=column.name, row=row, **facts)


def _columns(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters
) -> tuple[list[Column], list[str]]:
    """Return the columns of a question, and the publishers that report nothing on it."""
    comparison = parse_comparison(asked.text) if asked.intent == "question" else None
    named = list(dict.fromkeys(asked.publishers))
    if len(named) < 2 and comparison is not None:
        publishers = archive.publishers(access=filters.access)
        named = _publishers_of(comparison, publishers)
        if not named:
            return _sides(archive, asked, comparison, filters), []
        asked = understand_question(
            archive, comparison.topic, asked_on=asked.asked_on, access=filters.access
        )
    if len(named) < 2 and len(asked.expected.sides) > 1:
        return _speakers(archive, asked, asked.expected.sides, filters), []
    names = named[:MOST_COLUMNS] if len(named) > 1 else _reporting(archive, asked, filters)
    columns = [_publisher(archive, asked, name, filters) for name in names]
    silent = [c.name for c in columns if not c.ranked]
    return columns, silent


def _publishers_of(comparison: Comparison, publishers: Sequence[str]) -> list[str]:
    """Return the publishers that are the sides of a comparison; none if only one is."""
    found = [find_publishers(f"according to {s.name}", publishers).names for s in comparison.sides]
    names = list(dict.fromkeys(each[0] for each in found if each))
    return names if len(names) == len(found) and comparison.topic else []


def _reporting(archive: SearchBackend, asked: ParsedQuery, filters: Filters) -> list[str]:
    """Return the publishers that report most on a question, that with the most passages first.

    If there is only one, the largest others stand beside it, to show that they report nothing.
    """
    found = retrieve(archive, asked, CANDIDATE_PASSAGES, filters=filters)
    counts = Counter(hit.metadata.publisher for hit in found.hits)
    for hit in found.hits:  # a wire story counts for each publisher that prints it
        counts.update({copy.publisher for copy in hit.copies} - {hit.metadata.publisher})
    names = [name for name, _ in counts.most_common(MOST_COLUMNS) if name]
    if len(names) > 1:
        return names
    allowed = {name.casefold() for name in filters.publishers}
    known = archive.publishers(access=filters.access)
    others = [name for name in known if not allowed or name.casefold() in allowed]
    return list(dict.fromkeys([*names, *others]))[:FEWEST_COLUMNS]


def _publisher(archive: SearchBackend, asked: ParsedQuery, name: str, filters: Filters) -> Column:
    of_it = replace(asked, publishers=(), parts=())
    found = retrieve(archive, of_it, PASSAGES, filters=replace(filters, publishers=(name,)))
    ranked = score_sentences(archive, found, SENTENCES)
    refused = asked.intent == "question" and refusal_reason(found.question, ranked)
    return Column(name, found, () if refused else _citable(ranked), is_publisher=True)


def _sides(
    archive: SearchBackend, asked: ParsedQuery, comparison: Comparison, filters: Filters
) -> list[Column]:
    """Return what is said by each side if both speak, else what is said about each side."""
    names = tuple(side.name for side in comparison.sides)
    if comparison.topic and all(find_names(f"of {name}") for name in names):
        spoken = _speakers(archive, asked, names, filters)
        heard = any if _SPEAK.search(asked.text) and not all(map(is_country, names)) else all
        if heard(bool(column.ranked) for column in spoken):
            return spoken
    one, other = comparison.sides
    results = []
    for side in comparison.sides:
        question = understand_question(
            archive, side.question, asked_on=asked.asked_on, access=filters.access
        )
        results.append(retrieve(archive, relax_time_filter(question), PASSAGES, filters=filters))
    ranked = [score_sentences(archive, found, SENTENCES) for found in results]
    best = choose_sides(comparison, ranked)
    if best[0] is best[1] and not topic_unit(comparison.topic):
        best = [None, None]  # one sentence about both compares nothing unless it has both figures
    columns = []
    for i, (side, against) in enumerate(((one, other), (other, one))):
        about = [c for c in _citable(ranked[i]) if is_about_side(c, side, against, comparison)]
        own = [c for c in about if _is_first_named(c.text, side.name, against.name)]
        first = best[i]
        kept = [c for c in own if first is None or c.text != first.text]
        columns.append(
            Column(side.name, results[i], (*([first] if first else []), *kept), False)
            if best[i] or not refusal_reason(results[i].question, ranked[i])
            else Column(side.name, results[i], (), False)
        )
    return columns


def _is_first_named(text: str, side: str, other: str) -> bool:
    """Return whether a sentence names a side before the other one: it is about that side first."""
    low = text.casefold()
    at, against = low.find(side.casefold()), low.find(other.casefold())
    return against < 0 or 0 <= at < against


def _speakers(
    archive: SearchBackend, asked: ParsedQuery, sides: Sequence[str], filters: Filters
) -> list[Column]:
    """Return what each of several speakers says."""
    found = retrieve(archive, asked, CANDIDATE_PASSAGES, filters=filters)
    ranked = score_sentences(archive, found, 2 * SENTENCES)
    expected = replace(found.question.expected, type="anything", whose="", also=())
    refused = refusal_reason(replace(found.question, expected=expected), ranked)
    articles = texts_of(archive, found.hits)
    columns = []
    for side in sides[:MOST_COLUMNS]:
        own = [
            c
            for c in _citable(ranked)
            if score_speaker(side, c.text, articles.get(c.hit.passage.article_id, "")) >= 1
        ]
        columns.append(Column(side, found, () if refused else tuple(own), False))
    return columns


def _citable(ranked: Sequence[SentenceCandidate]) -> tuple[SentenceCandidate, ...]:
    """Return the relevant statements, without those that repeat an earlier one's words."""
    kept: list[SentenceCandidate] = []
    for candidate in ranked:
        if (
            candidate.relevance >= RELEVANT_FROM
            and candidate.score >= ranked[0].score - FAR_BELOW
            and not (candidate.features["fragment"] or candidate.features["asks"])
            and not _CAPTION.search(candidate.text)
            and all(word_overlap(candidate.text, one.text) < ONE_WORDING for one in kept)
        ):
            kept.append(candidate)
    return tuple(kept[:ALIGNED])


def _claims(archive: SearchBackend, asked: ParsedQuery, columns: Sequence[Column]) -> list[Claim]:
    """Return the rows: the figure that is asked for, then the other claims."""
    figure = asked_figure(asked)
    sentences = [column.ranked for column in columns]
    lead = figure_claim(sentences, figure) if figure is not None else None
    if lead is None:
        return _choose(align_claims(sentences, asked.query, archive.embed))
    others = [
        [c for c in column if c is not cell]
        for column, cell in zip(sentences, lead.cells, strict=True)
    ]
    rows = _choose(align_claims(others, asked.query, archive.embed))
    return [lead, *rows][:MOST_ROWS]


def _choose(claims: Sequence[Claim]) -> list[Claim]:
    """Return the rows to show: claims of several columns, then the best of single ones."""
    shared = [claim for claim in claims if claim.width > 1][:MOST_ROWS]
    alone: list[Claim] = []
    for claim in claims:
        column = next(i for i, cell in enumerate(claim.cells) if cell is not None)
        same = sum(other.cells[column] is not None for other in alone)
        if claim.width == 1 and same < MOST_ALONE:
            alone.append(claim)
    return [*shared, *alone][: max(MOST_ROWS, len(shared))]


def _disagrees(claim: Claim) -> bool:
    """Return whether columns differ in reports of the same days."""
    days = [
        claim.cells[i].hit.metadata.published  # type: ignore[union-attr]
        for i in claim.differing
    ]
    known = [day for day in days if day is not None]
    return len(known) > 1 and max(known) - min(known) <= SAME_DAYS


def _silent_notice(columns: Sequence[Column], silent: Sequence[str]) -> tuple[Notice, ...]:
    if silent:
        return (Notice("publishers_silent", publishers=silent),)
    missing = [column.name for column in columns if not column.ranked]
    return (Notice("sides_missing", sides=missing),) if missing else ()


def _refuse(
    archive: SearchBackend, asked: ParsedQuery, columns: Sequence[Column], filters: Filters
) -> Answer:
    found = retrieve(archive, asked, filters=filters)
    if asked.intent == "period" and not found.hits:
        return refuse_period(found, filters)
    why = refusal_reason(found.question, score_sentences(archive, found))
    why = why or Notice("nothing_relevant")
    refused = refusal_answer(found.question, found.nearest_hits, why, filters, found.notices)
    return replace(refused, candidates_considered=found.considered)
