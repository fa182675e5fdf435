"""List questions: the sentence that lists the items, or one sentence for each further item."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.sentence_selection import RELEVANT_FROM, choose_sentences
from rag.nlp.entities import find_names, is_country, names_match, normalize_name
from rag.nlp.tokens import content_words, stem_words
from rag.query.parser import ParsedQuery

NEAR_THE_BEST = 2.0  # largest difference in score of a sentence that lists more, or adds an item
MOST_ITEMS = 4  # sentences of a list
MOST_OF_IT = 0.75  # share of a question's other words that a further sentence must have

_PLURAL = (
    r"countries|nations|states|cities|towns|places|people|men|women|players|teams|companies|films"
    r"|movies|shows|songs|books|parties|candidates|politicians|leaders|actors|members|victims"
    r"|airlines|banks|stores|brands|schools|universities|artists|bands|groups|athletes|winners|[a-z]{3,20}s"
)
_LIST = re.compile(
    rf"^(?:(?:please )?(?:list|name|enumerate)\b"
    rf"|(?:which|what) (?:\w{{1,20}} ){{0,2}}?(?:{_PLURAL}) (?!is\b|was\b|has\b|does\b|did\b)"
    r"|who (?:all|else|were|are|(?:was|were|got) (?:killed|arrested|charged|injured|hurt|nominated"
    r"|elected|invited|involved|on board|aboard|hired|fired|sacked)|voted|signed|died|attended"
    r"|took part)\b"
    r"|what (?:were|are) the (?:\w{1,20} ){0,2}?(?:names|countries|items|demands|reasons|steps))",
    re.IGNORECASE,
)


def asks_for_list(question: str) -> bool:
    """Return whether a question asks for several items."""
    return bool(_LIST.match(question.strip()))


def choose_items(
    question: ParsedQuery, ranked: Sequence[SentenceCandidate]
) -> list[SentenceCandidate]:
    """Return the sentences that give the items of a list, without padding.

    The first sentence lists the most new items among those near the best; each further one adds an
    item.

    Args:
        question: The parsed question.
        ranked: Scored sentences, best first.
    """
    if not ranked:
        return []
    near = [
        c
        for c in ranked
        if c.score >= ranked[0].score - NEAR_THE_BEST
        and c.relevance >= min(RELEVANT_FROM, ranked[0].relevance)
        and not (c.features["asks"] or c.features["fragment"])
    ]
    if not near:
        return [ranked[0]]
    items = {id(c): _items(question, c) for c in near}
    first = max(near, key=lambda c: min(len(items[id(c)]), MOST_ITEMS) * 0.5 + c.score)
    picked, known = [first], list(items[id(first)])
    if not known:
        return choose_sentences(ranked)
    if len(known) > 1:  # the sentence lists the items
        return picked
    for candidate in near:
        new = items[id(candidate)]
        repeats = any(names_match(item, other) for item in new for other in known)
        if candidate is first or not new or repeats or not _is_about(question, candidate):
            continue
        picked.append(candidate)
        known += new
    return picked[:MOST_ITEMS]


def _items(question: ParsedQuery, candidate: SentenceCandidate) -> list[str]:
    """Return the distinct names of the asked kind that a sentence adds to the question."""
    asked = [name.text for name in find_names("of " + question.text)]
    words = stem_words(question.text)
    found: list[str] = []
    for name in find_names(candidate.text):
        if any(names_match(name.text, other) for other in [*asked, *found]):
            continue
        if {w.stem for w in content_words(name.text)} <= words:
            continue
        if question.expected.type == "person" and is_country(name.text):
            continue
        if _asks_countries(question.text) and not is_country(name.text):
            continue
        found.append(normalize_name(name.text) if is_country(name.text) else name.text)
    return found


def _asks_countries(text: str) -> bool:
    return bool(re.search(r"\b(?:countries|nations)\b", text, re.IGNORECASE))


def _is_about(question: ParsedQuery, candidate: SentenceCandidate) -> bool:
    wanted = stem_words(question.query) - stem_words(question.expected.head)
    there = stem_words(candidate.text)
    return len(wanted & there) >= MOST_OF_IT * max(1, len(wanted))
