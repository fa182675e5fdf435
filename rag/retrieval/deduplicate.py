"""One story once: of its tellings, the best found is shown and the others are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.nlp.near_duplicates import PassageCoverage
from rag.retrieval.backend import SearchBackend
from rag.schema import Access, ArticleMetadata, Filters, PassageCandidate


def collapse_duplicates(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], filters: Filters
) -> list[PassageCandidate]:
    """Return `ranked` without what copies only repeat; what is left names its story's others.

    Of the tellings that pass the filters, the one found best stays.  Of another, a passage stays
    that says what the first does not: a paragraph that was cut there, a figure brought up to date.
    """
    copies = archive.near_duplicates(
        {found.metadata.article_id for found in ranked}, filters=filters
    )
    if not copies:
        return list(ranked)
    first: dict[frozenset[str], str] = {}
    told_by: dict[int, str] = {}  # of a passage of another telling: the article that is shown
    for found in ranked:
        article_id = found.metadata.article_id
        story = {article_id, *(head.article_id for head in copies.get(article_id, ()))}
        shown = first.setdefault(frozenset(story), article_id)
        if shown != article_id:
            told_by[found.number] = shown
    repeated = (found for found in ranked if found.number in told_by)
    hits = archive.load_hits(repeated, access=filters.access)
    said = {shown: _said(archive, shown, filters.access) for shown in set(told_by.values())}
    kept = []
    for found in ranked:
        if found.number in told_by:
            hit = hits.get(found.number)
            if hit is None or said[told_by[found.number]].covers(hit.passage.text):
                continue
        others = copies.get(found.metadata.article_id, ())
        kept.append(replace(found, copies=others) if others else found)
    return kept


def _said(archive: SearchBackend, article_id: str, access: Access) -> PassageCoverage:
    article = archive.article(article_id, access=access)
    return PassageCoverage(article.text if article else "")


def named_publishers(head: ArticleMetadata, copies: Iterable[ArticleMetadata]) -> tuple[str, ...]:
    """Return who else printed a story: each publisher once, in order, or the copy's title."""
    names = dict.fromkeys(copy.publisher or copy.title or copy.article_id for copy in copies)
    names.pop(head.publisher, None)
    return tuple(names)
