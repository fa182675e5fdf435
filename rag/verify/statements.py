"""Verify one generated sentence against the passages shown, and cite it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.citations import build_citation, read_citations
from rag.nlp.quotations import quotable_spans
from rag.nlp.tokens import stem_words
from rag.schema import Citation, Hit, Notice, Span, Statement
from rag.verify.evidence import find_words
from rag.verify.verifier import Verdict, Verifier, must_remove

MOST_SPANS = 2  # spans of a passage cited for one statement
MOST_TRIED = 4  # other passages tried alone, by words in common
MOST_CITED = 2  # passages cited for a statement without a passage of its own
NEARLY_SAID = 0.8  # share of a statement's words in one sentence, which then is its evidence,
OWN_WORDS = 0.5  # unless the words given have at least so many of them as that sentence has
_BRACKETED = re.compile(r"[\[<【［][^\]>】］]{0,60}[\]>】］]")  # as [-1] or <passage number=9>


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a passage that a chat model gives for a sentence.

    Attributes:
        number: The passage's number, from 1.
        words: The words, as the model wrote them.
    """

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class VerifiedStatement:
    """A statement, and how it was verified.

    Attributes:
        statement: The statement with its citations; its text is empty if the sentence has only
            markers.
        is_exact: Whether exact comparison decided, so that no model need judge it.
        lacks_evidence: Whether words were given for it that no passage has.
    """

    statement: Statement
    is_exact: bool = False
    lacks_evidence: bool = False

    @property
    def is_removed(self) -> bool:
        """True if the statement is never shown, not even with a mark."""
        return must_remove(self.statement.support, self.statement.reason)


def verify_statement(
    sentence: str,
    hits: Sequence[Hit],
    verifier: Verifier,
    *,
    articles: Mapping[str, str],
    evidence: Sequence[Evidence] = (),
) -> VerifiedStatement:
    """Verify a sentence, and resolve its citation markers.

    Markers without a passage are dropped. If the cited passages don't support the sentence, another
    shown passage that does is cited instead. What no passage has is compared with all of them.

    Args:
        sentence: The sentence with its markers.
        hits: The passages shown, in the order of their numbers.
        verifier: The verifier.
        articles: Full texts by article id.
        evidence: The words that the model gives for the sentence.

    Returns:
        The statement, and how it was verified.
    """
    cited = read_citations(sentence)
    if not any(character.isalnum() for character in _BRACKETED.sub("", cited.text)):
        return VerifiedStatement(
            Statement(text="", support="not supported", reason=Notice("empty_statement")), True
        )
    found = {each: place for each in evidence if (place := _find_evidence(each, hits)) is not None}
    numbers = (*(number for number, _ in found.values()), *cited.numbers)
    named = [hits[n - 1] for n in dict.fromkeys(numbers) if 1 <= n <= len(hits)]
    named, verdict = _choose_passages(cited.text, named, hits, verifier, articles)
    citations = tuple(
        citation
        for hit in named
        for citation in _cite(
            cited.text,
            hit,
            hits,
            [span for number, span in found.values() if hits[number - 1] is hit],
        )
    )
    lacks = bool(evidence) and not found and verdict.support != "supported"
    statement = Statement(cited.text, citations, verdict.support, verdict.reason)
    return VerifiedStatement(statement, verdict.is_exact, lacks)


def _find_evidence(evidence: Evidence, hits: Sequence[Hit]) -> tuple[int, Span] | None:
    """Return the passage's number and the range of its text that has the words given."""
    numbers = list(range(1, len(hits) + 1))
    if evidence.number in numbers:
        numbers.remove(evidence.number)
        numbers.insert(0, evidence.number)
    for number in numbers:
        span = find_words(evidence.words, hits[number - 1].passage.text)
        if span is not None:
            return number, span
    return None


def _choose_passages(
    text: str,
    named: list[Hit],
    hits: Sequence[Hit],
    verifier: Verifier,
    articles: Mapping[str, str],
) -> tuple[list[Hit], Verdict]:
    """Return the passages to cite for a sentence, and the verdict on it."""
    verdict = _verify_hits(text, named, verifier, articles)
    if verdict.support == "supported":
        alone = _select_supporting(text, named, verifier, articles) if len(named) > 1 else named
        return alone, verdict
    near = sorted(hits, key=lambda hit: -_count_shared_words(text, hit))
    for hit in near[:MOST_TRIED]:
        if [hit] == named:
            continue
        other = _verify_hits(text, [hit], verifier, articles)
        if other.support == "supported":
            return [hit], other
    if len(hits) > len(named):
        verdict = _verify_hits(text, hits, verifier, articles)
    return named or [hit for hit in near[:MOST_CITED] if _count_shared_words(text, hit)], verdict


def _verify_hits(
    text: str, named: Sequence[Hit], verifier: Verifier, articles: Mapping[str, str]
) -> Verdict:
    article = " ".join(articles.get(hit.passage.article_id, "") for hit in named)
    return verifier.verify(text, named, article=article)


def _select_supporting(
    text: str, named: Sequence[Hit], verifier: Verifier, articles: Mapping[str, str]
) -> list[Hit]:
    """Return the cited passages that support the statement alone; all if none does."""
    alone = [h for h in named if _verify_hits(text, [h], verifier, articles).support == "supported"]
    return alone or list(named)


def _count_shared_words(text: str, hit: Hit) -> int:
    return len(stem_words(text) & stem_words(hit.passage.text))


def _cite(text: str, hit: Hit, hits: Sequence[Hit], given: Sequence[Span]) -> list[Citation]:
    """Return citations of the words given for a statement, or of those that it shares most.

    If a sentence has nearly all of the statement's words and the words given have few of them, they
    were given for another statement.
    """
    passage, mine = hit.passage, stem_words(text)
    built = _build_citations(text, hit, hits)
    words = " ".join(passage.text[span.start : span.end] for span in given)
    best = max(len(mine & stem_words(citation.quote)) for citation in built)
    of_another = (
        best >= NEARLY_SAID * len(mine) and len(mine & stem_words(words)) < OWN_WORDS * best
    )
    if not given or of_another:
        return built
    return [
        build_citation(
            hits.index(hit) + 1, hit, Span(passage.start + span.start, passage.start + span.end)
        )
        for span in sorted(given, key=lambda span: span.start)
    ]


def _build_citations(text: str, hit: Hit, hits: Sequence[Hit]) -> list[Citation]:
    """Return citations of the spans of `hit` that share most words with the statement."""
    passage = hit.passage
    spans = quotable_spans(passage.text)
    if not spans:
        return [build_citation(hits.index(hit) + 1, hit)]
    mine = stem_words(text)
    shared = [stem_words(passage.text[s.start : s.end]) & mine for s in spans]
    best = max(range(len(spans)), key=lambda i: len(shared[i]))
    chosen, covered = [best], shared[best]
    for i in sorted(range(len(spans)), key=lambda i: -len(shared[i] - covered)):
        if len(chosen) < MOST_SPANS and len(shared[i] - covered) >= 2:
            chosen.append(i)
            covered |= shared[i]
    return [
        build_citation(
            hits.index(hit) + 1,
            hit,
            Span(passage.start + spans[i].start, passage.start + spans[i].end),
        )
        for i in sorted(chosen)
    ]
