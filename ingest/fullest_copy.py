"""Keep the fullest of several copies of one article that come in the same run.

A crawl, a feed and a list of pages often hold one article several times: whole, cut off, and as a
summary. Read in that order, the last would replace the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.schema import Article

# A copy with less than this share of the other's text is a teaser or a notice, whatever its words.
MUCH_SHORTER = 0.5
_TAIL = 20  # characters that may be a cut word and "read more"
_NOT_WORDS = re.compile(r"\W+")

Poorer = Literal["", "contained", "much shorter"]


@dataclass(frozen=True, slots=True)
class KeptCopies:
    """A batch without its poorer copies: those `contained` in a fuller one, and the `shorter`."""

    articles: tuple[Article, ...] = ()
    contained: tuple[Article, ...] = ()
    shorter: tuple[Article, ...] = ()


@dataclass(slots=True)
class FullestCopyFilter:
    """Remembers which articles a run has brought; `held` returns one as the archive has it."""

    held: Callable[[str], Article | None]
    _seen: set[int] = field(default_factory=set)  # hashes of ids: a million take 60 MB

    def sift(self, batch: Sequence[Article]) -> KeptCopies:
        """Return the batch without the copies that are poorer than one of the same run.

        Only articles with an address are compared: the same number may be another article. The
        later revisions of an export are no copies.
        """
        found = KeptCopies()
        fullest: dict[str, Article] = {}
        for article in batch:
            before = fullest.get(article.id) or self._earlier(article)
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
        """Remember a batch that was put: not before, for one that fails is sifted again."""
        self._seen |= {hash(article.id) for article in batch}

    def _earlier(self, article: Article) -> Article | None:
        return self.held(article.id) if hash(article.id) in self._seen else None


def poorer_copy(new: Article, old: Article) -> Poorer:
    """Return how `new` is poorer than `old`; "" where it isn't, or is newer by its own date."""
    if _is_newer(new, old):
        return ""
    ours, theirs = _bare(new.text), _bare(old.text)
    if len(ours) >= len(theirs):
        return ""
    whole = ours[: max(len(ours) - _TAIL, len(ours) // 2 + 1)]
    if whole in theirs or _paragraphs(new.text) <= _paragraphs(old.text):
        return "contained"
    return "much shorter" if len(ours) < MUCH_SHORTER * len(theirs) else ""


def _is_newer(new: Article, old: Article) -> bool:
    changed, before = new.updated or new.published, old.updated or old.published
    return bool(changed and before and changed > before)


def _bare(text: str) -> str:
    return _NOT_WORDS.sub("", text.casefold())


def _paragraphs(text: str) -> set[str]:
    return {_bare(line) for line in text.split("\n")}
