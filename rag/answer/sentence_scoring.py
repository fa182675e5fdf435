"""Sentence scoring: extract candidate sentences from the hits and score them for a question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rag.answer.consensus import consensus_scores, extract_facts, names_the_asked_type
from rag.answer.corrections import is_retracted
from rag.answer.slots import Slot, contradicts_year, fill_slot
from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names, names_match
from rag.nlp.fragments import is_fragment, lead_in_end, leans_on_previous
from rag.nlp.quotations import REPORTING_VERBS, find_speaker, quotable_spans
from rag.nlp.tokens import content_words, stem_words, word_overlap
from rag.query.answer_type import ExpectedAnswer, matches_type, score_speaker
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult
from rag.schema import ALL_RIGHTS, Hit, Passage, Span

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]

# Sentences embedded per question, which takes most of the time. Measured, like the weights below:
# docs/benchmarks.md#sentence-selection.
MOST_UNITS = 14

COPIED = 0.7  # share of the shorter sentence's words from which one repeats the other
LONGEST_WINDOW = 450  # characters of a sentence with the one it leans on

# Weights of the score, which decides the order: a listwise logistic fit.
WEIGHTS = {
    "meaning": 2.0,
    "covered": 2.0,
    "surrounded": 1.7,
    "holds": 1.2,
    "also": 0.4,
    "speaks": 2.0,
    "another": -1.5,
    "fills": 0.5,
    "miscounts": -1.5,
    "lead": 0.4,
    "asks": -1.1,
    "contradicts": -2.0,
    "agreed": 1.3,
    "called": 1.3,
    "found": 2.6,
    "judged": 12.0,  # a cross-encoder's share, where one is set: more than all others differ
}
# Those that a sentence has by itself, before it is compared with others or embedded.
OWN_FEATURES = (
    *("covered", "surrounded", "holds", "also", "fills"),
    *("miscounts", "speaks", "another", "lead", "asks"),
)
# Weights of the relevance, which decides refusals: semantic similarity counts most.
RELEVANCE = {
    "meaning": 4.0,
    "covered": 2.0,
    "surrounded": 1.5,
    "holds": 1.0,
    "also": 0.4,
    "speaks": 2.0,
    "another": -1.5,
    "rank": 0.6,
    "lead": 0.2,
    "fragment": -1.5,
    "asks": -1.0,
    "contradicts": -3.0,  # what is said of another year's cup is no answer
}


@dataclass(frozen=True, slots=True)
class SentenceCandidate:
    """A quotable sentence of a hit's passage with its features.

    Attributes:
        hit: The hit.
        span: The sentence's span in the article's text.
        text: The sentence.
        features: The features by name, to be weighted by WEIGHTS or RELEVANCE.
        facts: Keys of the names, figures or days of the asked type that it adds to the question.
        before: The statement before it in the passage, if it can be quoted with it; its features
            don't compare it with the others.
        after: The one after it, likewise.
    """

    hit: Hit
    span: Span
    text: str
    features: Mapping[str, float]
    facts: frozenset[object] = frozenset()
    before: SentenceCandidate | None = field(default=None, repr=False, compare=False)
    after: SentenceCandidate | None = field(default=None, repr=False, compare=False)

    @property
    def score(self) -> float:
        """Score by which sentences are ordered; higher is better."""
        return sum(weight * self.features.get(name, 0.0) for name, weight in WEIGHTS.items())

    @property
    def own_score(self) -> float:
        """The score without a cross-encoder's share."""
        return self.score - WEIGHTS["judged"] * self.features.get("judged", 0.0)

    @property
    def base_score(self) -> float:
        """The part of the score that doesn't compare the sentence with others."""
        return sum(WEIGHTS[name] * self.features.get(name, 0.0) for name in OWN_FEATURES)

    @property
    def relevance(self) -> float:
        """Relevance to the question, by which refusals are decided; higher is better."""
        return sum(weight * self.features.get(name, 0.0) for name, weight in RELEVANCE.items())


def extract_candidates(
    question: ParsedQuery,
    hits: Sequence[Hit],
    *,
    embed: Embed,
    articles: Mapping[str, str],
    most: int = MOST_UNITS,
) -> list[SentenceCandidate]:
    """Return the best quotable sentences of the hits with their features, best first.

    Args:
        question: The parsed question.
        hits: The hits, best first.
        embed: Embeds texts, for the similarity of a sentence to the question.
        articles: Article texts by id, in which bare surnames are looked up; may be empty.
        most: The most sentences to return.
    """
    words, asked = question.query, question.query_expected
    weights = _weights(words, asked, hits)
    found = []
    top = max((hit.score for hit in hits), default=0.0)
    for rank, hit in enumerate(hits):
        article = articles.get(hit.passage.article_id, hit.passage.text)
        of_passage = _passage_candidates(words, asked, weights, rank, hit, article)
        found += [_add_features(c, found=hit.score / top if top > 0 else 1.0) for c in of_passage]
    found = _drop_repetitions([c for c in found if not c.features["fragment"]] or found)
    found.sort(key=lambda c: -c.score)
    found = found[:most]
    if not found:
        return []
    vectors = embed([words, *(c.text for c in found)])
    meanings = vectors[1:] @ vectors[0]
    found = [
        _add_features(c, meaning=float(meaning)) for c, meaning in zip(found, meanings, strict=True)
    ]
    return sorted(_add_consensus(found, words, asked), key=lambda c: -c.score)


def _add_features(candidate: SentenceCandidate, **features: float) -> SentenceCandidate:
    return replace(candidate, features={**candidate.features, **features})


def _add_consensus(
    found: Sequence[SentenceCandidate], question: str, asked: ExpectedAnswer
) -> list[SentenceCandidate]:
    """Return the candidates with the features that compare the facts of all of them."""
    best = max(candidate.score for candidate in found)
    each = [extract_facts(candidate.text, question, asked) for candidate in found]
    speaking = consensus_scores(
        each,
        [math.exp(candidate.score - best) for candidate in found],
        _sources(found),
    )
    return [
        replace(
            _add_features(
                candidate, agreed=share, called=names_the_asked_type(own, candidate.text, asked)
            ),
            facts=frozenset(own.starts),
        )
        for candidate, share, own in zip(found, speaking, each, strict=True)
    ]


def _sources(found: Sequence[SentenceCandidate]) -> list[str]:
    """Return each sentence's article, or the first one with its wording: copies don't agree."""
    sources: list[str] = []
    for i, candidate in enumerate(found):
        copied = (
            sources[j] for j in range(i) if word_overlap(candidate.text, found[j].text) >= COPIED
        )
        sources.append(next(copied, candidate.hit.passage.article_id))
    return sources


def _passage_candidates(
    question: str,
    asked: ExpectedAnswer,
    weights: Mapping[str, float],
    rank: int,
    hit: Hit,
    article: str,
) -> list[SentenceCandidate]:
    """Return the sentences of a passage, each with the features that don't need the others."""
    passage, spans = hit.passage, statement_spans(hit.passage)
    texts = [passage.text[s.start : s.end] for s in spans]
    slot = Slot(asked, question, weights)
    published = hit.metadata.published
    year = frozenset([str(published.year)]) if published else frozenset()  # not repeated in it
    title = stem_words(hit.metadata.title) | year
    whole = stem_words(passage.text) | title
    contradicts = float(contradicts_year(question, hit))
    found: list[SentenceCandidate] = []
    for i, span in enumerate(spans):
        fragment = is_fragment(texts[i], opens_line=_opens_line(passage.text, span.start))
        leans = not fragment and leans_on_previous(texts[i])
        if leans and found and _is_window(found[-1], span):
            span = Span(found[-1].span.start - passage.start, span.end)
        text = passage.text[span.start : span.end]
        near = stem_words(" ".join(texts[max(0, i - 1) : i + 2])) | title
        own = stem_words(text) | year
        speaks = score_speaker(asked.whose, text, article) if asked.whose else 0.0
        holds, fills = matches_type(asked.type, text, question), fill_slot(slot, text)
        features = {
            "covered": _share(weights, own, text, speaks, asked),
            "surrounded": 0.5 * _share(weights, near, text, speaks, asked)
            + 0.5 * _share(weights, whole, text, speaks, asked),
            "holds": holds,
            "also": max((matches_type(kind, text, question) for kind in asked.also), default=0.0),
            "fills": fills,
            "miscounts": float(asked.type == "figure" and holds > 0 and not fills),
            "speaks": speaks,
            "another": float(bool(asked.whose) and not speaks and bool(find_speaker(text))),
            "rank": 1 / (1 + rank),
            "lead": 1 / (1 + (passage.start + span.start) / 500),
            "fragment": float(fragment),
            "contradicts": contradicts,
            "asks": float(text.rstrip("”\"’').]").endswith(("?", "？", "؟", "፧"))),
        }
        at = Span(passage.start + span.start, passage.start + span.end)
        found.append(SentenceCandidate(hit, at, text, features))
    return _link_neighbours(found)


def _link_neighbours(found: Sequence[SentenceCandidate]) -> list[SentenceCandidate]:
    """Return the sentences of a passage with those before and after them, fragments left out."""
    ends = [None, *found, None]
    linked = []
    for before, one, after in zip(ends, found, ends[2:], strict=False):
        if before is not None and (before.features["fragment"] or before.span.end > one.span.start):
            before = None
        if after is not None and (after.features["fragment"] or after.span.start < one.span.end):
            after = None
        linked.append(replace(one, before=before, after=after))
    return linked


def _is_window(before: SentenceCandidate, span: Span) -> bool:
    """Return whether a sentence is judged and quoted with the one before it, on which it leans."""
    start = before.span.start - before.hit.passage.start
    return span.end - start <= LONGEST_WINDOW and not before.features["fragment"]


def statement_spans(passage: Passage) -> list[Span]:
    """Return the quotable spans of a passage, without bullets and datelines."""
    text = passage.text
    spans = []
    for span in quotable_spans(text):
        start = span.start
        if _opens_line(text, start):
            start += lead_in_end(text[start : span.end], start=passage.start + start)
        if start < span.end:
            spans.append(Span(start, span.end))
    return spans


def _opens_line(text: str, start: int) -> bool:
    return start == 0 or text[start - 1] == "\n"


def _weights(question: str, asked: ExpectedAnswer, hits: Sequence[Hit]) -> dict[str, float]:
    """Return the weight of each word of the question: higher for names, figures and rare words."""
    named = {w.stem for name in find_names(question) for w in content_words(name.text)}
    head = stem_words(asked.head)
    spread = Counter(word for hit in hits for word in stem_words(hit.passage.text))
    weights = {}
    for word in content_words(question):
        if asked.whose and word.text.lower() in REPORTING_VERBS | _SPEAKING_NOUNS:
            continue
        weight = 1.0 + math.log((len(hits) + 1) / (spread[word.stem] + 1)) / 2
        if word.stem in named or word.text[0].isdigit():
            weight *= 1.6
        if word.stem in head:
            weight *= 0.3  # a sentence that names a country needn't contain the word "country"
        weights[word.stem] = weight
    return weights


_SPEAKING_NOUNS = frozenset(
    "reaction response reply warning threat statement promise position respond react".split()
)


def _share(
    weights: Mapping[str, float],
    there: frozenset[str],
    text: str,
    speaks: float,
    asked: ExpectedAnswer,
) -> float:
    """Return the weighted share of the question's words that a text has, by word or by name."""
    total = sum(weights.values())
    if not total:
        return 0.0
    covered = {word for word in weights if word in there}
    missing = weights.keys() - covered
    if missing and speaks:
        covered |= missing & stem_words(asked.whose)
    if missing:
        called = find_names(text)
        covered |= {w for w in missing if any(_stands_for(n.text, w) for n in called)}
    return sum(weights[word] for word in covered) / total


def _stands_for(name: str, word: str) -> bool:
    return names_match(name, word) or stem(name) == word


def _drop_repetitions(found: list[SentenceCandidate]) -> list[SentenceCandidate]:
    """Return the candidates without those that repeat the words of an earlier one."""
    seen: dict[frozenset[str], None] = {}
    kept = []
    for candidate in found:
        own = stem_words(candidate.text)
        if own in seen:
            continue
        seen[own] = None
        kept.append(candidate)
    return kept


def score_sentences(
    archive: SearchBackend, found: RetrievalResult, most: int = MOST_UNITS
) -> list[SentenceCandidate]:
    """Return the quotable sentences of the hits, best first, without retracted ones.

    Args:
        archive: The archive, for article texts and embeddings.
        found: The result of the search.
        most: The most sentences to return.
    """
    articles = texts_of(archive, found.hits)
    ranked = extract_candidates(
        found.question, found.hits, embed=archive.embed, articles=articles, most=most
    )
    if archive.reranker is not None:
        ranked = _rerank(ranked, found.question, archive.reranker)
    return [_without_retracted(c) for c in ranked if not _is_retracted(c)]


def _is_retracted(candidate: SentenceCandidate | None) -> bool:
    return candidate is not None and is_retracted(candidate.text, candidate.hit.metadata.correction)


def _without_retracted(candidate: SentenceCandidate) -> SentenceCandidate:
    """Return a candidate whose neighbours, with which it may be quoted, aren't retracted."""
    return replace(
        candidate,
        before=None if _is_retracted(candidate.before) else candidate.before,
        after=None if _is_retracted(candidate.after) else candidate.after,
    )


def _rerank(
    ranked: Sequence[SentenceCandidate], asked: ParsedQuery, reranker: BaseCrossEncoder
) -> list[SentenceCandidate]:
    """Return the candidates in the order of a cross-encoder's scores, each read with its title."""
    if len(ranked) < 2:
        return list(ranked)
    pairs = [(asked.text, f"{c.hit.metadata.title}\n{c.text}".strip()) for c in ranked]
    scores = reranker.score(pairs)
    low, high = min(scores), max(scores)
    judged = [(score - low) / (high - low) if high > low else 0.0 for score in scores]
    found = [_add_features(c, judged=share) for c, share in zip(ranked, judged, strict=True)]
    return sorted(found, key=lambda c: -c.score)


def texts_of(archive: SearchBackend, hits: Sequence[Hit]) -> dict[str, str]:
    """Return the full texts of the hits' articles, except those that have changed since the search.

    Rights aren't checked again: the reader may read the articles of these hits.

    Args:
        archive: The archive.
        hits: The hits of a search that respected the reader's rights.
    """
    texts = {}
    for hit in hits:
        article = archive.article(hit.passage.article_id, access=ALL_RIGHTS)
        if article is not None and article.revision == hit.passage.revision:
            texts[article.id] = article.text
    return texts
