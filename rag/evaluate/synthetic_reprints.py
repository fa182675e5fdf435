"""Synthetic reprints: near-duplicate pairs made from real articles.

Reprints imitate the edits of newspapers: paragraphs are cut, words changed, bylines and datelines
replaced. The edits are cruder than real ones, because random word changes cost more similarity than
careful rewording.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rag.schema import Article

FEWEST_PARAGRAPHS = 6
FEWEST_WORDS = 150
A_PARAGRAPH = 8  # words; shorter paragraphs are headings or credits and aren't cut
CHANGED = 0.03  # share of words that are changed, about one in two sentences
BRIEF = 60  # minimum words of a lead
LATER = (0, 0, 1, 2, 3)  # days between original and reprint, one of which is drawn
_DATELINE = re.compile(r"\A[A-Z][\w ,.’'-]{1,40}(?:\([\w ]+\))? ?[—–-]{1,2} |\A\([\w ]+\) ")
_DESKS = ("Harbour Courier", "Pellworth Tribune", "Saltmarsh Monitor")
_PLACES = ("VELSUND", "PELLWORTH", "ALDER CROSS")
_NAMES = ("Noor Haan", "Tor Brandt", "Ines Dahl")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles, the kind of their relation, and whether they are one story."""

    kind: str
    one: Article
    other: Article
    same: bool

    @property
    def id(self) -> str:
        """Id of the pair, from its kind and its articles' ids."""
        return f"{self.kind}: {self.one.id} {self.other.id}"


def synthetic_reprints(articles: Sequence[Article], *, each: int, seed: int = 1) -> list[Pair]:
    """Return reprints of each kind, each of another article.

    Args:
        articles: The articles; short ones are skipped.
        each: The number of reprints of each kind.
        seed: The seed of the random choices.
    """
    drawn = random.Random(seed)  # nosec B311 # a repeatable sample, no secret
    suitable = [article for article in articles if _is_long_enough(article)]
    pairs = []
    for kind, change in _KINDS.items():
        for article in drawn.sample(suitable, min(each, len(suitable))):
            pairs.append(Pair(kind, article, _reprint(article, change, drawn), same=True))
    return pairs


def _is_long_enough(article: Article) -> bool:
    paragraphs = _paragraphs(article.text)
    worth_cutting = sum(len(p.split()) >= A_PARAGRAPH for p in paragraphs)
    return worth_cutting >= FEWEST_PARAGRAPHS and len(article.text.split()) >= FEWEST_WORDS


def _reprint(article: Article, change: _Change, drawn: random.Random) -> Article:
    paragraphs = _paragraphs(article.text)
    days = drawn.choice(LATER)
    return article.replace(
        id=f"reprint of {article.id}",
        url="",
        title=" ".join(paragraphs[-1].split()[:8]),
        publisher=drawn.choice(_DESKS),
        text="\n\n".join(change(paragraphs, drawn)),
        published=article.published + timedelta(days=days) if article.published else None,
    )


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]


_Change = Callable[[list[str], random.Random], list[str]]


def _cut_paragraphs(paragraphs: list[str], drawn: random.Random) -> list[str]:
    """Remove two paragraphs."""
    places = [i for i, p in enumerate(paragraphs) if len(p.split()) >= A_PARAGRAPH]
    gone = set(drawn.sample(places, 2))
    return [p for i, p in enumerate(paragraphs) if i not in gone]


def _edit_words(paragraphs: list[str], drawn: random.Random) -> list[str]:
    """Drop or replace some words, and change the form of quotation marks."""
    pool = [word for p in paragraphs for word in p.split() if word.isalpha() and word.islower()]
    edited = []
    for paragraph in paragraphs:
        words: list[str] = []
        for word in paragraph.split(" "):
            if word.isalpha() and drawn.random() < CHANGED:
                word = drawn.choice(("", drawn.choice(pool or [""])))
            words += [word] if word else []
        edited.append(" ".join(words).replace("“", '"').replace("”", '"').replace("’", "'"))
    return edited


def _replace_byline(paragraphs: list[str], drawn: random.Random) -> list[str]:
    """Replace byline and dateline, and add a credit line at the end."""
    first = _DATELINE.sub("", paragraphs[0])
    dateline = f"{drawn.choice(_PLACES)} — {first}"
    end = f"Additional reporting by {drawn.choice(_NAMES)} in {drawn.choice(_PLACES).title()}."
    return [f"By {drawn.choice(_NAMES)}", dateline, *paragraphs[1:], end]


def _combine_edits(paragraphs: list[str], drawn: random.Random) -> list[str]:
    return _replace_byline(_edit_words(_cut_paragraphs(paragraphs, drawn), drawn), drawn)


def _keep_lead(paragraphs: list[str], drawn: random.Random) -> list[str]:
    """Keep the lead only, but at least two paragraphs."""
    kept: list[str] = []
    for paragraph in paragraphs:
        kept.append(paragraph)
        if len(kept) >= 2 and len(" ".join(kept).split()) >= BRIEF:
            break
    return kept


_KINDS: dict[str, _Change] = {
    "two paragraphs cut": _cut_paragraphs,
    "lightly edited": _edit_words,
    "byline and dateline": _replace_byline,
    "all three": _combine_edits,
    "lead as a brief": _keep_lead,
}
