"""Perturbed sentences: one detail changed, to test whether the verifier notices."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.nlp.entities import TITLES, find_names
from rag.nlp.numbers import find_numbers
from rag.nlp.quotations import find_quotations, quotable_spans
from rag.nlp.tokens import tokenize
from rag.schema import Article

_LIST = re.compile(r"(?:[ ,]|and\b|or\b|the\b|[A-Z][\w.’'-]*+)*+")
Kind = Literal["quotation", "figure", "name", "role", "subject", "other sentence"]
Change = Callable[[str, str, random.Random], str]  # (sentence, passage) -> altered sentence or ""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A sentence of an article, its altered version, and its passage."""

    kind: Kind
    passage: str
    original: str
    altered: str


def perturb(articles: Iterable[Article], *, seed: int = 1) -> Iterator[Perturbation]:
    """Yield one altered sentence of each kind from each article that allows it.

    Args:
        articles: The articles.
        seed: The seed of the random choices.
    """
    chance = random.Random(seed)  # nosec B311 # a repeatable sample, no secret
    for article in articles:
        paragraphs = [p for p in article.text.split("\n\n") if len(p) > 60]
        passages = ["\n\n".join(paragraphs[i : i + 4]) for i in range(0, len(paragraphs), 4)]
        for kind, change in _CHANGES:
            chance.shuffle(passages)
            found = next(_of_kind(kind, change, passages, chance), None)
            if found is not None:
                yield found


def _of_kind(
    kind: Kind, change: Change, passages: Sequence[str], chance: random.Random
) -> Iterator[Perturbation]:
    for passage in passages:
        texts = [passage[u.start : u.end] for u in quotable_spans(passage)]
        for text in chance.sample(texts, len(texts)):
            altered = change(text, passage, chance) if len(text.split()) > 6 else ""
            if altered and altered not in passage and altered != text:
                yield Perturbation(kind, passage, text, altered)


def _other_word(text: str, passage: str, chance: random.Random) -> str:
    quoted = [q for q in find_quotations(text) if len(q.text.split()) >= 4]
    if not quoted:
        return ""
    quote = chance.choice(quoted)
    inside = [w for w in tokenize(quote.text) if w.text.isalpha()]
    pool = [w.text for w in tokenize(passage) if w.text.isalpha() and not w.is_stop_word]
    word, other = chance.choice(inside), chance.choice(pool)
    if word.text.lower() == other.lower():
        return ""
    at = quote.start + 1 + word.start
    return text[:at] + other + text[at + len(word.text) :]


def _other_digit(text: str, passage: str, chance: random.Random) -> str:
    found = [f for f in find_numbers(text) if re.search(r"\d", f.text)]
    if not found:
        return ""
    figure = chance.choice(found)
    at = chance.choice([i for i in range(figure.start, figure.end) if text[i].isdigit()])
    digit = chance.choice([d for d in "123456789" if d != text[at]])
    altered = text[:at] + digit + text[at + 1 :]
    new = altered[figure.start : figure.end]
    return "" if re.search(rf"(?<![\d.,]){re.escape(new)}(?![\d.,])", passage) else altered


def _other_name(text: str, passage: str, chance: random.Random) -> str:
    """Swap two names in a sentence."""
    found = [n for n in find_names(text) if len(n.text) > 3]
    if len(found) < 2:
        return ""
    one, two = sorted(chance.sample(found, 2), key=lambda n: n.start)
    alike = one.text in two.text or two.text in one.text
    joined = _LIST.fullmatch(text[one.end : two.start])  # a list says the same in any order
    if alike or joined:
        return ""
    between = text[one.end : two.start]
    return text[: one.start] + two.text + between + one.text + text[two.end :]


def _other_role(text: str, passage: str, chance: random.Random) -> str:
    """Replace a person's title with one that the passage doesn't have."""
    for name in find_names(text):
        before = re.search(r"\b([A-Za-z]+) $", text[: name.start])
        if before and before[1].lower() in TITLES and before[1][0].isupper():
            others = [t for t in ("President", "Senator", "Mayor", "King", "Coach", "Judge")
                      if t != before[1] and t not in passage]  # fmt: skip
            return text[: before.start(1)] + chance.choice(others) + text[before.end(1) :]
    return ""


def _other_subject(text: str, passage: str, chance: random.Random) -> str:
    """Replace the name that opens a sentence with one of another sentence."""
    opening = next(iter(find_names(text)), None)
    if opening is None or text[: opening.start].strip(" “\"'("):
        return ""
    there = {name.text for name in find_names(text)}
    others = [
        name.text
        for name in find_names(passage)
        if name.text not in there
        and not any(part in " ".join(there) for part in name.text.split())
        and (" " in name.text) >= (" " in opening.text)
    ]
    if not others:
        return ""
    return text[: opening.start] + chance.choice(others) + text[opening.end :]


def _figure_of_other_sentence(text: str, passage: str, chance: random.Random) -> str:
    """Replace a figure with one in the same unit of another sentence."""
    found = [f for f in find_numbers(text) if re.search(r"\d", f.text)]
    if not found:
        return ""
    figure = chance.choice(found)
    own = {each.value for each in find_numbers(text)}
    others = [
        each.text
        for each in find_numbers(passage)
        if each.value not in own and each.unit == figure.unit and re.search(r"\d", each.text)
    ]
    return text[: figure.start] + chance.choice(others) + text[figure.end :] if others else ""


_CHANGES: tuple[tuple[Kind, Change], ...] = (
    ("quotation", _other_word),
    ("figure", _other_digit),
    ("name", _other_name),
    ("role", _other_role),
    ("subject", _other_subject),
    ("other sentence", _figure_of_other_sentence),
)
