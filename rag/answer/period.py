"""Answers about a period without a topic: the opening sentence of each main story, dated."""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.answer.extractive import append_statement, quote_statement
from rag.answer.refusal import refusal_answer
from rag.answer.sentence_scoring import SentenceCandidate, texts_of
from rag.nlp.fragments import lead_in_end
from rag.nlp.quotations import quotable_spans
from rag.nlp.sentences import SENTENCE_ENDS
from rag.nlp.tokens import stem_words
from rag.query.parser import ParsedQuery, first_and_last
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult
from rag.schema import Answer, Filters, Hit, Notice, Span

MOST_STORIES = 5  # a reader asks further about one of them
OPENINGS = 5  # first sentences among which an article's opening is looked for
FEWEST_WORDS = 6  # shorter ones are bylines, captions and labels
# Photo credits, and sentences about the article itself or about other ones.
_NO_STORY = re.compile(
    r"^(?:editor['’]s note|for (?:the latest|more|live|full)\b|(?:see|read|click|follow|watch|subscribe|sign up|listen)\b"
    r"|this (?:story|article|page|post|column)\b|updated?\b|photos?:)"
    r"|\b(?:Getty Images|Shutterstock|AP Photo|AFP|Reuters)\b(?:\)|/| [A-Z])|\w/(?:Getty|AP|AFP|Reuters|EPA)\b",
    re.I,
)


def stream_stories(
    archive: SearchBackend, answer: Answer, found: RetrievalResult
) -> Iterator[Answer]:
    """Yield an answer as it grows by the opening sentence of each main story.

    Args:
        archive: The archive.
        answer: The answer so far.
        found: The stories, the most important first.
    """
    hits = found.hits[:MOST_STORIES]
    articles = texts_of(archive, hits)
    for hit in hits:
        opening = opening_sentence(hit)
        if opening is None:
            continue
        article = articles.get(hit.passage.article_id, "")
        answer = append_statement(answer, quote_statement(opening, article, _label(hit)))
        yield answer


def refuse_period(found: RetrievalResult, filters: Filters) -> Answer:
    """Return the refusal of a period without articles, with the nearest days that have some.

    Args:
        found: The result of the search, without hits.
        filters: The filters of the search.
    """
    asked = found.question
    days = [
        hit.metadata.published.date() for hit in found.outside if hit.metadata.published is not None
    ]
    start = asked.time_range.start if asked.time_range else None
    end = asked.time_range.end if asked.time_range else None
    notices = list(found.notices)
    covered = any(notice.code in ("archive_ends", "archive_begins") for notice in notices)
    earlier = [day for day in days if start and day < start.date()]
    later = [day for day in days if end and day >= end.date()]
    if earlier and not covered:
        notices.append(Notice("nearest_earlier", day=max(earlier)))
    if later and not covered:
        notices.append(Notice("nearest_later", day=min(later)))
    return refusal_answer(asked, found.outside, _nothing_published(asked), filters, notices)


def opening_sentence(hit: Hit) -> SentenceCandidate | None:
    """Return the first sentence of an article's first passage that says what its title says.

    Args:
        hit: The hit of the first passage.

    Returns:
        The sentence, without features; None if the passage has none.
    """
    text, at = hit.passage.text, hit.passage.start
    spans = [s for s in quotable_spans(text) if _is_statement(text[s.start : s.end])][:OPENINGS]
    if not spans:
        return None
    title = stem_words(hit.metadata.title)
    shared = [len(stem_words(text[s.start : s.end]) & title) for s in spans]
    quotes = [text[s.start] in "“\"‘'„«" for s in spans]  # which say "she" and not who
    best = max(range(len(spans)), key=lambda i: shared[i] - i - 2 * quotes[i])
    start, end = spans[best].start, spans[best].end
    start += lead_in_end(text[start:end], start=at + start)
    return SentenceCandidate(hit, Span(at + start, at + end), text[start:end], {})


def _is_statement(sentence: str) -> bool:
    """Return whether a sentence may open a story: no byline, caption, question or pointer."""
    return (
        len(sentence.split()) >= FEWEST_WORDS
        and sentence.rstrip("”\"’')]")[-1:] in SENTENCE_ENDS
        and not sentence.rstrip("”\"’')]").endswith("?")
        and not _NO_STORY.search(sentence)
    )


def _label(hit: Hit) -> Notice | None:
    day, publisher = hit.metadata.published, hit.metadata.publisher
    if day is None:
        return None
    return (
        Notice("dated_source", day=day, publisher=publisher)
        if publisher
        else Notice("dated", day=day)
    )


def _nothing_published(asked: ParsedQuery) -> Notice:
    if asked.time_range is None:
        return Notice("nothing_relevant")
    first, last = first_and_last(asked.time_range)
    if first and last and first.date() == last.date():
        return Notice("nothing_published_on", day=first)
    if first and last:
        return Notice("nothing_published_between", first=first, last=last)
    if first:
        return Notice("nothing_published_since", first=first)
    return Notice("nothing_published_until", last=last) if last else Notice("nothing_relevant")


def small_talk_answer(asked: ParsedQuery) -> Answer:
    """Return the reply to a message that asks for nothing, without a search.

    Args:
        asked: The parsed message, whose intent is "greeting", "thanks" or "no topic".
    """
    code = "no_topic" if asked.intent == "no topic" else asked.intent
    return Answer(asked.text, refused=True, refusal=Notice(code))
