"""What the indexes found, as the record has it: first what it is ranked by, then its words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.schema import ALL_RIGHTS, Access, Hit, PassageCandidate
from rag.store.articles import ArticleStore
from rag.store.correction_articles import corrected_articles
from rag.store.filters import CURRENT


def read_candidates(
    record: ArticleStore, scored: Sequence[tuple[int, float]], standing: str = CURRENT
) -> list[PassageCandidate]:
    """Return those of the passages, by number and score, that the record holds, in order."""
    places = record.passages.found((number for number, _ in scored), standing)
    return [
        PassageCandidate(number, *places[number], score)
        for number, score in scored
        if number in places
    ]


def read_hits(
    record: ArticleStore,
    found: Iterable[PassageCandidate],
    standing: str = CURRENT,
    access: Access = ALL_RIGHTS,
) -> dict[int, Hit]:
    """Return the hits of those that the record still holds, by number, in their order.

    Their heads tell what other articles, which may be read with these rights, correct, or then
    corrected, in theirs.
    """
    wanted = {one.number: one for one in found}
    live = record.passages.live(wanted, standing)
    held = [number for number in wanted if number in live]
    hits = [Hit(live[n].passage, live[n].head, wanted[n].score, wanted[n].copies) for n in held]
    return dict(zip(held, corrected_articles(record.database, hits, standing, access), strict=True))
