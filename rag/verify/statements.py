"""Verify one generated sentence against the passages shown, and cite it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.citations import build_citation, read_citations
from rag.nlp.quotations import quotable_spans
from rag.nlp.tokens import stem_words
from rag.schema import Citation, Hit, Notice, Span, Statement
from rag.verify.verifier import Verdict, Verifier

MOST_SPANS = 2  # spans of a passage cited for one statement


def verify_statement(
    sentence: str, hits: Sequence[Hit], verifier: Verifier, *, articles: Mapping[str, str]
) -> Statement:
    """Verify a sentence, and resolve its citation markers.

    Markers without a passage are dropped. If the cited passages don't support the sentence, another
    shown passage that does is cited instead.

    Args:
        sentence: The sentence with its markers.
        hits: The passages shown, in the order of their numbers.
        verifier: The verifier.
        articles: Full texts by article id.

    Returns:
        The statement; its text is empty if the sentence has only markers.
    """
    cited = read_citations(sentence)
    if not any(character.isalnum() for character in cited.text):
        return Statement(text="", support="not supported", reason=Notice("empty_statement"))
    named = [hits[n - 1] for n in cited.numbers if 1 <= n <= len(hits)]
    verdict = _verify_hits(cited.text, named, verifier, articles)
    if verdict.support != "supported":
        for hit in sorted(hits, key=lambda h: -_count_shared_words(cited.text, h)):
            if hit in named and len(named) == 1:
                continue
            other = _verify_hits(cited.text, [hit], verifier, articles)
            if other.support == "supported":
                named, verdict = [hit], other
                break
    if verdict.support == "supported" and len(named) > 1:
        named = _select_supporting(cited.text, named, verifier, articles)
    citations = tuple(c for hit in named for c in _build_citations(cited.text, hit, hits))
    return Statement(cited.text, citations, verdict.support, verdict.reason)


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
