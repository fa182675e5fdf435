"""Consensus scoring: a name or figure that several articles give is likelier to be the answer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names, names_match, normalize_name
from rag.nlp.numbers import DateMention, find_dates, find_numbers
from rag.nlp.quotations import find_quotations
from rag.nlp.tokens import content_words, stem_words, tokenize
from rag.query.answer_type import ExpectedAnswer

LONGEST_TITLE = 6  # words; a quotation up to this length may be a song's or a film's title
NEAR = 30  # characters between a name and its type, as in "the island of Kyushu"


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a sentence that the question doesn't contain, with their positions in it."""

    starts: Mapping[object, int]


def extract_facts(sentence: str, question: str, asked: ExpectedAnswer) -> Facts:
    """Return the facts of the expected type that a sentence adds to the question.

    A person's key is the last name, a country's is the same for all of its names.

    Args:
        sentence: The sentence.
        question: The question; names, figures and dates that it contains are left out.
        asked: The expected answer, whose type selects figures, days or names.
    """
    if asked.type in ("yes or no", "speech", "reason"):
        return Facts({})  # a name is no answer to these
    if asked.type == "figure":
        known = {f.value for f in find_numbers(question)}
        return Facts(
            {(f.value, f.unit): f.start for f in find_numbers(sentence) if f.value not in known}
        )
    if asked.type == "day":
        spoken = {_date_key(d) for d in find_dates(question)}
        found: dict[object, int] = {_date_key(d): d.start for d in find_dates(sentence)}
        return Facts({day: start for day, start in found.items() if day not in spoken})
    return Facts(_names(sentence, question))


def _date_key(date: DateMention) -> tuple[int, int, int, str]:
    return date.year, date.month, date.day, date.weekday


def _names(sentence: str, question: str) -> dict[object, int]:
    known = [name.text for name in find_names(question)]
    asked = stem_words(question)
    found: dict[object, int] = {}
    for name in find_names(sentence):
        own = {word.stem for word in content_words(name.text)}
        if own <= asked or any(names_match(name.text, other) for other in known):
            continue
        whole = normalize_name(name.text)
        last = re.sub(r"[’']s$", "", name.text).split()[-1]
        found[whole if whole != name.text.lower() else stem(last)] = name.start
    for quotation in find_quotations(sentence):
        if len(quotation.text.split()) <= LONGEST_TITLE:
            found[tuple(word.stem for word in content_words(quotation.text))] = quotation.start
    return found


def consensus_scores(
    found: Sequence[Facts], shares: Sequence[float], articles: Sequence[str]
) -> list[float]:
    """Return a score from 0 to 1 for each sentence, by the support for its best fact.

    Args:
        found: The facts of each sentence.
        shares: The weight of each sentence.
        articles: The article id of each sentence; an article supports each fact once.
    """
    by_name: dict[object, dict[str, float]] = defaultdict(dict)
    for each, share, article in zip(found, shares, articles, strict=True):
        for name in each.starts:
            by_name[name][article] = max(by_name[name].get(article, 0.0), share)
    for name, by_article in by_name.items():
        for coarser in _coarser_dates(name):
            for article, share in by_name.get(coarser, {}).items():
                by_article[article] = max(by_article.get(article, 0.0), share)
    weight = {name: sum(by_article.values()) for name, by_article in by_name.items()}
    most = max(weight.values(), default=1.0)
    return [max((weight[name] for name in each.starts), default=0.0) / most for each in found]


def _coarser_dates(name: object) -> list[object]:
    """Return the dates with which a date agrees and that say less: "June" of "19 June 2024"."""
    match name:
        case (int(year), int(month), int(day), ""):
            found: list[object] = [(y, month, d, "") for y in (year, 0) for d in (day, 0)]
            return [date for date in found if date != name]
        case _:
            return []


def names_the_asked_type(each: Facts, sentence: str, asked: ExpectedAnswer) -> float:
    """Return 1 if the asked type stands beside a new name ("the island of Kyushu"), else 0."""
    head = stem_words(asked.head) if asked.type in ("person", "place", "name") else frozenset()
    if not head:
        return 0.0
    at = [word.start for word in tokenize(sentence) if word.stem in head]
    return float(any(abs(a - start) < NEAR for a in at for start in each.starts.values()))
