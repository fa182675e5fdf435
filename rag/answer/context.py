"""Context of a chat model: more passages than one search, with their neighbours.

A model decides by itself what it uses, so it is given more than a reader would look at: passages
for each part, side and year of the question, and the text around the best ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from rag.answer.llm import SentenceStream
from rag.answer.period_notes import needs_notes, take_notes
from rag.answer.prompts import (
    Turn,
    WriterPrompt,
    build_prompt,
    build_prompt_from_notes,
    fit_to_context,
)
from rag.answer.question_kind import classify_kind
from rag.errors import ChatModelError
from rag.nlp.entities import find_names
from rag.nlp.sentences import split_sentences
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, retrieve
from rag.schema import Access, Article, Filters, Hit, Notice, Passage, Usage

PASSAGES = 24  # about 6,000 tokens of English news; the rest of the context is for their neighbours
PASSAGES_OF_A_PART = 6  # of each part, side or year, whatever else ranks higher
FIRST = 8  # passages of the whole question before those of its parts
WITH_NEIGHBOURS = 5  # of the best passages, the text around them is given as well
NEIGHBOUR_CHARACTERS = 600  # on each side, cut at a sentence
MOST_SUB_QUESTIONS = 4


@dataclass(frozen=True, slots=True)
class WriterContext:
    """The passages and the prompt that a chat model writes an answer from.

    Attributes:
        hits: The passages, in the order of their numbers.
        prompt: The prompt.
        usage: Tokens that were used to make it.
        notices: Notices for the reader.
    """

    hits: tuple[Hit, ...]
    prompt: WriterPrompt
    usage: Usage = field(default_factory=Usage)
    notices: tuple[Notice, ...] = ()


def build_context(
    archive: SearchBackend,
    found: RetrievalResult,
    filters: Filters,
    history: Sequence[Turn],
    new_stream: Callable[[], SentenceStream],
    *,
    most: int,
    context_tokens: int,
) -> WriterContext:
    """Return what a chat model is given: passages, or notes if a period has too many.

    Args:
        archive: The archive.
        found: The search for the whole question.
        filters: The filters that the articles must pass.
        history: The earlier turns, oldest first.
        new_stream: Returns a new stream of the chat model, which takes the notes.
        most: The most passages.
        context_tokens: The most tokens of passages.
    """
    asked = found.question
    if needs_notes(asked, len(found.hits), most):
        try:
            notes = take_notes(archive, asked, filters, new_stream, context_tokens=context_tokens)
        except ChatModelError:
            pass  # it is asked again, in one prompt, and its failure reported
        else:
            prompt = build_prompt_from_notes(asked, notes.texts, history)
            return WriterContext(notes.hits, prompt, notes.usage, notes.notices)
    gathered = gather_context(archive, found, filters, most=most)
    hits = fit_to_context(gathered, asked.text, context_tokens)
    return WriterContext(tuple(hits), build_prompt(asked, hits, history))


def gather_context(
    archive: SearchBackend, found: RetrievalResult, filters: Filters, *, most: int = PASSAGES
) -> tuple[Hit, ...]:
    """Return the passages to give to a chat model, best first.

    Args:
        archive: The archive.
        found: The search for the whole question.
        filters: The filters that the articles must pass.
        most: The most passages.

    Returns:
        The passages, each still `article.text[start:end]`; none overlaps another.
    """
    if not found.hits:
        return ()
    of_parts = [
        retrieve(archive, part, PASSAGES_OF_A_PART, filters=filters).hits
        for part in sub_questions(found.question)
    ]
    mixed = (hit for row in _rows(of_parts) for hit in row)
    hits = _without_repeats((*found.hits[:FIRST], *mixed, *found.hits[FIRST:]))[:most]
    widened = [_with_neighbours(archive, hit, filters.access) for hit in hits[:WITH_NEIGHBOURS]]
    return _merge_overlaps([*widened, *hits[WITH_NEIGHBOURS:]])


def sub_questions(asked: ParsedQuery) -> tuple[ParsedQuery, ...]:
    """Return the questions to search for besides the whole one.

    One for each part of a compound question, else for each side of a comparison, else for each year
    of a change.

    Args:
        asked: The parsed question.
    """
    if asked.parts:
        return asked.parts[:MOST_SUB_QUESTIONS]
    if len(asked.years) > 1:
        words = _without(asked.query, map(str, asked.years))
        return tuple(
            replace(asked, query=f"{words} {year}", years=(year,), parts=())
            for year in asked.years[:MOST_SUB_QUESTIONS]
        )
    if classify_kind(asked) == "comparison":
        sides = compared_names(asked.text)
        return tuple(
            replace(asked, query=_without(asked.query, (s for s in sides if s != side)), parts=())
            for side in sides[:MOST_SUB_QUESTIONS]
        )
    return ()


_JOINED = re.compile(
    r"(?:[’']s?)?(?: \w+){0,3}?,? (?:and|or|than|versus|vs\.?|with|to|from)"
    r"(?: (?:the|that|those|of|in|for|by))*+ ",
    re.IGNORECASE,
)


def compared_names(question: str) -> tuple[str, ...]:
    """Return the names that a question sets side by side: "Sunak and Truss"; none if only one.

    Args:
        question: The question.
    """
    names = find_names(question)
    sides: list[str] = []
    for one, other in pairwise(names):
        if _JOINED.fullmatch(question, one.end, other.start):
            sides += [name.text for name in (one, other) if name.text not in sides]
    return tuple(sides)


def _without(text: str, words: Iterable[str]) -> str:
    """Return a text without some names or years."""
    for word in words:
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)(?:['’]s?)?", " ", text)
    return " ".join(text.split())


def _rows(lists: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
    """Return the first hit of each list, then the second of each, and so on."""
    longest = max(map(len, lists), default=0)
    return [[hits[i] for hits in lists if i < len(hits)] for i in range(longest)]


def _without_repeats(hits: Iterable[Hit]) -> list[Hit]:
    return list({hit.passage: hit for hit in reversed(tuple(hits))}.values())[::-1]


def _with_neighbours(archive: SearchBackend, hit: Hit, access: Access) -> Hit:
    """Return a hit with whole sentences before and after it; itself if its article has changed."""
    article = archive.article(hit.passage.article_id, access=access)
    if article is None or article.revision != hit.passage.revision:
        return hit
    start, end = _widen(article, hit.passage.start, hit.passage.end)
    return replace(
        hit, passage=replace(hit.passage, start=start, end=end, text=article.text[start:end])
    )


def _widen(article: Article, start: int, end: int) -> tuple[int, int]:
    first = max(0, start - NEIGHBOUR_CHARACTERS)
    before = article.text[first:start]
    starts = [span.start for span in split_sentences(before)]
    if first > 0:
        starts = starts[1:]  # the first one may have begun earlier
    after = article.text[end : end + NEIGHBOUR_CHARACTERS]
    ends = [span.end for span in split_sentences(after)]
    if end + NEIGHBOUR_CHARACTERS < len(article.text):
        ends = ends[:-1]
    return (first + starts[0] if starts else start), (end + ends[-1] if ends else end)


def _merge_overlaps(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return the hits with overlapping ones merged, at the place of the better one."""
    kept: list[Hit] = []
    for hit in hits:
        place = len(kept)
        for i in reversed(range(len(kept))):
            if _overlap(kept[i].passage, hit.passage):
                place, hit = i, _merge(kept.pop(i), hit)
        kept.insert(place, hit)
    return tuple(kept)


def _overlap(one: Passage, other: Passage) -> bool:
    same = (one.article_id, one.revision) == (other.article_id, other.revision)
    return same and one.start < other.end and other.start < one.end


def _merge(better: Hit, other: Hit) -> Hit:
    """Return the better hit, widened to cover both of two overlapping ones."""
    first, last = sorted((better.passage, other.passage), key=lambda passage: passage.start)
    end = max(first.end, last.end)
    text = first.text + last.text[first.end - last.start :] if last.end > first.end else first.text
    return replace(better, passage=replace(first, end=end, text=text))
