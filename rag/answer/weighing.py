"""The sentences of what was found, weighed for a question; what was taken back is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.answer.retractions import superseded
from rag.answer.sentence_scoring import MOST_UNITS, Candidate, candidates
from rag.retrieval.hybrid import Retrieval, Searchable
from rag.schema import ALL_RIGHTS, Hit


class Newsroom(Searchable, Protocol):
    """What answers need of an archive beside the search."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]: ...


def weighed(archive: Newsroom, found: Retrieval, most: int = MOST_UNITS) -> list[Candidate]:
    """Return the quotable sentences of what was found, best first, but for those taken back."""
    articles = texts_of(archive, found.hits)
    ranked = candidates(
        found.question.query, found.hits, embed=archive.embed, articles=articles, most=most
    )
    return [c for c in ranked if not superseded(c.text, c.hit.head.correction)]


def texts_of(archive: Newsroom, hits: Sequence[Hit]) -> dict[str, str]:
    """Return the whole texts of the hits' articles, where they are still as they were hit.

    Who was given the hits may read their articles.
    """
    texts = {}
    for hit in hits:
        article = archive.article(hit.passage.article_id, access=ALL_RIGHTS)
        if article is not None and article.revision == hit.passage.revision:
            texts[article.id] = article.text
    return texts
