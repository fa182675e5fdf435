"""Candidates and hits for passage numbers: metadata for ranking first, texts later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.schema import ALL_RIGHTS, Access, Hit, PassageCandidate
from rag.store.articles import ArticleStore
from rag.store.correction_articles import add_corrections
from rag.store.filters import CURRENT


def read_candidates(
    store: ArticleStore, scored: Sequence[tuple[int, float]], standing: str = CURRENT
) -> list[PassageCandidate]:
    """Read the data that ranking needs of the passages that an index found.

    Args:
        store: The store to read from.
        scored: Passage numbers and scores.
        standing: SQL condition for the revisions to consider.

    Returns:
        Candidates in the given order, without passages that the store no longer has.
    """
    places = store.passages.found((number for number, _ in scored), standing)
    return [
        PassageCandidate(number, *places[number], score)
        for number, score in scored
        if number in places
    ]


def read_hits(
    store: ArticleStore,
    found: Iterable[PassageCandidate],
    standing: str = CURRENT,
    access: Access = ALL_RIGHTS,
) -> dict[int, Hit]:
    """Read the hits of candidates.

    Args:
        store: The store to read from.
        found: The candidates.
        standing: SQL condition for the revisions to consider.
        access: Access rights of the reader, applied to corrections in other articles.

    Returns:
        Hits by passage number, in the given order, without passages that the store no longer has.
        Their metadata includes corrections from other articles.
    """
    wanted = {one.number: one for one in found}
    live = store.passages.live(wanted, standing)
    held = [number for number in wanted if number in live]
    hits = [Hit(live[n].passage, live[n].metadata, wanted[n].score, wanted[n].copies) for n in held]
    return dict(zip(held, add_corrections(store.database, hits, standing, access), strict=True))
