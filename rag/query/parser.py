"""Question parser: search terms, time range, publishers, authors and expected answer type."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from rag.nlp.entities import find_names
from rag.query.answer_type import ExpectedAnswer, classify_question
from rag.query.attributions import (
    Attribution,
    asks_for_an_author,
    find_authors,
    find_publishers,
    spans_of,
)
from rag.query.commands import command_spans, small_talk
from rag.query.decompose import split_question
from rag.query.followups import needs_history, resolve_followup
from rag.query.length_limit import LONGEST_QUESTION, check_length
from rag.query.period import find_period
from rag.query.time_filter import TimeFilterMatch, find_time_filter
from rag.schema import Notice, TimeRange

__all__ = [
    "LONGEST_QUESTION",
    "Intent",
    "ParsedQuery",
    "asks_for_an_author",
    "first_and_last",
    "needs_history",
    "parse_question",
    "relax_time_filter",
    "remove_constraints",
    "resolve_followup",
]

# What a message wants: an answer about a topic, the news of a period, or none of the two.
Intent = Literal["question", "period", "greeting", "thanks", "no topic"]
_VERSUS = re.compile(r"(?<!\s)\s+vs?\.?\s+")
_QUOTED = re.compile(r"[\"“]([^\"”“]{2,120})[\"”]")
_YEAR = re.compile(r"(?<![\d.,$€£-])(?:19|20)\d\d(?![\d.,%-]\d|\d)")
_EXCLUDED = re.compile(
    r"(?:^|\s)-(?P<minus>\w[\w’'-]*)"
    r"|\b(?:excluding|leaving out|without mentioning|but not|not (?:about|on|from|in)|other than"
    r"|except(?: for)?|apart from)\s+(?:the\s+)?(?P<named>(?:[A-Z][\w’'-]+)(?:\s+[A-Z][\w’'-]+)*)"
    # lower-case words only after unambiguous phrases, not after "not in" or "other than"
    r"|\b(?:excluding|leaving out|without mentioning|but not about)\s+(?:the\s+)?(?P<word>[\w’'-]+)"
)


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A parsed question, made once by `parse_question` and passed to search and answering.

    Attributes:
        text: The question with normalised white space.
        query: Terms for the index, without time expressions and attributions ("according to ...").
        asked_on: The aware moment from which "last week" was counted.
        expected: The answer type of the whole question.
        query_expected: The answer type of `query`, by which sentences are scored.
        time_range: The range in which the articles were published; None for no limit.
        publishers: The publishers that the question cites.
        authors: The authors that the question cites.
        phrases: Phrases in quotation marks.
        excluded: Words that the question excludes.
        parts: Sub-questions that are searched separately ("Did A ..., while B ...?"). If there are
            any, a time range or publisher of one part affects the ranking but excludes nothing.
        years: Years in the words that are no time range ("the 2022 Emmy Awards"); articles of
            those years rank higher.
        time_neutral: Whether the ranking ignores publication dates.
        intent: "question", or "period" if it asks for the news of its time range without a topic,
            or "greeting", "thanks" or "no topic" if there is nothing to search for.
        notices: Notices on how the question was read, such as a corrected spelling.
    """

    text: str
    query: str
    asked_on: datetime
    expected: ExpectedAnswer
    query_expected: ExpectedAnswer
    time_range: TimeRange | None = None
    publishers: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    parts: tuple[ParsedQuery, ...] = ()
    years: tuple[int, ...] = ()
    time_neutral: bool = False
    intent: Intent = "question"
    notices: tuple[Notice, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of people, places and institutions that the question asks about, as written."""
        found: list[tuple[int, int]] = []
        for name in find_names(self.query):
            if found and _VERSUS.fullmatch(self.query[found[-1][1] : name.start]):
                found[-1] = (found[-1][0], name.end)  # "Roe v. Wade" is one
            else:
                found.append((name.start, name.end))
        return tuple(dict.fromkeys(self.query[start:end] for start, end in found))

    def describe(self) -> tuple[Notice, ...]:
        """Return a notice for each constraint that was read from the question."""
        described = list(_describe_time_range(self.time_range))
        for code, name, values in (
            ("from_publishers", "publishers", self.publishers),
            ("by_authors", "authors", self.authors),
            ("with_phrases", "phrases", self.phrases),
            ("without_words", "words", self.excluded),
        ):
            if values:
                described.append(Notice(code, **{name: values}))
        return tuple(described)


def parse_question(
    question: str,
    *,
    asked_on: datetime,
    publishers: Sequence[str] = (),
    authors: Sequence[str] = (),
) -> ParsedQuery:
    """Return the search terms and constraints of a question.

    Args:
        question: The question, as asked.
        asked_on: The aware moment from which "last week" is counted.
        publishers: The archive's publishers; only these are recognised.
        authors: The archive's authors; only these are recognised.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    check_length(question)
    whole = _parse(question, asked_on, publishers, authors)
    if whole.intent != "question":
        return whole
    parts = split_question(whole.text, cited=len(whole.publishers))
    if not parts:
        return whole
    apart = tuple(relax_time_filter(_parse(part, asked_on, publishers, authors)) for part in parts)
    return replace(relax_time_filter(whole), parts=apart)


def relax_time_filter(question: ParsedQuery) -> ParsedQuery:
    """Return the question with a time range that affects the ranking but excludes nothing."""
    window = question.time_range
    return replace(question, time_range=replace(window, hard=False)) if window else question


def without_time_weights(question: ParsedQuery) -> ParsedQuery:
    """Return the question, parts included, with a ranking that ignores publication dates."""
    parts = tuple(replace(part, time_neutral=True) for part in question.parts)
    return replace(question, time_neutral=True, parts=parts)


def _parse(
    question: str, asked_on: datetime, publishers: Sequence[str], authors: Sequence[str]
) -> ParsedQuery:
    text = " ".join(question.split())
    attributed = find_publishers(text, publishers)
    by_authors = find_authors(text, authors)
    commands = command_spans(text)
    intent, window = _read_intent(text, asked_on, attributed, by_authors, commands)
    ruled_out = [m for m in _EXCLUDED.finditer(text) if not _QUOTED.search(m[0])]
    spans = [m.span() for m in ruled_out] + list(attributed.spans)
    spans += window.spans if window else ()
    spans += commands
    phrases = (m.strip() for m in _QUOTED.findall(text))
    query = _remove_spans(text, spans)
    expected = _without_publisher(classify_question(text), text, attributed)
    return ParsedQuery(
        text=text,
        query=query,
        asked_on=asked_on,
        time_range=window.time_range if window else None,
        publishers=attributed.names,
        authors=by_authors,
        phrases=tuple(p for p in phrases if p not in publishers),
        excluded=tuple(m["minus"] or m["named"] or m["word"] for m in ruled_out),
        years=() if window else tuple(dict.fromkeys(map(int, _YEAR.findall(text)))),
        expected=expected,
        query_expected=expected if query == text else classify_question(query),
        intent=intent,
    )


def _without_publisher(
    expected: ExpectedAnswer, text: str, attributed: Attribution
) -> ExpectedAnswer:
    """Return the expected answer; what a publisher says is no quotation of a speaker."""
    start = text.find(expected.whose)
    speaks = bool(expected.whose) and any(
        start < last and first < start + len(expected.whose) for first, last in attributed.spans
    )
    return replace(expected, type="anything", whose="") if speaks else expected


def _read_intent(
    text: str,
    asked_on: datetime,
    attributed: Attribution,
    by_authors: Sequence[str],
    commands: Sequence[tuple[int, int]],
) -> tuple[Intent, TimeFilterMatch | None]:
    """Return what a question wants, and its time range."""
    talk = small_talk(text)
    if talk is not None:
        return talk, None
    if not re.search(r"\w", _cut(text, commands)):
        return "no topic", None
    sources = [*attributed.names, *by_authors]
    removed = [*commands, *attributed.spans, *spans_of(text, by_authors)]
    period = find_period(text, removed, asked_on, source=next(iter(sources), ""))
    if period is not None:
        return "period", period
    return "question", find_time_filter(text, asked_on)


def remove_constraints(
    question: str,
    kinds: Collection[str],
    *,
    asked_on: datetime,
    publishers: Sequence[str] = (),
    authors: Sequence[str] = (),
) -> str:
    """Return the question without the words of some of its constraints.

    Args:
        question: The question, as asked.
        kinds: Constraints to remove: "window" (the time range), "publishers", "authors", "phrases"
            or "excluded".
        asked_on: The aware moment from which "last week" is counted.
        publishers: The archive's publishers.
        authors: The archive's authors.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    check_length(question)
    text = " ".join(question.split())
    spans: list[tuple[int, int]] = []
    if "window" in kinds:
        attributed, by_authors = find_publishers(text, publishers), find_authors(text, authors)
        _, window = _read_intent(text, asked_on, attributed, by_authors, command_spans(text))
        spans += window.spans if window else ()
    if "publishers" in kinds:
        spans += find_publishers(text, publishers).spans
    if "authors" in kinds:
        spans += spans_of(text, find_authors(text, authors))
    if "excluded" in kinds:
        spans += [m.span() for m in _EXCLUDED.finditer(text) if not _QUOTED.search(m[0])]
    if "phrases" in kinds:
        spans += [(at, at + 1) for m in _QUOTED.finditer(text) for at in (m.start(), m.end() - 1)]
    return _remove_spans(text, spans)


def first_and_last(window: TimeRange) -> tuple[datetime | None, datetime | None]:
    """Return the first and last day of a time range; the range's own end is the day after."""
    return window.start, window.end - timedelta(days=1) if window.end else None


def _remove_spans(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the text without the spans; the whole text if no word would be left."""
    left = _cut(text, spans)
    return left if re.search(r"\w", left) else text


def _cut(text: str, spans: Sequence[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in sorted(spans):
        kept.append(text[at : max(start, at)])
        at = max(at, end)
    return " ".join("".join([*kept, text[at:]]).split())


def _describe_time_range(window: TimeRange | None) -> Iterator[Notice]:
    if window is None:
        return
    which = "published" if window.hard else "preferably"
    first, last = first_and_last(window)
    if first and last and first.date() == last.date():
        yield Notice(f"{which}_on", day=first)
    elif first and last:
        yield Notice(f"{which}_between", first=first, last=last)
    elif first:
        yield Notice(f"{which}_since", first=first)
    elif last:
        yield Notice(f"{which}_until", last=last)
