"""One story once: of its tellings, the best found is shown and the others are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from rag.schema import Article, ArticleHead, Filters, Hit
from rag.text.copies import Said


class Library(Protocol):
    """What telling copies apart needs of an archive."""

    def copies(
        self, article_ids: Iterable[str], *, filters: Filters = ...
    ) -> dict[str, tuple[ArticleHead, ...]]: ...

    def article(self, article_id: str, /) -> Article | None: ...


def one_of_each_story(library: Library, ranked: Sequence[Hit], filters: Filters) -> list[Hit]:
    """Return `ranked` without what copies only repeat; each hit left names its story's others.

    Of the tellings that pass the filters, the one found best stays.  Of another, a passage stays
    that says what the first does not: a paragraph that was cut there, a figure brought up to date.
    """
    copies = library.copies({hit.passage.article_id for hit in ranked}, filters=filters)
    if not copies:
        return list(ranked)
    first: dict[frozenset[str], str] = {}
    said: dict[str, Said] = {}
    kept = []
    for hit in ranked:
        article_id = hit.passage.article_id
        others = copies.get(article_id, ())
        story = frozenset((article_id, *(head.article_id for head in others)))
        shown = first.setdefault(story, article_id)
        if shown != article_id:
            if shown not in said:
                article = library.article(shown)
                said[shown] = Said(article.text if article else "")
            if said[shown].repeats(hit.passage.text):
                continue
        kept.append(replace(hit, copies=others) if others else hit)
    return kept


def named_publishers(head: ArticleHead, copies: Iterable[ArticleHead]) -> tuple[str, ...]:
    """Return who else printed a story: each publisher once, in order, or the copy's title."""
    names = dict.fromkeys(copy.publisher or copy.title or copy.article_id for copy in copies)
    names.pop(head.publisher, None)
    return tuple(names)
