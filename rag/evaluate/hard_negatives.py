"""Hard negatives: the most similar pairs of different stories, by wording, event or column."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rag.evaluate.synthetic_reprints import Pair
from rag.nlp.near_duplicates import Hashes, shingle_hashes, word_hashes
from rag.schema import Article

SPREAD = 60  # shingles that occur in more articles are boilerplate and are ignored
SAMPLED = 4  # one in this many shingles is compared, enough to find pairs that share a tenth
SAME_EVENT = timedelta(days=3)
ASKED = 1_000  # articles for which a similar one of another publisher is looked for
COLUMN = 3  # first words that the headlines of a column share
FEWEST_WORDS = 100


def hardest_non_duplicates(articles: Sequence[Article], *, each: int) -> list[Pair]:
    """Return the most similar pairs of each kind, most similar first.

    They count as different stories. Pairs that are near-duplicates in fact need a human verdict.

    Args:
        articles: The articles.
        each: The number of pairs of each kind.
    """
    long = [a for a in articles if len(a.text.split()) >= FEWEST_WORDS]
    words = [word_hashes(article.text) for article in long]
    pairs = {
        "nearest in wording": _nearest(words),
        "same event elsewhere": _elsewhere(long, words),
        "same column": _column(long),
    }
    return [
        Pair(kind, long[i], long[j], same=False)
        for kind, found in pairs.items()
        for i, j in found[:each]
    ]


def _nearest(words: Sequence[Hashes]) -> list[tuple[int, int]]:
    """Return the pair of each article and the one that shares most of its shingles."""
    features = [own[own % np.uint64(SAMPLED) == 0] for own in map(shingle_hashes, words)]
    sizes = np.array([max(1, len(own)) for own in features])
    best: dict[tuple[int, int], float] = {}
    for i, shared in _overlaps(features, SPREAD, range(len(features))):
        shared = shared / np.minimum(sizes, sizes[i])
        j = int(np.argmax(shared))
        if shared[j] > 0:
            best[min(i, j), max(i, j)] = float(shared[j])
    return sorted(best, key=lambda pair: -best[pair])


def _elsewhere(articles: Sequence[Article], words: Sequence[Hashes]) -> list[tuple[int, int]]:
    """Return each article's most similar one of another publisher within three days, as pairs."""
    features = [np.unique(own) for own in words]
    days = np.array([a.published.timestamp() if a.published else np.nan for a in articles])
    publishers = np.array([a.publisher for a in articles])
    best: dict[tuple[int, int], float] = {}
    sizes = np.array([max(1, len(own)) for own in features])
    asked = range(0, len(articles), max(1, len(articles) // ASKED))
    for i, shared in _overlaps(features, max(2, len(articles) // 20), asked):
        with np.errstate(invalid="ignore"):
            near = np.abs(days - days[i]) <= SAME_EVENT.total_seconds()
        alike = np.where(near & (publishers != publishers[i]), shared / np.sqrt(sizes), 0.0)
        j = int(np.argmax(alike))
        if alike[j] > 0:
            best[min(i, j), max(i, j)] = float(alike[j] / np.sqrt(sizes[i]))
    return sorted(best, key=lambda pair: -best[pair])


def _column(articles: Sequence[Article]) -> list[tuple[int, int]]:
    """Return pairs of consecutive articles whose headlines begin alike, closest in time first."""
    columns: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, article in enumerate(articles):
        begins = tuple(re.findall(r"\w+", article.title.casefold())[:COLUMN])
        if len(begins) == COLUMN and article.published:
            columns[article.publisher, *begins].append(i)
    apart: dict[tuple[int, int], float] = {}
    for numbers in columns.values():
        dated = sorted((articles[i].published, i) for i in numbers)
        for (one, i), (other, j) in pairwise(dated):
            if one and other and one.date() != other.date():
                apart[i, j] = (other - one).total_seconds()
    return sorted(apart, key=lambda pair: apart[pair])


def _overlaps(
    features: Sequence[Hashes], spread: int, asked: Iterable[int]
) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Yield for each index in `asked` how many rare features each other article shares with it."""
    owners = np.repeat(np.arange(len(features)), [len(own) for own in features])
    values = np.concatenate([*features, np.empty(0, np.uint64)])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    for i in asked:
        own = features[i]
        first, last = np.searchsorted(values, own, "left"), np.searchsorted(values, own, "right")
        telling = [owners[a:b] for a, b in zip(first, last, strict=True) if 1 < b - a <= spread]
        sharing = np.concatenate([*telling, np.empty(0, np.int64)])
        shared = np.bincount(sharing, minlength=len(features)).astype(np.float64)
        shared[i] = 0.0
        yield i, shared
