"""Keep the fullest of several copies of one article within a run.

Crawls, feeds and link lists often contain an article several times: whole, cut off, and as a
summary. Without this filter, the last one read would replace the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.schema import Article

# A copy with a smaller share of the other's text is a teaser or a notice.
MUCH_SHORTER = 0.5
_TAIL = 20  # characters for a cut word and "read more"
_NOT_WORDS = re.compile(r"\W+")

Poorer = Literal["", "contained", "much shorter"]


@dataclass(frozen=True, slots=True)
class SiftedBatch:
    """A batch without its poorer copies.

    Attributes:
        articles: The copies to add.
        contained: Copies whose text is contained in a fuller one.
        shorter: Copies with a different and much shorter text.
    """

    articles: tuple[Article, ...] = ()
    contained: tuple[Article, ...] = ()
    shorter: tuple[Article, ...] = ()


@dataclass(slots=True)
class FullestCopyFilter:
    """Filter that remembers the article ids of a run.

    Attributes:
        existing: Returns the archive's version of an article.
    """

    existing: Callable[[str], Article | None]
    _seen: set[int] = field(default_factory=set)  # hashes of ids: a million take 60 MB

    def sift(self, batch: Sequence[Article]) -> SiftedBatch:
        """Remove copies that are poorer than another one of the same run.

        Only articles with a URL are compared, because a number may be shared by different articles.
        Later revisions in an export aren't copies.
        """
        found = SiftedBatch()
        fullest: dict[str, Article] = {}
        for article in batch:
            before = fullest.get(article.id) or self._earlier_copy(article)
            compared = article.url and article.revision == 1
            poorer = poorer_copy(article, before) if before and compared else ""
            if poorer == "contained":
                found = replace(found, contained=(*found.contained, article))
            elif poorer:
                found = replace(found, shorter=(*found.shorter, article))
            else:
                dropped = fullest.get(article.id)
                if dropped and compared and poorer_copy(dropped, article):
                    found = replace(
                        found,
                        articles=tuple(one for one in found.articles if one is not dropped),
                        contained=(*found.contained, dropped),
                    )
                fullest[article.id] = article
                found = replace(found, articles=(*found.articles, article))
        return found

    def remember(self, batch: Iterable[Article]) -> None:
        """Remember a batch after it was added; one that failed is sifted again."""
        self._seen |= {hash(article.id) for article in batch}

    def _earlier_copy(self, article: Article) -> Article | None:
        return self.existing(article.id) if hash(article.id) in self._seen else None


def poorer_copy(new: Article, old: Article) -> Poorer:
    """Return how `new` is poorer than `old`; "" if it isn't, or has a newer date."""
    if _is_newer(new, old):
        return ""
    ours, theirs = _letters_of(new.text), _letters_of(old.text)
    if len(ours) >= len(theirs):
        return ""
    whole = ours[: max(len(ours) - _TAIL, len(ours) // 2 + 1)]
    if whole in theirs or _paragraphs(new.text) <= _paragraphs(old.text):
        return "contained"
    return "much shorter" if len(ours) < MUCH_SHORTER * len(theirs) else ""


def _is_newer(new: Article, old: Article) -> bool:
    changed, before = new.updated or new.published, old.updated or old.published
    return bool(changed and before and changed > before)


def _letters_of(text: str) -> str:
    return _NOT_WORDS.sub("", text.casefold())


def _paragraphs(text: str) -> set[str]:
    return {_letters_of(line) for line in text.split("\n")}
