"""Which article of the archive one that was read is, where it has no address that says so.

A file is known by where it lies, and stays the same article when it is moved. The numbers of a dump
are its own: the same number on another article is another article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Protocol

from ingest.readers.file_names import path_of
from ingest.target import IngestTarget
from rag.errors import ReadError
from rag.nlp.near_duplicates import shingle_hashes, word_hashes
from rag.schema import ALL_RIGHTS, Article
from rag.store.articles import content_hash
from rag.store.crawl_state import is_file_location

# Of the wording of the shorter of two versions, in the longer. A story that is written anew under
# its number keeps its headline or its hour; two stories share turns of phrase alone.
SHARED = 0.3
_UNIQUE = re.compile(
    r"(?i)\A(?:[a-z][a-z0-9+.-]{1,20}:|[\w.-]+\.[a-z]{2,}(?::\d+)?(?:[/?]|\Z)|"  # urn:, host/path
    r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?\Z|[0-9a-f]{16,}\Z|(?=\S*\d)\S{20,}\Z)"
)


class Places(Protocol):
    """Where articles were read: `rag.store.crawl_state.Places`."""

    def article_at(self, place: str) -> str: ...
    def others_of(self, article_id: str) -> list[str]: ...
    def with_text(self, text: str) -> list[str]: ...
    def withdrawn(self) -> dict[str, frozenset[str]]: ...
    def beginning(self, start: str) -> list[str]: ...
    def save(self, read: Iterable[tuple[str, str]]) -> None: ...


def is_unique(article_id: str) -> bool:
    """Whether no other archive's dump would call an article so: an address, a URN, a UUID."""
    return _UNIQUE.match(article_id) is not None


class ArticleIdResolver:
    """Gives each article that was read the id of the one that it is."""

    def __init__(self, held: IngestTarget, places: Places) -> None:
        self._held = held
        self._places = places
        self._withdrawn: dict[str, frozenset[str]] | None = None
        self._batch: dict[str, Article] = {}
        self._moved: dict[str, str] = {}

    def resolve(self, batch: Sequence[Article]) -> list[Article]:
        """Return the articles of a batch under the ids that they have in the archive."""
        self._batch, self._moved = {}, {}
        found = []
        for article in batch:
            if is_file_location(article.id):
                article = article.replace(id=self._placed(article))
            elif not is_unique(article.id):
                article = article.replace(id=self._numbered(article))
            self._batch[article.id] = article
            found.append(article)
        return found

    def resolve_kill(self, article_id: str, publisher: str) -> str:
        """Return the id here of what a publisher calls so."""
        number = "" if is_unique(article_id) else article_id
        ids = [f"{house}:{number}"] if number and (house := _slug(publisher)) else []
        return next((i for i in ids if self._held.article(i, access=ALL_RIGHTS)), article_id)

    def commit(self) -> None:
        """Remember the places of the batch that was put."""
        if self._moved:
            self._places.save(self._moved.items())
            self._moved = {}

    # by the place

    def _placed(self, article: Article) -> str:
        place = article.id
        here = self._moved.get(place) or self._places.article_at(place) or place
        if self._is_known(here):
            if self._is_version(here, article) or not self._lies_elsewhere(here, place):
                return here
        elif here == place:
            moved = self._elsewhere(article)
            if moved:
                self._moved[place] = moved
                return moved
            return place
        # What lay here has gone to another place, and another article lies here.
        return self._apart(place, article)

    def _elsewhere(self, article: Article) -> str:
        """Return the id of the article that lay at another place and is the same in everything."""
        if self._withdrawn is None:
            self._withdrawn = self._places.withdrawn()
        here = [i for i, one in self._batch.items() if one.text == article.text]
        likely = [*here, *self._places.with_text(article.text), *self._withdrawn]
        return next((i for i in likely if is_file_location(i) and self._is_version(i, article)), "")

    def _lies_elsewhere(self, article_id: str, place: str) -> bool:
        """Whether an article is still at another place than this one."""
        places = {*self._places.others_of(article_id)}
        places |= {p for p, moved in self._moved.items() if moved == article_id}
        if self._places.article_at(article_id) in ("", article_id):
            places.add(article_id)
        return any(map(_is_there, places - {place}))

    def _apart(self, place: str, article: Article) -> str:
        apart = place
        if self._is_known(place):
            apart = f"{place}#{_mark(article)}"
        self._moved[place] = apart
        return apart

    # by the number

    def _numbered(self, article: Article) -> str:
        number = article.id
        if not self._is_known(number) or self._is_same(number, article):
            return number
        house = _slug(article.publisher)
        likely = [f"{house}:{number}"] if house else []
        apart = f"{number}#{_mark(article)}"
        for article_id in [*likely, *self._beginning(f"{number}#")]:
            if self._is_known(article_id) and self._is_same(article_id, article):
                return article_id
        return next((i for i in likely if not self._is_known(i)), apart)

    def _beginning(self, start: str) -> list[str]:
        here = [article_id for article_id in self._batch if article_id.startswith(start)]
        return [*here, *self._places.beginning(start)]

    def _is_same(self, article_id: str, article: Article) -> bool:
        """Whether an article is the one of that id, as it was or in a new version."""
        if self._is_version(article_id, article):
            return True
        before = self._batch.get(article_id) or self._held.article(article_id, access=ALL_RIGHTS)
        return before is None or is_version_of(article, before)

    # what is there

    def _is_known(self, article_id: str) -> bool:
        return article_id in self._batch or bool(self._held.content_hashes([article_id]))

    def _is_version(self, article_id: str, article: Article) -> bool:
        """Whether the article of that id is, or in the archive once was, the same in everything."""
        again = article.replace(id=article_id)
        if article_id in self._batch:
            return self._batch[article_id] == again
        known = self._held.content_hashes([article_id]).get(article_id, frozenset())
        known |= (self._withdrawn or {}).get(article_id, frozenset())
        try:
            return content_hash(again) in known
        except ReadError:  # no text: it is refused when it is put
            return False


def is_version_of(new: Article, old: Article) -> bool:
    """Whether two articles of one number are one: by their text, or by headline, hour and wording.

    Those of two publishers are one if they are word for word the same.
    """
    if new.text == old.text:
        return True
    if new.publisher and old.publisher and new.publisher.casefold() != old.publisher.casefold():
        return False
    apart = bool(new.published and old.published and new.published != old.published)
    if new.title and new.title.casefold() == old.title.casefold() and not apart:
        return True
    hour = new.published and (new.published.hour, new.published.minute, new.published.second)
    if hour and any(hour) and not apart and old.published:
        return True
    short, long = sorted(
        (shingle_hashes(word_hashes(new.text)), shingle_hashes(word_hashes(old.text))), key=len
    )
    if not len(short):
        return False
    return len({*short.tolist()} & {*long.tolist()}) >= SHARED * len(short)


def _slug(publisher: str) -> str:
    return re.sub(r"\W+", "-", publisher.casefold()).strip("-")


def _mark(article: Article) -> str:
    return sha256(f"{article.title}\n{article.text}".encode("utf-8", "replace")).hexdigest()[:8]


def _is_there(place: str) -> bool:
    """Whether there still is a file at a place, or the packed one that it was a member of."""
    path = place.partition(":")[2]
    for end in (len(path), *(match.start() for match in re.finditer("[!#]", path))):
        try:
            if path_of(path[:end]).is_file():
                return True
        except (OSError, ValueError):
            continue
    return False
