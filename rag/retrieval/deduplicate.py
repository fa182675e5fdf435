"""Near-duplicate collapsing: show the best hit of each cluster and list the other copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.nlp.near_duplicates import PassageCoverage
from rag.retrieval.backend import SearchBackend
from rag.schema import Access, ArticleMetadata, Filters, PassageCandidate


def collapse_duplicates(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], filters: Filters
) -> list[PassageCandidate]:
    """Return the ranked passages without those that near-duplicates only repeat.

    The best-ranked article of each cluster is shown. Passages of its other copies stay only if they
    contain something that it lacks, such as a paragraph that was cut or an updated figure.

    Args:
        archive: The archive.
        ranked: Candidates, best first.
        filters: The filters that the copies must pass.

    Returns:
        The remaining candidates in the same order, with their articles' copies.
    """
    copies = archive.near_duplicates(
        {found.metadata.article_id for found in ranked}, filters=filters
    )
    if not copies:
        return list(ranked)
    first: dict[frozenset[str], str] = {}
    told_by: dict[int, str] = {}  # passage number of a copy -> id of the article that is shown
    for found in ranked:
        article_id = found.metadata.article_id
        story = {article_id, *(metadata.article_id for metadata in copies.get(article_id, ()))}
        shown = first.setdefault(frozenset(story), article_id)
        if shown != article_id:
            told_by[found.number] = shown
    repeated = (found for found in ranked if found.number in told_by)
    hits = archive.load_hits(repeated, access=filters.access)
    said = {
        shown: _read_coverage(archive, shown, filters.access) for shown in set(told_by.values())
    }
    kept = []
    for found in ranked:
        if found.number in told_by:
            hit = hits.get(found.number)
            if hit is None or said[told_by[found.number]].covers(hit.passage.text):
                continue
        others = copies.get(found.metadata.article_id, ())
        kept.append(replace(found, copies=others) if others else found)
    return kept


def _read_coverage(archive: SearchBackend, article_id: str, access: Access) -> PassageCoverage:
    article = archive.article(article_id, access=access)
    return PassageCoverage(article.text if article else "")


def named_publishers(
    metadata: ArticleMetadata, copies: Iterable[ArticleMetadata]
) -> tuple[str, ...]:
    """Return the other publishers of a story, in order and without repetition.

    A copy without a publisher is named by its title or id.

    Args:
        metadata: The metadata of the article that is shown.
        copies: The metadata of its near-duplicates.
    """
    names = dict.fromkeys(copy.publisher or copy.title or copy.article_id for copy in copies)
    names.pop(metadata.publisher, None)
    return tuple(names)
