"""Addresses of articles on the page: `a/ID?at=START-END&revision=N`.

The ID is percent-encoded, slashes included. `at` is a span of the article's text, in characters.
A span without `revision` belongs to the first revision, so a link keeps its place after a change;
without a span, the current revision is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode

from rag.schema import Passage

PREFIX = "a/"  # relative to the page
LONGEST_ID = 2048  # characters
LONGEST_ADDRESS = 8192  # characters
_SPAN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
_REVISION = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class ArticleAddress:
    """Address of an article, and of a span of its text.

    Attributes:
        article_id: Id of the article.
        start: Start of the span.
        end: End of the span; equal to `start` for none.
        revision: Number of the revision; None for the current one.
    """

    article_id: str
    start: int = 0
    end: int = 0
    revision: int | None = None

    @classmethod
    def of_span(cls, passage: Passage, start: int, end: int) -> Self:
        """Return the address of a span in the passage's revision of its article."""
        return cls(passage.article_id, start, end, passage.revision)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self | None:
        """Return the address in the parameters `article`, `at` and `revision`.

        Args:
            query: Parameters, which may be forged; invalid spans and revisions are ignored.

        Returns:
            The address; None without an id, or with one that is too long.
        """
        article_id = query.get("article", "").encode(errors="replace").decode()
        if not article_id or len(article_id) > LONGEST_ID:
            return None
        start, end = _read_span(query.get("at", ""))
        given = query.get("revision", "")
        revision = int(given) if _REVISION.fullmatch(given) else (1 if start < end else None)
        return cls(article_id, start, end, revision)

    @classmethod
    def from_path(cls, path: str) -> Self | None:
        """Return the address that `path` returned; None for any other text."""
        if not path.startswith(PREFIX) or len(path) > LONGEST_ADDRESS:
            return None
        name, _, query = path[len(PREFIX) :].partition("?")
        return cls.from_query({**dict(parse_qsl(query)), "article": unquote(name)})

    @property
    def query(self) -> str:
        """The parameters `article`, `at` and `revision`, encoded."""
        return urlencode({"article": self.article_id, **self._place}, errors="replace")

    @property
    def path(self) -> str:
        """The address, relative to the page's root."""
        place = f"?{urlencode(self._place)}" if self._place else ""
        return f"{PREFIX}{quote(self.article_id, safe='', errors='replace')}{place}"

    @property
    def _place(self) -> dict[str, str]:
        """Span and revision, without a revision that goes without saying."""
        has_span = self.start < self.end
        place = {"at": f"{self.start}-{self.end}"} if has_span else {}
        if self.revision and not (has_span and self.revision == 1):
            place["revision"] = str(self.revision)
        return place


def _read_span(text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    start, end = (int(found[1]), int(found[2])) if found else (0, 0)
    return (start, end) if start < end else (0, 0)
